//! A block of canary: one cohort and one guard for each split's name, and no header of a client's own on any route.

use mesh_host::testing::{Fate, Proxy, Stream};
use serde_json::{Value, json};
use std::time::Duration;
use suite::filter::SuiteFilter;

type Suite = Proxy<SuiteFilter>;

const SECOND: Duration = Duration::from_secs(1);
const MODES: [&str; 3] = ["enforce", "shadow", "off"];

/// Where the block's own config decides, and its routes `a` and `b`.
const PATHS: [&str; 3] = ["/", "/a", "/b"];

/// A block with a route for each of these, `a` for paths under `/a` and so on.
fn block(own: &Value, routes: &[(&str, Value)]) -> String {
    let routes: Vec<_> = routes
        .iter()
        .map(|(name, config)| {
            let matches = json!({"path": {"prefix": format!("/{name}")}, "methods": ["GET"]});
            json!({"name": name, "match": matches, "config": config})
        })
        .collect();
    json!({"filters": [{"canary": own, "routes": routes}]}).to_string()
}

/// A config with a sticky split `s` of v1, v2 and v3.
fn split() -> Value {
    json!({"splits": [{
        "name": "s", "sticky": [{"header": "user"}],
        "variants": [{"name": "v1", "weight": 2}, {"name": "v2", "weight": 2}, {"name": "v3", "weight": 1}],
    }]})
}

/// The same with a guard of v2.
fn guarded() -> Value {
    let mut own = split();
    own["splits"][0]["guard"] = json!({
        "variant": "v2", "baseline": "v1", "max_error_percentage": 50, "min_requests": 30, "window": "10s", "hold": "1m",
    });
    own
}

/// With another field at the top.
fn with(mut config: Value, field: &str, value: Value) -> Value {
    config[field] = value;
    config
}

/// A block with [`guarded`] and the routes `a` and `b`.
fn two_routes() -> String {
    block(&guarded(), &[("a", split()), ("b", with(split(), "default", json!("v3")))])
}

fn send<'a>(proxy: &'a Suite, path: &str, user: &str) -> (Stream<'a, SuiteFilter>, String) {
    let stream = proxy.request(&[(":method", "GET"), (":path", path), ("user", user)]);
    assert_eq!(stream.fate(), Fate::Continued);
    let told = stream.request_headers().into_iter().find(|(name, _)| name == "x-mesh-variant");
    (stream, told.map_or_else(String::new, |(_, variant)| variant))
}

/// The variant of each of these users.
fn variants(proxy: &Suite, path: &str) -> Vec<String> {
    (0..60)
        .map(|user| {
            let (stream, variant) = send(proxy, path, &user.to_string());
            stream.end();
            variant
        })
        .collect()
}

/// The variant of each of these users while none is out, and one who gets v2.
fn users() -> (Vec<String>, String) {
    let variants = variants(&Suite::start(&block(&split(), &[])), "/");
    let of_v2 = variants.iter().position(|variant| variant == "v2").unwrap().to_string();
    (variants, of_v2)
}

/// Requests of a user that the upstream answers with 503.
fn fail(proxy: &Suite, path: &str, user: &str, number: usize) {
    for _ in 0..number {
        let (stream, _) = send(proxy, path, user);
        stream.respond_without_body(&[(":status", "503")]);
        stream.end();
    }
}

fn metric(proxy: &Suite, name: &str) -> i64 {
    proxy.host().metric(&format!("mesh_filters.canary.{name}"))
}

/// `expected`: for each path, whether some users get v2; nobody else's variant differs from `before`.
#[track_caller]
fn check(proxy: &Suite, before: &[String], expected: [bool; 3]) {
    for (path, gets_v2) in PATHS.into_iter().zip(expected) {
        let without: Vec<_> = before.iter().map(|variant| variant.replace("v2", "v1")).collect();
        let expected = if gets_v2 { before } else { &without };
        assert_eq!(variants(proxy, path), expected, "{path}");
    }
}

#[test]
fn a_user_has_one_variant_in_a_block() {
    let (before, _) = users();
    let proxy = Suite::start(&two_routes());
    assert!(["v1", "v2", "v3"].iter().all(|name| before.iter().any(|variant| variant == name)));
    check(&proxy, &before, [true; 3]);
}

