//! The tests that every filter must pass, as a macro.

mod configs;
mod described;
mod laws;

use mesh_config::{Problems, Schema};
use std::path::Path;

/// Generates the tests of a filter's config, schema, examples and README, for its `tests/contract.rs`:
///
/// ```text
/// mesh_testkit::contract! {
///     filter: "rate-limit",
///     config: rate_limit::config,
///     metric: rate_limit::policy::Metric,
///     // Valid configs with the fields that are in no example and no config of the README.
///     good: [include_str!("contract/rest.json")],
///     // Invalid configs with the fields that are in no valid one.
///     refused: [],
///     // Names and strings for random configs, besides those in the valid ones.
///     words: ["clientIp", "10.0.0.7"],
///     // Templates for random configs: random JSON replaces `"?"`.
///     frames: [r#"{"limits": ["?"]}"#],
/// }
/// ```
#[macro_export]
macro_rules! contract {
    (
        filter: $filter:literal,
        config: $($config:ident)::+,
        metric: $metric:ty,
        good: [$($good:expr),* $(,)?],
        refused: [$($refused:expr),* $(,)?],
        words: [$($word:literal),* $(,)?],
        frames: [$($frame:literal),* $(,)?] $(,)?
    ) => {
        fn contract() -> $crate::contract::Contract {
            $crate::contract::Contract {
                filter: $filter,
                folder: env!("CARGO_MANIFEST_DIR"),
                parse: |config| $($config)::+::parse(config).map(|config| format!("{config:?}")),
                schema: $($config)::+::schema,
                metrics: ::mesh_policy::metric::documentation::markdown::<$metric>,
                good: &[$($good),*],
                refused: &[$($refused),*],
                words: &[$($word),*],
                frames: &[$($frame),*],
            }
        }

        $crate::contract! { @tests
            the_filter_has_the_name_of_its_folder
            every_example_is_valid
            every_config_in_the_readme_is_one
            bytes_are_judged
            json_is_judged
            a_config_with_a_slip_is_judged
            a_config_that_is_cut_off_is_refused
            a_config_is_judged_the_same_each_time
            the_schema_and_the_tables_are_up_to_date
            the_metrics_in_the_readme_are_up_to_date
            the_schema_accepts_the_good_configs
            every_default_is_of_its_own_kind
            what_is_asked_is_what_is_described
            the_schema_and_the_reader_agree
        }
    };
    (@tests $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                contract().$test();
            }
        )*
    };
}

/// A filter under test.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Its name.
    pub filter: &'static str,
    /// The folder of its package.
    pub folder: &'static str,
    /// Parses a config and formats the result.
    pub parse: fn(&[u8]) -> Result<String, Problems>,
    /// The schema of a config.
    pub schema: fn() -> Schema,
    /// The README's part on the metrics of the filter with this name.
    pub metrics: fn(&str) -> String,
    /// Valid configs besides the examples and those of the README. All of them together have every field.
    pub good: &'static [&'static str],
    /// Invalid configs with the fields that are in no valid one.
    pub refused: &'static [&'static str],
    /// Names and strings for random configs.
    pub words: &'static [&'static str],
    /// Templates for random configs: random JSON replaces `"?"`.
    pub frames: &'static [&'static str],
}

impl Contract {
    /// The folder has the name of the filter.
    pub fn the_filter_has_the_name_of_its_folder(&self) {
        assert_eq!(Path::new(self.folder).file_name().unwrap(), self.filter);
    }

    /// The parser accepts every example.
    pub fn every_example_is_valid(&self) {
        let examples = self.examples();
        assert!(!examples.is_empty(), "no examples in {}", self.folder);
        for (name, example) in examples {
            self.assert_valid(&name, &example);
        }
    }

    /// The parser accepts every config of the README.
    pub fn every_config_in_the_readme_is_one(&self) {
        let configs = self.configs_in_readme();
        assert!(configs.len() > 1, "a whole config and a small one are in README.md");
        for config in configs {
            self.assert_valid("README.md", &config);
        }
    }

    fn assert_valid(&self, name: &str, config: &str) {
        if let Err(problems) = (self.parse)(config.as_bytes()) {
            panic!("{name}: {problems}\n{config}");
        }
    }
}
