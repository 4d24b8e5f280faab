//! The direction of a message, and whether it continues.

use crate::abi::StreamKind;

/// Whether the proxy continues with the message that a callback reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Continue,
    /// It waits. A body is reported again together with what follows.
    Pause,
    /// A part of a body waits in the proxy, with back-pressure, and each later part is reported alone. Or trailers wait.
    Hold,
}

impl Action {
    /// The return value of a headers callback. 4 (`StopAllIterationAndWatermark`) holds the body and the
    /// trailers as well, and applies back-pressure when the buffer is full. With 1 (`StopIteration`) a
    /// plugin with `allow_on_headers_stop_iteration` would get the body and the trailers while the headers
    /// wait, and continuing with those would release the headers.
    pub(crate) const fn for_headers(self) -> u32 {
        match self {
            Self::Continue => 0,
            Self::Pause | Self::Hold => 4,
        }
    }

    /// The return value of a body callback: 1 is `StopIterationAndBuffer`, 2 is `StopIterationAndWatermark`.
    pub(crate) const fn for_body(self) -> u32 {
        match self {
            Self::Continue => 0,
            Self::Pause => 1,
            Self::Hold => 2,
        }
    }

    /// The return value of a trailers callback: 1 is `StopIteration`.
    pub(crate) const fn for_trailers(self) -> u32 {
        match self {
            Self::Continue => 0,
            Self::Pause | Self::Hold => 1,
        }
    }
}

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

impl Direction {
    pub(crate) const fn stream(self) -> StreamKind {
        match self {
            Self::Request => StreamKind::Request,
            Self::Response => StreamKind::Response,
        }
    }
}