#[test]
fn errors_of_one_route_take_the_variant_out_of_all() {
    let (before, user) = users();
    for failing in PATHS {
        let proxy = Suite::start(&two_routes());
        fail(&proxy, failing, &user, 30);
        proxy.advance(SECOND);
        check(&proxy, &before, [false; 3]);
        assert_eq!((metric(&proxy, "split=.=s;.;trips"), metric(&proxy, "split=.=s;.;tripped")), (1, 1));
        let fallen_back = before.iter().filter(|variant| *variant == "v2").count() * PATHS.len();
        assert_eq!(
            metric(&proxy, "kind=.=fallback;.;name=.=s;.;decisions"),
            i64::try_from(fallen_back).unwrap()
        );
        proxy.advance(SECOND * 60);
        check(&proxy, &before, [true; 3]);
        assert_eq!((metric(&proxy, "split=.=s;.;trips"), metric(&proxy, "split=.=s;.;tripped")), (1, 0));
    }
}

/// Also those of an earlier config.
#[test]
fn errors_of_all_routes_count_together_over_a_push() {
    let (before, user) = users();
    let proxy = Suite::start(&two_routes());
    let trips_after = |path: &str, errors: usize| {
        fail(&proxy, path, &user, errors);
        proxy.advance(SECOND);
        metric(&proxy, "split=.=s;.;trips")
    };
    assert_eq!([trips_after("/a", 10), trips_after("/b", 10)], [0, 0]);
    let more = block(&guarded(), &[("b", split()), ("a", split()), ("c", json!({"mode": "off"}))]);
    proxy.configure(&more).unwrap();
    proxy.remove_previous_config();
    assert_eq!([trips_after("/b", 5), trips_after("/", 4), trips_after("/a", 1)], [0, 0, 1]);
    check(&proxy, &before, [false; 3]);
    assert_eq!(metric(&proxy, "split=.=s;.;variant=.=v2;.;errors"), 30);
}

#[test]
fn a_trip_outlasts_a_push() {
    let (before, user) = users();
    let proxy = Suite::start(&two_routes());
    fail(&proxy, "/a", &user, 30);
    proxy.advance(SECOND);
    proxy.configure(&two_routes().replace("\"v3\"}", "\"v3\", \"decision_log\": \"all\"}")).unwrap();
    check(&proxy, &before, [false; 3]);
    proxy.remove_previous_config();
    proxy.advance(SECOND * 10);
    check(&proxy, &before, [false; 3]);
    assert_eq!(metric(&proxy, "split=.=s;.;tripped"), 1);
}

/// What the earlier config has counted is not lost.
#[test]
fn outcomes_of_a_removed_config_are_reported() {
    let (_, user) = users();
    let proxy = Suite::start(&two_routes());
    fail(&proxy, "/a", &user, 3);
    fail(&proxy, "/", &user, 4);
    proxy.configure(&two_routes()).unwrap();
    proxy.remove_previous_config();
    assert_eq!(metric(&proxy, "split=.=s;.;variant=.=v2;.;errors"), 7);
}

/// The block's own config need not decide for its guard to work on a route, and a mode is that of one config.
#[test]
fn a_mode_is_that_of_one_config() {
    let (before, user) = users();
    let nothing = vec![String::new(); before.len()];
    let without: Vec<_> = before.iter().map(|variant| variant.replace("v2", "v1")).collect();
    for own_mode in MODES {
        for mode in MODES {
            let own = with(guarded(), "mode", json!(own_mode));
            let routes = [("a", split()), ("b", with(split(), "mode", json!(mode)))];
            let proxy = Suite::start(&block(&own, &routes));
            fail(&proxy, "/a", &user, 30);
            proxy.advance(SECOND);
            for (path, mode) in [("/", own_mode), ("/a", "enforce"), ("/b", mode)] {
                let expected = if mode == "enforce" { &without } else { &nothing };
                assert_eq!(variants(&proxy, path), *expected, "{own_mode} {mode} {path}");
            }
        }
    }
}

/// What a config only would have decided is no outcome.
#[test]
fn a_route_in_shadow_feeds_no_guard() {
    let (before, user) = users();
    let routes = [("a", split()), ("b", with(split(), "mode", json!("shadow")))];
    let proxy = Suite::start(&block(&guarded(), &routes));
    fail(&proxy, "/b", &user, 60);
    proxy.advance(SECOND);
    assert_eq!(variants(&proxy, "/a"), before);
}

#[test]
fn counters_of_all_routes_add_up() {
    let rule = |variant: &str| json!({"rules": [{"name": "r", "variant": variant}], "default": "v1"});
    let proxy = Suite::start(&block(&rule("v1"), &[("a", rule("v2")), ("b", rule("v3"))]));
    let told: Vec<_> = PATHS.iter().map(|path| variants(&proxy, path)[0].clone()).collect();
    assert_eq!(told, ["v1", "v2", "v3"]);
    assert_eq!(metric(&proxy, "kind=.=rule;.;name=.=r;.;decisions"), 180);
    drop(proxy);
    let (_, user) = users();
    let proxy = Suite::start(&two_routes());
    for (path, number) in PATHS.into_iter().zip([1, 2, 4]) {
        fail(&proxy, path, &user, number);
    }
    proxy.advance(SECOND);
    for name in ["requests", "errors"] {
        assert_eq!(metric(&proxy, &format!("split=.=s;.;variant=.=v2;.;{name}")), 7, "{name}");
    }
    assert_eq!(metric(&proxy, "kind=.=split;.;name=.=s;.;decisions"), 7);
}

