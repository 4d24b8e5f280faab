use super::super::record::Former;
use super::super::state::Trip;
use super::{Config, Look, Nanos, Record, State};

const SECOND: u64 = 1_000_000_000;

fn config(since: u64, fingerprint: u64) -> Config {
    Config { since: Nanos(since), fingerprint }
}

fn trips(trips: u32) -> State {
    State { trips, ..State::default() }
}

fn former(config: Config, state: State) -> Option<Former> {
    Some(Former { config, state })
}

/// The record of `owner` with 3 trips, last merged at second 100. The other config has 5 trips.
fn record(owner: Config, other: Option<Config>) -> Record {
    let other = other.and_then(|other| former(other, trips(5)));
    Record { other, life: 7, state: trips(3), ..Record::new(owner, Nanos(100 * SECOND)) }
}

/// Whose record it is, the number of trips of its state, and its owner and the other config afterwards; of no interest if
/// it is theirs.
type Seen = (&'static str, u32, Option<(Config, Option<Config>)>);

fn look(record: &Record, now: u64, config: Config, is_in_use: bool) -> Seen {
    let (whose, state, record) = match Look::at(Some(&record.to_bytes()), Nanos(now), config, is_in_use) {
        Look::Ours(record) => ("ours", record.state, Some(record)),
        Look::Theirs(state) => ("theirs", state, None),
        Look::Taken(record) => ("taken", record.state, Some(record)),
    };
    (whose, state.trips, record.map(|record| (record.owner, record.other.map(|other| other.config))))
}

#[test]
fn the_later_config_holds_while_it_merges() {
    #[track_caller]
    fn check(owner: Config, now: u64, config: Config, expected: &str) {
        assert_eq!(look(&record(owner, None), now, config, true).0, expected);
    }
    let now = 105 * SECOND;
    let (a, b) = (config(1, 100), config(2, 50));
    check(a, now, a, "ours");
    check(a, now, b, "taken");
    check(b, now, a, "theirs");
    check(b, 110 * SECOND - 1, a, "theirs");
    check(b, 110 * SECOND, a, "taken");
    // Of two that were loaded at one instant, the fingerprints decide.
    check(config(2, 100), now, b, "theirs");
    check(b, now, config(2, 100), "taken");
}

#[test]
fn an_earlier_config_that_is_not_in_use_takes_nothing_over() {
    #[track_caller]
    fn check(owner: Config, config: Config, expected: &str) {
        assert_eq!(look(&record(owner, None), u64::MAX, config, false).0, expected);
    }
    let (a, b) = (config(1, 100), config(2, 50));
    check(b, a, "theirs");
    check(a, b, "taken");
    check(a, a, "ours");
    assert!(matches!(Look::at(None, Nanos(9), a, false), Look::Taken(_)));
}

#[test]
fn equal_values_keep_the_state() {
    #[track_caller]
    fn check(config: Config, owner: Config, expected: Config) {
        let seen = look(&record(owner, None), 105 * SECOND, config, true);
        assert_eq!(seen, ("ours", 3, Some((expected, None))));
    }
    check(config(1, 4), config(9, 4), config(9, 4));
    check(config(9, 4), config(1, 4), config(9, 4));
}

/// What the record remembers of another config has 5 trips.
#[test]
fn a_config_that_takes_the_record_back_gets_its_own_state_back() {
    #[track_caller]
    fn check(record: &Record, now: u64, config: Config, trips: u32, owner: Config, other: Config) {
        assert_eq!(look(record, now, config, true), ("taken", trips, Some((owner, Some(other)))));
    }
    let (now, later) = (105 * SECOND, 110 * SECOND);
    let (a, b, again) = (config(10, 100), config(20, 50), config(30, 100));
    // A has not been here before.
    check(&record(b, None), later, a, 0, a, b);
    // It was, as was B.
    check(&record(b, Some(a)), later, a, 5, a, b);
    check(&record(a, Some(b)), now, b, 5, b, a);
    // Workers load a config at different times.
    check(&record(b, Some(a)), later, config(11, 100), 5, config(11, 100), b);
    check(&record(b, Some(a)), later, config(9, 100), 5, a, b);
    check(&record(a, Some(b)), now, config(21, 50), 5, config(21, 50), a);
    check(&record(a, Some(b)), now, config(19, 50), 5, b, a);
    // A is pushed again, after B.
    check(&record(b, Some(a)), now, again, 0, again, b);
    // Of two that were loaded at one instant, the fingerprints decide.
    check(&record(b, Some(config(20, 49))), now, config(30, 49), 0, config(30, 49), b);
    check(&record(b, Some(config(20, 51))), now, config(30, 51), 5, config(30, 51), b);
    // Then the first one may take the record back for both.
    check(&record(b, Some(again)), later, a, 5, again, b);
    // The state of another config is of no use.
    check(&record(b, Some(config(12, 70))), later, a, 0, a, b);
    // The latest of the others is remembered.
    check(&record(config(12, 70), Some(b)), later, a, 0, a, b);
}

#[test]
fn what_the_owner_leaves_is_remembered() {
    let trip = Trip { until: Some(Nanos(9)), phase: 4 };
    let left = State { trip: Some(trip), restarted_at: Some(Nanos(3)), trips: 2 };
    let (a, b) = (config(1, 100), config(2, 50));
    let a_s = Record { state: left, ..record(a, None) };
    let b_s = a_s.taken_by(b, Nanos(200 * SECOND));
    assert_eq!((b_s.other, b_s.state, b_s.counts.is_empty()), (former(a, left), State::default(), true));
    // A trip that has ended meanwhile is ended by the merge that takes over.
    let back = Record { state: trips(1), ..b_s }.taken_by(a, Nanos(300 * SECOND));
    assert_eq!((back.other, back.state, back.owner), (former(b, trips(1)), left, a));
}

/// A, B, and A again.
#[test]
fn a_config_that_is_pushed_again_starts_anew() {
    let (a, b, again) = (config(1, 100), config(2, 50), config(3, 100));
    let now = 105 * SECOND;
    #[track_caller]
    fn check(record: &Record, config: Config, expected: Seen) {
        assert_eq!(look(record, 105 * SECOND, config, true), expected);
    }
    check(&record(a, None), b, ("taken", 0, Some((b, Some(a)))));
    check(&record(b, Some(a)), again, ("taken", 0, Some((again, Some(b)))));
    // The first has taken the record over while B was silent.
    check(&record(a, Some(b)), a, ("ours", 3, Some((a, Some(b)))));
    check(&record(a, Some(b)), again, ("taken", 0, Some((again, Some(b)))));
    check(&record(again, Some(b)), a, ("ours", 3, Some((again, Some(b)))));
    check(&record(again, Some(b)), b, ("theirs", 3, None));
    // B returns; a worker that has loaded it later does not start anew.
    check(&record(b, Some(a)), config(4, 50), ("ours", 3, Some((config(4, 50), Some(a)))));
    // What B has left stays remembered.
    let Look::Taken(anew) = Look::at(Some(&record(a, Some(b)).to_bytes()), Nanos(now), again, true) else {
        panic!("it starts anew")
    };
    assert_eq!(anew.other, former(b, trips(5)));
}

#[test]
fn each_life_differs() {
    let life = |bytes: Option<&[u8]>, now: u64| match Look::at(bytes, Nanos(now), config(9, 5), true) {
        Look::Taken(record) => record.life,
        Look::Ours(_) | Look::Theirs(_) => panic!("it starts anew"),
    };
    assert_eq!(life(None, 30), 30);
    assert_eq!(life(Some(b"damaged"), 31), 31);
    let mut earlier = record(config(1, 4), None);
    (earlier.merged_at, earlier.life) = (Nanos(0), 30);
    assert_eq!(life(Some(&earlier.to_bytes()), 40), 40);
    assert_eq!(life(Some(&earlier.to_bytes()), 30), 31);
}
