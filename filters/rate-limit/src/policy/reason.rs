//! The reasons for refusing a request, each with its status, label and text.

use mesh_policy::effects::GrpcStatus;
use mesh_policy::reason::Class;

const EXCEEDED: Class = Class::new(429, GrpcStatus::ResourceExhausted);
const BAD_REQUEST: Class = Class::new(400, GrpcStatus::InvalidArgument);
const UNAVAILABLE: Class = Class::new(503, GrpcStatus::Unavailable);

mesh_policy::reasons! {
    /// The bucket has too few tokens, or no slot in the table.
    pub RATE_LIMITED: EXCEEDED, "rate_limited", "the rate limit is exceeded";
    /// The request lacks a part of the limit's key. Waiting does not help.
    pub KEY_MISSING: BAD_REQUEST, "rate_limit_key_missing", "the request lacks the key of the rate limit";
    /// The bucket cannot be read or written, or the request cannot be read.
    pub ERROR: UNAVAILABLE, "rate_limit_error", "the rate limit cannot be checked";
}
