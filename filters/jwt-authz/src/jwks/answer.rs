//! Reads the responses of a key server.

use crate::config::{Location, Remote};
use crate::crypto::{KeySet, Origin, Skipped};
use mesh_policy::headers::{HeaderValue, Headers};
use serde_json::Value as Json;
use std::fmt;
use std::time::Duration;

/// The purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Fetches the OpenID configuration.
    Discovery,
    /// Fetches the key set.
    KeySet,
}

/// The result of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A usable key set.
    Keys {
        /// Freshness lifetime according to the response; `None` if it has none.
        max_age: Option<Duration>,
        /// The keys that are not used.
        skipped: Vec<Skipped>,
    },
    /// The path of the key set, to be fetched next.
    Ask(HeaderValue),
}

/// A response of a key server.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The status; `None` if there was no response.
    pub status: Option<u16>,
    /// The response headers.
    pub headers: &'a Headers,
    /// The body, possibly truncated.
    pub body: &'a [u8],
    /// Whether the body is complete.
    pub is_complete: bool,
}

/// Why a fetch failed. Displayed in the log, so it contains nothing of the response except shortened names of
/// unsupported features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call could not be sent, for this reason: the proxy has no such cluster, for example.
    NotSent(String),
    /// A status other than 200, or `None` if there was no response.
    Status(Option<u16>),
    /// The body exceeds the maximum size of a key set.
    TooLarge,
    /// The body is not a key set, or none of its keys can be used.
    NoKeys(String),
    /// The body is an OpenID configuration in the place of a key set.
    OpenIdConfiguration,
    /// The body is not an OpenID configuration with a `jwks_uri`.
    NoUri,
    /// `jwks_uri` names another host.
    ElsewhereUri,
}

impl Step {
    /// The first call of a fetch, and its path.
    #[must_use]
    pub const fn first(remote: &Remote) -> (Self, &HeaderValue) {
        match &remote.location {
            Location::KeySet(path) => (Self::KeySet, path),
            Location::Discovery(path) => (Self::Discovery, path),
        }
    }
}

/// Reads a response.
///
/// # Errors
/// The fetch failed.
pub fn read(step: Step, remote: &Remote, answered: &Answered<'_>) -> Result<Next, Failure> {
    // Redirects are not followed: keys are only accepted from the configured host.
    if answered.status != Some(200) {
        return Err(Failure::Status(answered.status));
    }
    if !answered.is_complete {
        return Err(Failure::TooLarge);
    }
    match step {
        Step::Discovery => key_set_path(answered.body, remote).map(Next::Ask),
        Step::KeySet => match KeySet::read(answered.body, Origin::Remote) {
            Ok(set) => Ok(Next::Keys { max_age: max_age(answered.headers), skipped: set.skipped().to_vec() }),
            Err(_) if is_openid_configuration(answered.body) => Err(Failure::OpenIdConfiguration),
            Err(error) => Err(Failure::NoKeys(error.to_string())),
        },
    }
}

/// Whether the body has a `jwks_uri`, as an OpenID configuration has and a key set has not.
fn is_openid_configuration(body: &[u8]) -> bool {
    mesh_config::json::parse(body).is_ok_and(|document| document.get("jwks_uri").is_some())
}

/// The path of `jwks_uri` (OpenID Connect Discovery 1.0, section 3), which must be on the configured host.
fn key_set_path(body: &[u8], remote: &Remote) -> Result<HeaderValue, Failure> {
    let document = mesh_config::json::parse(body).map_err(|_| Failure::NoUri)?;
    let uri = document.get("jwks_uri").and_then(Json::as_str).ok_or(Failure::NoUri)?;
    let (rest, port) = match (uri.strip_prefix("https://"), uri.strip_prefix("http://")) {
        (Some(rest), _) => (rest, ":443"),
        (_, Some(rest)) => (rest, ":80"),
        _ => return Err(Failure::NoUri),
    };
    let uri = rest.split('#').next().unwrap_or_default();
    let end = uri.find(['/', '?']).unwrap_or(uri.len());
    let (authority, path) = uri.split_at_checked(end).unwrap_or((uri, ""));
    let host = String::from_utf8_lossy(remote.host.as_bytes());
    let without_port = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    if without_port(authority) != without_port(&host) {
        return Err(Failure::ElsewhereUri);
    }
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::NoUri);
    }
    HeaderValue::new(path).ok_or(Failure::NoUri)
}

/// The freshness lifetime of a response (RFC 9111, section 5.2.2.1). If `max-age` is repeated, the first one counts
/// (section 4.2.1).
fn max_age(headers: &Headers) -> Option<Duration> {
    let mut age = None;
    for directive in headers.get("cache-control").flat_map(|line| line.split(|byte| *byte == b',')) {
        let directive = String::from_utf8_lossy(directive).trim().to_ascii_lowercase();
        if directive == "no-store" || directive == "no-cache" {
            return Some(Duration::ZERO);
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            age = age.or_else(|| read_seconds(seconds));
        }
    }
    age
}

/// A number of seconds, possibly quoted.
fn read_seconds(text: &str) -> Option<Duration> {
    let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let digits = unquoted.unwrap_or(text);
    let seconds = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    seconds.map(Duration::from_secs)
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => formatter.write_str(why),
            Self::Status(Some(status)) => write!(formatter, "status {status}"),
            Self::Status(None) => formatter.write_str("no response"),
            Self::TooLarge => formatter.write_str("the response is too large"),
            Self::NoKeys(error) => formatter.write_str(error),
            Self::OpenIdConfiguration => formatter.write_str(
                "the response is an OpenID configuration, not a key set; use `discovery` instead of `path`",
            ),
            Self::NoUri => formatter.write_str("no OpenID configuration with a `jwks_uri`"),
            Self::ElsewhereUri => formatter.write_str("`jwks_uri` is on another host"),
        }
    }
}

#[cfg(test)]
mod tests;
