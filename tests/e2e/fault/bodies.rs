//! Bodies that are cut, and responses that lose their body.

use super::{at_rest, marked, metric, rule, rules, setup};
use e2e::{Gateway, get, numbered};
use mesh_filters::http::{Connection, Protocol, Response};
use serde_json::{Value, json};

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

fn response(name: &str, changes: Value) -> Value {
    rule(name, json!({"response": e2e::with(json!({"percentage": 100}), changes)}))
}

/// How an upstream may send a body of some size.
const FORMS: [(&str, &[(&str, &str)]); 4] = [
    ("length", &[]),
    ("chunks", &[("x-answer", "transfer-encoding=chunked")]),
    ("trailers", &[("te", "trailers"), ("x-trailer", "x-end=1")]),
    (
        "grpc",
        &[("te", "trailers"), ("x-trailer", "grpc-status=0"), ("x-answer", "content-type=application/grpc")],
    ),
];

async fn send(
    gateway: &Gateway,
    connection: &mut Connection,
    what: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let answer =
        connection.send(get(path, headers)).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
    // A body that the client does not expect would be taken for this response.
    let next = connection.send(get("/next", &[])).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
    assert_eq!(
        (next.status.as_u16(), next.text().starts_with("GET /next\n")),
        (200, true),
        "{what}: {next:?}"
    );
    at_rest(gateway).await;
    answer
}

#[tokio::test]
async fn a_body_ends_after_its_first_bytes() {
    let cuts = [0, 1, 100, 4096, 100_000];
    let all = cuts.map(|cut| response(&format!("cut-{cut}"), json!({"truncate_body": cut})));
    let gateway = setup(rules(json!(all))).trailers().start().await;
    for protocol in PROTOCOLS {
        let mut connection = Connection::open(gateway.address, protocol).await.unwrap();
        for cut in cuts {
            for (form, headers) in FORMS {
                for size in [0, 1, 99, 100, 101, 5000, 300_000] {
                    let what = format!("{protocol:?}, {form}: {size} bytes, {cut} are left");
                    let (path, wanted) = (format!("/cut-{cut}"), size.to_string());
                    let headers = [headers, &[("x-size", &wanted)]].concat();
                    let answer = send(&gateway, &mut connection, &what, &path, &headers).await;
                    assert_eq!(answer.status, 200, "{what}");
                    assert_eq!(answer.body, numbered(size)[..size.min(cut)], "{what}: {}", answer.body.len());
                    assert_eq!(marked(&answer), Some(format!("cut-{cut}")), "{what}");
                    if form == "length" {
                        // A length that is still right stays.
                        let length = answer.header("content-length");
                        let expected = Some(size.to_string()).filter(|_| size <= cut);
                        assert_eq!(length, expected, "{what}");
                    }
                    let trailers: Vec<_> = answer.trailers.keys().map(|name| name.as_str()).collect();
                    let expected = match form {
                        "trailers" => vec!["x-end"],
                        "grpc" => vec!["grpc-status"],
                        _ => Vec::new(),
                    };
                    assert_eq!(trailers, expected, "{what}");
                }
            }
        }
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_status_without_content_takes_the_body_away() {
    let statuses = [204, 205, 304];
    let mut all: Vec<_> =
        statuses.iter().map(|status| response(&format!("s{status}"), json!({"status": status}))).collect();
    all.extend(statuses.iter().map(|status| {
        response(
            &format!("waiting-{status}"),
            json!({"status": status, "delay": {"fixed": "5ms"}, "truncate_body": 9}),
        )
    }));
    let gateway = setup(rules(Value::Array(all))).trailers().start().await;
    for protocol in PROTOCOLS {
        let mut connection = Connection::open(gateway.address, protocol).await.unwrap();
        for status in statuses {
            for (form, headers) in FORMS {
                for size in [0, 1, 5000, 300_000] {
                    for name in [format!("s{status}"), format!("waiting-{status}")] {
                        let what = format!("{protocol:?}, {form}: {size} bytes, {name}");
                        let wanted = size.to_string();
                        let headers = [headers, &[("x-size", &wanted)]].concat();
                        let answer =
                            send(&gateway, &mut connection, &what, &format!("/{name}"), &headers).await;
                        assert_eq!((answer.status.as_u16(), answer.body.len()), (status, 0), "{what}");
                        assert_eq!(marked(&answer), Some(name), "{what}");
                    }
                }
            }
        }
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}
