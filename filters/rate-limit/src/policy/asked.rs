//! What one config asks of a request, or several where it is undecided which one is for it, and the decision on that.

use super::decision::{Decision, Outcome, Reason, Standing};
use super::denials::Denials;
use super::ledger::{Draft, Reservation, Terms};
use super::metric::Metric;
use super::names::Named;
use super::set::{Charged, ChargedLevel, Verdict};
use mesh_policy::store::Store;

/// What the limits that a request matches ask of it.
#[derive(Default)]
pub(super) struct Asked<'a> {
    /// What is known of the decision.
    pub(super) decision: Decision,
    charges: Vec<(Reservation<'a>, Option<Draft>)>,
    /// The limits that refuse the request because it lacks a part of their key, and the index of the part.
    lacking: Vec<(usize, Terms, usize)>,
    /// For each limit: `None` if the request has its key; the limit's position in `lacking` if it refuses the request; else
    /// [`COUNTED`]. Found by index, since clients choose what they lack, and there may be thousands of limits.
    lacks: Vec<Option<usize>>,
    /// By the index of a name: the first limit of the name, and the number of charges before it. Empty if each name has one
    /// limit.
    names: Vec<Option<(usize, usize)>>,
}

/// No position: the limit does not refuse the request.
const COUNTED: usize = usize::MAX;

impl<'a> Asked<'a> {
    /// Several limits may have one name. `count`: how many names there are.
    pub(super) fn expect_names(&mut self, count: usize) {
        self.names = vec![None; count];
    }

    /// The first limit of a name, this one if it is the first. No charge to it is in front of the returned position.
    pub(super) fn first_of(&mut self, named: &Named, limit: usize) -> (usize, usize) {
        let this = (limit, self.charges.len());
        self.names.get_mut(named.index).map_or(this, |first| *first.get_or_insert(this))
    }

    /// The request lacks a part of the limit's key, which refuses it if there are terms.
    pub(super) fn lacks(&mut self, limit: usize, part: usize, refused: Option<Terms>) {
        if self.lacks.len() <= limit {
            self.lacks.resize(limit + 1, None);
        }
        let Some(lacks) = self.lacks.get_mut(limit) else { return };
        if lacks.is_none() {
            self.decision.tallies.push((limit, Metric::KeyMissing));
        }
        let position = *lacks.get_or_insert(COUNTED);
        let Some(terms) = refused else { return };
        match self.lacking.get_mut(position) {
            Some((_, before, _)) => *before = before.stricter(terms),
            None => {
                *lacks = Some(self.lacking.len());
                self.lacking.push((limit, terms, part));
            }
        }
    }

    /// Charges a bucket once. `since`: the position from which on there may be a charge to it.
    pub(super) fn charge(&mut self, reservation: Reservation<'a>, since: usize) {
        let is_same = |before: &Reservation<'_>| {
            before.limit == reservation.limit && before.location == reservation.location
        };
        match self.charges.iter_mut().skip(since).find(|(before, _)| is_same(before)) {
            Some((before, _)) => before.tighten(reservation),
            None => self.charges.push((reservation, None)),
        }
    }

    /// Charges all enforced limits, or none, and each shadow limit by itself. `roll` returns uniformly random numbers.
    pub(super) fn decide(self, roll: &mut dyn FnMut() -> u64, store: &mut impl Store) -> Decision {
        let Self { mut decision, mut charges, lacking, .. } = self;
        let mut denials = Denials::default();
        for (limit, terms, part) in lacking {
            denials.add(&mut decision, terms.is_enforced(roll), limit, Reason::NoKey { part });
        }
        for (reservation, place) in charges.iter_mut().filter(|(reservation, _)| reservation.is_enforced()) {
            match reservation.draft(store) {
                Ok(draft) if draft.charged.admits() => *place = Some(draft),
                Ok(draft) => {
                    let is_enforced = reservation.terms.is_enforced(roll);
                    denials.refused(&mut decision, is_enforced, reservation, &draft.charged);
                    reservation.note_refusal(&draft, store);
                }
                Err(_) => denials.failed(&mut decision, reservation),
            }
        }
        if denials.foremost.is_none() {
            commit(&mut charges, roll, store, &mut denials, &mut decision);
        }
        for (reservation, _) in charges.iter().filter(|(reservation, _)| !reservation.is_enforced()) {
            charge_shadow(reservation, store, &mut decision);
        }
        if let Some(denial) = denials.foremost {
            decision.outcome = Outcome::Refused(denial);
        }
        decision
    }
}

/// Writes the drafts to the store, all of them or none.
fn commit(
    charges: &mut [(Reservation<'_>, Option<Draft>)],
    roll: &mut dyn FnMut() -> u64,
    store: &mut impl Store,
    denials: &mut Denials,
    decision: &mut Decision,
) {
    for (reservation, draft) in charges.iter_mut() {
        let Some(draft) = draft else { continue };
        match reservation.commit(draft, store) {
            Ok(()) if draft.charged.admits() => {}
            Ok(()) => {
                let is_enforced = reservation.terms.is_enforced(roll);
                denials.refused(decision, is_enforced, reservation, &draft.charged);
            }
            Err(_) => denials.failed(decision, reservation),
        }
        if denials.foremost.is_some() {
            break;
        }
    }
    let refused = denials.foremost.is_some();
    for (reservation, draft) in charges.iter() {
        let Some(draft) = draft.as_ref().filter(|draft| draft.committed && draft.charged.admits()) else {
            continue;
        };
        if draft.charged.overflowed() {
            decision.tallies.push((reservation.limit, Metric::Overflow));
        }
        if refused && draft.charged.level == ChargedLevel::Nowhere {
            continue;
        }
        if refused {
            let tally = match reservation.give_back(&draft.charged.level, store) {
                Ok(()) => Metric::GivenBack,
                Err(_) => Metric::Error,
            };
            decision.tallies.push((reservation.limit, tally));
        } else {
            decision.tallies.push((reservation.limit, Metric::Allowed));
            decision.stands(reservation, &draft.charged);
        }
    }
}

fn charge_shadow(reservation: &Reservation<'_>, store: &mut impl Store, decision: &mut Decision) {
    let charged = reservation.draft(store).and_then(|mut draft| {
        reservation.commit(&mut draft, store)?;
        Ok(draft.charged)
    });
    let tally = match charged {
        Ok(charged) => {
            if charged.overflowed() {
                decision.tallies.push((reservation.limit, Metric::Overflow));
            }
            if charged.admits() { Metric::Allowed } else { Metric::ShadowDenied }
        }
        Err(_) => Metric::Error,
    };
    decision.tallies.push((reservation.limit, tally));
}

impl Decision {
    /// Keeps the standing of the bucket with the smallest share left.
    fn stands(&mut self, reservation: &Reservation<'_>, charged: &Charged) {
        let Verdict::Admitted { owed } = charged.verdict else { return };
        let standing = Standing::new(reservation.limit, charged.quota, owed);
        if let Outcome::Admitted(tightest) = &mut self.outcome
            && tightest.is_none_or(|tightest| standing.share() < tightest.share())
        {
            *tightest = Some(standing);
        }
    }
}
