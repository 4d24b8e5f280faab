//! Property tests of the parser.

use super::Contract;
use super::configs::places;
use crate::cases;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

/// Twice proptest's default, since there are several valid configs.
const CASES: u32 = 512;

pub(super) fn hold<S: Strategy>(strategy: &S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    // Seeds would be worthless once an example changes.
    let config = Config { failure_persistence: None, ..cases(CASES) };
    TestRunner::new(config).run(strategy, law).unwrap_or_else(|error| panic!("{error}"));
}

impl Contract {
    /// Parsing succeeds or reports problems of one line each, and parsing again gives the same result.
    fn judge(&self, config: &[u8]) -> Result<(), TestCaseError> {
        let judged = (self.parse)(config);
        if let Err(problems) = &judged {
            prop_assert!(problems.iter().count() > 0);
            prop_assert_eq!(problems.to_string().lines().count(), problems.iter().count());
        }
        prop_assert_eq!((self.parse)(config), judged);
        Ok(())
    }

    /// Arbitrary bytes do not panic.
    pub fn bytes_are_judged(&self) {
        hold(&any::<Vec<u8>>(), |config| self.judge(&config));
    }

    /// Arbitrary JSON does not panic, by itself and within the templates.
    pub fn json_is_judged(&self) {
        hold(&self.random_json(), |json| {
            let json = json.to_string();
            self.judge(json.as_bytes())?;
            self.frames.iter().try_for_each(|frame| self.judge(frame.replace("\"?\"", &json).as_bytes()))
        });
    }

    /// A valid config with one value replaced does not panic. It gets further than arbitrary JSON.
    pub fn a_config_with_a_slip_is_judged(&self) {
        let strategy = (select(self.good()), any::<Index>(), self.random_json());
        hold(&strategy, |(config, place, slip)| {
            let mut config: Value = serde_json::from_str(&config).unwrap();
            let places = places(&config);
            *config.pointer_mut(place.get(&places).as_str()).unwrap() = slip;
            self.judge(config.to_string().as_bytes())
        });
    }

    /// A truncated config is refused.
    pub fn a_config_that_is_cut_off_is_refused(&self) {
        hold(&(select(self.good()), any::<Index>()), |(config, end)| {
            let config = config.trim_end();
            // At least one byte: zero bytes are an empty config.
            let end = 1 + end.index(config.len() - 1);
            let cut = config.as_bytes().get(..end).unwrap();
            prop_assert!((self.parse)(cut).is_err());
            self.judge(cut)
        });
    }

    /// Parsing a valid config twice gives the same result.
    pub fn a_config_is_judged_the_same_each_time(&self) {
        for config in self.good() {
            assert_eq!((self.parse)(config.as_bytes()), (self.parse)(config.as_bytes()), "{config}");
        }
    }
}
