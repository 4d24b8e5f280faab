//! The listeners that are compared.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::policies::{self, Key};
use crate::bench::rows::{ANSWERED, Row, wasm};
use crate::bench::{by_hand, fault, jwt_authz, rate_limit, trace_context};
use crate::module::Module;

/// No filter.
pub(super) const BARE: &str = ANSWERED.bare;
/// F: a module written by hand that has no code.
pub(super) const NOOP: &str = "module without code (F)";
/// The suite with five filters.
pub(super) const SUITE_OF_FIVE: &str = "suite, five filters";
/// The same five filters, each in a module and a VM of its own.
pub(super) const MODULES: &str = "five modules";
/// Envoy's filters for the same.
pub(super) const CHAIN: &str = "native chain of five";
/// The same, with a header from a claim and the route looked up anew.
pub(super) const STEERING_CHAIN: &str = "native chain that steers";

/// The modules that are compared.
pub(super) struct Modules {
    /// By hand, without any code.
    pub(super) noop: PathBuf,
    /// The five filters, then the suite.
    pub(super) built: [(Module, PathBuf); 6],
}

impl Modules {
    /// Builds them. `folder` takes the one by hand.
    pub(super) fn build(folder: &Path) -> anyhow::Result<Self> {
        let built = |filter| {
            let module = Module::of_filter(filter);
            anyhow::Ok((module, module.build()?))
        };
        Ok(Self {
            noop: by_hand::module("do-nothing", include_str!("do_nothing.wat"), folder)?,
            built: [
                built("trace-context")?,
                built("jwt-authz")?,
                built("rate-limit")?,
                built("canary")?,
                built("fault")?,
                built("suite")?,
            ],
        })
    }
}

/// All rows, in the order of the table.
pub(super) fn all(modules: &Modules) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![bare(), noop(modules)];
    rows.extend(alone(modules)?);
    rows.extend([suite(modules)?, five_modules(modules)?]);
    rows.extend([
        same_request(rate_limit::native()),
        same_request(jwt_authz::native("native jwt_authn (cached), rbac", true)),
        same_request(fault::native()),
        same_request(Row::new("native header_to_metadata", vec![header_to_metadata()])),
        chain(),
        steering_chain(),
    ]);
    Ok(rows)
}

/// The listener without a filter.
pub(super) fn bare() -> Row {
    same_request(Row::new(BARE, Vec::new()))
}

/// F.
pub(super) fn noop(modules: &Modules) -> Row {
    same_request(wasm(NOOP, &modules.noop, &json!({})))
}

/// The suite.
pub(super) fn suite(modules: &Modules) -> anyhow::Result<Row> {
    let [.., (_, suite)] = &modules.built;
    Ok(same_request(wasm(SUITE_OF_FIVE, suite, &policies::suite()?)))
}

/// Five modules, one after another.
pub(super) fn five_modules(modules: &Modules) -> anyhow::Result<Row> {
    let configs = [
        policies::trace_context(),
        policies::exporting_jwt_authz()?,
        policies::rate_limit(Key::Claim),
        policies::canary(Key::Claim),
        policies::fault(),
    ];
    // Names of their own: a VM is found by its name and code, and each row has VMs of its own.
    let named = modules.built.iter().zip(configs);
    let rows =
        named.map(|((module, path), config)| wasm(&format!("{}, of five", module.name()), path, &config));
    Ok(same_request(Row::chain(MODULES, rows)))
}

/// Envoy's filters.
pub(super) fn chain() -> Row {
    same_request(native(CHAIN, jwt_authz::native("", true)))
}

/// Envoy's filters, one of which may change the route.
pub(super) fn steering_chain() -> Row {
    same_request(native(STEERING_CHAIN, jwt_authz::native_that_steers("")))
}

/// Each filter alone. There are no claims then: the keys are a header.
fn alone(modules: &Modules) -> anyhow::Result<Vec<Row>> {
    let configs = [
        policies::trace_context(),
        policies::jwt_authz()?,
        policies::rate_limit(Key::Header),
        policies::canary(Key::Header),
        policies::fault(),
    ];
    let rows = modules.built.iter().zip(configs);
    Ok(rows.map(|((module, path), config)| same_request(wasm(module.name(), path, &config))).collect())
}

fn native(name: &str, verifying: Row) -> Row {
    let metadata = Row::new("", vec![header_to_metadata()]);
    Row::chain(name, [rate_limit::native(), verifying, fault::native(), metadata])
}

/// A header that a subset of a cluster could be chosen by.
fn header_to_metadata() -> Value {
    let rule = json!({
        "header": "x-api-key",
        "on_header_present": {"metadata_namespace": "envoy.lb", "key": "user", "type": "STRING"},
    });
    json!({
        "name": "envoy.filters.http.header_to_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
            "request_rules": [rule],
        },
    })
}

/// All rows get the same requests.
fn same_request(row: Row) -> Row {
    let (name, value) = trace_context::TRACEPARENT;
    row.with_token(jwt_authz::RS256).with_header(name, value)
}