/// Its outcomes are reported without a tick of the block's own config.
#[test]
fn a_split_that_only_a_route_has_is_counted() {
    let (_, user) = users();
    let proxy = Suite::start(&block(&json!({}), &[("a", split()), ("b", split())]));
    fail(&proxy, "/a", &user, 2);
    fail(&proxy, "/b", &user, 3);
    proxy.advance(SECOND);
    assert_eq!(metric(&proxy, "split=.=s;.;variant=.=v2;.;errors"), 5);
    assert_eq!(variants(&proxy, "/a"), variants(&proxy, "/b"));
    assert!(variants(&proxy, "/").iter().all(String::is_empty));
}

/// A method in lower case may be `GET`.
#[test]
fn a_route_that_is_undecided_does_not_hold() {
    let proxy = Suite::start(&block(&json!({"default": "v1"}), &[("a", json!({"default": "v2"}))]));
    for (method, expected) in [("GET", "v2"), ("get", "v1"), ("POST", "v1")] {
        let stream = proxy.request(&[(":method", method), (":path", "/a"), ("x_mesh_variant", "v9")]);
        let told = [(":method", method), (":path", "/a"), ("x-mesh-variant", expected)];
        let told = told.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(stream.request_headers(), told, "{method}");
        stream.end();
    }
}

/// What a client has sent of the output's header and the override's, which only 10.0.0.0/8 may.
#[test]
fn a_client_s_own_header_stays_out_on_every_route() {
    let own = |mode: &str| {
        json!({
            "mode": mode, "output": {"header": "x-variant", "response_header": "x-served"}, "default": "v1",
            "trusted_override": {"header": "x-force", "match": {"client_ip": ["10.0.0.0/8"]}},
        })
    };
    for own_mode in MODES {
        for mode in MODES {
            let routes = [
                ("a", json!({"mode": mode, "default": "v1"})),
                ("b", json!({"mode": mode, "rules": [{"name": "r", "variant": "v1"}]})),
            ];
            let proxy = Suite::start(&block(&own(own_mode), &routes));
            for (path, mode) in [("/", own_mode), ("/a", mode), ("/b", mode)] {
                for spelling in ["x-variant", "x_variant", "x.variant", "x-force", "x_force", "x!force"] {
                    check_spoofed(&proxy, path, spelling, mode);
                }
            }
        }
    }
}

#[track_caller]
fn check_spoofed(proxy: &Suite, path: &str, spelling: &str, mode: &str) {
    let first = [(":method", "GET"), (":path", path)];
    let stream = proxy.open(&[first[0], first[1], (spelling, "v2"), (spelling, "v3")]);
    let mut expected = first.to_vec();
    if mode == "enforce" {
        expected.push(("x-variant", "v1"));
    }
    let expected: Vec<_> =
        expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(stream.request_headers(), expected, "{path} {spelling} {mode}");
    assert!(stream.trailers(&[(spelling, "v2"), ("x-end", "1"), ("x~variant", "v2")]));
    assert_eq!(stream.request_trailers(), [("x-end".to_owned(), "1".to_owned())], "{path} {spelling} {mode}");
    stream.end();
}

/// An override is followed on every route, and its header is removed.
#[test]
fn the_override_is_the_block_s() {
    let own = json!({"trusted_override": {"header": "x-force", "match": {}}, "default": "v1"});
    let routes = [("a", json!({"default": "v2"})), ("b", json!({"mode": "off", "default": "v2"}))];
    let proxy = Suite::start(&block(&own, &routes));
    for (path, named, expected) in
        [("/", "v1", "v1"), ("/a", "v2", "v2"), ("/a", "v1", "v2"), ("/b", "v2", "")]
    {
        let stream = proxy.request(&[(":method", "GET"), (":path", path), ("x-force", named)]);
        let told: Vec<_> = stream
            .request_headers()
            .into_iter()
            .skip(2)
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let expected: Vec<_> = Some(expected)
            .filter(|name| !name.is_empty())
            .map(|name| format!("x-mesh-variant: {name}"))
            .into_iter()
            .collect();
        assert_eq!(told, expected, "{path} {named}");
        stream.end();
    }
    let decided =
        |kind: &str, name: &str| metric(&proxy, &format!("kind=.={kind};.;name=.={name};.;decisions"));
    assert_eq!([decided("override", "v1"), decided("override", "v2"), decided("default", "v2")], [1, 1, 1]);
}

