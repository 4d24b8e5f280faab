//! Whether a guard has tripped.

use mesh_policy::time::Nanos;

/// The state of a guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The trip that holds, if any. Requests that the split would give to the variant get `fall_back_to`.
    pub trip: Option<Trip>,
    /// When the variant last returned; its rollout restarts at this instant.
    pub restarted_at: Option<Nanos>,
    /// Number of trips so far.
    pub trips: u32,
}

/// A trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trip {
    /// When the variant returns; `None` if it stays off.
    pub until: Option<Nanos>,
    /// The rollout's phase at the trip.
    pub phase: u8,
}

impl State {
    /// The state at an instant, if nothing else happens: a trip ends by itself.
    #[must_use]
    pub fn at(self, now: Nanos) -> Self {
        match self.trip {
            Some(Trip { until: Some(until), .. }) if until <= now => {
                Self { trip: None, restarted_at: Some(until), ..self }
            }
            _ => self,
        }
    }

    /// Whether a request is counted that began at this instant. Only those are that began after the last return, or
    /// will have begun after the next.
    pub(super) fn counts(&self, began: Nanos) -> bool {
        match self.trip {
            Some(Trip { until, .. }) => until.is_some_and(|until| until <= began),
            None => self.restarted_at.is_none_or(|restarted_at| restarted_at <= began),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{State, Trip};
    use mesh_policy::time::Nanos;

    fn tripped(until: Option<u64>) -> State {
        let trip = Trip { until: until.map(Nanos), phase: 3 };
        State { trip: Some(trip), restarted_at: Some(Nanos(5)), trips: 2 }
    }

    #[test]
    fn a_trip_ends_by_itself() {
        #[track_caller]
        fn check(until: Option<u64>, now: u64, expected: (bool, u64)) {
            let state = tripped(until).at(Nanos(now));
            assert_eq!((state.trip.is_some(), state.restarted_at), (expected.0, Some(Nanos(expected.1))));
            assert_eq!(state.trips, 2);
            assert_eq!(state.at(Nanos(now)), state);
        }
        check(Some(20), 19, (true, 5));
        check(Some(20), 20, (false, 20));
        check(Some(20), u64::MAX, (false, 20));
        check(None, u64::MAX, (true, 5));
        assert_eq!(State::default().at(Nanos(9)), State::default());
    }

    #[test]
    fn only_requests_after_a_return_count() {
        #[track_caller]
        fn check(state: State, began: u64, expected: bool) {
            assert_eq!(state.counts(Nanos(began)), expected);
        }
        check(State::default(), 0, true);
        check(tripped(Some(20)), 19, false);
        check(tripped(Some(20)), 20, true);
        check(tripped(None), u64::MAX, false);
        check(tripped(Some(20)).at(Nanos(30)), 19, false);
        check(tripped(Some(20)).at(Nanos(30)), 20, true);
    }
}
