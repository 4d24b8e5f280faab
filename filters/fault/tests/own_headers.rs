//! The headers of the trigger are removed of every request, in every spelling, in every mode.

use fault::filter::FaultFilter;
use mesh_host::testing::{Fate, Proxy};

const MODES: [&str; 3] = ["enforce", "shadow", "off"];

/// A config with a trigger, whose secret is `open sesame`. `more`: other fields.
fn proxy(mode: &str, more: &str) -> Proxy<FaultFilter> {
    Proxy::start(&format!(r#"{{"mode": "{mode}", "trigger": {{"secret": "open sesame"}}{more}}}"#))
}

/// Whether an upstream may read this as one of the trigger's headers.
fn is_own(name: &str) -> bool {
    let plain = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-").to_ascii_lowercase();
    ["x-fault", "x-fault-key"].contains(&plain.as_str())
}

/// A request goes on with none of the trigger's headers, in every mode, whatever it asks for and whatever else the config
/// has.
#[track_caller]
fn check(headers: &[(&str, &str)]) {
    for mode in MODES {
        for more in [
            "",
            r#", "exclude": {"path": {"prefix": "/"}}"#,
            r#", "rules": [{"name": "r", "delay": {"percentage": 100, "fixed": "1s"}}]"#,
            r#", "rules": [{"name": "r", "match": {"headers": [{"name": "absent", "present": true}]},
                "abort": {"percentage": 100, "status": 503}}]"#,
            r#", "expires_at": "2000-01-01T00:00:00Z""#,
            r#", "cors_preflight": "check""#,
        ] {
            let proxy = proxy(mode, more);
            let all: Vec<_> = [(":method", "GET"), (":path", "/")].iter().chain(headers).copied().collect();
            let stream = proxy.request(&all);
            // What waits, or is aborted, is still in the proxy.
            let left: Vec<_> =
                stream.request_headers().into_iter().filter(|(name, _)| is_own(name)).collect();
            assert_eq!(left, [], "{mode} {more} {headers:?}");
            proxy.advance(std::time::Duration::from_secs(6));
            assert_ne!(stream.fate(), Fate::Waiting, "{mode} {more} {headers:?}");
            stream.end();
        }
    }
}

#[test]
fn no_spelling_reaches_the_upstream() {
    for spelling in ["x-fault-key", "x_fault_key", "x-fault_key", "x.fault.key", "x!fault~key"] {
        check(&[(spelling, "open sesame")]);
        check(&[(spelling, "open sesame"), (spelling, "wrong")]);
        check(&[("x-fault", "delay=1s"), (spelling, "open sesame")]);
    }
    for spelling in ["x_fault", "x.fault"] {
        check(&[(spelling, "delay=1s"), ("x-fault-key", "open sesame")]);
        check(&[(spelling, "delay=1s"), ("x-fault", "delay=1s"), ("x-fault-key", "open sesame")]);
    }
}

#[test]
fn neither_what_is_followed_nor_what_is_ignored_reaches_the_upstream() {
    for asked in ["delay=1s", "abort=503", "delay=1s,abort=503", "delay=99h", "nonsense", "", "\u{e9}"] {
        check(&[("x-fault", asked), ("x-fault-key", "open sesame")]);
        check(&[("x-fault", asked), ("x-fault-key", "wrong")]);
        check(&[("x-fault", asked)]);
    }
}

#[test]
fn a_preflight_is_cleaned_as_well() {
    for mode in MODES {
        let proxy = proxy(mode, "");
        let stream = proxy.request(&[
            (":method", "OPTIONS"),
            (":path", "/"),
            ("origin", "https://a.example"),
            ("access-control-request-method", "PUT"),
            ("x-fault", "abort=503"),
            ("x-fault-key", "open sesame"),
        ]);
        assert_eq!(stream.fate(), Fate::Continued, "{mode}");
        assert!(stream.request_headers().iter().all(|(name, _)| !is_own(name)), "{mode}");
        stream.end();
    }
}

#[test]
fn other_headers_stay() {
    let proxy = proxy("enforce", "");
    let stream = proxy.request(&[(":path", "/"), ("x-faults", "1"), ("xx-fault", "1"), ("fault-key", "1")]);
    let names: Vec<_> = stream.request_headers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [":path", "x-faults", "xx-fault", "fault-key"]);
    stream.end();
}

/// Without a trigger they are headers like others.
#[test]
fn without_a_trigger_nothing_is_removed() {
    let proxy = Proxy::<FaultFilter>::start(
        r#"{"rules": [{"name": "r", "throttle": {"percentage": 1, "bytes_per_second": 1}}]}"#,
    );
    let stream = proxy.request(&[(":path", "/"), ("x-fault", "delay=1s"), ("x-fault-key", "1")]);
    assert_eq!(stream.request_headers().len(), 3);
    stream.end();
}

/// An upstream may read trailers as headers.
#[test]
fn trailers_are_cleaned() {
    for mode in MODES {
        let proxy = proxy(mode, "");
        let stream = proxy.open(&[(":method", "POST"), (":path", "/")]);
        assert!(stream.body(b"body", false));
        assert!(stream.trailers(&[("x-fault", "abort=503"), ("x_fault_key", "open sesame"), ("x-end", "1")]));
        assert_eq!(stream.request_trailers(), [("x-end".to_owned(), "1".to_owned())], "{mode}");
        stream.end();
    }
}

/// No proxy can remove a header by this name. The filter refuses nothing: the request goes on as it is, without a fault.
#[test]
fn what_cannot_be_removed_is_counted() {
    let rule = r#", "rules": [{"name": "r", "abort": {"percentage": 100, "status": 503}}]"#;
    for mode in MODES {
        let proxy = proxy(mode, rule);
        let stream = proxy.open(&[(":path", "/"), ("x fault", "abort=503"), ("x-fault-key", "open sesame")]);
        assert_eq!(stream.fate(), Fate::Continued, "{mode}");
        assert!(stream.request_headers().iter().all(|(name, _)| name != "x-fault-key"), "{mode}");
        assert!(stream.trailers(&[("x fault key", "open sesame"), ("x-fault-key", "open sesame")]), "{mode}");
        assert_eq!(stream.request_trailers().len(), 1, "{mode}");
        assert_eq!(proxy.host().metric("mesh_filters.fault.failed"), 2, "{mode}");
        stream.end();
    }
}

/// No log line, no filter state, no reply and no metric has it.
#[test]
fn the_secret_is_shown_nowhere() {
    for mode in MODES {
        let proxy = Proxy::<FaultFilter>::new();
        proxy.host().log_debug();
        proxy
            .configure(&format!(
                r#"{{"mode": "{mode}", "decision_log": "all", "trigger": {{"secret": "open sesame"}}}}"#
            ))
            .unwrap();
        for key in ["open sesame", "wrong open sesame", "open sesam"] {
            let stream =
                proxy.request(&[(":path", "/"), ("x-fault", "delay=1s,abort=503"), ("x-fault-key", key)]);
            proxy.advance(std::time::Duration::from_secs(2));
            let shown = format!(
                "{:?} {:?} {:?} {:?}",
                stream.filter_state("fault_decision"),
                stream.reply(),
                proxy.host().log(),
                proxy.host().metrics()
            );
            assert!(!shown.contains("sesam"), "{shown}");
            stream.end();
        }
        let refused =
            proxy.configure(r#"{"trigger": {"secret": " open sesame"}, "max_active": -1}"#).unwrap_err();
        assert!(refused.iter().all(|line| !line.contains("sesam")), "{refused:?}");
    }
}
