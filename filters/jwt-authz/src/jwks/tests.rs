//! Sequences of steps by one or two workers.

mod laws;
mod records;
mod scripts;
pub(super) mod simulation;

use super::record::{State, decode_set};
use super::{Ask, Missing, Source, Tracker};
use crate::config::Remote;
use mesh_policy::hash::Key;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::World as _;
use simulation::{BUSY, IDLE, Simulation, Step, Wanted, remote, text, version};
use std::rc::Rc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn tracker(remote: &Remote, owner: u64) -> Tracker {
    Tracker::new(Source::new(remote.clone(), owner), Key::new([7; 16]))
}

/// Polls, and acquires the fetch lease if a fetch is due.
fn tick(tracker: &mut Tracker, simulation: &mut Simulation) -> bool {
    let now = tracker.poll(simulation).unwrap().now;
    tracker.acquire_lease(simulation, now).unwrap()
}

fn fetch(tracker: &mut Tracker, simulation: &mut Simulation, version: u32) {
    assert!(tick(tracker, simulation));
    succeed(tracker, simulation, version);
}

fn succeed(tracker: &mut Tracker, simulation: &mut Simulation, version: u32) {
    tracker.source().succeed(simulation, &text(version), None, 0).unwrap();
    tracker.poll(simulation).unwrap();
}

fn loaded(tracker: &Tracker) -> Option<u32> {
    tracker.set().map(|set| version(set))
}

fn key(id: &str) -> Missing {
    Missing::Key(id.to_owned())
}

/// The signer of a token without a `kid`.
fn signer(token: &str) -> Missing {
    Missing::Signer(token.bytes().fold(0, |hash, byte| hash << 8 | u128::from(byte)))
}

/// Missing keys of tokens with and without a `kid`.
const KINDS: [fn(&str) -> Missing; 2] = [key, signer];

/// A simulation without workers.
fn world() -> Simulation {
    Simulation::new(0, &remote())
}

#[test]
fn what_is_no_record() {
    for bytes in [&[][..], &[1; 65], &[0; 71], &[0; 73], b"state"] {
        assert_eq!(State::decode(bytes), None, "{bytes:?}");
    }
    assert_eq!(State::decode(&[0; 72]), Some(State::default()));
    assert_eq!(decode_set(&[]), None);
    assert_eq!(decode_set(&[1; 7]), None);
    assert_eq!(decode_set(&[1, 0, 0, 0, 0, 0, 0, 0, b'k']), Some((1, &b"k"[..])));
}

#[test]
fn one_fetches_and_all_have_it() {
    let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
    assert!(tick(&mut one, &mut world));
    assert!(!tick(&mut other, &mut world) && !tick(&mut one, &mut world));
    one.source().succeed(&mut world, &text(1), None, 0).unwrap();
    let polled = other.poll(&mut world).unwrap();
    assert_eq!((polled.changed, loaded(&other)), (true, Some(1)));
    assert!(!other.poll(&mut world).unwrap().changed);
    assert!(!tick(&mut other, &mut world));
    assert!(one.poll(&mut world).unwrap().changed);
    world.pass(3600 * SECOND);
    fetch(&mut other, &mut world, 1);
    // The same set again is not a change.
    assert!(!one.poll(&mut world).unwrap().changed);
}

/// Unused keys are logged once per set, however often and by whichever worker it is fetched.
#[test]
fn a_set_is_new_once() {
    let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
    for (version, is_new) in [(1, true), (1, false), (2, true), (2, false)] {
        for tracker in [&mut one, &mut other] {
            assert!(tick(tracker, &mut world));
            let kept = tracker.source().succeed(&mut world, &text(version), None, 0).unwrap();
            assert_eq!(kept, is_new && tracker.source().owner() == 1, "{version}");
            world.pass(3600 * SECOND);
        }
    }
    // The response to a call whose lease was taken over is not new either.
    assert!(tick(&mut one, &mut world));
    world.pass(4 * SECOND);
    fetch(&mut other, &mut world, 3);
    assert!(!one.source().succeed(&mut world, &text(4), None, 0).unwrap());
}

