//! Whose claims a filter sees.

use super::super::PolicyFilter;
use crate::testing::Proxy;
use crate::{Build as _, Configure, Plugin};
use mesh_config::Problems;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::policy::{self, Decide, Environment, Part, Setup};
use mesh_policy::settings::Settings;
use mesh_policy::store::Store;
use mesh_policy::verdict::{Claims, Verdict};
use serde_json::json;
use std::rc::Rc;

mesh_policy::metrics! {
    /// The metrics.
    enum Metric {
        /// Nothing.
        Nothing: Counter, "nothing";
    }
}

/// What both policies are made of.
struct Base {
    settings: Settings,
    needs: Needs,
}

/// Takes the header `x-tenant` for a verified token.
struct Verifies(Base);

/// Shows the claims in filter state `seen`.
struct Reads(Base);

fn base(needs: Needs) -> Base {
    Base { settings: Settings::default(), needs }
}

macro_rules! policy {
    ($type:ident, $name:literal, $provides:literal) => {
        impl policy::Policy for $type {
            const NAME: &'static str = $name;
            const PROVIDES_CLAIMS: bool = $provides;
            type Metric = Metric;

            fn settings(&self) -> &Settings {
                &self.0.settings
            }

            fn needs(&self) -> &Needs {
                &self.0.needs
            }

            fn unreadable(&self, _part: Part) -> Verdict<'_, Metric> {
                Verdict::default()
            }
        }
    };
}

policy!(Verifies, "verifies", true);
policy!(Reads, "reads", false);

impl Decide for Verifies {
    type Config = ();

    fn read(_config: &[u8]) -> Result<(), Problems> {
        Ok(())
    }

    fn build((): (), _setup: &mut impl Setup) -> Result<Self, Problems> {
        Ok(Self(base(Needs { headers: true, ..Needs::default() })))
    }

    fn decide(&self, facts: &Facts<'_>, _environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        let claims = facts.headers.first("x-tenant").map(|tenant| Claims {
            all: Rc::new(json!({ "tenant": String::from_utf8_lossy(tenant) })),
            exported: None,
        });
        Verdict { claims, ..Verdict::default() }
    }
}

impl Decide for Reads {
    type Config = ();

    fn read(_config: &[u8]) -> Result<(), Problems> {
        Ok(())
    }

    fn build((): (), _setup: &mut impl Setup) -> Result<Self, Problems> {
        Ok(Self(base(Needs { claims: true, ..Needs::default() })))
    }

    fn decide(&self, facts: &Facts<'_>, _environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        let seen = facts.claims.map(|claims| claims["tenant"].as_str().unwrap_or_default().to_owned());
        Verdict { logged: Some(("seen", seen.unwrap_or_else(|| "none".to_owned()))), ..Verdict::default() }
    }
}

crate::any_filter! {
    /// One of the two.
    enum Either, EitherStream, "either" {
        Verifies(PolicyFilter<Verifies>),
        Reads(PolicyFilter<Reads>),
    }
}

impl Configure for Either {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let words = String::from_utf8_lossy(config).into_owned();
        let build = |word| match word {
            "verifies" => Ok(Self::Verifies(PolicyFilter::build((), plugin)?)),
            _ => Ok(Self::Reads(PolicyFilter::build((), plugin)?)),
        };
        words.split(' ').map(build).collect()
    }
}

/// A request through this chain, in a proxy where another plugin has exported the tenant `other`.
#[track_caller]
fn check(chain: &str, headers: &[(&str, &str)], seen: &str) {
    let proxy = Proxy::<Either>::start(chain);
    proxy.host().set_property(&["filter_state", "wasm.jwt_claims"], r#"{"tenant": "other"}"#);
    let stream = proxy.request(headers);
    assert_eq!(stream.filter_state("seen").as_deref(), Some(seen), "{chain}");
    stream.end();
}

#[test]
fn in_a_chain_without_verification_they_are_another_plugins() {
    check("reads", &[("x-tenant", "acme")], "other");
}

#[test]
fn behind_verification_they_are_those_of_the_token() {
    check("verifies reads", &[("x-tenant", "acme")], "acme");
}

#[test]
fn without_a_token_there_are_none_behind_verification() {
    check("verifies reads", &[], "none");
}

#[test]
fn the_last_verification_counts() {
    check("reads verifies verifies reads", &[("x-tenant", "acme")], "acme");
    check("reads verifies reads", &[], "none");
}
