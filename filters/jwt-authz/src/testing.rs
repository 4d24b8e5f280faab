//! For tests: how many cases a property is tried with.

use proptest::test_runner::Config;

/// So many, or what `PROPTEST_CASES` says if that is more.
pub(crate) fn cases(usual: u32) -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config::with_cases(wanted.map_or(usual, |wanted: u32| wanted.max(usual)))
}
