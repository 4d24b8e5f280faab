//! Config pushes under load.

use super::{bearer, config, inline, plugin, provider, remote};
use e2e::{Algorithm, Behaviour, Key, KeyServer, Setup, Token, eventually, get, key_set};
use mesh_filters::http::{Load, StatusCode, Until};
use serde_json::{Value, json};
use std::time::Duration;

const PUSHES: u32 = 5;

/// The key server stops before the first push: new configs use the keys that the first one fetched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_fail_no_request_and_keep_the_keys() {
    let mut server = KeyServer::start().await;
    server.serve(&key_set(&[("a", Key::RSA_A)]));
    let address = server.address();
    let of = |config: Value| {
        Setup::default().direct().file_based().cluster("jwks", address).plugins(&[plugin(config)])
    };
    let version = |version: u32| {
        let rules = json!({"rules": [{"name": format!("signed-{version}"), "action": "allow"}]});
        of(config(provider(remote(json!({})), json!({})), rules))
    };
    let gateway = version(1).start().await;
    let good = bearer(&Token::good(Algorithm::Rs256).kid("a").sign());
    let sent = good.clone();
    eventually("the keys", || async {
        gateway.send(get("/", &[("authorization", &good)])).await.status == StatusCode::OK
    })
    .await;
    server.behave(Behaviour::Refuse).await;
    let load = Load {
        pause: Duration::from_millis(2),
        ..Load::http1(gateway.address, 8, Until::Elapsed(Duration::from_secs(6)))
    };
    let loading = tokio::spawn(load.run(move |_| get("/", &[("authorization", &sent)]), |_, _| {}));
    for number in 2..2 + PUSHES {
        gateway.push(&version(number), number);
        eventually("the push", || async {
            gateway.stat("listener_manager.lds.update_success").await >= u64::from(number)
        })
        .await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let bad = config(provider(inline(&[("a", Key::RSA_A)]), json!({"algorithms": ["none"]})), json!({}));
    gateway.push(&of(bad), 99);
    eventually("the refusal", || async { gateway.stat("listener_manager.lds.update_rejected").await >= 1 })
        .await;
    let report = loading.await.unwrap().unwrap();
    assert_eq!(report.errors, 0, "{:?}", report.example);
    assert!(report.by_status.keys().all(|status| *status == StatusCode::OK), "{:?}", report.by_status);
    eventually("the last config", || async {
        gateway.metric(&format!("jwt_authz.rule=.=signed-{};.;rule_allowed", 1 + PUSHES)).await > 0
    })
    .await;
    gateway.assert_no_trap().await;
}
