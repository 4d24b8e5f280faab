//! Durations as a config writes them.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDuration;

const UNITS: [(&str, u128); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Reads a duration: decimal numbers with a unit (`ns us ms s m h d`), one or several in a row, as
/// `250ms`, `1.5s` or `1h30m`. A fraction must come to whole nanoseconds.
///
/// # Errors
/// [`InvalidDuration`] for anything else, and for what does not fit 584 years.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (number, after) = split_at_first(rest, |character| !matches!(character, '0'..='9' | '.'));
        let (unit, after) = split_at_first(after, |character| matches!(character, '0'..='9' | '.'));
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(InvalidDuration)?;
        total = scaled(number, *scale).and_then(|part| total.checked_add(part)).ok_or(InvalidDuration)?;
        rest = after;
    }
    match u64::try_from(total) {
        Ok(nanos) if !text.is_empty() => Ok(Duration::from_nanos(nanos)),
        _ => Err(InvalidDuration),
    }
}

/// `number` (as `12` or `1.5`) times `scale`, if that is a whole number.
fn scaled(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let mut nanos = whole.parse::<u64>().ok().and_then(|whole| scale.checked_mul(whole.into()))?;
    let fraction_scale = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = scale.checked_mul(fraction.parse::<u64>().ok()?.into())?;
    if part % fraction_scale != 0 {
        return None;
    }
    nanos = nanos.checked_add(part / fraction_scale)?;
    Some(nanos)
}

fn split_at_first(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(ends).and_then(|index| text.split_at_checked(index)).unwrap_or((text, ""))
}

/// A duration in the largest unit that gives an integer. The formatter of the standard library is larger.
#[must_use]
pub fn spelt(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let unit = UNITS.into_iter().rev().find(|(_, scale)| nanos.is_multiple_of(*scale));
    let (name, scale) = unit.unwrap_or(("ns", 1));
    format!("{}{name}", nanos / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[track_caller]
    fn check(text: &str, nanos: Option<u64>) {
        assert_eq!(parse_duration(text).ok(), nanos.map(Duration::from_nanos), "{text}");
    }

    #[test]
    fn durations() {
        check("0s", Some(0));
        check("250ms", Some(250_000_000));
        check("1.5s", Some(1_500_000_000));
        check("1h30m", Some(5_400_000_000_000));
        check("7d", Some(604_800_000_000_000));
        check("0.000000001s", Some(1));
        check("100us5ns", Some(100_005));
    }

    #[test]
    fn not_durations() {
        for text in [
            "",
            "1",
            "s",
            "-1s",
            "1 s",
            "1.s.",
            ".5s",
            "1.5ns",
            "1y",
            "1..5s",
            "∞",
            "99999999999999999999s",
            "600y",
        ] {
            check(text, None);
        }
        check("213504d", None);
    }
}
