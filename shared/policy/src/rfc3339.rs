//! Date-times of configs (RFC 3339, section 5.6): `2026-11-20T10:00:00Z`.

use mesh_config::describe::{Defs, Shape};
use mesh_config::kinds::{Text, text};
use mesh_config::{Kind, ProblemKind, Value};
use std::time::Duration;

const PATTERN: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)\
                       (\\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A date-time as [`parse`] reads it.
#[must_use]
pub fn kind() -> impl Kind<Out = Duration> {
    let kind = text(|value, text| match parse(text) {
        None => value.expected(ProblemKind::BadPattern, "a time since 1970, such as `2026-11-20T10:00:00Z`"),
        instant => instant,
    });
    DateTime(kind.described_as(PATTERN, &["2026-11-20T10:00:00Z", "2026-11-20T11:00:00+01:00"]))
}

/// Reads a date-time as Unix time: the time since 1970-01-01T00:00:00Z without leap seconds. `None` if it is none, or
/// earlier.
///
/// An offset is required: `Z`, or up to 23:59 in either direction. A fraction has at most nine digits, and a longer one is
/// refused rather than cut off. The leap second, `:60`, is the first instant of the next minute, also with a fraction. It is
/// refused where it cannot be: elsewhere than at the end of a day in UTC.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.as_bytes();
    let year = number::<4>(&mut rest, 9999)?;
    one_of(&mut rest, b"-")?;
    let month = number::<2>(&mut rest, 12)?;
    one_of(&mut rest, b"-")?;
    let day = number::<2>(&mut rest, 31)?;
    one_of(&mut rest, b"Tt")?;
    let hour = number::<2>(&mut rest, 23)?;
    one_of(&mut rest, b":")?;
    let minute = number::<2>(&mut rest, 59)?;
    one_of(&mut rest, b":")?;
    let second = number::<2>(&mut rest, 60)?;
    let nanos = fraction(&mut rest)?;
    let offset = offset(&mut rest)?;
    let local = days_since_1970(year, month, day)? * DAY + hour * HOUR + minute * MINUTE + second;
    let seconds = local - offset;
    let is_leap_second = second == 60;
    if !rest.is_empty() || is_leap_second && seconds % DAY != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(seconds).ok()?, if is_leap_second { 0 } else { nanos }))
}

/// Takes `N` digits, if they are a number up to `max`.
fn number<const N: usize>(rest: &mut &[u8], max: i64) -> Option<i64> {
    let (digits, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    decimal(digits).filter(|number| *number <= max)
}

/// Takes a byte, if it is one of these.
fn one_of(rest: &mut &[u8], bytes: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    bytes.contains(first).then_some(*first)
}

/// Takes a fraction of a second, if there is one, as nanoseconds.
fn fraction(rest: &mut &[u8]) -> Option<u32> {
    let Some(after) = rest.strip_prefix(b".") else { return Some(0) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = after.split_at_checked(length)?;
    *rest = after;
    let scale = 9u32.checked_sub(u32::try_from(length).ok()?)?;
    let digits = u32::try_from(decimal(digits)?).ok()?;
    (length > 0).then(|| digits * 10u32.pow(scale))
}

/// Takes an offset from UTC, as seconds.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let sign = match one_of(rest, b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let hour = number::<2>(rest, 23)?;
    one_of(rest, b":")?;
    let minute = number::<2>(rest, 59)?;
    Some(sign * (hour * HOUR + minute * MINUTE))
}

/// The number of a few digits.
fn decimal(digits: &[u8]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte & 0xf));
    digits.iter().try_fold(0i64, |number, byte| number.checked_mul(10)?.checked_add(digit(byte)?))
}

/// The days from 1970-01-01 to a day of the Gregorian calendar, which may be earlier; `None` if there is no such day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    /// From 0001-01-01.
    const DAYS_TO_1970: i64 = 719_162;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months = usize::try_from(month).ok()?.checked_sub(1)?;
    if !(1..=*lengths.get(months)?).contains(&day) {
        return None;
    }
    let years = year - 1;
    let leap_days = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    let in_year = lengths.iter().take(months).sum::<i64>() + day - 1;
    Some(years * 365 + leap_days + in_year - DAYS_TO_1970)
}

/// Adds the format to the description.
struct DateTime(Text<Duration>);

impl Kind for DateTime {
    type Out = Duration;

    fn read(&self, value: &Value<'_>) -> Option<Duration> {
        self.0.read(value)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.0.shape(defs).with("format", "date-time")
    }
}

#[cfg(test)]
mod tests;