/// `expected`: the problems, one per line, without the path of the routes.
#[track_caller]
fn check_refused(own: &Value, routes: &[(&str, Value)], expected: &str) {
    let proxy = Suite::new();
    let log = proxy.configure(&block(own, routes)).unwrap_err();
    let found: Vec<_> = log
        .iter()
        .flat_map(|line| line.lines())
        .filter_map(|line| line.split_once("filters[0].routes"))
        .collect();
    let found: Vec<_> = found.into_iter().map(|(_, problem)| problem).collect();
    assert_eq!(found.join("\n"), expected, "{log:#?}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_path() {
    const OWN: &str = "found it in a route, expected it in the block's own config, at its split of this name: it is the \
        same for all routes";
    const FIELD: &str =
        "found it in a route, expected it in the block's own config: it is the same for all routes";
    const OTHER: &str = "found another value than in the block's other configs, expected the same: splits of one name are \
        one cohort";
    check_refused(&guarded(), &[("a", guarded())], &format!("[0].config.splits[0].guard: {OWN}"));
    let mut random = split();
    random["splits"][0].as_object_mut().unwrap().remove("sticky");
    check_refused(
        &guarded(),
        &[("a", split()), ("b", random)],
        &format!("[1].config.splits[0].sticky: {OTHER}"),
    );
    let mut heavier = split();
    heavier["splits"][0]["variants"][2]["weight"] = json!(3);
    check_refused(
        &json!({}),
        &[("a", split()), ("b", heavier)],
        &format!("[1].config.splits[0].variants[2]: {OTHER}"),
    );
    for field in ["output", "trusted_override"] {
        let value = json!({"header": "x-v", "match": {}});
        check_refused(
            &json!({}),
            &[("a", with(json!({}), field, value))],
            &format!("[0].config.{field}: {FIELD}"),
        );
    }
}

/// Otherwise the override would be trusted from other addresses on the route, such as that of a proxy in front.
#[test]
fn an_override_by_address_has_the_address_of_the_block_s_own_config() {
    const PROBLEM: &str = "[0].config.client_ip: found another value than in the block's own config, expected the same: \
        `trusted_override.match` tests the client's address";
    let hops = |number: u32| json!({"client_ip": {"trusted_hops": number}, "default": "v1"});
    let trusting =
        |matches: Value| with(hops(1), "trusted_override", json!({"header": "x-v", "match": matches}));
    let by_address = trusting(json!({"not": {"client_ip": ["10.0.0.0/8"]}}));
    for route in [json!({}), hops(2), json!({"mode": "shadow"})] {
        check_refused(&by_address, &[("a", route)], PROBLEM);
    }
    for (own, route) in [
        (by_address.clone(), hops(1)),
        (by_address, json!({"mode": "off"})),
        (trusting(json!({"methods": ["GET"]})), json!({})),
    ] {
        assert!(Suite::new().configure(&block(&own, &[("a", route)])).is_ok());
    }
}

#[test]
fn a_gauge_shows_a_trip_that_only_routes_follow() {
    let variants = json!([{"name": "v1", "weight": 2}, {"name": "v2", "weight": 2}]);
    let split = json!({"name": "s", "sticky": [{"header": "user"}], "variants": variants});
    let mut guarded = split.clone();
    guarded["guard"] = json!({
        "variant": "v2", "baseline": "v1", "max_error_percentage": 50, "min_requests": 30, "window": "10s", "hold": "1m",
    });
    let config = json!({"filters": [{"canary": {"mode": "off", "splits": [guarded]}, "routes": [
        {"name": "a", "match": {"path": {"prefix": "/a"}}, "config": {"splits": [split]}},
    ]}]});
    let proxy = Proxy::<SuiteFilter>::start(&config.to_string());
    for user in 0..80 {
        let stream = proxy.request(&super::request("/a", &[("user", &user.to_string())]));
        stream.respond_without_body(&[(":status", "503")]);
        stream.end();
    }
    proxy.advance(Duration::from_secs(1));
    let tripped = || proxy.host().metric("mesh_filters.canary.split=.=s;.;tripped");
    assert_eq!(tripped(), 1);
    let next = config.to_string().replace(r#""mode":"off""#, r#""mode":"off","decision_log":"all""#);
    assert_ne!(next, config.to_string());
    proxy.configure(&next).unwrap();
    proxy.remove_previous_config();
    assert_eq!(tripped(), 1);
    proxy.advance(Duration::from_secs(10));
    assert_eq!(tripped(), 1);
    proxy.advance(Duration::from_secs(60));
    assert_eq!(tripped(), 0);
}
