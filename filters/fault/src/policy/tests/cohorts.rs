//! The same fate for the same cohort.

use super::{ABORT, Gateway, YES, rules, with_rules};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a program prints that computes fates without this crate: a user, the number that decides, whether a
/// delay of 50 % happens, the number that its length comes from, and a length between 100 ms and 300 ms.
const PRINTED: &str = include_str!("cohort.txt");

const BY_USER: &str = r#", "cohort": {"by": [{"header": "user"}], "salt": "exp-1"}"#;
const RANDOM: &str =
    r#""delay": {"percentage": 50, "distribution": {"uniform": {"min": "100ms", "max": "300ms"}}}"#;

/// A config with a rule `chaos` of these faults.
fn chaos(top: &str, faults: &str) -> String {
    format!(r#"{{"rules": [{{"name": "chaos", {faults}}}]{top}}}"#)
}

/// Users whose requests get a fault, of 20 000.
fn chosen(config: &str) -> BTreeSet<u32> {
    let gateway = Gateway::new(config);
    (0..20_000).filter(|user| gateway.decide(&format!("user: user-{user}")).outcome.is_ok()).collect()
}

#[test]
fn fates_are_those_of_an_independent_program() {
    let gateway = Gateway::new(&chaos(BY_USER, RANDOM));
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
    for row in PRINTED.lines() {
        let [user, roll, holds, length, delay] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(holds == "yes", number(roll) < 1 << 63, "{row}");
        let shares = number(length) as f64 / 2f64.powi(64);
        assert_eq!(format!("{:.3}ms", shares.mul_add(200.0, 100.0)), delay, "{row}");
        let decided = gateway.decide(&format!("user: {user}")).outcome;
        assert_eq!(decided.is_ok(), holds == "yes", "{row}");
        if let Ok(fault) = decided {
            assert_eq!(format!("{:.3}ms", fault.delay.unwrap().as_secs_f64() * 1e3), delay, "{row}");
        }
        // The exact number that decides: the fault happens from the next percentage on.
        let parts = (u128::from(number(roll)) * 1_000_000) >> 64;
        for (parts, expected) in [(parts, false), (parts + 1, true)] {
            let percentage = format!(r#""percentage": {}.{:04}"#, parts / 10_000, parts % 10_000);
            let config = chaos(BY_USER, &RANDOM.replace(r#""percentage": 50"#, &percentage));
            let decided = Gateway::new(&config).decide(&format!("user: {user}")).outcome;
            assert_eq!(decided.is_ok(), expected, "{row} {percentage}");
        }
    }
    assert_eq!(PRINTED.lines().count(), 5);
}

#[test]
fn the_same_parts_have_the_same_fate_and_the_same_delay() {
    let faults = format!(
        r#"{RANDOM}, {ABORT}, "response": {{"percentage": 50, "delay": {{"distribution": {{"exponential": {{"mean": "1s"}}}}}}}},
            "throttle": {{"percentage": 50, "bytes_per_second": 1}}"#
    );
    let (one, other) = (Gateway::new(&chaos(BY_USER, &faults)), Gateway::new(&chaos(BY_USER, &faults)));
    let mut fates = BTreeSet::new();
    for user in 0..500 {
        let headers = format!("user: {user}");
        let fate = one.decide(&headers);
        assert_eq!(fate, one.decide(&headers));
        assert_eq!(fate, other.decide(&format!("a: 1; {headers}; :path: /b")));
        fates.insert(one.outcome(&fate));
    }
    // Not the same for all.
    assert_eq!(fates.len(), 10, "{fates:?}");
    assert_eq!(one.host.borrow().asked[0], 0);
}

#[test]
fn salt_rule_and_kind_choose_others() {
    let of = |salt: &str, name: &str, faults: &str| {
        chosen(&format!(
            r#"{{"cohort": {{"by": [{{"header": "user"}}], "salt": "{salt}"}}, "rules": [{{"name": "{name}", {faults}}}]}}"#
        ))
    };
    const DELAY: &str = r#""delay": {"percentage": 50, "fixed": "1s"}"#;
    let first = of("s", "a", DELAY);
    for others in [of("t", "a", DELAY), of("", "a", DELAY), of("s", "b", DELAY), of("s", "a", ABORT)] {
        let both = first.intersection(&others).count();
        // Independent: a quarter.
        assert!((4_700..5_300).contains(&both), "{both}");
    }
    assert_eq!(first, of("s", "a", &DELAY.replace("1s", "2s")));
}

#[test]
fn kinds_are_independent_within_a_cohort() {
    let config = chaos(
        BY_USER,
        r#""delay": {"percentage": 30, "fixed": "1s"}, "abort": {"percentage": 20, "status": 503}"#,
    );
    let gateway = Gateway::new(&config);
    let labels: Vec<_> =
        (0..100_000).map(|user| gateway.outcome(&gateway.decide(&format!("user: {user}")))).collect();
    let share = |kinds: &[&str]| {
        let all = labels.iter().filter(|label| kinds.iter().all(|kind| label.contains(kind)));
        all.count() as f64 / 100_000.0
    };
    for (kinds, expected) in [(&["delay"][..], 0.3), (&["abort"], 0.2), (&["delay", "abort"], 0.06)] {
        assert!((share(kinds) - expected).abs() < 0.005, "{kinds:?} {}", share(kinds));
    }
}

#[test]
fn a_larger_percentage_keeps_those_that_were_in() {
    let of = |percentage: &str| {
        chosen(&chaos(BY_USER, &format!(r#""abort": {{"percentage": {percentage}, "status": 503}}"#)))
    };
    let steps = ["0", "0.01", "1", "1.5", "10", "50", "99.99", "100"].map(of);
    assert!(steps.is_sorted_by(|less, more| less.is_subset(more)));
    assert_eq!((steps[0].len(), steps[7].len()), (0, 20_000));
    assert!((1_800..2_200).contains(&steps[4].len()), "{}", steps[4].len());
}

/// A length is independent of the roll: those that a small percentage chooses do not have the shortest delays.
#[test]
fn lengths_do_not_depend_on_who_is_chosen() {
    let config = chaos(BY_USER, &RANDOM.replace("50", "1"));
    let gateway = Gateway::new(&config);
    let delays: Vec<_> = (0..100_000)
        .filter_map(|user| gateway.decide(&format!("user: {user}")).outcome.ok()?.delay)
        .collect();
    let mean = delays.iter().sum::<Duration>() / u32::try_from(delays.len()).unwrap();
    assert!((190..210).contains(&mean.as_millis()), "{mean:?}");
}

#[test]
fn a_request_that_lacks_a_part_rolls_anew() {
    let top = r#", "cohort": {"by": [{"header": "user"}, {"cookie": "c"}]}"#;
    let gateway = Gateway::new(&with_rules(top, &[ABORT]));
    for headers in ["", "user: 1", "cookie: c=1", "user: 1; user: 2; cookie: c=1", "user: 1; cookie: c=1;c=2"]
    {
        let before = gateway.host.borrow().asked[0];
        gateway.roll(&[YES]);
        assert_eq!(gateway.outcome(&gateway.decide(headers)), "abort{a}", "{headers}");
        assert_eq!((gateway.host.borrow().asked[0] - before, gateway.rolls_left()), (1, 0), "{headers}");
    }
    let before = gateway.host.borrow().asked[0];
    gateway.decide("user: 1; cookie: c=1");
    // An empty value is a value.
    gateway.decide("user: ; cookie: c=1");
    assert_eq!(gateway.host.borrow().asked[0], before);
}

/// Which part a value belongs to counts.
#[test]
fn parts_are_not_mixed_up() {
    let top = r#", "cohort": {"by": [{"header": "u"}, {"header": "v"}]}"#;
    let gateway = Gateway::new(&with_rules(top, &[RANDOM]));
    let delay =
        |u: &str, v: &str| gateway.decide(&format!("u: {u}; v: {v}")).outcome.map(|fault| fault.delay);
    let fates: Vec<_> =
        (0..64).map(|user| (delay(&format!("{user}a"), "b"), delay(&format!("{user}"), "ab"))).collect();
    assert!(fates.iter().filter(|(one, other)| one == other).count() < 32);
}

#[test]
fn without_a_cohort_each_roll_is_new() {
    let gateway = Gateway::random(&rules(&[ABORT]), 1);
    let fates: BTreeSet<_> = (0..64).map(|_| gateway.outcome(&gateway.decide("user: 1"))).collect();
    assert_eq!(fates.len(), 2);
}

/// A cohort decides also where the percentage leaves nothing to decide.
#[test]
fn a_cohort_without_random_numbers_is_complete() {
    let gateway = Gateway::new(&chaos(BY_USER, &RANDOM.replace("50", "100")));
    gateway.host.borrow_mut().has_random = false;
    assert!((0..100).all(|user| gateway.decide(&format!("user: {user}")).outcome.is_ok()));
}