#[test]
fn a_silent_leader_is_taken_over() {
    let simulation = Simulation::new(2, &remote());
    simulation.server(|server| server.latency = SECOND);
    simulation.pass(BUSY);
    assert_eq!(simulation.fetches().len(), 1);
    let leader = usize::from(simulation.state().unwrap().owner == 2);
    simulation.silence_for_ever(leader);
    simulation.pass(4 * SECOND + IDLE);
    let [first, second] = simulation.fetches()[..] else { panic!("{:?}", simulation.fetches()) };
    assert!(second.since(first) <= 4 * SECOND + IDLE && second.since(first) >= 4 * SECOND);
    simulation.pass(SECOND);
    assert_eq!(simulation.versions()[1 - leader], Some(1));
}

/// Discovery makes two calls.
#[test]
fn a_lease_covers_all_calls() {
    let path = mesh_policy::headers::HeaderValue::text("/.well-known/openid-configuration");
    let remote = Remote { location: crate::config::Location::Discovery(path), ..remote() };
    let (mut world, mut one, mut other) = (world(), tracker(&remote, 1), tracker(&remote, 2));
    assert!(tick(&mut one, &mut world));
    world.pass(2 * remote.timeout + SECOND);
    assert!(!tick(&mut other, &mut world));
    world.pass(SECOND);
    assert!(tick(&mut other, &mut world));
}

#[test]
fn who_was_taken_over_changes_nothing() {
    let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
    assert!(tick(&mut one, &mut world));
    world.pass(4 * SECOND);
    fetch(&mut other, &mut world, 2);
    let records = world.records();
    one.source().succeed(&mut world, &text(1), None, 0).unwrap();
    one.source().fail(&mut world).unwrap();
    assert_eq!(world.records(), records);
}

/// Shared data with an event before the third call, which writes a set.
struct Disturbed<F> {
    simulation: Simulation,
    calls: u32,
    happens: F,
}

impl<F: FnMut()> Disturbed<F> {
    fn count(&mut self) {
        self.calls += 1;
        if self.calls == 3 {
            (self.happens)();
        }
    }
}

impl<F: FnMut()> Store for Disturbed<F> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.count();
        self.simulation.read(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.count();
        self.simulation.write(key, value, version)
    }
}

/// The worker is delayed after it has checked its lease, and then has an older response. The newer response may be
/// the set that was there before.
#[test]
fn who_is_taken_over_before_it_writes_changes_nothing() {
    for newer in [2, 3] {
        let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
        fetch(&mut one, &mut world, 2);
        world.pass(3600 * SECOND);
        assert!(tick(&mut one, &mut world));
        let mut others = world.clone();
        let happens = || {
            others.pass(4 * SECOND);
            fetch(&mut other, &mut others, newer);
        };
        let mut disturbed = Disturbed { simulation: world.clone(), calls: 0, happens };
        one.source().succeed(&mut disturbed, &text(1), None, 0).unwrap();
        let mut new = tracker(&remote(), 3);
        for tracker in [&mut one, &mut new] {
            tracker.poll(&mut world).unwrap();
            assert_eq!(loaded(tracker), Some(newer));
        }
    }
}

/// It stops between the two writes of a fetch: a new worker has the set at once, the others after the next fetch,
/// even if that fails.
#[test]
fn a_leader_that_stops_half_way_has_not_fetched_in_vain() {
    for is_first in [true, false] {
        let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
        if !is_first {
            fetch(&mut one, &mut world, 1);
            other.poll(&mut world).unwrap();
            world.pass(3600 * SECOND);
        }
        assert!(tick(&mut one, &mut world));
        // Two reads, each with a step before the clock, and a write succeed.
        world.script([[Step::Nothing; 5].as_slice(), &[Step::Fail]].concat());
        one.source().succeed(&mut world, &text(2), None, 0).unwrap_err();
        let mut new = tracker(&remote(), 3);
        assert!(new.poll(&mut world).unwrap().changed);
        assert_eq!(loaded(&new), Some(2), "{is_first}");
        world.pass(4 * SECOND);
        assert!(tick(&mut other, &mut world));
        other.source().fail(&mut world).unwrap();
        for tracker in [&mut one, &mut other, &mut new] {
            tracker.poll(&mut world).unwrap();
            assert_eq!(loaded(tracker), Some(2), "{is_first}");
        }
    }
}

