//! Every pair of formats, against values from the formats' specifications.
//!
//! - w3c: <https://www.w3.org/TR/trace-context-2/>
//! - b3, b3-multi: <https://github.com/openzipkin/b3-propagation>
//! - jaeger: <https://www.jaegertracing.io/docs/1.21/client-libraries/#propagation-format>
//! - datadog: <https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/>, and the tests of dd-trace-go
//! - xray: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
//! - gcp: <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>
//!
//! No value here is computed by code of the filter.

mod lines;
mod same;
mod states;

use super::{FORMATS, metric, pairs, setup, traces};
use e2e::{Gateway, get};
use lines::Lines;
use mesh_filters::http::{Connection, Protocol};
use same::SAME;
use serde_json::json;
use states::STATES;
use std::collections::BTreeMap;

/// Sends the headers of one format: an upstream gets those of the other one, and the client's own stay.
async fn check(connection: &mut Connection, what: &str, sent: Lines, from: usize, to: usize, arrives: Lines) {
    let answer = connection.send(get("/", &pairs(sent))).await.unwrap();
    let mut expected = if from == to { sent.to_vec() } else { [sent, arrives].concat() };
    expected.sort_unstable();
    let text = answer.text();
    assert_eq!(traces(&text), expected, "{what}: from {} to {}", FORMATS[from], FORMATS[to]);
}

fn name(from: &str, to: &str) -> String {
    format!("{from}-to-{to}")
}

/// A gateway with a listener for each pair of formats.
async fn gateway() -> Gateway {
    let mut all = setup(json!({"extract": [], "inject": []})).workers(1);
    for from in FORMATS {
        for to in FORMATS {
            all = all.beside(&name(from, to), setup(json!({"extract": [from], "inject": [to]})));
        }
    }
    all.start().await
}

#[tokio::test]
async fn every_pair_of_formats_converts() {
    let gateway = gateway().await;
    let mut converted: BTreeMap<_, u64> = BTreeMap::new();
    for (from, from_name) in FORMATS.into_iter().enumerate() {
        for (to, to_name) in FORMATS.into_iter().enumerate() {
            let address = gateway.envoy.listener(&name(from_name, to_name)).await.unwrap();
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let mut connection = Connection::open(address, protocol).await.unwrap();
                for (source, lines) in &SAME {
                    check(&mut connection, source, lines[from], from, to, lines[to]).await;
                }
                let mut count = SAME.len();
                for state in STATES.iter().filter(|state| state.from.contains(&from)) {
                    check(&mut connection, state.what, state.arrives[from], from, to, state.arrives[to])
                        .await;
                    count += usize::from(!state.arrives[to].is_empty());
                }
                *converted.entry((from_name, to_name)).or_default() +=
                    if from == to { 0 } else { count as u64 };
            }
        }
    }
    for ((from, to), count) in converted {
        let found = metric(&gateway, &format!("from=.={from};.;to=.={to};.;converted")).await;
        assert_eq!(found, count, "from {from} to {to}");
    }
    for (from, name) in FORMATS.into_iter().enumerate() {
        let states = STATES.iter().filter(|state| state.from.contains(&from)).count();
        let count = 2 * FORMATS.len() * (SAME.len() + states);
        assert_eq!(metric(&gateway, &format!("format=.={name};.;extracted")).await, count as u64, "{name}");
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}
