//! A bounded share of a worker's time.

use policy::time::Nanos;
use std::time::Duration;

/// Time that may be spent on something slow: a share of the time that passes, saved up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    percent: u32,
    saved: Duration,
    since: Nanos,
}

/// What can be saved up: enough for the first requests of many clients after a quiet time, and short enough
/// for those who wait behind them.
const MOST_SAVED: Duration = Duration::from_millis(100);

impl Share {
    /// With all saved that can be.
    #[must_use]
    pub const fn new(percent: u8, now: Nanos) -> Self {
        Self { percent: percent as u32, saved: MOST_SAVED, since: now }
    }

    /// Whether there is time. What it takes is told afterwards, so the last one may overdraw.
    pub fn has_time(&mut self, now: Nanos) -> bool {
        let earned = now.since(self.since).min(Duration::from_secs(3600)) * self.percent / 100;
        self.saved = self.saved.saturating_add(earned).min(MOST_SAVED);
        self.since = self.since.max(now);
        self.saved > Duration::ZERO
    }

    /// Takes the time that something took. What was overdrawn is missing later.
    pub fn spend(&mut self, begun: Nanos, ended: Nanos) {
        let took = ended.since(begun);
        match self.saved.checked_sub(took) {
            Some(rest) => self.saved = rest,
            None => {
                // The debt is paid by time that does not count as earned.
                let debt = took.saturating_sub(self.saved);
                self.saved = Duration::ZERO;
                self.since = self.since.max(ended).after(debt * 100 / self.percent.max(1));
            }
        }
    }
}

#[cfg(test)]
mod laws {
    use super::{MOST_SAVED, Share};
    use policy::time::Nanos;
    use proptest::prelude::*;
    use std::time::Duration;

    proptest! {
        /// Whatever comes when: what is spent is at most the share of the time, what was saved, and the
        /// last check.
        #[test]
        fn never_more_than_the_share(
            percent in 1u8..=100,
            checks in prop::collection::vec((0u64..5_000_000, 1u64..3_000_000), 1..400),
        ) {
            let mut share = Share::new(percent, Nanos(0));
            let (mut now, mut spent) = (0, 0);
            for (pause, takes) in checks {
                now += pause;
                if share.has_time(Nanos(now)) {
                    share.spend(Nanos(now), Nanos(now + takes));
                    now += takes;
                    spent += takes;
                }
                let most = MOST_SAVED.as_nanos() as u64 + now * u64::from(percent) / 100 + 3_000_000;
                prop_assert!(spent <= most, "{spent} of {most}");
            }
        }

        /// Whoever waits long enough gets in, however much was overdrawn.
        #[test]
        fn time_comes_back(percent in 1u8..=100, takes in 0u64..10_000_000_000) {
            let mut share = Share::new(percent, Nanos(0));
            share.spend(Nanos(0), Nanos(takes));
            let later = Nanos(takes).after(Duration::from_nanos(takes) * 100 / u32::from(percent) + Duration::from_micros(1));
            prop_assert!(share.has_time(later));
        }
    }
}