#[test]
fn a_failed_fetch_keeps_the_set() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    fetch(&mut one, &mut world, 1);
    world.pass(3600 * SECOND);
    // The retry delay grows.
    for retry in [1, 2, 4, 8, 16, 30, 30] {
        assert!(tick(&mut one, &mut world));
        one.source().fail(&mut world).unwrap();
        world.pass(retry * SECOND - Duration::from_millis(1));
        assert!(!tick(&mut one, &mut world), "{retry}");
        world.pass(Duration::from_millis(1));
        assert_eq!(loaded(&one), Some(1));
    }
    fetch(&mut one, &mut world, 2);
    assert_eq!(loaded(&one), Some(2));
}

#[test]
fn the_first_set_is_tried_for_more_often() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    for retry in [1, 2, 4, 5, 5] {
        assert!(tick(&mut one, &mut world));
        one.source().fail(&mut world).unwrap();
        world.pass(retry * SECOND - Duration::from_millis(1));
        assert!(!tick(&mut one, &mut world), "{retry}");
        world.pass(Duration::from_millis(1));
    }
}

/// Another config, for example a pushed one, uses the same source.
#[test]
fn a_shorter_refresh_is_honoured() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    fetch(&mut one, &mut world, 1);
    let mut other = tracker(&Remote { refresh: 5 * SECOND, ..remote() }, 2);
    assert!(!tick(&mut other, &mut world));
    world.pass(5 * SECOND);
    assert!(!tick(&mut one, &mut world));
    assert!(tick(&mut other, &mut world));
    // It is a regular refresh, not caused by a missing key.
    assert_eq!(world.extra_fetches(), []);
}

#[test]
fn damaged_records_are_replaced() {
    for (record, damaged) in [("state", &b"?"[..]), ("set", b"?"), ("set", b"12345678<html>")] {
        let (mut world, mut one) = (world(), tracker(&remote(), 1));
        fetch(&mut one, &mut world, 1);
        world.overwrite(record, damaged);
        world.pass(2 * SECOND);
        let mut new = tracker(&remote(), 2);
        new.poll(&mut world).unwrap();
        // A request that needs a key causes a fetch.
        if new.set().is_none() {
            assert!(
                matches!(new.ask(&mut world, &Missing::Set, None), Ok(Ask::Wait(_))),
                "{record} {damaged:?}"
            );
        }
        fetch(&mut new, &mut world, 2);
        assert_eq!(loaded(&new), Some(2), "{record} {damaged:?}");
        one.poll(&mut world).unwrap();
        assert_eq!(loaded(&one), Some(2), "{record} {damaged:?}");
    }
}

/// If a request sees a new set first, the waiting requests are still woken.
#[test]
fn news_are_not_taken_away_from_those_who_wait() {
    for succeeds in [true, false] {
        let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
        assert!(tick(&mut one, &mut world));
        assert!(matches!(other.ask(&mut world, &Missing::Set, None), Ok(Ask::Wait(_))));
        other.wait(5);
        assert!(other.poll(&mut world).unwrap().woken.is_empty());
        if succeeds {
            one.source().succeed(&mut world, &text(1), None, 0).unwrap();
        } else {
            one.source().fail(&mut world).unwrap();
        }
        assert_eq!(other.ask(&mut world, &Missing::Set, None).unwrap() == Ask::Again, succeeds);
        assert_eq!(other.poll(&mut world).unwrap().woken, [5], "{succeeds}");
        assert!(other.poll(&mut world).unwrap().woken.is_empty());
        assert!(!other.has_waiting());
    }
}

fn wait(world: &Simulation) -> Ask {
    Ask::Wait(world.now().after(remote().wait))
}

/// A request waits for a fetch in progress, although its lease expires too late for another one.
#[test]
fn a_fetch_under_way_is_waited_for() {
    for missing in KINDS {
        let (mut world, mut one) = (world(), tracker(&remote(), 1));
        fetch(&mut one, &mut world, 1);
        world.pass(2 * SECOND);
        assert_eq!(one.ask(&mut world, &missing("2"), None).unwrap(), wait(&world));
        assert!(tick(&mut one, &mut world));
        assert_eq!(one.ask(&mut world, &missing("2"), None).unwrap(), wait(&world));
        one.source().succeed(&mut world, &text(2), None, 0).unwrap();
        assert!(one.poll(&mut world).unwrap().changed);
        // The fetch found the key, so no other one follows.
        world.pass(1800 * SECOND);
        assert!(!tick(&mut one, &mut world));
    }
}

