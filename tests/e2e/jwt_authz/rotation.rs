//! Changing key sets, and failing key servers.

use super::{ask, bearer, config, logged, provider, remote, setup, status};
use e2e::{
    Algorithm, Behaviour, Gateway, Key, KeyServer, Setup, Token, eventually, get, key_set, token, unspoilt,
};
use mesh_filters::http::{Connection, Load, Protocol, StatusCode, Turn, Until};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn token_of(kid: &str, key: &Key) -> String {
    Token::good(Algorithm::Rs256).kid(kid).key(key).sign()
}

fn set_of_a() -> Value {
    key_set(&[("a", Key::RSA_A)])
}

fn set_of_b() -> Value {
    key_set(&[("b", Key::RSA_B)])
}

/// A key server with the key `a`, and a gateway that uses it.
async fn with_server(extra: Value) -> (KeyServer, Setup) {
    let server = KeyServer::start().await;
    server.serve(&set_of_a());
    let setup = setup(config(provider(remote(extra), json!({})), json!({})));
    let setup = setup.cluster("jwks", server.address());
    (server, setup)
}

async fn of_provider(gateway: &Gateway, what: &str) -> u64 {
    gateway.metric(&format!("jwt_authz.provider=.=main;.;{what}")).await
}

/// Enough open connections that both workers have some.
async fn connections(gateway: &Gateway) -> Vec<Connection> {
    let mut connections = Vec::new();
    for _ in 0..16 {
        connections.push(Connection::open(gateway.address, Protocol::Http1).await.unwrap());
    }
    connections
}

async fn status_on(connection: &mut Connection, token: &str) -> u16 {
    let request = get("/", &[("authorization", &bearer(token))]);
    connection.send(request).await.unwrap().status.as_u16()
}

/// The usual rotation: publish the new key in addition to the old one, sign with it, remove the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_fails_no_request() {
    let (server, setup) = with_server(json!({})).await;
    let gateway = setup.direct().start().await;
    let (old, new) = (token_of("a", &Key::RSA_A), token_of("b", &Key::RSA_B));
    let current = Arc::new(Mutex::new(old.clone()));
    let load = Load {
        pause: Duration::from_millis(2),
        ..Load::http1(gateway.address, 8, Until::Elapsed(Duration::from_secs(8)))
    };
    let sent = Arc::clone(&current);
    let make = move |_| get("/", &[("authorization", &bearer(&sent.lock().unwrap()))]);
    let loading = tokio::spawn(load.run(make, |_, _| {}));
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Tokens are signed with the new key before the gateway has fetched it.
    server.serve(&key_set(&[("a", Key::RSA_A), ("b", Key::RSA_B)]));
    current.lock().unwrap().clone_from(&new);
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.serve(&set_of_b());
    let report = loading.await.unwrap().unwrap();
    assert_eq!(report.errors, 0, "{:?}", report.example);
    assert_eq!(report.count(StatusCode::OK), report.answers(), "{:?}", report.by_status);
    // Cached tokens of the old key are refused.
    let mut connections = connections(&gateway).await;
    for connection in &mut connections {
        assert_eq!(status_on(connection, &new).await, 200);
        assert_eq!(status_on(connection, &old).await, 401);
    }
    gateway.assert_no_trap().await;
}

/// Tokens without a `kid`, and a new key with the `kid` of the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_without_names_fails_no_request() {
    let bare = |key: &Key| json!({"keys": [key.bare_jwk()]});
    let unnamed = |key: &Key| Token::good(Algorithm::Rs256).header("kid", Value::Null).key(key).sign();
    for (keys, tokens) in [
        ([bare(&Key::RSA_A), bare(&Key::RSA_B)], [unnamed(&Key::RSA_A), unnamed(&Key::RSA_B)]),
        ([set_of_a(), set_of_b()], [unnamed(&Key::RSA_A), unnamed(&Key::RSA_B)]),
        (
            [set_of_a(), key_set(&[("a", Key::RSA_B)])],
            [token_of("a", &Key::RSA_A), token_of("a", &Key::RSA_B)],
        ),
    ] {
        let (server, setup) = with_server(json!({"refresh": "1h", "wait": "20s"})).await;
        server.serve(&keys[0]);
        let gateway = setup.start().await;
        eventually("the first set", || async { status(&gateway, &tokens[0]).await == 200 }).await;
        server.serve(&keys[1]);
        for mut connection in connections(&gateway).await {
            assert_eq!(status_on(&mut connection, &tokens[1]).await, 200);
            assert_eq!(status_on(&mut connection, &tokens[0]).await, 401);
        }
        // A few fetches are caused by the old token, which now looks forged.
        assert!((2..=6).contains(&server.fetches()), "{}", server.fetches());
        gateway.assert_no_trap().await;
    }
}

