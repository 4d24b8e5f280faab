//! Replies in place of the upstream's.

use crate::status::{STATUSES, has_no_content};
use mesh_config::kind::some;
use mesh_config::kinds::{Object, by_fields, integer, string};
use mesh_config::{Form, Kind, ProblemKind, Value};
use mesh_policy::effects::GrpcStatus;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::percent::Percentage;
use mesh_policy::reply::{self, ContentType};

const MAX_MESSAGE_BYTES: usize = 1024;

/// Aborts requests: the proxy replies in place of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abort {
    /// The percentage of the rule's requests that are aborted.
    pub percentage: Percentage,
    /// The HTTP status.
    pub status: u16,
    /// The status for a gRPC request.
    pub grpc_status: GrpcStatus,
    /// The text for a gRPC request.
    pub message: Option<String>,
    /// The body; `None` for problem details.
    pub body: Option<String>,
    /// The type of `body`.
    pub content_type: ContentType,
    /// More headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Abort {
    /// How it is read from a config.
    pub(super) fn kind() -> impl Kind<Out = Self> {
        mesh_config::kinds::object::<Self>()
    }
}

impl Object for Abort {
    type Context<'a> = ();

    const NAME: &'static str = "Abort";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        form.elsewhere(&[("http_status", "status"), ("code", "status")]);
        let percentage = form.required("percentage", PERCENTAGE, Percentage::kind());
        let status = form.omitted("status", STATUS, some(integer(STATUSES)));
        let grpc_status = form.omitted("grpc_status", GRPC_STATUS, some(grpc_status()));
        let message = form.omitted("message", MESSAGE, some(string().not_empty().at_most(MAX_MESSAGE_BYTES)));
        let body = form.omitted("body", BODY, some(reply::body()));
        let has_body = body.as_ref().map(Option::is_some);
        let content_type = form.omitted("content_type", CONTENT_TYPE, reply::content_type(has_body));
        let headers = form.default("headers", HEADERS, "{}", reply::headers(header_name));
        let (status, grpc_status) = match (status?, grpc_status?) {
            (None, None) => return form.require_one_of(&["status", "grpc_status"]),
            (Some(status), None) => (status, GrpcStatus::of_http(status)),
            (None, Some(grpc_status)) => (grpc_status.http(), grpc_status),
            (Some(status), Some(grpc_status)) => (status, grpc_status),
        };
        if has_no_content(status) && has_body == Some(true) {
            let message =
                format_args!("found one, expected none: a response with status {status} has no content");
            return form.problem_at("body", ProblemKind::Conflict, message);
        }
        Some(Self {
            percentage: percentage?,
            status,
            grpc_status,
            message: message?,
            body: body?,
            content_type: content_type?,
            headers: headers?,
        })
    }
}

const PERCENTAGE: &str = "The percentage of the rule's requests that are aborted, with up to four decimals.";
const STATUS: &str =
    "The HTTP status. Default: that of `grpc_status`, as google.rpc.Code says; one of the two is required.";
const GRPC_STATUS: &str = "The status for gRPC requests, which get it with HTTP 200. Default: that of `status`, by \
    [gRPC's mapping](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).";
const MESSAGE: &str = "The `grpc-message` for gRPC requests. Default: a text with the rule's name.";
const BODY: &str = "The body. Default: a problem document (RFC 9457) with the rule's name.";
const CONTENT_TYPE: &str = "The type of `body`; an error without one, since the problem document has its own type \
    (`application/problem+json`). Default: `text/plain`.";
const HEADERS: &str = "More headers of the reply.";

fn grpc_status() -> impl Kind<Out = GrpcStatus> {
    integer(0..=16).and_then(|_, number: u8| GrpcStatus::from_number(number))
}

fn header_name(name: &str, value: &Value<'_>) -> Option<HeaderName> {
    reply::header_name(name, value, &[], "content_type")
}
