//! Bounds the share of faulted requests.

use mesh_policy::percent::Percentage;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// Number of slices that a window is divided into.
const SLICES: u64 = 64;
/// Number of slices that are kept: the current one, and as many before it as a window may overlap.
const KEPT: usize = SLICES as usize + 1;
/// Parts per million.
const MILLION: u64 = 1_000_000;

/// Counts requests and faults of the last window, to keep the faults within a share of the requests.
///
/// The window slides: it begins after `now - window` and ends with `now`. Counts are kept for slices of time, so the oldest
/// slice may be in the window only partly; its requests do not count, and its faults do. So at steady load, about 1 in 64 of
/// the budget is lost, also with a share of 100 %: for no bound, use no budget.
#[derive(Clone, Debug)]
pub struct Budget {
    share: Percentage,
    /// In nanoseconds.
    window: u64,
    /// Length of a slice in nanoseconds, never zero.
    slice: u64,
    /// The latest time of all calls.
    now: Nanos,
    /// The slice with number n is at index n modulo [`KEPT`].
    slices: Box<[Slice; KEPT]>,
}

/// Counts of a slice of time. One without counts may have any number.
#[derive(Clone, Copy, Debug)]
struct Slice {
    number: u64,
    came: u32,
    faulted: u32,
}

impl Budget {
    /// A budget of `share` of the requests in each `window` (1 s to 1 h).
    #[must_use]
    pub fn new(share: Percentage, window: Duration) -> Self {
        let window = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        let slices = Box::new([const { Slice { number: 0, came: 0, faulted: 0 } }; KEPT]);
        Self { share, window, slice: window.div_ceil(SLICES).max(1), now: Nanos(0), slices }
    }

    /// Counts a request that came. An earlier time than that of the last call counts as the same.
    pub fn came(&mut self, now: Nanos) {
        self.advance(now);
        if let Some(slice) = self.current() {
            slice.came = slice.came.saturating_add(1);
        }
    }

    /// Whether the request that came last may be faulted: whether in the window that ends now, the faults including this
    /// one are at most the share of the requests. If so, the fault is counted.
    pub fn spend(&mut self, now: Nanos) -> bool {
        self.advance(now);
        let (came, faulted) = self.counts();
        let within = (faulted + 1) * MILLION <= came * u64::from(self.share.parts_per_million());
        let counted = self.current().filter(|_| within).and_then(|slice| {
            slice.faulted = slice.faulted.checked_add(1)?;
            Some(())
        });
        counted.is_some()
    }

    fn advance(&mut self, now: Nanos) {
        self.now = self.now.max(now);
    }

    /// The current slice, without counts if it has just begun.
    fn current(&mut self) -> Option<&mut Slice> {
        let number = self.now.0.checked_div(self.slice)?;
        let slice = self.slices.get_mut((number % KEPT as u64) as usize)?;
        if slice.number != number {
            *slice = Slice { number, came: 0, faulted: 0 };
        }
        Some(slice)
    }

    /// The requests of the slices that are in the window as a whole, and the faults of all that overlap it. Each is below
    /// 2^39.
    fn counts(&self) -> (u64, u64) {
        let (mut came, mut faulted) = (0, 0);
        for slice in self.slices.iter() {
            let begin = slice.number.saturating_mul(self.slice);
            let last = begin.saturating_add(self.slice - 1);
            // An instant is in the window if it is less than a window ago.
            let in_window = |instant| self.now.0.saturating_sub(instant) < self.window;
            if in_window(begin) {
                came += u64::from(slice.came);
            }
            if in_window(last) {
                faulted += u64::from(slice.faulted);
            }
        }
        (came, faulted)
    }
}

#[cfg(test)]
mod tests;