/// Ten thousand forged tokens are refused and cause few fetches, while valid tokens are accepted.
async fn check_flood(forge: impl Fn(Turn) -> Token + Send + Sync + 'static) {
    let (server, setup) = with_server(json!({"refresh": "1h"})).await;
    let gateway = setup.direct().start().await;
    let good = token_of("a", &Key::RSA_A);
    eventually("the first set", || async { status(&gateway, &good).await == 200 }).await;
    let before = server.fetches();
    let load = Load::http2(gateway.address, 16, 16, Until::Requests(10_000));
    let signature = good.rsplit('.').next().unwrap().to_owned();
    let make = move |turn: Turn| {
        let token = forge(turn).unsigned();
        get("/", &[("authorization", &format!("Bearer {token}.{signature}"))])
    };
    let loading = tokio::spawn(load.run(make, |_, _| {}));
    // New tokens, which are not cached.
    for number in 0..50 {
        let token = Token::good(Algorithm::Rs256).kid("a").claim("jti", number).sign();
        assert_eq!(status(&gateway, &token).await, 200);
    }
    let report = loading.await.unwrap().unwrap();
    assert_eq!(
        (report.errors, report.count(StatusCode::UNAUTHORIZED)),
        (0, 10_000),
        "{:?}",
        report.by_status
    );
    let fetched = server.fetches() - before;
    assert!((1..=8).contains(&fetched), "{fetched} fetches");
    assert_eq!(status(&gateway, &good).await, 200);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_tokens_cause_a_handful_of_fetches_and_disturb_nobody() {
    check_flood(|turn| {
        let id = format!("{}-{}", turn.connection, turn.sequence);
        let token = Token::good(Algorithm::Rs256).claim("jti", id);
        if turn.sequence.is_multiple_of(2) { token } else { token.header("kid", Value::Null) }
    })
    .await;
}

/// No signature is checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_keys_are_asked_for_a_handful_of_times() {
    check_flood(|turn| {
        Token::good(Algorithm::Rs256).kid(&format!("k-{}-{}", turn.connection, turn.sequence))
    })
    .await;
}

#[tokio::test]
async fn two_workers_agree_within_a_second() {
    let (server, setup) = with_server(json!({"wait": "0s"})).await;
    let gateway = setup.start().await;
    let both = [(set_of_a(), token_of("a", &Key::RSA_A)), (set_of_b(), token_of("b", &Key::RSA_B))];
    eventually("the first set", || async { status(&gateway, &both[0].1).await == 200 }).await;
    let mut connections = connections(&gateway).await;
    let mut rotations = 0;
    // A worker changes late if the machine is busy.
    unspoilt("a rotation", 3, async || {
        // The other worker's tick interval.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let [(_, old), (set, new)] = [rotations, rotations + 1].map(|number| &both[number % 2]);
        rotations += 1;
        for connection in &mut connections {
            assert_eq!(status_on(connection, old).await, 200);
        }
        server.serve(set);
        let apart = rotate(&mut connections, new).await;
        for connection in &mut connections {
            assert_eq!(status_on(connection, old).await, 401);
        }
        (apart <= Duration::from_secs(1)).then_some(())
    })
    .await;
}

