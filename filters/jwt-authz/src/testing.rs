//! Test support: the number of cases of a property test.

use proptest::test_runner::Config;

/// `usual` cases, or `PROPTEST_CASES` if that is more.
pub(crate) fn cases(usual: u32) -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config::with_cases(wanted.map_or(usual, |wanted: u32| wanted.max(usual)))
}
