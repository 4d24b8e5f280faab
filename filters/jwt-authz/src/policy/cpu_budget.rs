//! The share of a worker's time for signature checks that are slow.

use mesh_policy::time::Nanos;
use std::time::Duration;

/// Time that checks may take: a share of the time that passes, saved up to a bound.
///
/// Each provider that has slow checks earns an equal part of it. What one earns and cannot save any longer goes
/// to a common stock, of which each may take when its own is used up. So nobody takes a part from the others,
/// and what they do not use is not lost.
#[derive(Clone, Debug)]
pub struct CpuBudget {
    percent: i64,
    /// What the providers have saved, by their places in the config; `None` for those without slow checks.
    /// What was overdrawn is below zero.
    own: Vec<Option<i64>>,
    common: i64,
    /// In units of which a provider earns `percent` a nanosecond: so nothing is lost by rounding.
    unit: i64,
    most: i64,
    since: Nanos,
}

/// What can be saved up in all: enough for the first requests of many clients after a quiet time, and short
/// enough for those who wait behind them.
const MAX_SAVED: Duration = Duration::from_millis(100);

impl CpuBudget {
    /// With all saved that can be. `has_slow`: whether a provider has slow checks, by its place in the config.
    #[must_use]
    pub fn new(percent: u8, has_slow: impl IntoIterator<Item = bool>, now: Nanos) -> Self {
        let has_slow: Vec<bool> = has_slow.into_iter().collect();
        let parts = has_slow.iter().filter(|has_slow| **has_slow).count();
        let parts = i64::try_from(parts).unwrap_or(1).clamp(1, 1024);
        let unit = 100 * parts;
        // Each saves the same, and so does the common stock.
        let most = in_units(MAX_SAVED, unit) / (parts + 1);
        let own = has_slow.into_iter().map(|has_slow| has_slow.then_some(most)).collect();
        Self { percent: percent.into(), own, common: most, unit, most, since: now }
    }

    /// Whether a provider has time for a check. What it takes is told afterwards, so the last one may
    /// overdraw.
    pub fn has_time(&mut self, provider: usize, now: Nanos) -> bool {
        self.earn(now);
        let own = self.own.get(provider).copied().flatten();
        own.is_some_and(|own| own.saturating_add(self.common) > 0)
    }

    /// Takes the time that a check took.
    pub fn spend(&mut self, provider: usize, took: Duration) {
        let Some(Some(own)) = self.own.get_mut(provider) else { return };
        *own = own.saturating_sub(in_units(took, self.unit));
        if *own < 0 {
            let lent = self.common.min(own.saturating_neg());
            self.common -= lent;
            *own = own.saturating_add(lent);
        }
    }

    fn earn(&mut self, now: Nanos) {
        let earned = in_units(now.since(self.since), self.percent);
        self.since = self.since.max(now);
        for own in self.own.iter_mut().flatten() {
            let all = own.saturating_add(earned);
            *own = all.min(self.most);
            self.common = self.common.saturating_add(all - *own).min(self.most);
        }
    }
}

/// So many nanoseconds, each of so many units.
fn in_units(time: Duration, units: i64) -> i64 {
    i64::try_from(time.as_nanos()).map_or(i64::MAX, |nanos| nanos.saturating_mul(units))
}

#[cfg(test)]
mod laws;
