//! A tracing backend that reports the spans that it receives.

use crate::{Server, eventually};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span as Message};
use prost::Message as _;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A span that a tracer has exported. Ids are hexadecimal, as in headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The service that reports it.
    pub service: String,
    /// The trace that it belongs to.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The id of its parent; empty for the first span of a trace.
    pub parent: String,
}

/// Receives spans by OTLP over HTTP with protobuf, on any path.
#[derive(Debug)]
pub struct Collector {
    server: Server,
    spans: Arc<Mutex<VecDeque<Span>>>,
}

impl Collector {
    /// Starts a collector on a free port.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let spans = Arc::default();
        let shared = Arc::clone(&spans);
        let server = Server::start(move |request| receive(Arc::clone(&shared), request)).await;
        Self { server, spans }
    }

    /// Address of the collector.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits for the next span, in the order of arrival, and takes it.
    ///
    /// # Panics
    /// If there is none within 30 seconds.
    pub async fn next(&self) -> Span {
        eventually("a span", || async { !self.spans.lock().unwrap().is_empty() }).await;
        self.spans.lock().unwrap().pop_front().unwrap()
    }

    /// Waits for this many spans and takes them.
    ///
    /// # Panics
    /// If there are fewer within 30 seconds.
    pub async fn take(&self, number: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        for _ in 0..number {
            spans.push(self.next().await);
        }
        spans
    }
}

async fn receive(
    spans: Arc<Mutex<VecDeque<Span>>>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    let body = request.collect().await?.to_bytes();
    let mut response = Response::new(Empty::new());
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => spans.lock().unwrap().extend(request.resource_spans.iter().flat_map(of_service)),
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(response)
}

fn of_service(spans: &ResourceSpans) -> impl Iterator<Item = Span> {
    let service = service(spans).unwrap_or_default();
    let spans = spans.scope_spans.iter().flat_map(|scope| &scope.spans);
    spans.map(move |Message { trace_id, span_id, parent_span_id, .. }| Span {
        service: service.clone(),
        trace: hex(trace_id),
        id: hex(span_id),
        parent: hex(parent_span_id),
    })
}

fn service(spans: &ResourceSpans) -> Option<String> {
    let attributes = &spans.resource.as_ref()?.attributes;
    let name = attributes.iter().find(|attribute| attribute.key == "service.name")?;
    match name.value.as_ref()?.value.as_ref()? {
        Value::StringValue(name) => Some(name.clone()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
