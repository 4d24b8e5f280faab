//! What the tests of every filter share. Only for tests: it panics, since that is how a test fails.
//!
//! - [`contract!`]: the tests of every filter;
//! - [`manifest`]: manifests for Istio;
//! - [`records`]: a proxy's shared data;
//! - [`script`]: plays one script on it, which a property test makes up;
//! - [`search`]: plays every script of a few tasks.

pub mod contract;
pub mod manifest;
pub mod records;
pub mod script;
pub mod search;

use proptest::test_runner::Config;

/// The number of cases that a property is tried with: `usual`, or `PROPTEST_CASES` if that is more.
#[must_use]
pub fn cases(usual: u32) -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config::with_cases(wanted.map_or(usual, |wanted: u32| wanted.max(usual)))
}
