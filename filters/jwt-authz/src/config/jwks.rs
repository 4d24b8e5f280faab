//! Where a provider's keys come from.

use crate::crypto::{KeySet, KeySetError, Origin};
use mesh_config::{Fields, Value};
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

/// A key set at a key server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The proxy's cluster to ask.
    pub cluster: String,
    /// `:authority` of the question.
    pub host: HeaderValue,
    /// What to ask for.
    pub location: Location,
    /// How old a key set may get before a newer one is asked for.
    pub refresh: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long a request waits for the first set, or for the set that has its unknown key.
    pub wait: Duration,
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
const DEFAULT_REFRESH: Duration = Duration::from_secs(300);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 2048;
const MAX_HOST_BYTES: usize = 255;

impl Jwks {
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        value.object(|fields| match (fields.get("inline"), fields.get("remote")) {
            (Some(inline), None) => read_inline(&inline).map(Rc::new).map(Self::Inline),
            (None, Some(remote)) => remote.object(Remote::read).map(Self::Remote),
            (None, None) => fields.problem_here("found neither, expected one of `inline`, `remote`"),
            (Some(_), Some(_)) => fields.problem_here("found both, expected one of `inline`, `remote`"),
        })
    }
}

/// In a config an unusable key is a mistake; at a key server it is somebody else's.
fn read_inline(value: &Value<'_>) -> Option<KeySet> {
    let (set, skipped) = match KeySet::from_json(&value.json()?, Origin::Inline) {
        Ok(set) => (Some(set.clone()), set.skipped().to_vec()),
        Err(KeySetError::NoKey(skipped)) if !skipped.is_empty() => (None, skipped),
        Err(error) => return value.problem(error),
    };
    // Other members of a set are nobody's mistake (RFC 7517, section 5).
    let read = value.entries(|name, value| match name {
        "keys" => {
            let mut index = 0;
            value.list(|key| {
                let reason = skipped.iter().find(|skipped| skipped.index == index);
                index += 1;
                reason.map_or(Some(()), |skipped| key.problem(&skipped.reason))
            })?;
            Some(())
        }
        _ => Some(()),
    });
    read.and(set)
}

impl Remote {
    fn read(fields: &Fields<'_>) -> Option<Self> {
        let cluster = fields.required("cluster", |value| {
            let cluster = value.non_empty_text()?;
            if cluster.len() > MAX_BYTES {
                return value
                    .problem(format_args!("found {} bytes, expected at most {MAX_BYTES}", cluster.len()));
            }
            Some(cluster.to_owned())
        });
        let host = fields.required("host", read_host);
        let path = fields.optional("path", read_path);
        let discovery = fields.optional("discovery", read_path);
        let refresh = fields.or("refresh", DEFAULT_REFRESH, |value| value.duration(SECOND..=DAY));
        let timeout = fields
            .or("timeout", DEFAULT_TIMEOUT, |value| value.duration(Duration::from_millis(10)..=30 * SECOND));
        let wait = fields.or("wait", DEFAULT_WAIT, |value| value.duration(Duration::ZERO..=30 * SECOND));
        let location = match (path?, discovery?) {
            (Some(path), None) => Location::KeySet(path),
            (None, Some(path)) => Location::Discovery(path),
            (None, None) => {
                return fields.problem_here("found neither, expected one of `path`, `discovery`");
            }
            (Some(_), Some(_)) => {
                return fields.problem_here("found both, expected one of `path`, `discovery`");
            }
        };
        Some(Self {
            cluster: cluster?,
            host: host?,
            location,
            refresh: refresh?,
            timeout: timeout?,
            wait: wait?,
        })
    }
}

/// A host with or without a port.
fn read_host(value: Value<'_>) -> Option<HeaderValue> {
    let host = value.non_empty_text()?;
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    if host.len() > MAX_HOST_BYTES {
        return value.problem(format_args!("found {} bytes, expected at most {MAX_HOST_BYTES}", host.len()));
    }
    if !host.bytes().all(plain) {
        return value.expected("a host, as `auth.example.com`");
    }
    Some(HeaderValue::text(host))
}

fn read_path(value: Value<'_>) -> Option<HeaderValue> {
    let path = value.text()?;
    if path.len() > MAX_BYTES {
        return value.problem(format_args!("found {} bytes, expected at most {MAX_BYTES}", path.len()));
    }
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return value.expected("a path, as `/.well-known/jwks.json`");
    }
    Some(HeaderValue::text(path))
}
