//! The reason for replying in place of the upstream.

use mesh_policy::effects::GrpcStatus;
use mesh_policy::reason::Class;

/// The rule has its own statuses.
const UNAVAILABLE: Class = Class::new(503, GrpcStatus::Unavailable);

mesh_policy::reasons! {
    /// A rule aborts the request, or the request has asked for that.
    pub INJECTED: UNAVAILABLE, "fault_injected", "a fault was injected";
}
