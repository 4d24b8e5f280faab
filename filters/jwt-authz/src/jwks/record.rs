//! The small record of a source: who fetches, and when.

use super::source::FIRST_COOLDOWN;
use policy::time::Nanos;
use std::time::Duration;

/// How things stand with a source. All workers of the proxy see the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The number of the key set in force; 0 before the first.
    pub(super) set: u64,
    /// When the next fetch is due.
    pub(super) due: Nanos,
    /// Until when a fetch is somebody's; 0 if it is nobody's.
    pub(super) leased_until: Nanos,
    /// Whose.
    pub(super) owner: u64,
    /// When the last fetch began.
    pub(super) started: Nanos,
    /// When the last fetch that has ended, well or not, had begun.
    pub(super) completed: Nanos,
    /// How long after the last fetch an unknown key may cause the next one.
    pub(super) cooldown: Duration,
    /// Fetches in a row that have failed.
    pub(super) failures: u64,
}

/// The first byte; another layout gets another one, since records outlive the module that wrote them.
const FORMAT: u8 = 1;

impl State {
    /// From when on an unknown key may cause a fetch.
    pub(super) fn may_ask_again(&self) -> Nanos {
        self.leased_until.max(self.started.after(self.cooldown.max(FIRST_COOLDOWN)))
    }

    /// Whether somebody should fetch. `wanted`: a request waits for a key that is not in the set.
    pub(super) fn is_due(&self, wanted: bool, now: Nanos) -> bool {
        self.leased_until <= now && (self.due <= now || wanted && self.may_ask_again() <= now)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let cooldown = u64::try_from(self.cooldown.as_nanos()).unwrap_or(u64::MAX);
        let numbers = [
            self.set,
            self.due.0,
            self.leased_until.0,
            self.owner,
            self.started.0,
            self.completed.0,
            cooldown,
            self.failures,
        ];
        let mut bytes = vec![FORMAT];
        numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes
    }

    /// `None` for what is no such record: then nothing is known, and a fetch is due.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (FORMAT, numbers) = bytes.split_first().map(|(format, rest)| (*format, rest))? else {
            return None;
        };
        let mut numbers = numbers.chunks_exact(8).map(|number| {
            let number: Result<[u8; 8], _> = number.try_into();
            number.map(u64::from_le_bytes).unwrap_or_default()
        });
        Some(Self {
            set: numbers.next()?,
            due: Nanos(numbers.next()?),
            leased_until: Nanos(numbers.next()?),
            owner: numbers.next()?,
            started: Nanos(numbers.next()?),
            completed: Nanos(numbers.next()?),
            cooldown: Duration::from_nanos(numbers.next()?),
            failures: numbers.next()?,
        })
    }
}

/// A key set as it is kept: its number, then its text.
pub(super) fn encode_set(number: u64, text: &[u8]) -> Vec<u8> {
    [&[FORMAT], &number.to_le_bytes()[..], text].concat()
}

/// The number and the text of a key set that was kept.
pub(super) fn decode_set(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (format, rest) = bytes.split_first()?;
    let (number, text) = rest.split_first_chunk()?;
    (*format == FORMAT).then(|| (u64::from_le_bytes(*number), text))
}
