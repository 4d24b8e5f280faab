//! The reason for refusing a request.

use mesh_policy::effects::GrpcStatus;
use mesh_policy::reason::Class;

const UNAVAILABLE: Class = Class::new(503, GrpcStatus::Unavailable);

mesh_policy::reasons! {
    /// A header that only the filter may set cannot be removed, or the proxy fails and `on_error` is `deny`.
    pub ERROR: UNAVAILABLE, "canary_error", "the variant cannot be chosen";
}
