//! Routes of a block: state is the block's, over all workers and config pushes, and nothing spoofed gets in.

use e2e::{Algorithm, Gateway, Key, KeyServer, Plugin, Setup, Token, Versions, eventually, get, key_set};
use mesh_filters::registry::SUITE;
use serde_json::{Value, json};

const HEADER: &str = "x-mesh-variant";

fn setup(blocks: Value) -> Setup {
    Setup::default().file_based().plugins(&[Plugin::new(SUITE, json!({"filters": blocks}))])
}

/// A block with a route for each of these paths and what is below.
fn routed(mut block: Value, routes: &[(&str, Value)]) -> Value {
    let route = |(path, config): &(&str, Value)| json!({"name": path.trim_matches('/'), "match": {"path": {"prefix": path}}, "config": config});
    block["routes"] = routes.iter().map(route).collect();
    block
}

async fn statuses(gateway: &Gateway, path: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(gateway.send(get(path, &[])).await.status.as_u16());
    }
    statuses
}

/// Levels outlive a push that moves the limit from a route to the block and to another route.
#[tokio::test]
async fn a_limit_is_one_bucket_on_all_routes_and_over_pushes() {
    let limits =
        json!({"limits": [{"name": "l", "rate": {"requests": 6, "per": "1d"}}], "response_headers": []});
    let gateway = setup(json!([routed(
        json!({"rate_limit": {}}),
        &[("/a/", limits.clone()), ("/b/", limits.clone())]
    )]))
    .start()
    .await;
    assert_eq!(statuses(&gateway, "/a/", 2).await, [200; 2]);
    assert_eq!(statuses(&gateway, "/b/", 2).await, [200; 2]);
    assert_eq!(statuses(&gateway, "/", 9).await, [200; 9]);
    // Its counters show which config a worker has.
    let marked = json!({"limits": [limits["limits"][0], {"name": "new", "match": {"path": {"exact": "/new"}},
        "rate": {"requests": 1, "per": "1d"}, "mode": "shadow"}], "response_headers": []});
    let off = json!({"mode": "off"});
    gateway.push(&setup(json!([routed(json!({"rate_limit": marked}), &[("/a/", off), ("/c/", limits)])])), 2);
    eventually("the push", || async { gateway.stat("listener_manager.lds.update_success").await >= 2 }).await;
    eventually("the new config", || async { statuses(&gateway, "/a/", 8).await == [200; 8] }).await;
    assert_eq!(statuses(&gateway, "/c/", 1).await, [200]);
    assert_eq!(statuses(&gateway, "/", 2).await, [200, 429]);
    assert_eq!(statuses(&gateway, "/c/", 1).await, [429]);
    assert_eq!((gateway.counted("l", "allowed").await, gateway.counted("l", "denied").await), (6, 2));
    gateway.assert_no_trap().await;
}

