//! The state record of a source: the lease and the times of fetches.

use mesh_policy::time::Nanos;
use std::time::Duration;

/// The state of a source, shared by all workers of the proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The number of the current key set; 0 before the first one.
    pub(super) set: u64,
    /// When the next fetch is due.
    pub(super) due: Nanos,
    /// When the fetch lease expires; 0 if no worker holds it.
    pub(super) leased_until: Nanos,
    /// The worker that last held the lease.
    pub(super) owner: u64,
    /// When the last fetch began.
    pub(super) started: Nanos,
    /// When the last fetch ended, successfully or not.
    pub(super) ended: Nanos,
    /// When the last successful fetch began.
    pub(super) answered: Nanos,
    /// Rate limit of fetches for missing keys: the time up to which they are paid for, at one per [`INTERVAL`].
    pub(super) paid: Nanos,
    /// Number of consecutive failed fetches.
    pub(super) failures: u64,
}

const FIELDS: usize = 9;
const FIELD_BYTES: usize = size_of::<u64>();
/// Minimum time between the start of a fetch and a fetch for a missing key.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Average time between fetches for missing keys. A flood of unknown keys delays a new key by this time at most.
const INTERVAL: Duration = Duration::from_secs(10);
/// Burst of fetches for missing keys: two more fetches may follow immediately. Occasional requests with unknown keys
/// thus do not delay the fetch for a new key.
const SAVED: Duration = Duration::from_secs(20);
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// Longest retry delay before the first key set, during which every token is refused.
const LONGEST_FIRST_RETRY: Duration = Duration::from_secs(5);

impl State {
    pub(super) fn is_fetching(&self, now: Nanos) -> bool {
        now < self.leased_until
    }

    /// When the next regular fetch is due. `refresh` is the caller's; configs with different ones may share the record.
    fn due(&self, refresh: Duration) -> Nanos {
        self.due.min(self.ended.after(refresh))
    }

    /// The earliest time of the next fetch. `wanted` says that a key is missing.
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

    /// Starts a fetch and the owner's lease.
    pub(super) fn begin(&mut self, owner: u64, lease: Duration, refresh: Duration, now: Nanos) {
        if now < self.due(refresh) {
            self.paid = self.paid.max(now).after(INTERVAL);
        }
        self.owner = owner;
        self.leased_until = now.after(lease);
        self.started = now;
    }

    /// Whether this worker still holds the lease.
    pub(super) fn is_of(&self, owner: u64) -> bool {
        self.owner == owner && self.leased_until != Nanos(0)
    }

    /// Ends a successful fetch: the set has this number, and the next fetch is due after `refresh`.
    pub(super) fn succeed(&mut self, set: u64, refresh: Duration, now: Nanos) {
        self.set = set;
        self.failures = 0;
        self.due = now.after(refresh);
        self.answered = self.started;
        self.end(now);
    }

    /// Ends a failed fetch and schedules a retry.
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
        let numbers: [u64; FIELDS] = [
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

    /// Decodes a record. `None` if it is damaged; the default state then makes a fetch due.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != FIELDS * FIELD_BYTES {
            return None;
        }
        let mut numbers = bytes.chunks_exact(FIELD_BYTES).filter_map(|number| number.try_into().ok());
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

/// Encodes the record of a key set: its number, then its text.
pub(super) fn encode_set(number: u64, text: &[u8]) -> Vec<u8> {
    [&number.to_le_bytes(), text].concat()
}

/// The number and the text of a key set's record.
pub(super) fn decode_set(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, text) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), text))
}
