//! Rounds of measurements in one Envoy.

use super::shuffle::order;
use crate::bench::effort::Effort;
use crate::bench::rows::{Row, bootstrap};
use crate::bench::sample::sample;
use crate::envoy::{Bootstrap, Launch};

/// How often a round measures the first row, with which all others are compared.
const BARE_TURNS: usize = 3;

/// What each row took in each round, in nanoseconds of Envoy's processor time a request. The first row has the median
/// of its three turns.
pub(super) struct Samples(Vec<Vec<f64>>);

impl Samples {
    #[cfg(test)]
    pub(super) const fn new(samples: Vec<Vec<f64>>) -> Self {
        Self(samples)
    }

    /// What a row took, by its place.
    pub(super) fn taken(&self, row: usize) -> &[f64] {
        self.0.get(row).map_or(&[], Vec::as_slice)
    }

    /// What a row added to the first one of the same round.
    pub(super) fn added(&self, row: usize) -> Vec<f64> {
        self.taken(row).iter().zip(self.taken(0)).map(|(taken, bare)| taken - bare).collect()
    }
}

/// Measures all rows in each round, in a random order.
pub(super) async fn measure(rows: &[Row], effort: Effort) -> anyhow::Result<Samples> {
    let launch = Launch::new()?.concurrency(1).log_level("warning");
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(rows))).await?;
    let mut samples = vec![Vec::new(); rows.len()];
    // The first rounds warm up: V8 compiles functions anew once they have run often.
    for round in 0..effort.rounds + WARM_UP {
        let mut turns = vec![Vec::new(); rows.len()];
        for turn in order(rows.len() + BARE_TURNS - 1, getrandom::u64()?) {
            let place = if turn < rows.len() { turn } else { 0 };
            if let (Some(row), Some(turns)) = (rows.get(place), turns.get_mut(place)) {
                turns.push(sample(&envoy, row, effort.requests).await?);
            }
        }
        if round >= WARM_UP {
            for (samples, turns) in samples.iter_mut().zip(turns) {
                samples.push(middle(turns));
            }
        }
        eprintln!("round {} of {}", round + 1, effort.rounds + WARM_UP);
    }
    Ok(Samples(samples))
}

const WARM_UP: usize = 2;

/// The median.
fn middle(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns.get(turns.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_adds_is_paired_by_round() {
        let samples = Samples(vec![vec![10.0, 90.0], vec![12.0, 93.0]]);
        assert_eq!(samples.added(1), [2.0, 3.0]);
        assert!(samples.added(2).is_empty());
    }

    #[test]
    fn one_bad_turn_of_three_is_not_seen() {
        assert_eq!(middle(vec![90.0, 10.0, 11.0]), 11.0);
        assert_eq!(middle(vec![7.0]), 7.0);
    }
}