/// A key is absent if a fetch that began after the request did not find it, unless the fetch failed.
#[test]
fn a_key_that_a_fetch_has_not_found() {
    for missing in KINDS {
        let (mut world, mut one) = (world(), tracker(&remote(), 1));
        fetch(&mut one, &mut world, 1);
        world.pass(2 * SECOND);
        let asked = world.now();
        assert_eq!(one.ask(&mut world, &missing("2"), None).unwrap(), wait(&world));
        assert!(tick(&mut one, &mut world));
        one.source().fail(&mut world).unwrap();
        assert!(matches!(one.ask(&mut world, &missing("2"), Some(asked)), Ok(Ask::Wait(_))));
        world.pass(SECOND);
        fetch(&mut one, &mut world, 1);
        assert_eq!(one.ask(&mut world, &missing("2"), Some(asked)).unwrap(), Ask::Never);
        // For a while, other requests do not wait for the key and cause no fetch.
        world.pass(4 * SECOND);
        assert_eq!(one.ask(&mut world, &missing("2"), None).unwrap(), Ask::Never);
        assert!(!tick(&mut one, &mut world));
        world.pass(SECOND);
        assert_eq!(one.ask(&mut world, &missing("2"), None).unwrap(), wait(&world));
        assert!(tick(&mut one, &mut world));
    }
}

/// The absent signer of a token is not confused with a `kid`.
#[test]
fn what_is_absent_is_what_was_looked_for() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    fetch(&mut one, &mut world, 1);
    world.pass(10 * SECOND);
    let asked = world.now();
    let token = Missing::Signer(u128::from_le_bytes(*b"0123456789abcdef"));
    assert_eq!(one.ask(&mut world, &token, None).unwrap(), wait(&world));
    fetch(&mut one, &mut world, 1);
    assert_eq!(one.ask(&mut world, &token, Some(asked)).unwrap(), Ask::Never);
    world.pass(2 * SECOND);
    assert_eq!(one.ask(&mut world, &token, None).unwrap(), Ask::Never);
    assert_eq!(one.ask(&mut world, &key("0123456789abcdef"), None).unwrap(), wait(&world));
    assert_eq!(one.ask(&mut world, &Missing::Signer(1), None).unwrap(), wait(&world));
}

/// Keys and the set keep their identity if a server formats the same set differently each time.
#[test]
fn the_same_keys_in_another_text_are_no_other_set() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    fetch(&mut one, &mut world, 1);
    let set = one.set().map(Rc::clone).unwrap();
    for more in [" ", "\n"] {
        world.pass(3600 * SECOND);
        assert!(tick(&mut one, &mut world));
        let text = [text(1).as_slice(), more.as_bytes()].concat();
        assert!(one.source().succeed(&mut world, &text, None, 0).unwrap());
        assert!(!one.poll(&mut world).unwrap().changed);
        assert!(Rc::ptr_eq(one.set().unwrap(), &set));
    }
}

/// A key that is published later is found at once, although it was recorded as absent.
#[test]
fn a_key_that_comes_after_all() {
    for missing in KINDS {
        let (mut world, mut one, mut other) = (world(), tracker(&remote(), 1), tracker(&remote(), 2));
        fetch(&mut one, &mut world, 1);
        let asked = world.now();
        world.pass(3600 * SECOND);
        fetch(&mut one, &mut world, 1);
        assert_eq!(one.ask(&mut world, &missing("2"), Some(asked)).unwrap(), Ask::Never);
        world.pass(3600 * SECOND);
        fetch(&mut other, &mut world, 2);
        assert_eq!(one.ask(&mut world, &missing("2"), None).unwrap(), Ask::Again);
        assert_eq!(loaded(&one), Some(2));
    }
}

