//! Trailers that are removed from a request.

use super::forward;
use super::token_locations::TokenLocations;
use crate::config::TokenLocation;
use mesh_policy::headers::HeaderName;
use mesh_policy::mode::Mode;

/// Names of the trailers to remove: the headers that only this filter may set and, in mode `enforce`, those that may
/// hold tokens, even if the token is forwarded. A token in trailers was never verified, and trailers must not carry
/// credentials (RFC 9110, section 6.5.1).
pub(super) fn kept_out(
    own_headers: &[HeaderName],
    locations: &TokenLocations,
    mode: Mode,
) -> Vec<HeaderName> {
    let mut names = own_headers.to_vec();
    for location in locations.all().filter(|_| mode == Mode::Enforce) {
        let name = match location {
            TokenLocation::Header { name, .. } => name,
            TokenLocation::Cookie(_) => &forward::COOKIE,
            TokenLocation::Query(_) => continue,
        };
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use mesh_policy::headers::{Headers, spellings};
    use proptest::prelude::*;

    /// Names of the trailers that a config with these token locations removes.
    fn names(mode: &str, locations: &str) -> Vec<HeaderName> {
        let config = format!(
            r#"{{"mode": "{mode}", "providers": [
                {{"name": "a", "algorithms": ["HS256"], "from": [{locations}],
                  "claims_to_headers": [{{"claim": "sub", "header": "x-jwt-sub"}}],
                  "payload_header": "x-payload", "jwks": {{"inline": {{"keys": [
                    {{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}]}}}}}}],
                "rules": [{{"name": "r", "action": "allow"}}]}}"#
        );
        let config = config::parse(config.as_bytes()).unwrap();
        let own_headers: Vec<_> =
            config.providers.iter().flat_map(|provider| provider.own_headers()).cloned().collect();
        kept_out(&own_headers, &TokenLocations::new(&config.providers), config.settings.mode)
    }

    #[track_caller]
    fn check(names: &[HeaderName], trailers: &[(&str, &str)], left: &[&str]) {
        let mut trailers = Headers::from_pairs(trailers.iter().copied());
        let (own, all) = spellings(&trailers, names);
        assert_eq!(all, Ok(()));
        for name in own {
            trailers.remove(&name);
        }
        let found: Vec<_> = trailers.iter().map(|(name, _)| std::str::from_utf8(name).unwrap()).collect();
        assert_eq!(found, left);
    }

    const TOKENS: &str = r#"{"header": "x-token"}, {"cookie": "t"}, {"query": "t"}"#;
    const TRAILERS: [(&str, &str); 8] = [
        ("x-jwt-sub", "admin"),
        ("x_jwt-sub", "root"),
        ("x-jwt-sub", "admin"),
        ("X-Payload", "e30"),
        ("x-token", "e30.e30."),
        ("x_token", "e30.e30."),
        ("cookie", "t=e30.e30."),
        ("x-checksum", "1"),
    ];

    #[test]
    fn what_only_the_filter_sets_is_kept_out_in_every_mode_and_tokens_where_it_decides() {
        check(&names("enforce", TOKENS), &TRAILERS, &["x-checksum"]);
        for mode in ["shadow", "off"] {
            check(&names(mode, TOKENS), &TRAILERS, &["x-token", "x_token", "cookie", "x-checksum"]);
        }
        let header = r#"{"header": "authorization", "prefix": "Bearer "}"#;
        check(&names("enforce", header), &[("authorization", "Basic dTpw"), ("cookie", "a=1")], &["cookie"]);
    }

    proptest! {
        /// Every spelling of these names is removed; all other trailers stay, in their order.
        #[test]
        fn no_spelling_goes_on(
            trailers in prop::collection::vec(("[xX][-_.!~]?[jJ][wW][tT][-_.!~a][sS][uU][bB]|[a-z]{1,3}", "\\PC*"), 0..9),
        ) {
            let names = names("off", TOKENS);
            let is_kept_out = |found: &str| names.iter().any(|name| name.is_same_variable(found.as_bytes()));
            let lower: Vec<_> = trailers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
            let left: Vec<_> = lower.iter().map(String::as_str).filter(|name| !is_kept_out(name)).collect();
            let trailers: Vec<_> = trailers.iter().map(|(name, value)| (&**name, &**value)).collect();
            check(&names, &trailers, &left);
        }
    }
}
