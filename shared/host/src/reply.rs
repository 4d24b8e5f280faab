//! Local replies: the proxy replies in place of the upstream.

use crate::abi;
use crate::direction::{Action, Direction};
use crate::pairs;
use mesh_policy::effects::{GrpcStatus, Reply};

/// Sends a reply in place of the message in this direction.
pub(crate) fn send(direction: Direction, reply: &Reply) {
    // If the headers cannot be serialized, the reply goes without them.
    let headers = reply.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let headers = pairs::serialize(headers.collect::<Vec<_>>().into_iter()).unwrap_or_default();
    let grpc_status = reply.grpc_status.map_or(-1, |status| status as i32);
    let sent =
        abi::send_local_response(reply.status, reply.details.as_bytes(), &reply.body, &headers, grpc_status);
    if let Err(status) = sent {
        log::error!("a local reply cannot be sent: {status}");
        // Without a reply the stream would wait until the proxy's idle timeout.
        if let Err(status) = abi::close_stream(direction.stream()) {
            log::error!("a stream cannot be closed: {status}");
        }
    }
}

/// Refuses a request whose stream is unknown, or whose plugin has no config. Envoy sends no such request.
pub(crate) fn refuse() -> Action {
    send(Direction::Request, &not_configured());
    Action::Pause
}

/// What happens to a message whose plugin has no config. A response continues: it is the refusal.
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