/// Upstreams may read the path as one of the route, or not.
#[tokio::test]
async fn an_undecided_request_is_charged_by_both_and_has_to_pass_both() {
    let limit = |name: &str, requests: u32| json!({"limits": [{"name": name, "rate": {"requests": requests, "per": "1d"}}], "response_headers": []});
    let closed = json!({"default": "deny", "escaped_slashes": "keep"});
    let verifying = json!({"jwt_authz": {
        "providers": [{"name": "p", "algorithms": ["RS256"], "jwks": {"inline": key_set(&[("a", Key::RSA_A)])}}],
        "default": "allow", "escaped_slashes": "keep",
    }});
    let gateway = setup(json!([
        routed(verifying, &[("/closed/", closed)]),
        routed(json!({"rate_limit": limit("own", 3)}), &[("/a/", limit("a", 1))]),
    ]))
    .start()
    .await;
    assert_eq!(statuses(&gateway, "/closed%2Fx", 1).await, [401]);
    assert_eq!(statuses(&gateway, "/closed/x", 1).await, [401]);
    assert_eq!(statuses(&gateway, "/a%2Fx", 1).await, [200]);
    assert_eq!(statuses(&gateway, "/a%2Fx", 1).await, [429]);
    assert_eq!(statuses(&gateway, "/a/x", 1).await, [429]);
    // The one that was refused took nothing.
    assert_eq!(statuses(&gateway, "/x", 3).await, [200, 200, 429]);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn all_routes_have_the_same_keys_over_a_push() {
    let keys = KeyServer::start().await;
    keys.serve(&key_set(&[("a", Key::RSA_A)]));
    let only = |user: &str| json!({"rules": [{"name": "r", "action": "allow", "claims": [{"claim": "sub", "equals": user}]}]});
    let chain = |own: Value, routes: &[(&str, Value)]| {
        let mut own = json!({"jwt_authz": own});
        own["jwt_authz"]["providers"] = json!([{
            "name": "p", "algorithms": ["RS256"],
            "jwks": {"remote": {"cluster": "keys", "host": "auth.example", "path": KeyServer::KEYS, "wait": "5s"}},
        }]);
        setup(json!([routed(own, routes)])).cluster("keys", keys.address())
    };
    let gateway = chain(only("alice"), &[("/a/", only("alice")), ("/b/", only("bob"))]).start().await;
    let [alice, bob] = ["alice", "bob"]
        .map(|user| format!("Bearer {}", Token::good(Algorithm::Rs256).claim("sub", user).sign()));
    let status = async |path: &str, token: &str| {
        gateway.send(get(path, &[("authorization", token)])).await.status.as_u16()
    };
    for (path, token, expected) in
        [("/", &alice, 200), ("/a/", &alice, 200), ("/b/", &alice, 403), ("/b/", &bob, 200), ("/", &bob, 403)]
    {
        assert_eq!(status(path, token).await, expected, "{path}");
    }
    let fetched = keys.fetches();
    gateway.push(&chain(only("bob"), &[("/a/", only("bob")), ("/c/", only("alice"))]), 2);
    eventually("the new config", || async {
        let mut all = true;
        for _ in 0..8 {
            all &= status("/", &bob).await == 200;
        }
        all
    })
    .await;
    for (path, token, expected) in [("/a/", &alice, 403), ("/a/", &bob, 200), ("/c/", &alice, 200)] {
        assert_eq!(status(path, token).await, expected, "{path}");
    }
    assert_eq!(keys.fetches(), fetched);
    gateway.assert_no_trap().await;
}

fn split(name: &str, guard: Option<Value>) -> Value {
    let mut split = json!({
        "name": name, "sticky": [{"header": "x-user-id"}],
        "variants": [{"name": "v1", "weight": 50}, {"name": "v2", "weight": 50}],
    });
    if let Some(guard) = guard {
        split["guard"] = guard;
    }
    split
}

/// Errors on one route take the variant out on the other, and a push keeps it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_split_has_one_guard_on_all_routes_over_a_push() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let guard = json!({"variant": "v2", "window": "10s", "hold": "1h", "min_requests": 20, "max_error_percentage": 5});
    let chain = |number: u32| {
        let shown =
            json!({"name": "shown", "match": {"path": {"exact": "/shown"}}, "variant": format!("c{number}")});
        let own = json!({"canary": {"rules": [shown], "splits": [split("s", Some(guard.clone()))]}});
        let of_route = json!({"splits": [split("s", None)]});
        let block = routed(own, &[("/a/", of_route.clone()), ("/b/", of_route)]);
        versions.by_header(setup(json!([block])), HEADER)
    };
    let gateway = chain(1).start().await;
    let route = async |path: &str, user: &str, more: &[(&str, &str)]| {
        let headers = [&[("x-user-id", user)][..], more].concat();
        Versions::route(&gateway.send(get(path, &headers)).await)
    };
    // The same users have the same variant on all routes.
    let mut of_v2 = Vec::new();
    for number in 0..60 {
        let user = format!("user-{number}");
        let seen =
            [route("/", &user, &[]).await, route("/a/", &user, &[]).await, route("/b/", &user, &[]).await];
        assert!(seen.iter().all(|variant| *variant == seen[0]), "{seen:?}");
        if seen[0] == "v2" {
            of_v2.push(user);
        }
    }
    assert!(of_v2.len() >= 10, "{}", of_v2.len());
    for user in of_v2.iter().cycle().take(60) {
        route("/a/", user, &[("x-status", "503")]).await;
    }
    let user = &of_v2[0];
    let all_fall_back = async || {
        let mut all = true;
        for path in ["/", "/a/", "/b/"].iter().cycle().take(24) {
            all &= route(path, user, &[]).await == "v1";
        }
        all
    };
    eventually("the fallback on all routes", all_fall_back).await;
    gateway.push(&chain(2), 2);
    eventually("the new config", || async {
        let mut all = true;
        for _ in 0..8 {
            all &= gateway.send(get("/shown", &[])).await.text().contains(&format!("{HEADER}: c2\n"));
        }
        all
    })
    .await;
    assert!(all_fall_back().await);
    assert_eq!(gateway.metric("canary.split=.=s;.;trips").await, 1);
    gateway.assert_no_trap().await;
}

/// Headers that only a filter may set, in any spelling, on a route of any mode.
#[tokio::test]
async fn a_spoofed_header_stays_out_on_every_route() {
    let modes = ["enforce", "shadow", "off"].map(|mode| (mode, json!({"mode": mode})));
    let paths = modes.iter().map(|(mode, config)| (format!("/{mode}/"), config.clone())).collect::<Vec<_>>();
    let routes: Vec<_> = paths.iter().map(|(path, config)| (path.as_str(), config.clone())).collect();
    let with_default = |default: Value| {
        routes
            .iter()
            .map(|(path, config)| {
                let mut config = config.clone();
                config.as_object_mut().unwrap().extend(default.as_object().unwrap().clone());
                (*path, config)
            })
            .collect::<Vec<_>>()
    };
    let verifying = json!({"jwt_authz": {
        "providers": [{
            "name": "p", "algorithms": ["RS256"], "jwks": {"inline": key_set(&[("a", Key::RSA_A)])},
            "claims_to_headers": [{"claim": "sub", "header": "x-user"}],
        }],
        "default": "allow",
    }});
    let gateway = setup(json!([
        routed(verifying, &with_default(json!({"default": "allow"}))),
        routed(json!({"canary": {"trusted_override": {"header": "x-force", "match": {"client_ip": ["192.0.2.1/32"]}}}}), &routes),
        routed(json!({"fault": {"trigger": {"secret": "a-long-secret"}}}), &routes),
    ]))
    .start()
    .await;
    for path in ["/", "/enforce/", "/shadow/", "/off/"] {
        for name in [
            "x-user",
            "x_user",
            HEADER,
            "x_mesh-variant",
            "x-force",
            "x_force",
            "x-fault",
            "x-fault-key",
            "x_fault_key",
        ] {
            let answer = gateway.send(get(path, &[(name, "spoofed"), ("x-kept", "1")])).await;
            let text = answer.text();
            assert_eq!(answer.status, 200, "{path} {name}");
            assert!(!text.contains("spoofed"), "{path} {name}: {text}");
            assert!(text.contains("x-kept: 1"), "{path} {name}: {text}");
        }
    }
    gateway.assert_no_trap().await;
}