/// Sends a token until all connections accept it, each for good. Returns how long after the first time that it was accepted it
/// was sent for the last time in vain.
async fn rotate(connections: &mut [Connection], token: &str) -> Duration {
    let mut has_changed = vec![false; connections.len()];
    let (mut first, mut last) = (None, Instant::now());
    let deadline = Instant::now() + Duration::from_secs(30);
    while has_changed.contains(&false) {
        assert!(Instant::now() < deadline, "{has_changed:?}");
        for (connection, has_changed) in connections.iter_mut().zip(&mut has_changed) {
            let sent = Instant::now();
            match status_on(connection, token).await {
                200 => {
                    first.get_or_insert_with(Instant::now);
                    *has_changed = true;
                }
                status => {
                    assert!(status == 401 && !*has_changed, "{status}");
                    last = sent;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    last.saturating_duration_since(first.unwrap())
}

/// Each failure follows a good set, which must stay in use.
#[tokio::test]
async fn stale_keys_serve_while_the_server_fails() {
    let (mut server, setup) = with_server(json!({"timeout": "300ms"})).await;
    let gateway = setup.start().await;
    let good = token_of("a", &Key::RSA_A);
    eventually("the first set", || async { status(&gateway, &good).await == 200 }).await;
    let mut connections = connections(&gateway).await;
    for behaviour in [
        Behaviour::Refuse,
        Behaviour::Silent,
        Behaviour::Slow(Duration::from_secs(2)),
        Behaviour::Status(500),
        Behaviour::Status(404),
        Behaviour::Html,
        Behaviour::Truncated,
        Behaviour::Huge,
        Behaviour::Empty,
        Behaviour::Redirect,
    ] {
        server.behave(behaviour.clone()).await;
        let failed = of_provider(&gateway, "jwks_fetch_failed").await;
        eventually(&format!("a failure of {behaviour:?}"), || async {
            of_provider(&gateway, "jwks_fetch_failed").await > failed
        })
        .await;
        for connection in &mut connections {
            assert_eq!(status_on(connection, &good).await, 200, "{behaviour:?}");
        }
        assert_eq!(of_provider(&gateway, "keys").await, 1, "{behaviour:?}");
        server.behave(Behaviour::Serve).await;
        let fetched = of_provider(&gateway, "jwks_fetch_ok").await;
        eventually(&format!("the end of {behaviour:?}"), || async {
            of_provider(&gateway, "jwks_fetch_ok").await > fetched
        })
        .await;
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0);
    // The server recovers.
    server.serve(&set_of_b());
    let new = token_of("b", &Key::RSA_B);
    eventually("the new set", || async { status(&gateway, &new).await == 200 }).await;
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn the_first_request_waits_for_the_first_set() {
    let (mut server, setup) = with_server(json!({"refresh": "1h", "wait": "20s", "timeout": "10s"})).await;
    server.behave(Behaviour::Slow(Duration::from_secs(1))).await;
    let gateway = setup.start().await;
    let good = token_of("a", &Key::RSA_A);
    for mut connection in connections(&gateway).await {
        assert_eq!(status_on(&mut connection, &good).await, 200);
    }
    // One worker fetches for all.
    assert!(server.fetches() <= 2, "{}", server.fetches());
}

/// Requests before and during a fetch, on any worker, promptly get its keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_while_keys_are_fetched_waits_for_them() {
    let (mut server, setup) = with_server(json!({"refresh": "1h", "timeout": "15s", "wait": "15s"})).await;
    let gateway = setup.direct().start().await;
    let (old, new) = (token_of("a", &Key::RSA_A), token_of("b", &Key::RSA_B));
    eventually("the first set", || async { status(&gateway, &old).await == 200 }).await;
    let mut connections = connections(&gateway).await;
    for connection in &mut connections {
        assert_eq!(status_on(connection, &old).await, 200);
    }
    // The time in which an unknown key causes no other fetch.
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.serve(&set_of_b());
    server.behave(Behaviour::Slow(Duration::from_secs(4))).await;
    let before = server.fetches();
    let requests = connections.into_iter().zip(1..).map(|(mut connection, turn)| {
        let new = new.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50) * turn).await;
            let asked = Instant::now();
            (status_on(&mut connection, &new).await, asked.elapsed())
        })
    });
    for request in requests.collect::<Vec<_>>() {
        let (status, took) = request.await.unwrap();
        assert_eq!(status, 200);
        assert!(took < Duration::from_secs(8), "{took:?}");
    }
    assert_eq!(server.fetches() - before, 1);
    gateway.assert_no_trap().await;
}

/// A request that does not wait still causes a fetch for later requests.
#[tokio::test]
async fn without_patience() {
    let (server, setup) = with_server(json!({"refresh": "1h", "wait": "0s"})).await;
    let gateway = setup.start().await;
    let (old, new) = (token_of("a", &Key::RSA_A), token_of("b", &Key::RSA_B));
    eventually("the first set", || async { status(&gateway, &old).await == 200 }).await;
    server.serve(&set_of_b());
    assert_eq!(status(&gateway, &new).await, 401);
    eventually("the second set", || async { status(&gateway, &new).await == 200 }).await;
}

#[tokio::test]
async fn without_a_set_ever() {
    let rules = json!([
        {"name": "open", "match": {"path": {"exact": "/open"}}, "action": "allow", "token": "none"},
        {"name": "either", "match": {"path": {"exact": "/either"}}, "action": "allow", "token": "optional"},
        {"name": "signed", "action": "allow"},
    ]);
    for (policy, either) in [("deny", 503), ("allow_public", 200)] {
        let keys = remote(json!({"cluster": "dead", "wait": "200ms"}));
        let extra = json!({"rules": rules, "on_jwks_unavailable": policy});
        let gateway = setup(config(provider(keys, json!({})), extra)).start().await;
        let good = token_of("a", &Key::RSA_A);
        assert_eq!(ask(&gateway, "/open", &good).await.status, 200, "{policy}");
        assert_eq!(ask(&gateway, "/either", &good).await.status, either, "{policy}");
        // Requests without a token do not wait.
        assert_eq!(gateway.send(get("/either", &[])).await.status, 200, "{policy}");
        assert_eq!(gateway.send(get("/closed", &[])).await.status, 401, "{policy}");
        assert_ne!(ask(&gateway, "/protected", &good).await.status, 200, "{policy}");
        if policy == "deny" {
            let line = logged(&gateway, "/protected").await;
            assert!(line.starts_with("503 jwt_authz{jwks_unavailable}"), "{line}");
            assert!(gateway.metric("jwt_authz.reason=.=jwks_unavailable;.;denied").await >= 2);
        }
    }
}

