//! Counts of the last window, in slices of time.

use super::bytes::Reader;
use super::counts::{Both, Counts, Figures, Outcome};
use mesh_policy::time::Nanos;
use std::time::Duration;

/// Number of slices that a window is divided into.
const SLICES: u32 = 10;
/// Number of slices that are kept: the current one, and those of a whole window before it.
const KEPT: usize = SLICES as usize + 1;

/// Length of a slice in nanoseconds, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SliceLength(u64);

impl SliceLength {
    /// A tenth of a window.
    pub(super) fn of(window: Duration) -> Self {
        let nanos = u64::try_from((window / SLICES).as_nanos()).unwrap_or(u64::MAX);
        Self(nanos.max(1))
    }

    /// Number of the slice with this instant.
    pub(super) fn slice(self, instant: Nanos) -> u64 {
        instant.0.checked_div(self.0).unwrap_or_default()
    }

    pub(super) const fn duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

/// A slice of time. One without counts may have any number.
#[derive(Clone, Debug)]
struct Slice {
    number: u64,
    counts: Both<Counts>,
}

/// Counts by slice, at most [`KEPT`] of them. The slice with number n is at place n modulo [`KEPT`].
#[derive(Clone, Debug)]
pub(super) struct Window(Box<[Slice; KEPT]>);

impl Window {
    pub(super) fn empty() -> Self {
        Self(Box::new([const { Slice { number: 0, counts: Both::EMPTY } }; KEPT]))
    }

    /// Size in bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slices().next().is_none()
    }

    /// Counts an outcome in a slice. Has no effect if a later slice is at its place.
    pub(super) fn count(&mut self, outcome: &Outcome, number: u64) {
        if let Some(slice) = self.place(number)
            && slice.number <= number
        {
            slice.begin(number);
            slice.counts.count(outcome);
        }
    }

    /// Removes the slices that are not kept in the slice with number `current`: older ones, and later ones, which only a
    /// damaged record has.
    pub(super) fn advance(&mut self, current: u64) {
        for slice in self.0.iter_mut().filter(|slice| !is_kept(slice.number, current)) {
            slice.counts = Both::EMPTY;
        }
    }

    /// Adds the counts of another window, without those that are not kept in the slice with number `current`.
    pub(super) fn add(&mut self, other: &Self, current: u64) {
        self.advance(current);
        for added in other.slices().filter(|slice| is_kept(slice.number, current)) {
            // At its place there is this slice or none: the numbers of others that are kept differ by less than `KEPT`.
            if let Some(slice) = self.place(added.number) {
                slice.begin(added.number);
                slice.counts.add(&added.counts);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        for slice in self.0.iter_mut() {
            slice.counts = Both::EMPTY;
        }
    }

    /// The figures of each arm over all slices.
    pub(super) fn figures(&self) -> Both<Figures> {
        Both {
            variant: Figures::of(self.slices().map(|slice| &slice.counts.variant)),
            baseline: Figures::of(self.slices().map(|slice| &slice.counts.baseline)),
        }
    }

    /// The slices that have counts, with their numbers.
    #[cfg(test)]
    pub(super) fn counts(&self) -> impl Iterator<Item = (u64, &Both<Counts>)> {
        self.slices().map(|slice| (slice.number, &slice.counts))
    }

    /// Appends the slices that have counts, in the order of their places.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.slices().count() as u8);
        for slice in self.slices() {
            bytes.extend(slice.number.to_le_bytes());
            slice.counts.write(bytes);
        }
    }

    /// `None` if these bytes are not a window.
    pub(super) fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let mut window = Self::empty();
        for _ in 0..bytes.u8()? {
            let number = bytes.u64()?;
            let slice = window.place(number)?;
            if !slice.counts.is_empty() {
                return None;
            }
            *slice = Slice { number, counts: Both::read(bytes)? };
        }
        Some(window)
    }

    /// The slices that have counts.
    fn slices(&self) -> impl Iterator<Item = &Slice> {
        self.0.iter().filter(|slice| !slice.counts.is_empty())
    }

    fn place(&mut self, number: u64) -> Option<&mut Slice> {
        self.0.get_mut((number % KEPT as u64) as usize)
    }
}

impl Slice {
    /// Becomes the slice with this number, without counts unless it is that slice already.
    fn begin(&mut self, number: u64) {
        if self.number != number {
            *self = Self { number, counts: Both::EMPTY };
        }
    }
}

/// Whether a slice is kept in the slice with number `current`.
fn is_kept(number: u64, current: u64) -> bool {
    current.checked_sub(number).is_some_and(|age| age < KEPT as u64)
}

#[cfg(test)]
mod tests;
