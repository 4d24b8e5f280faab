//! The refusals of a request. The client is told one of them.

use super::decision::{Decision, Denial, Reason, Standing};
use super::ledger::Reservation;
use super::metric::Metric;
use super::set::{Charged, Verdict};

/// The enforced refusals. The foremost is one where waiting does not help, otherwise the one with the longest wait.
#[derive(Debug, Default)]
pub(super) struct Denials {
    pub(super) foremost: Option<Denial>,
}

impl Denials {
    pub(super) fn refused(
        &mut self,
        decision: &mut Decision,
        is_enforced: bool,
        reservation: &Reservation<'_>,
        charged: &Charged,
    ) {
        if charged.overflowed() {
            decision.tallies.push((reservation.limit, Metric::Overflow));
        }
        let reason = match charged.verdict {
            Verdict::Refused { owed, wait } => {
                Reason::NoTokens { standing: Standing::new(reservation.limit, charged.quota, owed), wait }
            }
            _ => Reason::NoSlot,
        };
        self.add(decision, is_enforced, reservation.limit, reason);
    }

    /// The bucket could not be read or written.
    pub(super) fn failed(&mut self, decision: &mut Decision, reservation: &Reservation<'_>) {
        decision.tallies.push((reservation.limit, Metric::Error));
        if reservation.terms.denies_errors {
            self.keep(Denial { limit: Some(reservation.limit), reason: Reason::Error });
        }
    }

    pub(super) fn add(&mut self, decision: &mut Decision, is_enforced: bool, limit: usize, reason: Reason) {
        decision.tallies.push((limit, if is_enforced { Metric::Denied } else { Metric::ShadowDenied }));
        if is_enforced {
            self.keep(Denial { limit: Some(limit), reason });
        }
    }

    fn keep(&mut self, refusal: Denial) {
        let wait = |refusal: &Denial| match refusal.reason {
            Reason::NoTokens { wait, .. } => Some(wait),
            Reason::NoSlot | Reason::NoKey { .. } | Reason::Error => None,
        };
        let comes_first = match &self.foremost {
            None => true,
            Some(foremost) => match (wait(foremost), wait(&refusal)) {
                (Some(longest), Some(wait)) => wait > longest,
                (longest, None) => longest.is_some(),
                (None, Some(_)) => false,
            },
        };
        if comes_first {
            self.foremost = Some(refusal);
        }
    }
}
