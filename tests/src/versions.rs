//! Several versions of an upstream, and the routes to them.

use crate::{Setup, Upstream};
use mesh_filters::http::Response;
use serde_json::{Value, json};

/// Upstreams that the proxy knows as clusters of the same names.
#[derive(Debug)]
pub struct Versions(Vec<(&'static str, Upstream)>);

impl Versions {
    /// The response header that names the route which was selected.
    const ROUTE: &'static str = "x-route";

    /// Starts an upstream for each name.
    pub async fn start(names: &[&'static str]) -> Self {
        let mut versions = Vec::new();
        for name in names {
            versions.push((*name, Upstream::start().await));
        }
        Self(versions)
    }

    /// The upstream of a version.
    ///
    /// # Panics
    /// If there is no such version.
    #[must_use]
    pub fn get(&self, name: &str) -> &Upstream {
        let (_, upstream) = self.0.iter().find(|(version, _)| *version == name).unwrap();
        upstream
    }

    /// Adds the clusters, and a route to each version for requests with this header.
    #[must_use]
    pub fn by_header(&self, setup: Setup, header: &str) -> Setup {
        self.by(setup, |name| json!({"headers": [{"name": header, "string_match": {"exact": name}}]}))
    }

    /// Adds the clusters, and a route to each version for requests with this filter state.
    #[must_use]
    pub fn by_filter_state(&self, setup: Setup, key: &str) -> Setup {
        self.by(setup, |name| json!({"filter_state": [{"key": key, "string_match": {"exact": name}}]}))
    }

    fn by(&self, setup: Setup, matching: impl Fn(&str) -> Value) -> Setup {
        self.0.iter().fold(setup, |setup, (name, upstream)| {
            let mut matching = matching(name);
            matching["prefix"] = json!("/");
            setup.cluster(name, upstream.address()).route(json!({
                "match": matching,
                "route": {"cluster": name, "timeout": "60s"},
                "response_headers_to_add": [{"header": {"key": Self::ROUTE, "value": name}}],
            }))
        })
    }

    /// The version whose route a response took; empty if it took the route to the [`Gateway::upstream`](crate::Gateway::upstream).
    #[must_use]
    pub fn route(response: &Response) -> String {
        response.header(Self::ROUTE).unwrap_or_default()
    }
}
