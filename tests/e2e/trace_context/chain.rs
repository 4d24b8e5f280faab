//! Chains of services whose applications forward `x-request-id` only.

use super::{TRACEPARENT, metric, one, parent, plugin, setup, told, traces};
use e2e::{Gateway, Plugin, Setup, Sidecar, get, received, with};
use mesh_filters::http::Response;
use mesh_filters::registry::CANARY;
use serde_json::{Value, json};

pub(super) const BAGGAGE: (&str, &str) = ("baggage", "tenant=acme,route=a;p=1");
pub(super) const VARIANT: (&str, &str) = ("x-mesh-variant", "v2");
pub(super) const STATE: (&str, &str) = ("tracestate", "congo=t61rcWkgMzE");
/// Of another tracer, which the filter does not read.
pub(super) const OTHER: (&str, &str) = ("x-ot-span-context", "a");

/// What a client sends to the first service.
pub(super) const SENT: [(&str, &str); 5] = [TRACEPARENT, STATE, BAGGAGE, VARIANT, OTHER];

/// A config that carries all of it.
pub(super) fn correlating(extra: Value) -> Value {
    let carry = ["traceparent", "tracestate", "baggage", "x-mesh-variant", "x-ot-span-context"];
    with(json!({"correlate": {"carry": carry}}), extra)
}

/// Two services, each with a proxy of its own, and a third one that reports what it has received.
struct Chain([Sidecar; 2]);

impl Chain {
    /// Both listeners of both proxies have these plugins.
    async fn start(plugins: &[Plugin]) -> Self {
        Self(Sidecar::chain(&Setup::default().plugins(plugins)).await)
    }

    /// Sends a request to the first service. The body of the response is what the third one has received.
    async fn send(&self, headers: &[(&str, &str)]) -> Response {
        let answer = self.0[0].gateway.send(get("/chain", headers)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// Hits and misses of both proxies.
    async fn correlated(&self) -> [(u64, u64); 2] {
        let [first, second] = &self.0;
        [correlated(&first.gateway).await, correlated(&second.gateway).await]
    }

    async fn assert_sound(&self) {
        for Sidecar { gateway, .. } in &self.0 {
            assert_eq!((metric(gateway, "failed").await, metric(gateway, "no_direction").await), (0, 0));
            gateway.assert_no_trap().await;
        }
    }
}

/// Hits and misses.
pub(super) async fn correlated(gateway: &Gateway) -> (u64, u64) {
    let count = async |result: &str| metric(gateway, &format!("result=.={result};.;correlated")).await;
    (count("hit").await, count("miss").await)
}

/// Headers of these names that the third service has received.
pub(super) fn arrived(answer: &Response, names: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
    names.iter().flat_map(|(name, _)| received(&answer.text(), name)).collect()
}

pub(super) fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn the_third_service_receives_what_the_first_one_did() {
    let chain = Chain::start(&[plugin(correlating(json!({})))]).await;
    let answer = chain.send(&SENT).await;
    assert_eq!(arrived(&answer, &SENT), owned(&SENT));
    assert_eq!(chain.correlated().await, [(1, 0), (1, 0)]);
    // The id may be the client's or the proxy's. The next request is not mixed up with this one.
    let id = ("x-request-id", "chosen by the client");
    let other = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    let answer = chain.send(&[other, VARIANT, id]).await;
    assert_eq!(arrived(&answer, &SENT), owned(&[other, VARIANT]));
    assert_eq!(one(&answer, id.0), id.1);
    let answer = chain.send(&[]).await;
    assert_eq!(arrived(&answer, &SENT), []);
    chain.assert_sound().await;
}

#[tokio::test]
async fn without_the_filter_it_does_not() {
    for plugins in [vec![], vec![plugin(json!({}))], vec![plugin(correlating(json!({"mode": "shadow"})))]] {
        let chain = Chain::start(&plugins).await;
        let answer = chain.send(&SENT).await;
        assert_eq!(arrived(&answer, &SENT), []);
        assert_eq!(received(&answer.text(), "x-request-id").len(), 1);
        chain.assert_sound().await;
    }
}

/// The default of `carry` follows `inject`, so what is carried is the converted context.
#[tokio::test]
async fn a_trace_is_carried_in_the_formats_that_are_written() {
    let config = json!({"inject": ["w3c", "jaeger"], "correlate": {}, "generate": {"when_missing": true},
        "response": {"header": "x-trace-id"}});
    let chain = Chain::start(&[plugin(config)]).await;
    let answer =
        chain.send(&[("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"), BAGGAGE, VARIANT]).await;
    let expected = [
        "baggage: tenant=acme,route=a;p=1",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1",
    ];
    assert_eq!(traces(&answer.text()), expected);
    assert_eq!(arrived(&answer, &[VARIANT]), []);
    // A trace that begins at the first proxy is the one of the third service, and the client is told its id.
    let answer = chain.send(&[]).await;
    let [trace, span, flags] = parent(&answer);
    assert_eq!(told(&answer).as_ref(), Some(&trace));
    assert_eq!(one(&answer, "uber-trace-id"), format!("{trace}:{span}:0:{}", u8::from(flags == "03")));
    assert_eq!(
        [metric(&chain.0[0].gateway, "generated").await, metric(&chain.0[1].gateway, "generated").await],
        [1, 0]
    );
    chain.assert_sound().await;
}

/// At an edge, Envoy replaces the ids of clients, so they cannot choose whose headers a call gets.
#[tokio::test]
async fn an_edge_replaces_ids() {
    let gateway = Setup::default().use_remote_address().start().await;
    let answer = gateway.send(get("/", &[("x-request-id", "mine"), ("x-forwarded-for", "8.8.8.8")])).await;
    assert_ne!(one(&answer, "x-request-id"), "mine");
}

/// The variant that a gateway has chosen passes an application that does not forward it.
#[tokio::test]
async fn canary_keeps_the_variant_that_is_carried() {
    let config = json!({"default": "v1", "trusted_override": {"header": "x-mesh-variant", "match": {}},
        "rules": [{"name": "r", "match": {"path": {"exact": "/never"}}, "variant": "v2"}]});
    let canary = Plugin::new(CANARY, config);
    for (config, expected) in [(correlating(json!({})), "v2"), (json!({"correlate": {}}), "v1")] {
        let outbound = setup(config.clone()).plugins(std::slice::from_ref(&canary));
        let service = Sidecar::start(setup(config), outbound, None).await;
        for (sent, expected) in [(&[TRACEPARENT, VARIANT][..], expected), (&[TRACEPARENT], "v1")] {
            let answer = service.gateway.send(get("/", sent)).await;
            assert_eq!(
                (one(&answer, "x-mesh-variant"), one(&answer, "traceparent")),
                (expected.into(), TRACEPARENT.1.into())
            );
        }
        service.gateway.assert_no_trap().await;
    }
}
