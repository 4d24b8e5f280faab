//! The proxy answers a request in the upstream's place.

use crate::abi;
use crate::direction::{Action, Direction};
use crate::log;
use crate::pairs;
use mesh_policy::effects::{GrpcStatus, Reply};

/// Sends the reply. `direction`: that of the message in whose place it goes.
pub(crate) fn send(direction: Direction, reply: &Reply) {
    // A reply without its headers is better than a request without its answer.
    let headers = reply.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let headers = pairs::serialize(headers.collect::<Vec<_>>().into_iter()).unwrap_or_default();
    let grpc_status = reply.grpc_status.map_or(-1, |status| status as i32);
    let sent =
        abi::send_local_response(reply.status, reply.details.as_bytes(), &reply.body, &headers, grpc_status);
    if let Err(status) = sent {
        log!(Error, "a reply cannot be sent: {status}");
        // Without a reply the stream would wait until the proxy's idle timeout.
        if let Err(status) = abi::close_stream(direction as u32) {
            log!(Error, "a stream cannot be closed: {status}");
        }
    }
}

/// Answers a request that is not known, or that has no config. Envoy does not let it come to that; if
/// it does, nothing gets through.
pub(crate) fn refuse() -> Action {
    send(Direction::Request, &not_configured());
    Action::Pause
}

/// What passes without a config: the response to a request that was refused.
pub(crate) fn without_config(direction: Direction) -> Action {
    match direction {
        Direction::Request => refuse(),
        Direction::Response => Action::Continue,
    }
}

fn not_configured() -> Reply {
    Reply {
        status: 503,
        details: "mesh_filters{not_configured}".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        grpc_status: Some(GrpcStatus::Unavailable),
    }
}
