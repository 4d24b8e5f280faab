//! Limits the share of a worker's time that slow signature checks may use.

use mesh_policy::time::Nanos;
use std::time::Duration;

/// CPU time for signature checks: a share of the elapsed time, saved up to a bound.
///
/// Each provider with slow checks earns an equal part. What exceeds the bound of its savings goes to common savings,
/// which any provider may use when its own are used up. So no provider takes the part of another, and unused time
/// is not lost.
#[derive(Clone, Debug)]
pub struct CpuBudget {
    percent: i64,
    /// Savings by provider; `None` for one without slow checks. Negative if overdrawn.
    saved: Vec<Option<i64>>,
    common: i64,
    /// Units of savings per nanosecond. A provider earns `percent` units per nanosecond, which avoids rounding.
    unit: i64,
    /// Bound of each provider's savings, and of the common ones.
    max_saved: i64,
    since: Nanos,
}

/// Bound of all savings together: enough for the first requests of many clients after an idle time, and short enough
/// for the requests that queue behind them.
const MAX_SAVED: Duration = Duration::from_millis(100);

impl CpuBudget {
    /// A budget with full savings. `has_slow` says for each provider whether its checks are slow.
    #[must_use]
    pub fn new(percent: u8, has_slow: impl IntoIterator<Item = bool>, now: Nanos) -> Self {
        let has_slow: Vec<bool> = has_slow.into_iter().collect();
        let parts = has_slow.iter().filter(|has_slow| **has_slow).count();
        let parts = i64::try_from(parts).unwrap_or(1).clamp(1, 1024);
        let unit = 100 * parts;
        // One equal part for each provider, and one for the common savings.
        let max_saved = in_units(MAX_SAVED, unit) / (parts + 1);
        let saved = has_slow.into_iter().map(|has_slow| has_slow.then_some(max_saved)).collect();
        Self { percent: percent.into(), saved, common: max_saved, unit, max_saved, since: now }
    }

    /// Whether a provider has time for a check. The check's duration is only known afterwards, so the last check may
    /// overdraw the budget.
    pub fn has_time(&mut self, provider: usize, now: Nanos) -> bool {
        self.earn(now);
        let saved = self.saved.get(provider).copied().flatten();
        saved.is_some_and(|saved| saved.saturating_add(self.common) > 0)
    }

    /// Deducts the duration of a check.
    pub fn spend(&mut self, provider: usize, took: Duration) {
        let Some(Some(saved)) = self.saved.get_mut(provider) else { return };
        *saved = saved.saturating_sub(in_units(took, self.unit));
        if *saved < 0 {
            let lent = self.common.min(saved.saturating_neg());
            self.common -= lent;
            *saved = saved.saturating_add(lent);
        }
    }

    fn earn(&mut self, now: Nanos) {
        let earned = in_units(now.since(self.since), self.percent);
        self.since = self.since.max(now);
        for saved in self.saved.iter_mut().flatten() {
            let all = saved.saturating_add(earned);
            *saved = all.min(self.max_saved);
            self.common = self.common.saturating_add(all - *saved).min(self.max_saved);
        }
    }
}

/// Converts a duration to units, with `units` per nanosecond.
fn in_units(time: Duration, units: i64) -> i64 {
    i64::try_from(time.as_nanos()).map_or(i64::MAX, |nanos| nanos.saturating_mul(units))
}

#[cfg(test)]
mod laws;