#[tokio::test]
async fn a_key_set_is_found_by_discovery_on_the_same_host_only() {
    for (jwks_uri, expected) in [
        ("https://auth.example.com/keys", 200),
        ("https://evil.example/keys", 503),
        ("https://auth.example.com.evil.example/keys", 503),
        ("https://auth.example.com@evil.example/keys", 503),
        ("/keys", 503),
    ] {
        let server = KeyServer::start().await;
        server.discovery(token::ISSUER, jwks_uri);
        server.document("/keys", &set_of_a());
        let keys = json!({"remote": {"cluster": "jwks", "host": "auth.example.com", "discovery": KeyServer::DISCOVERY}});
        let setup = setup(config(provider(keys, json!({})), json!({})));
        let gateway = setup.cluster("jwks", server.address()).start().await;
        assert_eq!(status(&gateway, &token_of("a", &Key::RSA_A)).await, expected, "{jwks_uri}");
        assert!(server.fetches_of(KeyServer::DISCOVERY) >= 1, "{jwks_uri}");
        assert_eq!(server.fetches_of("/keys") > 0, expected == 200, "{jwks_uri}");
        // Firewalls in front of identity providers require a user agent.
        let agent = Some(concat!("mesh-filters/", env!("CARGO_PKG_VERSION")).to_owned());
        assert_eq!(server.user_agent(KeyServer::DISCOVERY), agent);
        assert_eq!(server.user_agent("/keys"), agent.filter(|_| expected == 200));
    }
}

#[tokio::test]
async fn a_dead_provider_does_not_disturb_the_other() {
    let server = KeyServer::start().await;
    server.serve(&set_of_a());
    let other = "https://other.example";
    let dead = remote(json!({"cluster": "dead", "wait": "200ms"}));
    let config = json!({
        "providers": [
            provider(dead, json!({"name": "other", "issuer": other})),
            provider(remote(json!({})), json!({})),
        ],
        "rules": [{"name": "signed", "action": "allow"}],
    });
    let gateway = setup(config).cluster("jwks", server.address()).start().await;
    let good = token_of("a", &Key::RSA_A);
    let theirs = Token::good(Algorithm::Rs256).claim("iss", other).kid("b").key(&Key::RSA_B).sign();
    for _ in 0..8 {
        assert_eq!(status(&gateway, &good).await, 200);
        assert_eq!(status(&gateway, &theirs).await, 503);
    }
    assert_eq!(of_provider(&gateway, "jwks_fetch_failed").await, 0);
}

#[tokio::test]
async fn a_set_is_asked_for_again_when_its_time_is_up() {
    let (server, setup) = with_server(json!({"refresh": "1h"})).await;
    server.headers(&[("cache-control", "public, max-age=1")]);
    let gateway = setup.start().await;
    eventually("the third set", || async { server.fetches() >= 3 }).await;
    assert_eq!(status(&gateway, &token_of("a", &Key::RSA_A)).await, 200);
}

#[tokio::test]
async fn keys_that_are_not_used_are_logged_once_a_version() {
    let server = KeyServer::start().await;
    let with = |other: Value| {
        let mut set = set_of_a();
        set["keys"].as_array_mut().unwrap().extend([
            json!({"kty": "EC", "crv": "P-521"}),
            json!({"kty": "RSA", "use": "enc"}),
            other,
        ]);
        set
    };
    server.serve(&with(json!(1)));
    let setup = setup(config(provider(remote(json!({})), json!({})), json!({}))).log_level("info");
    let gateway = setup.cluster("jwks", server.address()).start().await;
    let lines = || {
        let log = gateway.envoy.log();
        let of = "provider `main`: unused key in the key set of auth.example.com (cluster `jwks`): ";
        let lines = log.lines().filter_map(|line| Some(line.split_once(of)?.1.trim().to_owned()));
        lines.collect::<Vec<_>>()
    };
    let curve = "keys[1]: `crv` is `P-521`, expected `P-256` or `P-384`";
    let other = "keys[3]: expected an object";
    eventually("some fetches", || async { server.fetches() >= 3 }).await;
    assert_eq!(status(&gateway, &token_of("a", &Key::RSA_A)).await, 200);
    assert_eq!(lines(), [curve, other]);
    assert_eq!(of_provider(&gateway, "keys_skipped").await, 3);
    server.serve(&with(json!(2)));
    let before = server.fetches();
    eventually("more fetches", || async { server.fetches() >= before + 3 }).await;
    eventually("the lines", || async { lines().len() >= 4 }).await;
    assert_eq!(lines(), [curve, other, curve, other]);
}
