//! An API behind tokens.

use super::{Scenario, VERSIONS};
use bytes::Bytes;
use canary::assignment::Assigner;
use e2e::{Algorithm, Key, KeyServer, Token, assert_no_trap, eventually, get, key_set};
use mesh_filters::http::{Load, Request, StatusCode, Until};

struct Api {
    scenario: Scenario,
    _keys: KeyServer,
}

impl Api {
    async fn start() -> Self {
        let keys = KeyServer::start().await;
        keys.serve(&key_set(&[("a", Key::RSA_A)]));
        Self { scenario: Scenario::start("api", &[("auth", keys.address())]).await, _keys: keys }
    }

    /// The status of a request, and the version that it reached.
    async fn ask(&self, method: &str, path: &str, token: Option<&str>) -> (u16, Option<&'static str>) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let (answer, version) = self.scenario.send("gateway", request.body(Bytes::new()).unwrap()).await;
        (answer.status.as_u16(), version)
    }
}

fn token_of(user: &str) -> String {
    Token::good(Algorithm::Rs256).claim("sub", user).sign()
}

/// The version that the config's split gives to a user.
fn assigned(user: &str) -> &'static str {
    let assigner = Assigner::new("release", VERSIONS.into_iter());
    VERSIONS[assigner.choose(&[80.0, 20.0], user.as_bytes()).unwrap()]
}

/// Users whom the split gives this version.
fn users(version: &'static str) -> impl Iterator<Item = String> {
    (0..).map(|number: u32| format!("user-{number}")).filter(move |user| assigned(user) == version)
}

#[tokio::test]
async fn a_token_is_needed_and_a_role_for_changes() {
    let api = Api::start().await;
    let user = users("v1").next().unwrap();
    let token = token_of(&user);
    let admin = Token::good(Algorithm::Rs256).claim("sub", user.as_str()).claim("role", "admin").sign();
    let other = Token::good(Algorithm::Rs256).claim("aud", "other.example.com").sign();
    for path in ["/health", "/ready"] {
        assert_eq!(api.ask("GET", path, None).await.0, 200);
    }
    for method in ["GET", "POST", "PUT", "DELETE"] {
        assert_eq!(api.ask(method, "/orders", None).await, (401, None), "{method}");
        assert_eq!(api.ask(method, "/orders", Some("a.b.c")).await, (401, None), "{method}");
        assert_eq!(api.ask(method, "/orders", Some(&other)).await, (401, None), "{method}");
        assert_eq!(api.ask(method, "/orders", Some(&admin)).await, (200, Some("v1")), "{method}");
        let of_user = if ["GET", "POST"].contains(&method) { (200, Some("v1")) } else { (403, None) };
        assert_eq!(api.ask(method, "/orders", Some(&token)).await, of_user, "{method}");
    }
    assert_no_trap(&api.scenario.envoy).await;
}

#[tokio::test]
async fn a_user_who_asks_too_often_is_alone_in_being_limited() {
    const REQUESTS: u64 = 1000;
    let api = Api::start().await;
    let token = format!("Bearer {}", token_of("greedy"));
    let load = Load::http1(api.scenario.address("gateway").await, 8, Until::Requests(REQUESTS));
    let report = load.run(move |_| get("/", &[("authorization", &token)]), |_, _| {}).await.unwrap();
    let (admitted, refused) = (report.count(StatusCode::OK), report.count(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!((report.errors, admitted + refused), (0, REQUESTS), "{:?}", report.by_status);
    // The burst, and what the bucket gains meanwhile.
    let most = 100.0 + 100.0 * report.elapsed().as_secs_f64();
    assert!(admitted >= 100 && admitted as f64 <= most && refused > 0, "{admitted} admitted, {most}");
    assert_eq!(api.scenario.served().iter().sum::<usize>() as u64, admitted);
    for user in users("v1").take(3) {
        assert_eq!(api.ask("GET", "/", Some(&token_of(&user))).await.0, 200, "{user}");
    }
    let stats = api.scenario.envoy.admin().stats().await.unwrap();
    let denied = "wasmcustom.mesh_filters.rate_limit.block=.=by-user;.;limit=.=per-user;.;denied";
    assert_eq!(stats.value(denied), refused);
    assert_no_trap(&api.scenario.envoy).await;
}

#[tokio::test]
async fn a_user_stays_on_a_version_until_it_fails() {
    let api = Api::start().await;
    for version in VERSIONS {
        for user in users(version).take(10) {
            let token = token_of(&user);
            for _ in 0..2 {
                assert_eq!(api.ask("GET", "/", Some(&token)).await, (200, Some(version)), "{user}");
            }
        }
    }
    // Mobile clients get v2, whoever they are.
    let token = format!("Bearer {}", token_of(&users("v1").next().unwrap()));
    let mobile = [("authorization", &*token), ("user-agent", "Mozilla/5.0 (iPhone) Mobile/15E148")];
    let (_, version) = api.scenario.send("gateway", get("/", &mobile)).await;
    assert_eq!(version, Some("v2"));

    api.scenario.version("v2").fail(100);
    let tokens: Vec<_> = users("v2").take(20).map(|user| token_of(&user)).collect();
    eventually("v2 is out", || async {
        let mut all_are_well = true;
        for token in &tokens {
            all_are_well &= api.ask("GET", "/", Some(token)).await == (200, Some("v1"));
        }
        all_are_well
    })
    .await;
    assert!(api.scenario.envoy.log().contains("split release: v2 "), "{}", api.scenario.envoy.log());
    assert_no_trap(&api.scenario.envoy).await;
}
