use super::Schedule;
use crate::config::parse;
use std::time::Duration;

/// A schedule of steps of 10, 20 and 30 % that last 5 s, 2.5 s and for ever.
fn schedule() -> Schedule {
    of(r#", "rollout": {"variant": "b", "start": "1970-01-01T00:01:40Z",
        "steps": [{"percentage": 10, "for": "5s"}, {"percentage": 20, "for": "2500ms"}, {"percentage": 30}]}"#)
}

fn of(rollout: &str) -> Schedule {
    let config = format!(
        r#"{{"split": {{"name": "s", "variants": [{{"name": "a", "weight": 3}}, {{"name": "b", "weight": 1}}]{rollout}}}}}"#
    );
    Schedule::new(&parse(config.as_bytes()).unwrap().splits.0[0])
}

/// `expected`: the phase so many milliseconds after the first step has begun.
#[track_caller]
fn check(millis: i64, expected: u8) {
    let schedule = schedule();
    let since_epoch = u64::try_from(100_000 + millis).unwrap();
    assert_eq!(schedule.at(Duration::from_millis(since_epoch)), expected, "{millis}");
    if let Ok(elapsed) = u64::try_from(millis) {
        assert_eq!(schedule.after(Duration::from_millis(elapsed)), expected, "{millis}");
    }
}

#[test]
fn a_phase_begins_when_the_one_before_ends() {
    check(-100_000, 0);
    check(-1, 0);
    check(0, 1);
    check(4_999, 1);
    check(5_000, 2);
    check(7_499, 2);
    check(7_500, 3);
    check(1_000_000_000_000, 3);
}

#[test]
fn phases_have_their_shares() {
    #[track_caller]
    fn check_shares(phase: u8, percentage: f64) {
        let schedule = schedule();
        let [a, b] = schedule.shares(phase) else { panic!("two shares") };
        assert!((b * 100.0 - percentage * (a + b)).abs() < 1e-6 * (a + b), "{phase}: {a} {b}");
    }
    check_shares(0, 0.0);
    check_shares(1, 10.0);
    check_shares(2, 20.0);
    check_shares(3, 30.0);
    // A record may be of a config with more steps.
    check_shares(4, 30.0);
    check_shares(u8::MAX, 30.0);
}

#[test]
fn without_a_rollout_there_is_one_phase() {
    let schedule = of("");
    assert!(!schedule.has_phases());
    for time in [Duration::ZERO, Duration::from_secs(1), Duration::MAX] {
        assert_eq!((schedule.at(time), schedule.after(time)), (0, 0));
    }
    for phase in [0, 1, u8::MAX] {
        assert_eq!(schedule.shares(phase), [300.0, 100.0]);
    }
}

#[test]
fn a_single_step_is_two_phases() {
    let schedule = of(
        r#", "rollout": {"variant": "b", "start": "1970-01-01T00:00:01Z", "steps": [{"percentage": 100}]}"#,
    );
    let phases = [0, 999, 1000, 1_000_000].map(|millis| schedule.at(Duration::from_millis(millis)));
    assert_eq!(phases, [0, 0, 1, 1]);
    assert_eq!(schedule.after(Duration::MAX), 1);
}

/// The longest schedule ends long before times run out.
#[test]
fn a_schedule_of_32_years_is_one() {
    let steps: Vec<_> = (0..31).map(|step| format!(r#"{{"percentage": {step}, "for": "365d"}}"#)).collect();
    let schedule = of(&format!(
        r#", "rollout": {{"variant": "b", "start": "9999-12-31T23:59:59Z", "steps": [{}, {{"percentage": 100}}]}}"#,
        steps.join(", ")
    ));
    let year = Duration::from_secs(365 * 86_400);
    let phases: Vec<_> = (0..=33).map(|years| schedule.after(year * years)).collect();
    assert_eq!(phases, (1..=32).chain([32, 32]).collect::<Vec<u8>>());
    assert_eq!(schedule.at(Duration::from_secs(1_795_168_800)), 0);
}
