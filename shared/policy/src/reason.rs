//! The reasons for refusing requests, and the form of the replies.

use crate::effects::GrpcStatus;

/// A reason: a row of a filter's table, see [`reasons!`](crate::reasons!).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Name in the response code details and in counters. Several reasons may share a label.
    pub label: &'static str,
    /// Status and challenge of the reply.
    pub class: Class,
    /// Text for the client. Contains nothing of the request.
    pub text: &'static str,
}

/// Status and challenge of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The HTTP status.
    pub status: u16,
    /// The status for a gRPC request.
    pub grpc_status: GrpcStatus,
    /// The authentication challenge.
    pub challenge: Challenge,
}

/// The `WWW-Authenticate` header of a refusal (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// No challenge.
    None,
    /// `Bearer` with the realm, for a request without credentials.
    Bearer,
    /// `Bearer` with this `error` and the reason's text as `error_description`.
    BearerError(&'static str),
}

impl Class {
    /// A class without a challenge.
    #[must_use]
    pub const fn new(status: u16, grpc_status: GrpcStatus) -> Self {
        Self { status, grpc_status, challenge: Challenge::None }
    }

    /// The same class with a challenge.
    #[must_use]
    pub const fn with_challenge(self, challenge: Challenge) -> Self {
        Self { challenge, ..self }
    }
}

/// Declares the reasons of a filter as constants, and the list `ALL`:
///
/// ```
/// use mesh_policy::effects::GrpcStatus;
/// use mesh_policy::reason::Class;
///
/// const FORBIDDEN: Class = Class::new(403, GrpcStatus::PermissionDenied);
///
/// mesh_policy::reasons! {
///     /// The request lacks the header.
///     pub NO_HEADER: FORBIDDEN, "no_header", "the request lacks a header";
/// }
///
/// assert_eq!(ALL[0].label, NO_HEADER.label);
/// ```
#[macro_export]
macro_rules! reasons {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident: $class:expr, $label:literal, $text:literal;)+) => {
        $(
            #[doc = $text]
            ///
            $(#[$attribute])*
            $visibility const $name: $crate::reason::Reason =
                $crate::reason::Reason { label: $label, class: $class, text: $text };
        )+

        /// All reasons, in declaration order.
        pub const ALL: &[$crate::reason::Reason] = &[$($name),+];
    };
}
