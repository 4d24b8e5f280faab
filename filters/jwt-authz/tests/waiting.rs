//! A request that waits for keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jwt_authz::filter::JwtAuthz;
use mesh_host::testing::{Fate, Proxy};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_request_that_waits_and_is_judged_again_is_counted_once() {
    let config = json!({"providers": [{
        "name": "main", "algorithms": ["RS256"],
        "jwks": {"remote": {"cluster": "keys", "host": "auth.example", "path": "/keys", "wait": "5s"}},
    }]});
    let proxy = Proxy::<JwtAuthz>::start(&config.to_string());
    proxy.host().add_cluster("keys");
    let token = format!("Bearer {}.e30.AA", BASE64.encode(r#"{"alg": "RS256"}"#));
    let headers = [(":method", "GET"), (":path", "/"), ("authorization", &*token)];
    let stream = proxy.request(&headers);
    assert_eq!(stream.fate(), Fate::Waiting);
    assert!(!proxy.host().metrics().iter().any(|(name, _)| name.ends_with("denied")));
    proxy.advance(Duration::from_secs(6));
    assert_eq!(stream.fate(), Fate::Replied);
    let counted = |name: &str| proxy.host().metric(&format!("mesh_filters.jwt_authz.{name}"));
    assert_eq!(counted("reason=.=jwks_unavailable;.;denied"), 1);
    assert_eq!((counted("cache_miss"), counted("allowed"), counted("unreadable")), (1, 0, 0));
    assert_eq!(stream.filter_state("jwt_authz_decision").as_deref(), Some("jwt_authz{jwks_unavailable}"));
}
