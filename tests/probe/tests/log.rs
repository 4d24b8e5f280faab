//! What modules write to the proxy's log.

use mesh_host::testing::Proxy;
use mesh_probe::ProbeFilter;
use std::time::Duration;

const CHAIN: &str = r#"{"filters": ["a", "b"]}"#;

fn lines(proxy: &Proxy<ProbeFilter>) -> Vec<String> {
    proxy.host().log()
}

#[test]
fn an_accepted_config_is_reported_once_for_each_filter() {
    let proxy = Proxy::<ProbeFilter>::start(CHAIN);
    let expected = [
        "info [mesh-filters/step test] config 56fac121 accepted: a",
        "info [mesh-filters/step test] config 56fac121 accepted: b",
    ];
    assert_eq!(lines(&proxy), expected);
    assert_eq!(proxy.host().metric("mesh_filters.probe.plugin=.=test;.;config_hash"), 0x56fa_c121);
    // Another VM of the proxy.
    proxy.configure(CHAIN).unwrap();
    assert_eq!(lines(&proxy), expected);
    proxy.configure(r#"{"filters": ["b"]}"#).unwrap();
    assert!(lines(&proxy)[2].ends_with(" accepted: b"));
    assert_ne!(proxy.host().metric("mesh_filters.probe.plugin=.=test;.;config_hash"), 0x56fa_c121);
    // After a rollback.
    proxy.configure(CHAIN).unwrap();
    assert_eq!(lines(&proxy).len(), 5);
}

#[test]
fn a_refused_config_has_a_line_for_each_problem() {
    let proxy = Proxy::<ProbeFilter>::new();
    let log = proxy.configure("{").unwrap_err();
    assert_eq!(
        log,
        ["error [mesh-filters/probe test] config: EOF while parsing an object at line 1 column 1"]
    );
}

#[test]
fn lines_name_their_filter_and_plugin() {
    let proxy = Proxy::<ProbeFilter>::start(CHAIN);
    proxy.host().set_property(&["plugin_name"], "default.limits");
    proxy.request(&[("x-b", "log")]);
    // The target of a line is its crate.
    assert_eq!(lines(&proxy)[2..], ["warn [mesh-filters/probe default.limits] b warns"]);
    proxy.host().fail("get_property");
    proxy.request(&[("x-b", "log")]);
    assert_eq!(lines(&proxy)[3..], ["warn [mesh-filters/probe] b warns"]);
}

#[test]
fn the_level_follows_the_proxy() {
    let proxy = Proxy::<ProbeFilter>::start(CHAIN);
    let explained = || lines(&proxy).iter().filter(|line| line.contains("explains")).count();
    // The request's own reading of the clock tells when to ask again.
    let ask = || proxy.request(&[("x-a", "log, tick")]).end();
    ask();
    proxy.host().log_debug();
    proxy.advance(Duration::from_secs(9));
    ask();
    assert_eq!(explained(), 0);
    proxy.advance(Duration::from_secs(2));
    ask();
    ask();
    assert_eq!(explained(), 1);
    proxy.host().reset_counts();
    ask();
    assert!(!proxy.host().counts().contains("get_log_level"));
}
