//! Where a provider's keys come from.

use crate::crypto::{KeySet, KeySetError, Origin};
use mesh_config::kinds::{Object, Text, any, by_fields, duration, string, text};
use mesh_config::{Form, ProblemKind, Value};
use mesh_policy::headers::HeaderValue;
use std::rc::Rc;
use std::time::Duration;

/// A provider's keys.
#[derive(Clone, Debug)]
pub enum Jwks {
    /// In the config.
    Inline(Rc<KeySet>),
    /// At a key server.
    Remote(Remote),
}

mesh_config::object! {
    /// A key set at a key server.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Remote {
        /// Envoy's cluster for requests to the key server; in Istio as `outbound|443||auth.example.com`. TLS is the
        /// cluster's.
        pub cluster: String = required(string().not_empty().at_most(MAX_BYTES)),
        /// The `:authority` of these requests: a host, with or without port.
        pub host: HeaderValue = required(host()),
        /// What to ask for.
        pub location: Location = flatten(),
        /// Age at which a key set is fetched again.
        pub refresh: Duration = default("5m", duration(SECOND..=DAY)),
        /// Time limit for an answer.
        pub timeout: Duration = default("2s", duration(Duration::from_millis(10)..=MAX_WAIT)),
        /// How long a request waits for the first key set, or for a [key that the set does not have](#key-sets).
        pub wait: Duration = default("5s", duration(Duration::ZERO..=MAX_WAIT)),
    }
    elsewhere {
        "cache_duration" => "refresh",
    }
}

/// What to ask a key server for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The path of a JWK Set (RFC 7517, section 5).
    KeySet(HeaderValue),
    /// The path of an OpenID configuration (OpenID Connect Discovery 1.0, section 4) that names it.
    Discovery(HeaderValue),
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
const MAX_WAIT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 2048;
const MAX_HOST_BYTES: usize = 255;

impl Object for Jwks {
    type Context<'a> = ();

    const NAME: &'static str = "Jwks";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let set = r#"{"type": "object", "properties": {"keys": {"type": "array"}}, "required": ["keys"]}"#;
        form.one_of()
            .take_null()
            .case("inline", INLINE, any(set, read_inline), |set| Self::Inline(Rc::new(set)))
            .case("remote", "A key set at a key server.", Remote::kind(), Self::Remote)
            .end()
    }
}

const INLINE: &str = "The keys themselves: a JWK Set (RFC 7517) of up to 256 keys. A key that \
    [cannot be used](#algorithms) is an error, and so is a private RSA or EC key. `oct` keys have at least 32 bytes, 48 \
    for `HS384` and 64 for `HS512`.";

/// In a config an unusable key is a mistake; at a key server it is skipped.
fn read_inline(value: &Value<'_>) -> Option<KeySet> {
    let (set, skipped) = match KeySet::from_json(&value.json()?, Origin::Inline) {
        Ok(set) => (Some(set.clone()), set.skipped().to_vec()),
        Err(KeySetError::NoKey(skipped)) if !skipped.is_empty() => (None, skipped),
        Err(error) => return value.problem(ProblemKind::BadPattern, error),
    };
    for skipped in &skipped {
        let path = format!("keys[{}]", skipped.index);
        value.problem_at::<()>(&path, ProblemKind::BadPattern, &skipped.reason);
    }
    set.filter(|_| skipped.is_empty())
}

impl Object for Location {
    type Context<'a> = ();

    const NAME: &'static str = "Location";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let path = text(|value, path| read_path(value, path, "/.well-known/jwks.json"));
        let discovery = text(|value, path| read_path(value, path, "/.well-known/openid-configuration"));
        form.one_of()
            .take_null()
            .case("path", "The path of the JWK Set.", path.at_most(MAX_BYTES), Self::KeySet)
            .case("discovery", DISCOVERY, discovery.at_most(MAX_BYTES), Self::Discovery)
            .end()
    }
}

const DISCOVERY: &str = "The path of an OpenID configuration, whose `jwks_uri` is followed on the same host \
    and cluster only.";

/// A host with or without a port.
fn host() -> Text<HeaderValue> {
    text(|value, host| {
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        };
        if !host.bytes().all(plain) {
            return value.expected(ProblemKind::BadPattern, "a host, as `auth.example.com`");
        }
        Some(HeaderValue::text(host))
    })
    .not_empty()
    .at_most(MAX_HOST_BYTES)
}

fn read_path(value: &Value<'_>, path: &str, example: &str) -> Option<HeaderValue> {
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return value.expected(ProblemKind::BadPattern, format_args!("a path, as `{example}`"));
    }
    Some(HeaderValue::text(path))
}
