//! Two configs of a chain of all filters, which are pushed in turns.

use e2e::token::{AUDIENCE, ISSUER};
use e2e::{Key, Plugin, Setup, key_set};
use mesh_filters::registry::SUITE;
use serde_json::{Value, json};

/// One of the two configs. They differ in each block, but for the limits of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    A,
    B,
}

/// The tokens that a user without a plan has, and gets in a second.
pub(super) const BURST: u64 = 5;

impl Which {
    pub(super) const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The config of a version.
    pub(super) const fn of(version: u32) -> Self {
        if version.is_multiple_of(2) { Self::B } else { Self::A }
    }

    const fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }

    /// The rule that aborts requests.
    pub(super) fn rule(self) -> String {
        format!("abort-{}", self.letter())
    }

    /// The status of an abort.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::A => 503,
            Self::B => 500,
        }
    }

    /// The weights of v1 and v2.
    pub(super) const fn weights(self) -> [f64; 2] {
        match self {
            Self::A => [90.0, 10.0],
            Self::B => [50.0, 50.0],
        }
    }

    fn config(self) -> Value {
        let letter = self.letter();
        let [v1, v2] = self.weights();
        let fault = |fault: &str| json!({"headers": [{"name": "x-test-fault", "exact": fault}]});
        json!({"filters": [
            {"trace_context": {
                "generate": {"when_missing": true, "sampling_percentage": v2},
                "inject": if self == Self::A { json!(["w3c"]) } else { json!(["w3c", "b3"]) },
                "response": {"header": "x-trace-id"},
            }},
            {"name": "by-address", "rate_limit": {
                "limits": [{"name": format!("flood-{letter}"), "key": ["client_ip"],
                            "rate": {"requests": 1_000_000, "per": "1s"}}],
                "response_headers": [],
            }},
            {"jwt_authz": {
                "providers": [{
                    "name": "main", "issuer": ISSUER, "audiences": [AUDIENCE], "algorithms": ["RS256", "ES256"],
                    "jwks": {"inline": key_set(&[("a", Key::RSA_A), ("e", Key::P256_A)])},
                    "claims_to_headers": [{"claim": "sub", "header": format!("x-sub-{letter}")}],
                }],
                "rules": [{"name": format!("users-{letter}"), "action": "allow"}],
            }},
            {"name": "by-user", "rate_limit": {
                "limits": [
                    {"name": "per-user", "key": [{"claim": "sub"}], "rate": {"requests": 10_000, "per": "1s"}},
                    {"name": "without-plan", "match": {"claims": [{"claim": "plan", "equals": "none"}]},
                     "key": [{"claim": "sub"}], "rate": {"requests": BURST, "per": "1s"}},
                ],
            }},
            {"canary": {
                "output": {"header": "x-mesh-variant", "response_header": "x-served-variant"},
                "rules": [{"name": format!("testers-{letter}"),
                           "match": {"headers": [{"name": "canary", "exact": "true"}]}, "variant": "v2"}],
                "split": {"name": "release", "sticky": [{"claim": "sub"}],
                          "variants": [{"name": "v1", "weight": v1}, {"name": "v2", "weight": v2}]},
                // Watches, but never trips: too few requests are aborted.
                "guard": {"variant": "v2", "max_error_percentage": 60, "window": "5s"},
            }},
            {"fault": {"rules": [
                {"name": self.rule(), "match": fault("abort"), "abort": {"percentage": 100, "status": self.status()}},
                {"name": format!("delay-{letter}"), "match": fault("delay"),
                 "delay": {"percentage": 100, "fixed": "20ms"}},
            ]}},
        ]})
    }
}

/// A proxy that answers for both variants and tells what it would have sent to them.
pub(super) fn setup(which: Which) -> Setup {
    let config = which.config();
    SUITE.check(config.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let route = |variant: &str, matching: Value| {
        json!({
            "match": matching,
            "direct_response": {"status": 200, "body": {"inline_string": variant}},
            "response_headers_to_add": [{"header": {"key": "x-echo-traceparent", "value": "%REQ(traceparent)%"}}],
        })
    };
    let to_v2 = json!([{"name": "x-mesh-variant", "string_match": {"exact": "v2"}}]);
    Setup::default()
        .workers(2)
        .direct()
        .file_based()
        .drain_seconds(4)
        .route(route("v2", json!({"prefix": "/", "headers": to_v2})))
        .route(route("v1", json!({"prefix": "/"})))
        .plugins(&[Plugin::new(SUITE, config)])
}
