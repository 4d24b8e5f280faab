use super::*;
use proptest::prelude::*;

const fn ms(millis: u64) -> Option<Duration> {
    Some(Duration::from_millis(millis))
}

#[track_caller]
fn check(value: &str, delay: Option<Duration>, abort: Option<u16>) {
    assert_eq!(parse(value.as_bytes()), Some(Asked { delay, abort }), "{value:?}");
}

#[track_caller]
fn check_refused(value: &[u8]) {
    assert_eq!(parse(value), None, "{}", value.escape_ascii());
}

#[test]
fn a_delay_an_abort_or_both() {
    check("delay=500ms", ms(500), None);
    check("abort=503", None, Some(503));
    check("delay=500ms,abort=503", ms(500), Some(503));
    check("abort=503,delay=500ms", ms(500), Some(503));
}

#[test]
fn spaces_and_tabs_may_be_around_items() {
    check(" delay=1s\t", ms(1000), None);
    check("delay=1s, abort=500", ms(1000), Some(500));
    check("\t abort=500 \t,\t delay=1s \t", ms(1000), Some(500));
}

#[test]
fn delays_are_written_as_in_a_config() {
    check("delay=1ms", ms(1), None);
    check("delay=1.5s", ms(1500), None);
    check("delay=1m30s", ms(90_000), None);
    check("delay=1000us", ms(1), None);
    check("delay=1000001ns", Some(Duration::from_nanos(1_000_001)), None);
    check("delay=400d", ms(400 * 86_400_000), None);
}

#[test]
fn a_delay_has_at_least_a_millisecond() {
    check_refused(b"delay=0s");
    check_refused(b"delay=999us");
    check_refused(b"delay=999999ns");
    check_refused(b"delay=0s,abort=503");
}

#[test]
fn what_is_no_duration_is_refused() {
    check_refused(b"delay=");
    check_refused(b"delay=500");
    check_refused(b"delay=-1s");
    check_refused(b"delay=+1s");
    check_refused(b"delay=1 s");
    check_refused(b"delay= 1s");
    check_refused(b"delay=1S");
    check_refused(b"delay=1e3s");
    check_refused(b"delay=999999d");
    check_refused(b"delay==1s");
    check_refused(b"delay=\"1s\"");
}

#[test]
fn statuses_are_from_200_to_599() {
    check("abort=200", None, Some(200));
    check("abort=599", None, Some(599));
    check_refused(b"abort=199");
    check_refused(b"abort=600");
    check_refused(b"abort=100");
    check_refused(b"abort=999");
    check_refused(b"abort=0503");
    check_refused(b"abort=50");
    check_refused(b"abort=");
    check_refused(b"abort=+503");
    check_refused(b"abort=+50");
    check_refused(b"abort=-50");
    check_refused(b"abort= 503");
    check_refused(b"abort=5e2");
    check_refused(b"abort=503.0");
    check_refused("abort=5\u{663}".as_bytes());
    check_refused(b"abort=65739");
}

#[test]
fn each_is_given_at_most_once() {
    check_refused(b"delay=1s,delay=1s");
    check_refused(b"abort=503,abort=503");
    check_refused(b"delay=1s,abort=503,delay=2s");
}

#[test]
fn nothing_else_is_an_item() {
    check_refused(b"");
    check_refused(b" ");
    check_refused(b",");
    check_refused(b"delay=1s,");
    check_refused(b",delay=1s");
    check_refused(b"delay=1s,,abort=503");
    check_refused(b"delay=1s, ,abort=503");
    check_refused(b"delay");
    check_refused(b"delay:1s");
    check_refused(b"Delay=1s");
    check_refused(b"ABORT=503");
    check_refused(b"delay =1s");
    check_refused(b"delay=1s;abort=503");
    check_refused(b"delay=1s abort=503");
    check_refused(b"delay=1s,percentage=5");
    check_refused(b"delay=1s\n");
    check_refused(b"delay=1s\r\n");
    check_refused("\u{a0}delay=1s".as_bytes());
    check_refused(b"delay=1s\xff");
    check_refused(b"delay=1s\0");
}

#[test]
fn a_value_has_at_most_64_bytes() {
    let padded = |size: usize| format!("{:>size$}", "abort=503").into_bytes();
    assert!(parse(&padded(64)).is_some());
    check_refused(&padded(65));
}

/// Optional whitespace.
fn ows() -> impl Strategy<Value = String> {
    "[ \t]{0,3}"
}

fn asked() -> impl Strategy<Value = Asked> {
    let delay =
        prop_oneof![1_000_000..10_000_000u64, (1..=u64::MAX / 1_000_000).prop_map(|ms| ms * 1_000_000)];
    let delay = prop::option::of(delay.prop_map(Duration::from_nanos));
    let at_least_one = |asked: &Asked| asked.delay.is_some() || asked.abort.is_some();
    (delay, prop::option::of(200..=599u16))
        .prop_map(|(delay, abort)| Asked { delay, abort })
        .prop_filter("at least one", at_least_one)
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        asked in asked(),
        delay_first: bool,
        (before, after, before_second, after_second) in (ows(), ows(), ows(), ows()),
    ) {
        let delay = asked.delay.map(|delay| format!("delay={}ns", delay.as_nanos()));
        let abort = asked.abort.map(|abort| format!("abort={abort}"));
        let items = if delay_first { [delay, abort] } else { [abort, delay] };
        let spaces = [(before, after), (before_second, after_second)];
        let spaced = items.into_iter().flatten().zip(spaces).map(|(item, (before, after))| before + &item + &after);
        let value = spaced.collect::<Vec<_>>().join(",");
        prop_assert_eq!(parse(value.as_bytes()), Some(asked), "{}", value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        value in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "((delay=|abort=|[0-9]{1,3}|ms|s|[ \t,.=+])){0,8}".prop_map(String::into_bytes),
        ],
    ) {
        if let Some(asked) = parse(&value) {
            prop_assert!(value.len() <= 64);
            prop_assert!(asked.delay.is_some() || asked.abort.is_some());
            prop_assert!(asked.delay.is_none_or(|delay| delay >= Duration::from_millis(1)));
            prop_assert!(asked.abort.is_none_or(|status| (200..600).contains(&status)));
        }
    }
}
