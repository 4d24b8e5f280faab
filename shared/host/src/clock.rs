//! The proxy's clocks.
//!
//! Reading a clock is a host call. [`now`] and [`since_epoch`] share one reading in each callback;
//! [`monotonic`] always reads.

use crate::abi;
use crate::status::Status;
use mesh_policy::time::Nanos;
use std::cell::Cell;
use std::time::Duration;

/// Maximum age of the difference between the clocks. Within it, setting the wall clock goes unnoticed.
const MAX_AGE: Duration = Duration::from_secs(1);

std::thread_local! {
    /// The reading of the current callback.
    static NOW: Cell<Option<Nanos>> = const { Cell::new(None) };
    static WALL: Cell<Option<Wall>> = const { Cell::new(None) };
}

/// Both clocks, read one after the other.
#[derive(Clone, Copy)]
struct Wall {
    read_at: Nanos,
    since_epoch: Duration,
}

/// The monotonic clock, for rates and delays. All workers of a proxy read the same clock.
pub fn monotonic() -> Result<Nanos, Status> {
    let now = abi::monotonic().map(Nanos)?;
    NOW.set(Some(now));
    Ok(now)
}

/// The monotonic clock as it was read last in this callback.
pub fn now() -> Result<Nanos, Status> {
    NOW.get().map_or_else(monotonic, Ok)
}

/// Time since 1970 at [`now`], for dates set by others, such as `exp`. It can be set back, which takes effect
/// within a second.
pub fn since_epoch() -> Result<Duration, Status> {
    let now = now()?;
    let wall = match WALL.get().filter(|wall| now.since(wall.read_at) <= MAX_AGE && wall.read_at <= now) {
        Some(wall) => wall,
        None => {
            // Read again, so that nothing comes between the two readings.
            let read_at = monotonic()?;
            let wall = Wall { read_at, since_epoch: abi::wall().map(Duration::from_nanos)? };
            WALL.set(Some(wall));
            wall
        }
    };
    Ok(wall.since_epoch + now.since(wall.read_at))
}

/// Forgets the reading, as another callback begins, and returns it.
pub(crate) fn begin_callback() -> Option<Nanos> {
    NOW.take()
}

/// Forgets everything: another in-memory host takes the place of the one that was read.
#[cfg(all(any(test, feature = "testing"), not(target_arch = "wasm32")))]
pub(crate) fn forget_all() {
    NOW.set(None);
    WALL.set(None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Proxy;

    crate::any_filter! {
        enum Nothing, NothingStream, "nothing" { None(Idle) }
    }

    struct Idle;

    impl crate::Filter for Idle {
        const NAME: &'static str = "idle";
        const CALLBACKS: crate::Callbacks = crate::Callbacks::NONE;
        type Stream = ();
    }

    impl crate::Configure for Nothing {
        fn configure(_: &[u8], _: &crate::Plugin) -> Result<Vec<Self>, mesh_config::Problems> {
            Ok(vec![Self::None(Idle)])
        }
    }

    #[test]
    fn a_callback_reads_the_clock_once() {
        let proxy = Proxy::<Nothing>::new();
        begin_callback();
        let (first, epoch) = (now().unwrap(), since_epoch().unwrap());
        proxy.advance(Duration::from_millis(5));
        assert_eq!((now().unwrap(), since_epoch().unwrap()), (first, epoch));
        assert_eq!(proxy.host().counts(), "create: 3 clock_time_get\n");
        // What another part of the callback has read counts for all.
        let later = monotonic().unwrap();
        assert_eq!((now().unwrap(), since_epoch().unwrap()), (later, epoch + Duration::from_millis(5)));
        begin_callback();
        assert_eq!(now().unwrap(), later);
        assert_eq!(proxy.host().counts(), "create: 5 clock_time_get\n");
    }

    #[test]
    fn the_wall_clock_is_followed_within_a_second() {
        let proxy = Proxy::<Nothing>::new();
        let read = || {
            begin_callback();
            since_epoch().unwrap()
        };
        let start = read();
        assert_eq!(start, proxy.host().wall());
        let back = start - Duration::from_secs(3600);
        proxy.host().set_wall(back);
        proxy.advance(Duration::from_secs(1));
        assert_eq!(read(), start + Duration::from_secs(1));
        proxy.advance(Duration::from_millis(1));
        assert_eq!(read(), back + Duration::from_millis(1001));
    }

    #[test]
    fn a_clock_that_fails_is_an_error() {
        let proxy = Proxy::<Nothing>::new();
        proxy.host().fail("clock_time_get");
        begin_callback();
        assert_eq!((now(), since_epoch()), (Err(Status::InternalFailure), Err(Status::InternalFailure)));
    }
}