/// A request that does not wait still causes a fetch.
#[test]
fn a_request_that_does_not_wait_is_not_in_vain() {
    for missing in KINDS {
        let remote = Remote { wait: Duration::ZERO, ..remote() };
        let (mut world, mut one, mut other) = (world(), tracker(&remote, 1), tracker(&remote, 2));
        fetch(&mut one, &mut world, 1);
        world.pass(2 * SECOND);
        other.poll(&mut world).unwrap();
        for tracker in [&mut one, &mut other] {
            assert_eq!(tracker.ask(&mut world, &missing("2"), None).unwrap(), Ask::Never);
        }
        // One fetch, whichever workers were asked.
        fetch(&mut other, &mut world, 1);
        world.pass(1800 * SECOND);
        assert!(!tick(&mut one, &mut world) && !tick(&mut other, &mut world));
    }
}

#[test]
fn the_distances_in_a_flood() {
    for missing in KINDS {
        let (mut world, mut one) = (world(), tracker(&remote(), 1));
        fetch(&mut one, &mut world, 1);
        world.pass(61 * SECOND);
        for (version, distance) in (2..).zip([1, 1, 8, 10, 10, 10]) {
            let id = format!("unknown {version}");
            let _waits = one.ask(&mut world, &missing(&id), None).unwrap();
            // Also if the set keeps changing.
            fetch(&mut one, &mut world, version);
            let _waits_or_not = one.ask(&mut world, &missing("another"), None).unwrap();
            world.pass(distance * SECOND - Duration::from_millis(1));
            let _waits = one.ask(&mut world, &missing("another one"), None).unwrap();
            assert!(!tick(&mut one, &mut world), "{distance}");
            world.pass(Duration::from_millis(1));
        }
    }
}

/// Requests with unknown keys delay a new key by the interval at most, and not at all if they are rare.
#[test]
fn a_trickle_of_unknown_keys_does_not_hide_a_new_one() {
    for (missing, (pause, longest)) in KINDS.into_iter().flat_map(|kind| [(kind, (1, 11)), (kind, (10, 2))]) {
        let (mut world, mut one) = (world(), tracker(&remote(), 1));
        fetch(&mut one, &mut world, 1);
        let mut number = 0;
        let mut trickle = |one: &mut Tracker, world: &mut Simulation, version| {
            number += 1;
            let _waits_or_not = one.ask(world, &missing(&format!("{number}")), None).unwrap();
            if tick(one, world) {
                succeed(one, world, version);
            }
        };
        for _ in 0..100 {
            world.pass(pause * SECOND);
            trickle(&mut one, &mut world, 1);
        }
        let gained = world.now();
        while loaded(&one) != Some(2) {
            world.pass(SECOND);
            trickle(&mut one, &mut world, 2);
            assert!(world.now() <= gained.after(longest * SECOND), "{pause}");
        }
    }
}

#[test]
fn a_bound_on_those_who_wait() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    for stream in 0..256 {
        assert!(matches!(one.ask(&mut world, &Missing::Set, None), Ok(Ask::Wait(_))));
        one.wait(stream);
    }
    assert_eq!(one.ask(&mut world, &Missing::Set, None).unwrap(), Ask::Never);
    one.leave(77);
    assert!(matches!(one.ask(&mut world, &Missing::Set, None), Ok(Ask::Wait(_))));
    fetch(&mut one, &mut world, 1);
    assert!(!one.has_waiting());
}

#[test]
fn nobody_waits_where_nothing_can_come() {
    let (mut world, mut one) = (world(), tracker(&remote(), 1));
    for _ in 0..3 {
        world.pass(4 * SECOND);
        assert!(tick(&mut one, &mut world));
        one.source().fail(&mut world).unwrap();
    }
    let asked = world.now();
    world.pass(remote().wait);
    assert_eq!(one.ask(&mut world, &Missing::Set, Some(asked)).unwrap(), Ask::Never);
    assert!(one.source().ended() > Nanos(0));
}

/// A worker retries while the shared data fails, and recovers afterwards.
#[test]
fn a_failing_host() {
    let simulation = Simulation::new(2, &remote());
    simulation.script([Step::Fail; 40]);
    simulation.pass(5 * SECOND);
    assert_eq!(simulation.versions(), [None, None]);
    simulation.pass(30 * SECOND);
    assert_eq!(simulation.versions(), [Some(1), Some(1)]);
    let stream = simulation.ask(0, Wanted::Unknown(1));
    simulation.pass(SECOND);
    assert!(!simulation.outcome(stream).unwrap().found);
}
