//! CORS preflights: what a browser asks before it sends a request to another origin.

use crate::config::Value;
use crate::headers::Headers;

/// Whether the request is a preflight (Fetch, section 3.3.2, as Envoy's CORS filter reads it):
/// `OPTIONS` with an `origin` and an `access-control-request-method`.
#[must_use]
pub fn is_preflight(headers: &Headers) -> bool {
    let given = |name| headers.first(name).is_some_and(|value| !value.is_empty());
    headers.method() == b"OPTIONS" && given("origin") && given("access-control-request-method")
}

/// The config's `cors_preflight`: what a filter does with a preflight. Browsers send it without
/// credentials, and plugins run before the CORS filter that answers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorsPreflight {
    /// It goes on, unjudged and uncounted.
    #[default]
    Allow,
    /// It is a request like any other.
    Check,
}

impl CorsPreflight {
    /// Reads `allow` or `check` from a config.
    pub fn read(value: Value<'_>) -> Option<Self> {
        value.choice(&[("allow", Self::Allow), ("check", Self::Check)])
    }

    /// Whether the request goes on unjudged.
    #[must_use]
    pub fn lets_through(self, headers: &Headers) -> bool {
        self == Self::Allow && is_preflight(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::CorsPreflight;
    use crate::headers::Headers;
    use crate::testing::test;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: bool) {
        let headers = Headers::from_pairs(headers.iter().copied());
        assert_eq!(CorsPreflight::Allow.lets_through(&headers), expected);
        assert!(!CorsPreflight::Check.lets_through(&headers));
    }

    #[test]
    fn preflights() {
        const ORIGIN: (&str, &str) = ("origin", "https://a.example");
        const METHOD: (&str, &str) = ("access-control-request-method", "PUT");
        check(&[(":method", "OPTIONS"), ORIGIN, METHOD], true);
        check(&[(":method", "OPTIONS"), ORIGIN], false);
        check(&[(":method", "OPTIONS"), METHOD], false);
        check(&[(":method", "OPTIONS"), ("origin", ""), METHOD], false);
        check(&[(":method", "GET"), ORIGIN, METHOD], false);
        check(&[], false);
    }
}
