//! What every filter must keep to, as one macro.

mod configs;
mod described;
mod laws;

use mesh_config::{Problems, Schema};
use std::path::Path;

/// Tests a filter: its configs, its examples and its README.
///
/// Beside `src/`, in `tests/contract.rs`:
///
/// ```text
/// mesh_testkit::contract! {
///     filter: "rate-limit",
///     config: rate_limit::config,
///     metric: rate_limit::policy::Metric,
///     // Good configs with the fields that no example and no config of the README has.
///     good: [include_str!("contract/rest.json")],
///     // Configs that are refused, with the fields that no good one has.
///     refused: [],
///     // Names and texts for random configs, besides those of the good ones.
///     words: ["clientIp", "10.0.0.7"],
///     // Where a piece of random JSON is put, as `"?"`.
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

/// A filter, as its tests see it.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Its name.
    pub filter: &'static str,
    /// The folder of its package.
    pub folder: &'static str,
    /// Reads a config, and shows what it is.
    pub parse: fn(&[u8]) -> Result<String, Problems>,
    /// Describes a config.
    pub schema: fn() -> Schema,
    /// The README's part on the metrics of the filter with this name.
    pub metrics: fn(&str) -> String,
    /// Good configs, besides the examples and those of the README: between them they have every field.
    pub good: &'static [&'static str],
    /// Configs that are refused, and have the fields that no good one has.
    pub refused: &'static [&'static str],
    /// Names and texts for random configs.
    pub words: &'static [&'static str],
    /// Where a piece of random JSON is put, as `"?"`.
    pub frames: &'static [&'static str],
}

impl Contract {
    /// Folder, package and filter have one name.
    pub fn the_filter_has_the_name_of_its_folder(&self) {
        assert_eq!(Path::new(self.folder).file_name().unwrap(), self.filter);
    }

    /// The module would take each.
    pub fn every_example_is_valid(&self) {
        let examples = self.examples();
        assert!(!examples.is_empty(), "no examples in {}", self.folder);
        for (name, example) in examples {
            self.assert_valid(&name, &example);
        }
    }

    /// A reader may copy each.
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
