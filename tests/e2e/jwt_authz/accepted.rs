//! Valid tokens are accepted wherever their signatures are checked.

use super::{config, plugin, provider, status};
use e2e::{Algorithm, Key, Setup, Token, key_set, token};
use serde_json::{Value, json};

/// A provider with all algorithms, each with a key named after it, and one more key.
fn every_algorithm() -> Value {
    let mut keys = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm.key())).to_vec();
    keys.push(("4096", Key::RSA_4096));
    let extra = json!({"algorithms": Algorithm::ALL.map(Algorithm::name)});
    // Checks in the VM are slow in a debug build, which is not tested here.
    config(provider(json!({"inline": key_set(&keys)}), extra), json!({"in_vm_share": 100}))
}

/// The results do not depend on who checks signatures.
#[tokio::test]
async fn every_algorithm_with_the_proxy_s_checks_and_without() {
    let plugin = plugin(every_algorithm());
    for plugin in [plugin.clone(), plugin.without(&["proxy_call_foreign_function"])] {
        let gateway = Setup::default().plugins(&[plugin]).start().await;
        for algorithm in Algorithm::ALL {
            let name = algorithm.name();
            let good = Token::good(algorithm).kid(name);
            assert_eq!(status(&gateway, &good.sign()).await, 200, "{name}");
            // A signature is not valid for another payload.
            let signature = good.sign().rsplit('.').next().unwrap().to_owned();
            let forged = format!("{}.{signature}", good.clone().claim("sub", "admin").unsigned());
            assert_eq!(status(&gateway, &forged).await, 401, "{name}, another payload");
            let nameless = good.header("kid", Value::Null);
            assert_eq!(status(&gateway, &nameless.sign()).await, 200, "{name} without `kid`");
        }
        let large = Token::good(Algorithm::Rs256).kid("4096").key(&Key::RSA_4096);
        assert_eq!(status(&gateway, &large.sign()).await, 200, "4096 bits");
        let other = large.key(&Key::RSA_B);
        assert_eq!(status(&gateway, &other.sign()).await, 401, "another key");
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn claims_at_the_edge_of_what_is_good() {
    let extra = json!({"subjects": [{"prefix": "user-"}], "max_lifetime": "24h"});
    let keys = json!({"inline": key_set(&[("a", Key::RSA_A)])});
    let gateway = super::setup(config(provider(keys, extra), json!({}))).start().await;
    let good = || Token::good(Algorithm::Rs256);
    for (what, token) in [
        ("expired within the leeway", good().expires_in(-10)),
        ("begins within the leeway", good().not_before(10)),
        ("issued within the leeway", good().issued(10)),
        ("a fraction of a second", good().not_before(-1).claim("iat", 1_700_000_000.5)),
        ("one of several audiences", good().claim("aud", json!(["other", token::AUDIENCE]))),
        ("headers that do not matter", good().header("typ", "at+jwt").header("jku", "https://evil.example")),
        ("claims that nobody asked for", good().claim("x", json!({"y": [1, null, {"z": "\u{0}"}]}))),
    ] {
        assert_eq!(status(&gateway, &token.sign()).await, 200, "{what}");
    }
}
