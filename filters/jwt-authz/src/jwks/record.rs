//! The small record of a source: who fetches, and when.

use mesh_policy::time::Nanos;
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
    /// When the last fetch ended, well or not.
    pub(super) ended: Nanos,
    /// When the last fetch that has brought a set had begun.
    pub(super) answered: Nanos,
    /// Until when the fetches that missing keys have caused are paid for, at one for each [`INTERVAL`].
    pub(super) paid: Nanos,
    /// Fetches in a row that have failed.
    pub(super) failures: u64,
}

const NUMBERS: usize = 9;
const NUMBER: usize = size_of::<u64>();
/// How long after any fetch, at least, a missing key may cause one.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// A flood of unknown keys makes one fetch in this time, and delays a new key by no more.
const INTERVAL: Duration = Duration::from_secs(10);
/// What may be saved up beyond the one: two more fetches. Whoever asks for unknown keys now and then leaves
/// the others the fetch that they need at once.
const SAVED: Duration = Duration::from_secs(20);
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// As long as there is no set at all, every token is refused.
const LONGEST_FIRST_RETRY: Duration = Duration::from_secs(5);

impl State {
    pub(super) fn is_fetching(&self, now: Nanos) -> bool {
        now < self.leased_until
    }

    /// When the next fetch begins that no missing key causes. `refresh`: the asker's own; configs with another
    /// one may share the record.
    fn due(&self, refresh: Duration) -> Nanos {
        self.due.min(self.ended.after(refresh))
    }

    /// When the next fetch may begin.
    pub(super) fn next(&self, wanted: bool, refresh: Duration) -> Nanos {
        let due = self.due(refresh);
        let next = if wanted {
            let saved = u64::try_from(SAVED.as_nanos()).unwrap_or(u64::MAX);
            due.min(self.started.after(SHORTEST_PAUSE).max(Nanos(self.paid.0.saturating_sub(saved))))
        } else {
            due
        };
        next.max(self.leased_until)
    }

    /// A fetch begins.
    pub(super) fn begin(&mut self, owner: u64, lease: Duration, refresh: Duration, now: Nanos) {
        if now < self.due(refresh) {
            self.paid = self.paid.max(now).after(INTERVAL);
        }
        self.owner = owner;
        self.leased_until = now.after(lease);
        self.started = now;
    }

    /// Whether the fetch is still this worker's: nobody has taken it over.
    pub(super) fn is_of(&self, owner: u64) -> bool {
        self.owner == owner && self.leased_until != Nanos(0)
    }

    /// The fetch has brought the set of this number, good for `refresh`.
    pub(super) fn succeed(&mut self, set: u64, refresh: Duration, now: Nanos) {
        self.set = set;
        self.failures = 0;
        self.due = now.after(refresh);
        self.answered = self.started;
        self.end(now);
    }

    /// The fetch has failed.
    pub(super) fn fail(&mut self, refresh: Duration, now: Nanos) {
        let longest = if self.set == 0 { LONGEST_FIRST_RETRY } else { LONGEST_RETRY };
        let exponent = u32::try_from(self.failures).unwrap_or(u32::MAX);
        let retry = SHORTEST_RETRY.saturating_mul(2u32.saturating_pow(exponent));
        self.failures = self.failures.saturating_add(1);
        self.due = now.after(retry.min(longest).min(refresh));
        self.end(now);
    }

    const fn end(&mut self, now: Nanos) {
        self.ended = now;
        self.leased_until = Nanos(0);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let numbers: [u64; NUMBERS] = [
            self.set,
            self.due.0,
            self.leased_until.0,
            self.owner,
            self.started.0,
            self.ended.0,
            self.answered.0,
            self.paid.0,
            self.failures,
        ];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// `None` for what is no such record: then nothing is known, and a fetch is due.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != NUMBERS * NUMBER {
            return None;
        }
        let mut numbers = bytes.chunks_exact(NUMBER).filter_map(|number| number.try_into().ok());
        let mut number = || numbers.next().map(u64::from_le_bytes);
        Some(Self {
            set: number()?,
            due: Nanos(number()?),
            leased_until: Nanos(number()?),
            owner: number()?,
            started: Nanos(number()?),
            ended: Nanos(number()?),
            answered: Nanos(number()?),
            paid: Nanos(number()?),
            failures: number()?,
        })
    }
}

/// A key set as it is kept: its number, then its text.
pub(super) fn encode_set(number: u64, text: &[u8]) -> Vec<u8> {
    [&number.to_le_bytes(), text].concat()
}

/// The number and the text of a key set that was kept.
pub(super) fn decode_set(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, text) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), text))
}
