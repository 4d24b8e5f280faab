//! A decision and what it is based on.

use mesh_policy::time::Nanos;

/// The decision on one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// What decides.
    pub choice: Choice<'a>,
    /// The rules and splits in shadow mode that would have decided.
    pub shadow: Vec<Choice<'a>>,
    /// How a split assigned the variant, if one did.
    pub assigned: Option<Assigned>,
    /// Whether the request names a variant and was not followed.
    pub is_override_ignored: bool,
    /// Whether the client had sent the output's header. It is removed.
    pub is_header_removed: bool,
    /// Indices of the splits that found no identity.
    pub without_identity: Vec<usize>,
    /// Whether `x-forwarded-for` has fewer addresses than `trusted_hops`.
    pub client_ip_fallback: bool,
}

/// A variant, and what chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// What chooses it.
    pub source: Source,
    /// The variant; `None`: there is no default.
    pub variant: Option<&'a str>,
}

/// What decides on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The request itself, by the index of the variant that it names.
    Override(usize),
    /// The rule with this index.
    Rule(usize),
    /// The split with this index.
    Split(usize),
    /// The split with this index, whose guard has taken out the variant.
    Fallback(usize),
    /// Nothing else does.
    Default,
}

/// How a split has assigned a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Index of the split.
    pub split: usize,
    /// Index of the variant in the split.
    pub variant: usize,
    /// When the request arrived, if the split's guard counts it.
    pub began: Option<Nanos>,
    /// A new identity, to be set as a cookie.
    pub cookie: Option<String>,
    /// Whether the request is a gRPC request.
    pub is_grpc: bool,
}

/// The proxy failed to provide what a decision needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;
