//! CORS preflights, which a browser sends before a request to another origin.

use crate::headers::{HeaderName, Headers};

/// Headers that a preflight never has: credentials (Fetch, section 4.8) and method overrides.
static NEVER: [HeaderName; 6] = [
    HeaderName::from_static("authorization"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("cookie"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// Whether the request is a preflight (Fetch, section 3.3.2) that no upstream could read as another request: `OPTIONS`
/// without body and trailers, with one `origin` and one `access-control-request-method`, and without credentials.
///
/// `credentials` are further headers with credentials. The query is not checked: it is that of the actual request, and
/// may contain a token.
pub fn is_preflight<'a>(
    headers: &Headers,
    end_of_stream: bool,
    credentials: impl IntoIterator<Item = &'a HeaderName>,
) -> bool {
    // Envoy joins repeated headers with commas, which no origin or method contains.
    let is_one = |value: &[u8]| !value.is_empty() && !value.contains(&b',');
    let once = |name| {
        let mut values = headers.get(name);
        values.next().is_some_and(is_one) && values.next().is_none()
    };
    let is_given = |name: &HeaderName| headers.spelt_like(name).next().is_some();
    end_of_stream
        && headers.method() == b"OPTIONS"
        && once("origin")
        && once("access-control-request-method")
        && !NEVER.iter().chain(credentials).any(is_given)
}

mesh_config::choice! {
    /// The config's `cors_preflight`: what a filter does with a preflight. Browsers send it without
    /// credentials, and plugins run before the CORS filter that answers it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum CorsPreflight {
        /// A preflight continues, neither judged nor counted. Browsers send it without credentials, and
        /// plugins run before Envoy's CORS filter. A preflight is `OPTIONS` without body and trailers, with
        /// one `origin` and one `access-control-request-method`, and without `authorization`,
        /// `proxy-authorization`, `cookie`, `x-http-method-override`, `x-http-method` and
        /// `x-method-override`; anything else is judged.
        #[default]
        Allow = "allow",
        /// A preflight is a request like any other.
        Check = "check",
    }
}

impl CorsPreflight {
    /// Whether the request is forwarded without a decision. The arguments are those of [`is_preflight`].
    pub fn lets_through<'a>(
        self,
        headers: &Headers,
        end_of_stream: bool,
        credentials: impl IntoIterator<Item = &'a HeaderName>,
    ) -> bool {
        self == Self::Allow && is_preflight(headers, end_of_stream, credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::CorsPreflight;
    use crate::headers::{HeaderName, Headers};
    use crate::testing::test;

    const TOKEN: HeaderName = HeaderName::from_static("x-token");
    const ORIGIN: (&str, &str) = ("origin", "https://a.example");
    const METHOD: (&str, &str) = ("access-control-request-method", "PUT");

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: bool) {
        let headers = Headers::from_pairs(headers.iter().copied());
        assert_eq!(CorsPreflight::Allow.lets_through(&headers, true, [&TOKEN]), expected);
        assert!(!CorsPreflight::Allow.lets_through(&headers, false, [&TOKEN]));
        assert!(!CorsPreflight::Check.lets_through(&headers, true, [&TOKEN]));
    }

    /// A preflight with one more header.
    #[track_caller]
    fn check_with(name: &str, expected: bool) {
        check(&[(":method", "OPTIONS"), ORIGIN, METHOD, (name, "x")], expected);
    }

    #[test]
    fn preflights() {
        check(&[(":method", "OPTIONS"), ORIGIN, METHOD], true);
        check(&[(":method", "OPTIONS"), (":path", "/?token=1"), ORIGIN, METHOD], true);
        check(&[(":method", "OPTIONS"), ORIGIN], false);
        check(&[(":method", "OPTIONS"), METHOD], false);
        check(&[(":method", "OPTIONS"), ("origin", ""), METHOD], false);
        check(&[(":method", "OPTIONS"), ("origin", " "), METHOD], false);
        check(&[(":method", "OPTIONS"), ("origin", "https://a.example,https://b.example"), METHOD], false);
        check(&[(":method", "OPTIONS"), ORIGIN, ("access-control-request-method", "PUT,GET")], false);
        check(&[(":method", "GET"), ORIGIN, METHOD], false);
        check(&[(":method", "options"), ORIGIN, METHOD], false);
        check(&[], false);
    }

    #[test]
    fn what_no_preflight_has() {
        check_with("accept", true);
        check_with("access-control-request-headers", true);
        for name in [
            "origin",
            "access-control-request-method",
            "authorization",
            "proxy-authorization",
            "Proxy_Authorization",
            "cookie",
            "x-http-method-override",
            "X-HTTP-Method_Override",
            "x-http-method",
            "x-method-override",
            "x-token",
            "x.token",
        ] {
            check_with(name, false);
        }
    }
}
