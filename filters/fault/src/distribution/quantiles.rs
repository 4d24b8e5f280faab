//! Durations by given percentiles.

use super::percentile::Percentile;
use super::units::nanos;
use std::time::Duration;

/// Percentiles with their durations.
///
/// INVARIANT: percentiles rise from p0 to p100, and durations do not fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiles(Vec<(Percentile, Duration)>);

/// Why points are not [`Quantiles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidQuantiles {
    /// This percentile is given twice.
    Repeated(Percentile),
    /// p0, the shortest duration, is missing.
    NoP0,
    /// p100, the longest duration, is missing.
    NoP100,
    /// A duration is shorter than that of the next lower percentile.
    Falling {
        /// The lower percentile, with the longer duration.
        from: Percentile,
        /// The higher percentile, with the shorter duration.
        to: Percentile,
    },
}

impl Quantiles {
    /// Percentiles from points in any order. Several may have the same duration.
    ///
    /// # Errors
    /// p0 or p100 is missing; a percentile is given twice; a duration is shorter than that of a lower percentile.
    pub fn new(points: Vec<(Percentile, Duration)>) -> Result<Self, InvalidQuantiles> {
        let mut sorted: Vec<(Percentile, Duration)> = Vec::with_capacity(points.len());
        for point @ (percentile, _) in points {
            if sorted.iter().any(|(other, _)| *other == percentile) {
                return Err(InvalidQuantiles::Repeated(percentile));
            }
            let lower = sorted.iter().take_while(|(other, _)| *other < percentile).count();
            sorted.insert(lower, point);
        }
        let has = |percentile| sorted.iter().any(|(other, _)| *other == percentile);
        if !has(Percentile::P0) {
            return Err(InvalidQuantiles::NoP0);
        }
        if !has(Percentile::P100) {
            return Err(InvalidQuantiles::NoP100);
        }
        let falling = pairs(&sorted).find(|((_, shorter), (_, longer))| longer < shorter);
        match falling {
            Some(((from, _), (to, _))) => Err(InvalidQuantiles::Falling { from, to }),
            None => Ok(Self(sorted)),
        }
    }

    /// The duration that this share of all, above 0 and below 1, does not exceed; in nanoseconds.
    pub(super) fn at(&self, share: f64) -> f64 {
        let thousandths = share * Percentile::P100.thousandths();
        let around = pairs(&self.0).find(|(_, (upper, _))| thousandths <= upper.thousandths());
        around.map_or(0.0, |((lower, shorter), (upper, longer))| {
            let (lower, upper) = (lower.thousandths(), upper.thousandths());
            let (shorter, longer) = (nanos(shorter), nanos(longer));
            shorter + (longer - shorter) * ((thousandths - lower) / (upper - lower))
        })
    }
}

/// Each point with the next one.
fn pairs(
    points: &[(Percentile, Duration)],
) -> impl Iterator<Item = ((Percentile, Duration), (Percentile, Duration))> {
    points.iter().copied().zip(points.iter().copied().skip(1))
}

#[cfg(test)]
mod tests;
