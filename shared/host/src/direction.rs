//! Which way a message goes, and whether it goes on.

/// Whether the proxy goes on with what the callback was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Continue,
    Pause,
}

impl Action {
    /// The answer to headers. 4 (`StopAllIterationAndWatermark`) holds the body and the trailers as well,
    /// and slows the sender down where they exceed the buffer. With 1 (`StopIteration`) a plugin with
    /// `allow_on_headers_stop_iteration` gets the body and the trailers while the headers wait, and what
    /// it lets pass of them takes the headers along.
    pub(crate) const fn for_headers(self) -> u32 {
        match self {
            Self::Continue => 0,
            Self::Pause => 4,
        }
    }

    /// The answer to a part of a body (1 is `StopIterationAndBuffer`) and to trailers (`StopIteration`).
    pub(crate) const fn for_parts(self) -> u32 {
        match self {
            Self::Continue => 0,
            Self::Pause => 1,
        }
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Direction {
    Request = 0,
    Response = 1,
}
