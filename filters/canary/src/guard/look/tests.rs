use super::{Config, Look, Nanos, Record, State, Window};

const SECOND: u64 = 1_000_000_000;

fn config(since: u64, fingerprint: u64) -> Config {
    Config { since: Nanos(since), fingerprint }
}

/// The record of `owner` with 3 trips, last merged at second 100.
fn record(owner: Config, other: Option<Config>) -> Record {
    let state = State { trips: 3, ..State::default() };
    Record { owner, other, life: 7, merged_at: Nanos(100 * SECOND), state, counts: Window::empty() }
}

/// Whose record it is, and its owner and the other config afterwards; of no interest if it is theirs.
fn look(record: &Record, now: u64, config: Config) -> (&'static str, Option<(Config, Option<Config>)>) {
    let (whose, trips, record) = match Look::at(Some(&record.to_bytes()), Nanos(now), config) {
        Look::Ours(record) => ("ours", record.state.trips, Some(record)),
        Look::Theirs(state) => ("theirs", state.trips, None),
        Look::Anew(record) => ("anew", record.state.trips + 3, Some(record)),
    };
    assert_eq!(trips, 3);
    (whose, record.map(|record| (record.owner, record.other)))
}

#[test]
fn the_later_config_holds_while_it_merges() {
    #[track_caller]
    fn check(owner: Config, now: u64, config: Config, expected: &str) {
        assert_eq!(look(&record(owner, None), now, config).0, expected);
    }
    let now = 105 * SECOND;
    let (a, b) = (config(1, 100), config(2, 50));
    check(a, now, a, "ours");
    check(a, now, b, "anew");
    check(b, now, a, "theirs");
    check(b, 110 * SECOND - 1, a, "theirs");
    check(b, 110 * SECOND, a, "anew");
    // Of two that were loaded at one instant, the fingerprints decide.
    check(config(2, 100), now, b, "theirs");
    check(b, now, config(2, 100), "anew");
}

#[test]
fn equal_values_keep_the_state() {
    #[track_caller]
    fn check(config: Config, owner: Config, expected: Config) {
        assert_eq!(look(&record(owner, None), 105 * SECOND, config), ("ours", Some((expected, None))));
    }
    check(config(1, 4), config(9, 4), config(9, 4));
    check(config(9, 4), config(1, 4), config(9, 4));
}

/// A, B, and A again.
#[test]
fn a_config_that_is_pushed_again_starts_anew() {
    let (a, b, again) = (config(1, 100), config(2, 50), config(3, 100));
    let now = 105 * SECOND;
    assert_eq!(look(&record(a, None), now, b), ("anew", Some((b, Some(a)))));
    assert_eq!(look(&record(b, Some(a)), now, again), ("anew", Some((again, Some(b)))));
    // The first has taken the record over while B was silent.
    assert_eq!(look(&record(b, Some(a)), 110 * SECOND, a), ("anew", Some((a, Some(b)))));
    assert_eq!(look(&record(a, Some(b)), now, a), ("ours", Some((a, Some(b)))));
    assert_eq!(look(&record(a, Some(b)), now, again), ("anew", Some((again, Some(b)))));
    assert_eq!(look(&record(again, Some(b)), now, a), ("ours", Some((again, Some(b)))));
    assert_eq!(look(&record(again, Some(b)), now, b), ("theirs", None));
    // B returns; a worker that has loaded it later does not start anew.
    assert_eq!(look(&record(a, Some(b)), now, b), ("anew", Some((b, Some(a)))));
    assert_eq!(look(&record(b, Some(a)), now, config(4, 50)), ("ours", Some((config(4, 50), Some(a)))));
}

#[test]
fn each_life_differs() {
    let life = |bytes: Option<&[u8]>, now: u64| match Look::at(bytes, Nanos(now), config(9, 5)) {
        Look::Anew(record) => record.life,
        Look::Ours(_) | Look::Theirs(_) => panic!("it starts anew"),
    };
    assert_eq!(life(None, 30), 30);
    assert_eq!(life(Some(b"damaged"), 31), 31);
    let mut earlier = record(config(1, 4), None);
    (earlier.merged_at, earlier.life) = (Nanos(0), 30);
    assert_eq!(life(Some(&earlier.to_bytes()), 40), 40);
    assert_eq!(life(Some(&earlier.to_bytes()), 30), 31);
}
