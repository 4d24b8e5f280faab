//! Why a filter refuses a request, and how each reason is answered.

use crate::effects::GrpcStatus;

/// A reason: one row of a filter's table, see [`reasons!`](crate::reasons!).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its name in the response-code details and in counters. Several reasons may share one.
    pub label: &'static str,
    /// How it is answered.
    pub class: Class,
    /// What the client is told: the filter's own words, nothing of the request.
    pub text: &'static str,
}

/// How a reason is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The HTTP status.
    pub status: u16,
    /// The status for a gRPC request.
    pub grpc_status: GrpcStatus,
    /// The challenge.
    pub challenge: Challenge,
}

/// The `WWW-Authenticate` header of a refusal (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// None.
    None,
    /// `Bearer` with the realm: the request has no credentials.
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

    /// The class with a challenge.
    #[must_use]
    pub const fn with_challenge(self, challenge: Challenge) -> Self {
        Self { challenge, ..self }
    }
}

/// Declares a filter's reasons as constants, and the list of them:
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

        /// All reasons, in the order of their declaration.
        pub const ALL: &[$crate::reason::Reason] = &[$($name),+];
    };
}
