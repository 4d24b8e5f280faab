//! Properties for any instant and any text.

use super::super::{PATTERN, parse};
use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use std::time::Duration;

/// The months from 1970 on: year, month and number of days.
fn months() -> impl Iterator<Item = (u64, u64, u64)> {
    (1970..=9999).flat_map(|year| (1..=12).map(move |month| (year, month, length(year, month))))
}

fn length(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(400) => 29,
        2 if year.is_multiple_of(100) => 28,
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Writes an instant as the local time at an offset in minutes.
fn written(instant: Duration, offset: i64) -> String {
    let local = i64::try_from(instant.as_secs()).unwrap() + offset * 60;
    let local = u64::try_from(local).unwrap();
    let (mut day, second) = (local / 86_400, local % 86_400);
    let (year, month, _) = months()
        .find(|(_, _, length)| {
            let is_here = day < *length;
            day = if is_here { day } else { day - length };
            is_here
        })
        .unwrap();
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let sign = if offset < 0 { '-' } else { '+' };
    let offset = offset.unsigned_abs();
    format!(
        "{year:04}-{month:02}-{:02}T{time}.{:09}{sign}{:02}:{:02}",
        day + 1,
        instant.subsec_nanos(),
        offset / 60,
        offset % 60
    )
}

#[test]
fn every_day_follows_the_day_before() {
    let mut days = 0;
    for (year, month, length) in months() {
        for day in 1..=31 {
            let found = parse(&format!("{year}-{month:02}-{day:02}T00:00:00Z"));
            let expected = (day <= length).then(|| Duration::from_secs(86_400 * (days + day - 1)));
            assert_eq!(found, expected, "{year}-{month}-{day}");
        }
        days += length;
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        seconds in 86_400u64..=253_402_214_400,
        nanos in 0u32..1_000_000_000,
        offset in -1_439i64..=1_439,
    ) {
        let instant = Duration::new(seconds, nanos);
        let text = written(instant, offset);
        prop_assert_eq!(parse(&text), Some(instant), "{}", text);
        prop_assert_eq!(parse(&text.to_lowercase()), Some(instant), "{}", text);
    }

    #[test]
    fn a_later_local_time_is_a_later_instant(
        text in "20[0-9]{2}-0[1-9]-(0[1-9]|1[0-9])T[01][0-9]:[0-5][0-9]:[0-5][0-8]",
        offset in "[+-](0[0-9]|1[0-9]):[0-5][0-9]",
    ) {
        let instant = parse(&format!("{text}{offset}")).unwrap();
        let (start, last) = text.split_at(text.len() - 1);
        let next = last.parse::<u32>().unwrap() + 1;
        prop_assert_eq!(parse(&format!("{start}{next}{offset}")), Some(instant + Duration::from_secs(1)));
    }

    /// Mostly close to a date-time. Days up to 28 from 1971 on exist, so nothing but the leap second is left to the reader.
    #[test]
    fn the_pattern_describes_what_is_read(
        text in "[12][0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?([Zz]|[+-][0-2][0-9]:[0-6][0-9])?",
    ) {
        let pattern = PikeVM::new(PATTERN).unwrap();
        let matches = pattern.is_match(&mut pattern.create_cache(), text.as_str());
        prop_assert!(parse(&text).is_none() || matches, "{text}");
        if text.get(..4) > Some("1970") && text.get(8..10) < Some("29") && text.get(17..19) < Some("60") {
            prop_assert_eq!(parse(&text).is_some(), matches, "{}", text);
        }
    }

    #[test]
    fn arbitrary_text_does_not_panic(text: String, digits in "[0-9TZ:.+-]{0,40}") {
        let _ = (parse(&text), parse(&digits));
    }
}
