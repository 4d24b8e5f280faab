//! The status of a host call that failed.

use std::fmt;

/// A Proxy-Wasm status other than `OK`.
///
/// Every function of this crate that returns `Result<_, Status>` fails with the status that the host
/// returned. A host may return a code that has no name here; that is an error like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The key, property or function does not exist, or no stream is in effect.
    NotFound,
    /// Wrong phase, unknown cluster, or a stream that has ended.
    BadArgument,
    /// A map or a message could not be serialized.
    SerializationFailure,
    /// A map or a message could not be parsed.
    ParseFailure,
    /// An expression could not be evaluated.
    BadExpression,
    /// The host could not write to the module's memory.
    InvalidMemoryAccess,
    /// There is nothing to read.
    Empty,
    /// The record has changed since it was read.
    CasMismatch,
    /// A result has another type than requested.
    ResultMismatch,
    /// The host failed, or the call is not among the module's allowed capabilities.
    InternalFailure,
    /// The connection is broken.
    BrokenConnection,
    /// The host does not implement this call.
    Unimplemented,
    /// Any other code.
    Other(u32),
}

impl Status {
    /// `Ok` if the code is that of `OK`.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn check(code: u32) -> Result<(), Self> {
        Err(match code {
            0 => return Ok(()),
            1 => Self::NotFound,
            2 => Self::BadArgument,
            3 => Self::SerializationFailure,
            4 => Self::ParseFailure,
            5 => Self::BadExpression,
            6 => Self::InvalidMemoryAccess,
            7 => Self::Empty,
            8 => Self::CasMismatch,
            9 => Self::ResultMismatch,
            10 => Self::InternalFailure,
            11 => Self::BrokenConnection,
            12 => Self::Unimplemented,
            other => Self::Other(other),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(formatter, "status {code}"),
            named => write!(formatter, "{named:?}"),
        }
    }
}

impl std::error::Error for Status {}

/// Turns [`Status::NotFound`] into `None`.
pub(crate) fn optional<T>(result: Result<T, Status>) -> Result<Option<T>, Status> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Status::NotFound) => Ok(None),
        Err(status) => Err(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_a_status() {
        assert_eq!(Status::check(0), Ok(()));
        assert_eq!(Status::check(8), Err(Status::CasMismatch));
        assert_eq!(Status::check(u32::MAX), Err(Status::Other(u32::MAX)));
    }

    #[test]
    fn a_native_build_has_no_host() {
        assert_eq!(crate::abi::monotonic(), Err(Status::Unimplemented));
        assert_eq!(crate::abi::shared_data(b"key"), Err(Status::Unimplemented));
    }
}
