//! Log lines about unused keys of a set.

use crate::crypto::Skipped;

/// Log lines, bounded in number so that a set with many unusable keys does not flood the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    /// Keys that are invalid or unsupported.
    pub wrong: Vec<String>,
    /// Keys that are not meant for signatures.
    pub other_use: Vec<String>,
}

/// Maximum number of keys that are listed.
const MAX_NAMED: usize = 16;

impl Unused {
    /// A line for each key, and one with the number of keys beyond the bound.
    #[must_use]
    pub fn new(skipped: &[Skipped]) -> Self {
        let lines = |is_other_use: bool| {
            let keys = || skipped.iter().filter(|key| key.reason.is_other_use() == is_other_use);
            let more = keys().count().saturating_sub(MAX_NAMED);
            let named = keys().take(MAX_NAMED).map(ToString::to_string);
            named.chain((more > 0).then(|| format!("and {more} more"))).collect()
        };
        Self { wrong: lines(false), other_use: lines(true) }
    }
}

#[cfg(test)]
mod tests {
    use super::Unused;
    use crate::crypto::{KeySet, Origin};
    use serde_json::{Value, json};

    #[track_caller]
    fn check(skipped: &[Value], wrong: &[&str], other_use: &[&str]) {
        let good =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let keys: Vec<_> = skipped.iter().cloned().chain([good]).collect();
        let set = KeySet::from_json(&json!({"keys": keys}), Origin::Remote).unwrap();
        let unused = Unused::new(set.skipped());
        assert_eq!((unused.wrong, unused.other_use), (owned(wrong), owned(other_use)));
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn each_with_its_reason() {
        check(&[], &[], &[]);
        check(
            &[
                json!({"kty": "RSA", "use": "enc"}),
                json!({"kty": "EC", "crv": "P-521"}),
                json!({"kty": "EC", "use": "x509-svid"}),
                json!({"kty": "RSA", "key_ops": ["encrypt"]}),
                json!(7),
            ],
            &["keys[1]: `crv` is `P-521`, expected `P-256` or `P-384`", "keys[4]: expected an object"],
            &[
                "keys[0]: `use` is `enc`, expected `sig` or `jwt-svid`",
                "keys[2]: `use` is `x509-svid`, expected `sig` or `jwt-svid`",
                "keys[3]: `key_ops` is not a list with `verify`",
            ],
        );
    }

    /// Keys for other uses do not take the lines of invalid ones.
    #[test]
    fn a_bound_on_the_lines() {
        let lines = |first: usize, reason: &str, more: usize| {
            let keys = (first..first + 16).map(|index| format!("keys[{index}]: {reason}"));
            keys.chain([format!("and {more} more")]).collect::<Vec<_>>()
        };
        let keys = [vec![json!({"kty": "RSA", "use": "enc"}); 20], vec![json!([]); 19]].concat();
        let wrong = lines(20, "expected an object", 3);
        let other_use = lines(0, "`use` is `enc`, expected `sig` or `jwt-svid`", 4);
        let slices =
            |lines: &[String]| lines.iter().map(|line| line.clone().leak() as &str).collect::<Vec<_>>();
        check(&keys, &slices(&wrong), &slices(&other_use));
    }
}
