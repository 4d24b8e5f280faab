//! What every filter must keep to, as one macro.

mod configs;
mod laws;

use mesh_config::Problems;
use std::path::Path;

/// Tests a filter: its configs, its examples and its README.
///
/// Beside `src/`, in `tests/contract.rs`:
///
/// ```ignore
/// mesh_testkit::contract! {
///     filter: "rate-limit",
///     parse: rate_limit::config::parse,
///     // What its configs are made of, besides all that its examples and its README say.
///     words: ["client_ip", "10.0.0.7"],
///     // Where a piece of random JSON is put, as `"?"`.
///     frames: [r#"{"limits": ["?"]}"#],
/// }
/// ```
#[macro_export]
macro_rules! contract {
    (
        filter: $filter:literal,
        parse: $parse:path,
        words: [$($word:literal),* $(,)?],
        frames: [$($frame:literal),* $(,)?] $(,)?
    ) => {
        fn contract() -> $crate::contract::Contract {
            $crate::contract::Contract {
                filter: $filter,
                folder: env!("CARGO_MANIFEST_DIR"),
                parse: |config| $parse(config).map(|config| format!("{config:?}")),
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
