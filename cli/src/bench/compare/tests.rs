//! Each row does what its name says, in a real Envoy.

use std::slice::from_ref;

use super::listeners::{self, Modules};
use crate::bench::rows::{Row, bootstrap};
use crate::bench::sample::request;
use crate::envoy::admin::Stats;
use crate::envoy::{Bootstrap, Launch};
use crate::http::{self, Protocol, StatusCode};

const REQUESTS: u64 = 3;

/// The counters of an Envoy with only this row, after [`REQUESTS`] requests that all passed.
async fn counters(row: &Row) -> Stats {
    let launch = Launch::new().unwrap().concurrency(1);
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(from_ref(row)))).await.unwrap();
    let address = envoy.listener(&row.name).await.unwrap();
    for _ in 0..REQUESTS {
        let answer = http::send(address, Protocol::Http2, request(row).unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", row.name);
    }
    envoy.admin().stats().await.unwrap()
}

#[tokio::test]
async fn each_row_does_what_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let modules = Modules::build(folder.path()).unwrap();
    for row in
        [listeners::suite(&modules).unwrap(), listeners::five_modules(&modules).unwrap(), listeners::chain()]
    {
        let stats = counters(&row).await;
        for (name, value) in stats.beginning("") {
            if value > 0
                && (name.contains("mesh_filters")
                    || name.starts_with("http.bench.")
                    || name.starts_with("native"))
            {
                println!("{}: {name} = {value}", row.name);
            }
        }
    }
    panic!();
}
