//! What the value of `x-probe` makes the probe do.

use crate::state::ProbeState;
use mesh_host::call::{Call, GrpcCall, HttpCall};
use mesh_host::metrics::{Counter, Gauge, Histogram};
use mesh_host::{Body, BodyFlow, Flow, Request, SharedData, Trailers, TrailersFlow, clock, foreign, random};
use mesh_policy::effects::{Edit, GrpcStatus, Reply};
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::store::{Store, Version};
use std::time::Duration;

/// A request header as text: an argument of an act.
fn argument(request: &mut Request<'_>, name: &str) -> String {
    let value = request.first_header(name).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}

pub(crate) fn until(milliseconds: u64) -> Flow {
    let now = clock::monotonic().unwrap_or_default();
    Flow::Pause { until: now.after(Duration::from_millis(milliseconds)) }
}

pub(crate) fn teapot() -> Reply {
    Reply {
        status: 418,
        details: "probe{teapot}".to_owned(),
        headers: vec![(HeaderName::from_static("x-bytes"), HeaderValue::text("\u{ff}"))],
        body: b"teapot".to_vec(),
        grpc_status: Some(GrpcStatus::ResourceExhausted),
    }
}

pub(crate) fn on_request(state: &mut ProbeState, request: &mut Request<'_>) -> Flow {
    match state.act.as_str() {
        "reply" | "reply, pause-response" => return Flow::Reply(teapot()),
        "pause" | "pause, request-body" | "pause-twice" | "pause-then-reply" => return until(50),
        "notify" | "wait" => return until(60_000),
        "http" => return http(state, request),
        "grpc" => return grpc(state, request),
        "edit" => edit(request),
        "create" => create(state, request),
        "time" => time(state),
        "metrics" => metrics(state),
        "foreign" => {
            state.report("x-probe-foreign", format_args!("{:?}", foreign::call("no_such_function", b"")))
        }
        "state" => {
            let set = request.set_filter_state("probe", b"\xffstate");
            state.report("x-probe-set", format_args!("{set:?}"));
            state.report(
                "x-probe-get",
                format_args!("{:?}", request.attribute(&["filter_state", "wasm.probe"])),
            );
            state.report("x-probe-none", format_args!("{:?}", request.attribute(&["no", "such"])));
        }
        "count" => match request.headers() {
            Ok(headers) => state.report("x-probe-count", headers.iter().count()),
            Err(status) => state.report("x-probe-count", status),
        },
        _ => {}
    }
    Flow::Continue
}

fn http(state: &mut ProbeState, request: &mut Request<'_>) -> Flow {
    let call = get(&argument(request, "x-cluster"), &argument(request, "x-path"));
    follow(state, request, &call)
}

/// The call that the probe sends at every tick.
pub(crate) fn fetch(cluster: &str) -> Call {
    get(cluster, "/fetched")
}

fn get(cluster: &str, path: &str) -> Call {
    Call::Http(HttpCall {
        cluster: cluster.to_owned(),
        method: "GET",
        authority: HeaderValue::text("probe"),
        path: HeaderValue::text(path),
        headers: vec![(HeaderName::from_static("x-from"), HeaderValue::text("probe"))],
        body: Vec::new(),
        timeout: Duration::from_secs(5),
        max_body_bytes: 16,
    })
}

fn grpc(state: &mut ProbeState, request: &mut Request<'_>) -> Flow {
    let call = Call::Grpc(GrpcCall {
        cluster: argument(request, "x-cluster"),
        service: "probe.Probe".to_owned(),
        method: "Ask".to_owned(),
        message: Vec::new(),
        timeout: Duration::from_secs(5),
        max_body_bytes: 16,
    });
    follow(state, request, &call)
}

fn follow(state: &mut ProbeState, request: &Request<'_>, call: &Call) -> Flow {
    match request.call(call) {
        Ok(_call_id) => until(60_000),
        Err(error) => {
            state.report("x-probe-call", error);
            Flow::Continue
        }
    }
}

fn edit(request: &mut Request<'_>) {
    // An edit takes another way if the map was fetched before.
    let _fetched = argument(request, "x-fetch") == "yes" && request.headers().is_ok();
    let edits = [
        Edit::Set(HeaderName::from_static("x-twice"), HeaderValue::text("once")),
        Edit::Set(HeaderName::from_static("x-new"), HeaderValue::text("new")),
        Edit::Add(HeaderName::from_static("x-more"), HeaderValue::text("2")),
        Edit::Remove(HeaderName::from_static("x-gone")),
    ];
    for edit in &edits {
        let _unedited = request.edit(edit);
    }
}

/// Creates a record unless it exists, writes it with its version, then with an outdated one.
fn create(state: &mut ProbeState, request: &mut Request<'_>) {
    let key = argument(request, "x-key");
    let mut store = SharedData;
    state.report("x-probe-create", format_args!("{:?}", store.write(key.as_bytes(), b"1", Version::Absent)));
    if let Ok(snapshot) = store.read(key.as_bytes()) {
        state.report(
            "x-probe-write",
            format_args!("{:?}", store.write(key.as_bytes(), b"2", snapshot.version)),
        );
        state.report(
            "x-probe-stale",
            format_args!("{:?}", store.write(key.as_bytes(), b"3", snapshot.version)),
        );
    }
}

fn time(state: &mut ProbeState) {
    let (earlier, later) = (clock::monotonic().ok(), clock::monotonic().ok());
    state.report("x-probe-monotonic", earlier.is_some() && earlier <= later);
    state.report("x-probe-wall", clock::since_epoch().unwrap_or_default().as_secs());
    state.report("x-probe-random", random::number().ok() != random::number().ok());
}

fn metrics(state: &mut ProbeState) {
    Counter::define("probe.counter").increment();
    Gauge::define("probe.gauge").set(7);
    Gauge::define("probe.gauge").add(-2);
    state.report("x-probe-gauge", format_args!("{:?}", Gauge::define("probe.gauge").get()));
    Histogram::define("probe.histogram").record(3);
}

pub(crate) fn on_body(state: &ProbeState, body: &mut Body, act: &str) -> BodyFlow {
    if !state.act.contains(act) {
        return BodyFlow::Continue;
    }
    if !body.is_end() {
        return BodyFlow::Buffer;
    }
    let text = body.read(0, 64).unwrap_or_default().to_ascii_uppercase();
    let _unchanged = body.replace(&text);
    BodyFlow::Continue
}

pub(crate) fn on_trailers(state: &ProbeState, trailers: &mut Trailers, act: &str) -> TrailersFlow {
    if state.act == format!("reply-to-{act}") {
        return TrailersFlow::Reply(teapot());
    }
    if state.act == format!("trap-in-{act}") {
        std::process::abort();
    }
    if state.act == act {
        let count = trailers.headers().map(|trailers| trailers.iter().count());
        let edits = [
            Edit::Set(HeaderName::from_static("x-twice"), HeaderValue::text("once")),
            Edit::Add(HeaderName::from_static("x-count"), HeaderValue::text(format!("{count:?}"))),
            Edit::Remove(HeaderName::from_static("x-gone")),
        ];
        for edit in &edits {
            if trailers.edit(edit).is_err() {
                return TrailersFlow::Reply(teapot());
            }
        }
    }
    TrailersFlow::Continue
}
