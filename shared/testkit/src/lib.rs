//! Test support for all filters. Only for tests: it panics to fail them.
//!
//! - [`contract!`]: the tests that every filter must pass;
//! - [`goodness`]: compares samples with the distribution that they should have;
//! - [`manifest`]: validates manifests for Istio;
//! - [`markdown`]: finds parts of a README;
//! - [`random`]: random numbers that are the same in every test;
//! - [`records`]: the shared data of a simulated proxy;
//! - [`script`]: interleaves workers on it by a script, which a property test generates;
//! - [`search`]: interleaves workers on it in every possible order, up to a size.

pub mod contract;
pub mod goodness;
pub mod manifest;
pub mod markdown;
pub mod random;
pub mod records;
pub mod script;
pub mod search;

use proptest::test_runner::Config;

/// Config for a property test: `usual` cases, or `PROPTEST_CASES` if that is more.
#[must_use]
pub fn cases(usual: u32) -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config::with_cases(wanted.map_or(usual, |wanted: u32| wanted.max(usual)))
}
