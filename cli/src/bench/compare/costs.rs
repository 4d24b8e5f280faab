//! What each row adds to a request, and how the suite compares.

use anyhow::Context as _;

use super::listeners::{CHAIN, MODULES, NOOP, STEERING_CHAIN, SUITE_OF_FIVE};
use super::rounds::Samples;
use crate::bench::estimate::Estimate;

/// Widest interval of F, as a part of F, with which multiples of it say something.
const MAX_WIDTH: f64 = 0.1;

/// The costs of all rows.
pub(super) struct Costs {
    /// What a request takes without a filter, in nanoseconds.
    pub(super) bare: Estimate,
    /// The other rows.
    pub(super) rows: Vec<Cost>,
    /// The suite as a multiple of others.
    pub(super) suite: Vec<Comparison>,
}

/// What a row adds to a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) name: String,
    /// In nanoseconds.
    pub(super) added: Estimate,
    /// As a multiple of F.
    pub(super) of_noop: Estimate,
}

/// What the suite adds as a multiple of what another row adds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) with: &'static str,
    pub(super) ratio: Estimate,
}

impl Costs {
    /// From the samples of these rows.
    pub(super) fn of(names: &[&str], samples: &Samples) -> anyhow::Result<Self> {
        const TOO_FEW: &str = "too few rounds";
        let added = |name: &str| {
            let row = names.iter().position(|row| *row == name).context("a row is missing")?;
            anyhow::Ok(samples.added(row))
        };
        let noop = added(NOOP)?;
        let cost = |name: &&str| {
            let added = added(name)?;
            let of_noop = Estimate::of_ratio(&added, &noop).context(TOO_FEW)?;
            anyhow::Ok(Cost {
                name: (*name).to_owned(),
                added: Estimate::of(added).context(TOO_FEW)?,
                of_noop,
            })
        };
        let suite = added(SUITE_OF_FIVE)?;
        let comparison = |with: &'static str| {
            let ratio = Estimate::of_ratio(&suite, &added(with)?).context(TOO_FEW)?;
            anyhow::Ok(Comparison { with, ratio })
        };
        Ok(Self {
            bare: Estimate::of(samples.taken(0).iter().copied()).context(TOO_FEW)?,
            rows: names.iter().skip(1).map(cost).collect::<Result<_, _>>()?,
            suite: [CHAIN, STEERING_CHAIN, MODULES].into_iter().map(comparison).collect::<Result<_, _>>()?,
        })
    }

    /// The width of F's interval as a part of F, if it is too wide.
    pub(super) fn uncertain(&self) -> Option<f64> {
        let noop = self.rows.iter().find(|row| row.name == NOOP)?;
        Some(noop.added.width()).filter(|width| *width > MAX_WIDTH)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench::compare::listeners::BARE;

    /// Rounds in which the machine is ever slower.
    pub(in crate::bench::compare) fn costs(noop: f64) -> Costs {
        let names = [BARE, NOOP, SUITE_OF_FIVE, MODULES, CHAIN, STEERING_CHAIN];
        let added = [0.0, noop, 8000.0, 20_000.0, 5000.0, 6400.0];
        let samples =
            added.map(|added| (0..9).map(|round| 10_000.0 + f64::from(round) * 100.0 + added).collect());
        Costs::of(&names, &Samples::new(samples.to_vec())).unwrap()
    }

    const fn exactly(value: f64) -> Estimate {
        Estimate { median: value, low: value, high: value }
    }

    #[test]
    fn each_row_is_compared_with_its_round() {
        let costs = costs(2000.0);
        assert_eq!(costs.bare, Estimate { median: 10_400.0, low: 10_100.0, high: 10_700.0 });
        let suite = costs.rows.iter().find(|row| row.name == SUITE_OF_FIVE).unwrap();
        assert_eq!((suite.added, suite.of_noop), (exactly(8000.0), exactly(4.0)));
        let ratios: Vec<_> = costs.suite.iter().map(|other| (other.with, other.ratio.median)).collect();
        assert_eq!(ratios, [(CHAIN, 1.6), (STEERING_CHAIN, 1.25), (MODULES, 0.4)]);
    }

    #[test]
    fn an_f_with_a_wide_interval_is_told() {
        let costs = |spread: f64| {
            let mut costs = costs(2000.0);
            costs.rows[0].added = Estimate { median: 2000.0, low: 2000.0 - spread, high: 2000.0 + spread };
            costs.uncertain()
        };
        assert_eq!(costs(100.0), None);
        assert_eq!(costs(150.0), Some(0.15));
    }
}
