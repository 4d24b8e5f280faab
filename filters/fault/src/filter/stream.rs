//! The state of a stream.

use crate::policy::Fault;
use crate::throttle::Throttle;
use mesh_host::{Body, Pending, Status};
use mesh_policy::time::Nanos;

/// The state of a stream.
#[derive(Debug, Default)]
pub struct Stream {
    pub(super) pending: Pending,
    pub(super) faulted: Option<Box<Faulted>>,
    /// Whether it is counted among the requests in flight.
    pub(super) is_counted: bool,
}

/// A stream to which something is still to happen.
#[derive(Debug)]
pub(super) struct Faulted {
    pub(super) fault: Fault,
    /// When the request arrived.
    pub(super) began: Nanos,
    /// Whether the filter runs in a cluster's filter chain.
    pub(super) is_upstream: bool,
    /// Whether the request waits.
    pub(super) is_waiting: bool,
    /// Whether it has a place.
    pub(super) has_place: bool,
    /// Whether the response has arrived.
    pub(super) is_answered: bool,
    /// Number of bytes of the body that may still be sent.
    pub(super) max_bytes: Option<u64>,
    pub(super) throttle: Option<Throttle>,
    /// Whether the last part of the response has arrived.
    pub(super) has_ended: bool,
}

impl Faulted {
    pub(super) const fn new(fault: Fault, began: Nanos) -> Self {
        Self {
            fault,
            began,
            is_upstream: false,
            is_waiting: false,
            has_place: false,
            is_answered: false,
            max_bytes: None,
            throttle: None,
            has_ended: false,
        }
    }

    /// A request that waits, and has a place for that.
    pub(super) const fn waiting(fault: Fault, began: Nanos) -> Self {
        Self { is_waiting: true, has_place: true, ..Self::new(fault, began) }
    }

    /// Whether its response is to be faulted, and has not arrived.
    pub(super) const fn awaits_response(&self) -> bool {
        !self.is_answered
            && !self.is_waiting
            && !self.fault.is_aborted
            && (self.fault.response.is_some() || self.fault.is_throttled)
    }

    /// Whether something happens to the rest of the response.
    pub(super) const fn is_in_response(&self) -> bool {
        self.has_place || self.max_bytes.is_some() || self.throttle.is_some()
    }

    /// Cuts a part of the body to what may still be sent.
    pub(super) fn cut(&mut self, body: &mut Body) -> Result<(), Status> {
        let Some(left) = &mut self.max_bytes else { return Ok(()) };
        body.truncate(usize::try_from(*left).unwrap_or(usize::MAX))?;
        *left = left.saturating_sub(body.size() as u64);
        Ok(())
    }
}
