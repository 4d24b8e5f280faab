//! Durations by given percentiles.
//!
//! A percentage is in thousandths of a percent: 0 is p0, 99 900 is p99.9, 100 000 is p100.

use super::units::nanos;
use std::time::Duration;

/// The percentage of p100.
const WHOLE: u32 = 100_000;
/// Maximum number of points.
const MAX_POINTS: usize = 32;

/// Percentiles with their durations.
///
/// INVARIANT: percentages rise from 0 to 100 000, and durations do not fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiles(Vec<(u32, Duration)>);

/// Why points are not [`Quantiles`]. Percentages are in thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidQuantiles {
    /// There are more than 32 points.
    TooMany,
    /// This percentage is above 100.
    Above100(u32),
    /// This percentage is given twice.
    Repeated(u32),
    /// p0, the shortest duration, is missing.
    NoP0,
    /// p100, the longest duration, is missing.
    NoP100,
    /// A duration is shorter than that of the next lower percentage.
    Falling {
        /// The lower percentage, with the longer duration.
        from: u32,
        /// The higher percentage, with the shorter duration.
        to: u32,
    },
}

impl Quantiles {
    /// Percentiles from points in any order, each a percentage in thousandths of a percent and its duration. Several
    /// percentages may have the same duration.
    ///
    /// # Errors
    /// There are more than 32 points; p0 or p100 is missing; a percentage is above 100 or given twice; a duration is
    /// shorter than that of a lower percentage.
    pub fn new(points: Vec<(u32, Duration)>) -> Result<Self, InvalidQuantiles> {
        if points.len() > MAX_POINTS {
            return Err(InvalidQuantiles::TooMany);
        }
        let mut sorted: Vec<(u32, Duration)> = Vec::with_capacity(points.len());
        for point @ (percentage, _) in points {
            if percentage > WHOLE {
                return Err(InvalidQuantiles::Above100(percentage));
            }
            if sorted.iter().any(|(other, _)| *other == percentage) {
                return Err(InvalidQuantiles::Repeated(percentage));
            }
            let lower = sorted.iter().take_while(|(other, _)| *other < percentage).count();
            sorted.insert(lower, point);
        }
        let has = |percentage| sorted.iter().any(|(other, _)| *other == percentage);
        if !has(0) {
            return Err(InvalidQuantiles::NoP0);
        }
        if !has(WHOLE) {
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
        let percentage = share * f64::from(WHOLE);
        let around = pairs(&self.0).find(|(_, (upper, _))| percentage <= f64::from(*upper));
        around.map_or(0.0, |((lower, shorter), (upper, longer))| {
            let (lower, upper) = (f64::from(lower), f64::from(upper));
            let (shorter, longer) = (nanos(shorter), nanos(longer));
            shorter + (longer - shorter) * ((percentage - lower) / (upper - lower))
        })
    }
}

/// Each point with the next one.
fn pairs(points: &[(u32, Duration)]) -> impl Iterator<Item = ((u32, Duration), (u32, Duration))> {
    points.iter().copied().zip(points.iter().copied().skip(1))
}

/// The percentage of a percentile's name, in thousandths of a percent: `p0`, `p99.9` or `p100`.
///
/// `None` for another name: a number has no sign, no unnecessary leading zero, at most three decimals, and is at most 100.
#[must_use]
pub fn percentile(name: &str) -> Option<u32> {
    let number = name.strip_prefix('p')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    let scale = match decimals.len() {
        1 => 100,
        2 => 10,
        _ => 1,
    };
    let percentage = digits(whole)? * 1000 + digits(decimals)? * scale;
    (percentage <= WHOLE).then_some(percentage)
}

/// A number of one to three digits.
fn digits(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (text.len() <= 3 && digits).then(|| text.parse().ok())?
}

/// The shortest name of a percentage in thousandths of a percent, as [`percentile`] reads it.
#[must_use]
pub fn percentile_name(percentage: u32) -> String {
    let (whole, thousandths) = (percentage / 1000, percentage % 1000);
    let name = format!("p{whole}.{thousandths:03}");
    name.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
