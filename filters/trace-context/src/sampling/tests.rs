use super::{decide, generate};
use crate::context::{Decision, SpanId, TraceId};
use mesh_policy::percent::Percentage;

fn share(parts_per_million: u32) -> Percentage {
    Percentage::from_parts_per_million(parts_per_million).unwrap()
}

#[track_caller]
fn check(trace: u128, parts: u32, expected: Decision) {
    assert_eq!(decide(TraceId::new(trace).unwrap(), share(parts)), expected, "{trace:x} {parts}");
}

#[test]
fn the_threshold_is_exact() {
    use Decision::{NotSampled, Sampled};
    // OpenTelemetry's thresholds: 50 % is th:8, 25 % is th:c, 0.0001 % is th:ffffef39085f4a.
    check(0x80_0000_0000_0000, 500_000, Sampled);
    check(0x7f_ffff_ffff_ffff, 500_000, NotSampled);
    check(0xc0_0000_0000_0000, 250_000, Sampled);
    check(0xbf_ffff_ffff_ffff, 250_000, NotSampled);
    // The threshold of 1 % is 0xfd70a3d70a3d70.a3d7…
    check(0xfd_70a3_d70a_3d71, 10_000, Sampled);
    check(0xfd_70a3_d70a_3d70, 10_000, NotSampled);
    check(0xff_ffff_ffff_ffff, 1, Sampled);
}

#[test]
fn the_ends_are_exact() {
    for trace in [1, 0xff_ffff_ffff_ffff, u128::MAX, 1 << 56, 1 << 127] {
        check(trace, 1_000_000, Decision::Sampled);
        check(trace, 0, Decision::NotSampled);
    }
}

#[test]
fn only_the_last_56_bits_count() {
    check((u128::MAX << 56) | 0x7f_ffff_ffff_ffff, 500_000, Decision::NotSampled);
    check(0x80_0000_0000_0000, 500_000, Decision::Sampled);
}

#[test]
fn a_new_trace_has_the_random_flag_and_ids() {
    let new = generate((2, 3), 5, Percentage::ALL);
    assert_eq!((new.trace_id, new.span_id), (TraceId::from_halves(2, 3).unwrap(), SpanId::new(5)));
    assert_eq!((new.decision, new.is_random), (Decision::Sampled, true));
    let new = generate((0, 0), 0, Percentage::NONE);
    assert_eq!((new.trace_id, new.span_id), (TraceId::MIN, Some(SpanId::MIN)));
    assert_eq!((new.decision, new.is_random), (Decision::NotSampled, true));
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Proxies with different shares agree: the traces of the smaller share are among those of the larger one.
        #[test]
        fn what_a_share_samples_a_greater_share_samples(
            trace: (u64, u64),
            a in 0..=1_000_000u32,
            b in 0..=1_000_000u32,
        ) {
            let trace_id = generate(trace, 1, Percentage::NONE).trace_id;
            let (less, more) = (decide(trace_id, share(a.min(b))), decide(trace_id, share(a.max(b))));
            prop_assert!(!less.is_sampled() || more.is_sampled());
        }

        /// The number of sampled values of 56 bits is the share of all of them, rounded down.
        #[test]
        fn the_share_is_exact(parts in 1..=999_999u32) {
            let all = 1u128 << 56;
            let sampled = all * u128::from(parts) / 1_000_000;
            let at = |randomness: u128| decide(TraceId::new(randomness).unwrap(), share(parts));
            prop_assert_eq!(at(all - sampled), Decision::Sampled);
            prop_assert_eq!(at(all - sampled - 1), Decision::NotSampled);
        }

        #[test]
        fn a_new_trace_is_decided_by_its_id(random: (u64, u64), span: u64, parts in 0..=1_000_000u32) {
            let new = generate(random, span, share(parts));
            prop_assert_eq!(new.decision, decide(new.trace_id, share(parts)));
        }
    }
}
