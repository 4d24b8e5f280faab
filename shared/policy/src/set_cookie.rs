//! A cookie that a response sets (RFC 6265, section 4.1, with the attributes and prefixes of draft-ietf-httpbis-rfc6265bis).

use crate::headers::HeaderValue;
use crate::matching::cookie_name;
use mesh_config::kinds::{Text, boolean, choice, duration, text};
use mesh_config::{Form, Kind, ProblemKind};
use std::fmt::Display;
use std::time::Duration;

/// Longest accepted name. Browsers drop a cookie whose name and value together have more than 4096 bytes.
const MAX_NAME_BYTES: usize = 256;
/// Browsers ignore an attribute with a longer value.
const MAX_PATH_BYTES: usize = 1024;
const PATH_PATTERN: &str = "^/[!-:<-~]*$";
/// Maximum length of a host name (RFC 1035, section 2.3.4, without the root and the first length).
const MAX_DOMAIN_BYTES: usize = 253;
const DOMAIN_PATTERN: &str =
    r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$";
/// Browsers keep no cookie for longer.
const MAX_AGE: Duration = Duration::from_hours(400 * 24);

/// A name with one of these makes browsers check the attributes.
const SECURE_PREFIX: &str = "__Secure-";
const HOST_PREFIX: &str = "__Host-";

mesh_config::object! {
    /// A cookie that a response sets, without its value.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SetCookie {
        /// The cookie's name. Browsers drop a cookie `__Secure-…` unless it is `secure`, and a cookie `__Host-…` unless it
        /// is `secure` and has the path `/` and no `domain`, so other combinations are refused.
        name: String = required(text(cookie_name).not_empty().at_most(MAX_NAME_BYTES)),
        /// How long browsers keep the cookie: whole seconds. Without it they keep it until they are closed. Default: none.
        max_age: Option<Duration> = optional(whole_seconds()),
        /// The host to which the cookie is sent, with its subdomains. Without it the cookie is sent to the host of the
        /// request alone. Default: none.
        domain: Option<String> = optional(domain()),
        /// The path to which the cookie is sent, with the paths below it.
        path: String = default("/", path()),
        /// Whether the cookie is sent with requests that other sites cause.
        same_site: SameSite = default("lax", choice()),
        /// Whether the cookie is sent over HTTPS only.
        secure: bool = default(true, boolean()),
        /// Whether the cookie is hidden from scripts.
        http_only: bool = default(true, boolean()),
    }
    check SetCookie::check;
    elsewhere {
        "ttl" => "max_age",
        "expires" => "max_age",
    }
}

mesh_config::choice! {
    /// Whether a cookie is sent with requests that other sites cause.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum SameSite {
        /// Only when the user follows a link.
        #[default]
        Lax = "lax",
        /// Never.
        Strict = "strict",
        /// Always; needs `secure`.
        None = "none",
    }
}

impl SetCookie {
    /// The cookie's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of `Set-Cookie`: `id=abc; Path=/; Secure; HttpOnly; SameSite=Lax`. A byte of `value` that cannot stand in a
    /// cookie's value (RFC 6265, section 4.1.1: `cookie-octet`) is percent-encoded.
    #[must_use]
    pub fn header(&self, value: &str) -> HeaderValue {
        let mut header = format!("{}={}", self.name, encoded(value));
        if let Some(max_age) = self.max_age {
            header += &format!("; Max-Age={}", max_age.as_secs());
        }
        if let Some(domain) = &self.domain {
            header += &format!("; Domain={domain}");
        }
        header += &format!("; Path={}", self.path);
        if self.secure {
            header += "; Secure";
        }
        if self.http_only {
            header += "; HttpOnly";
        }
        header += match self.same_site {
            SameSite::Lax => "; SameSite=Lax",
            SameSite::Strict => "; SameSite=Strict",
            SameSite::None => "; SameSite=None",
        };
        HeaderValue::text(header)
    }

    /// Refuses what browsers drop. They compare prefixes ignoring case.
    fn check(&self, form: &mut impl Form) -> Option<()> {
        let begins_with = |prefix: &str| {
            self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let prefix = [SECURE_PREFIX, HOST_PREFIX].into_iter().find(|prefix| begins_with(prefix));
        let mut good = Some(());
        let mut refuse = |field: &str, found: &dyn Display, expected: &str, what: &dyn Display| {
            let message =
                format_args!("found {found}, expected {expected}: browsers drop a cookie {what} otherwise");
            good = form.problem_at(field, ProblemKind::Conflict, message);
        };
        if let Some(prefix) = prefix {
            let what = format!("whose name begins with `{prefix}`");
            if !self.secure {
                refuse("secure", &false, "true", &what);
            }
            if prefix == HOST_PREFIX && self.path != "/" {
                refuse("path", &format_args!("`{}`", self.path), "`/`", &what);
            }
            if let Some(domain) = self.domain.as_ref().filter(|_| prefix == HOST_PREFIX) {
                refuse("domain", &format_args!("`{domain}`"), "none", &what);
            }
        } else if self.same_site == SameSite::None && !self.secure {
            refuse("secure", &false, "true", &"with `same_site: none`");
        }
        good
    }
}

/// A lifetime of a cookie; the attribute has no fractions.
fn whole_seconds() -> impl Kind<Out = Duration> {
    duration(Duration::from_secs(1)..=MAX_AGE).and_then(|value, age| {
        if age.subsec_nanos() != 0 {
            return value.expected(ProblemKind::BadPattern, "whole seconds");
        }
        Some(age)
    })
}

/// The name of a host (RFC 1123, section 2.1), not an address.
fn domain() -> Text<String> {
    text(|value, name| {
        let without_dots = name.trim_matches('.');
        if is_host_name(name) {
            return Some(name.to_owned());
        }
        if is_host_name(without_dots) {
            let expected =
                format_args!("`{without_dots}`, without a dot at its ends: subdomains are included");
            return value.expected(ProblemKind::BadPattern, expected);
        }
        value.expected(ProblemKind::BadPattern, "the name of a host, such as `example.com`")
    })
    .at_most(MAX_DOMAIN_BYTES)
    .described_as(DOMAIN_PATTERN, &["example.com"])
}

fn is_host_name(name: &str) -> bool {
    const MAX_LABEL_BYTES: usize = 63;
    let is_label = |label: &str| {
        let characters = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let ends_are_good = !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
        characters && ends_are_good && label.len() <= MAX_LABEL_BYTES
    };
    // The last label of an IPv4 address is a number.
    let is_address =
        name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.split('.').all(is_label) && !is_address
}

/// A path as a request has it. Browsers encode spaces and other characters before they compare it, so with one of those it
/// would be no request's path.
fn path() -> Text<String> {
    text(|value, path| {
        let is_good = |byte: u8| byte.is_ascii_graphic() && byte != b';';
        if path.starts_with('/') && path.bytes().all(is_good) {
            return Some(path.to_owned());
        }
        value.expected(
            ProblemKind::BadPattern,
            "a path: `/` and then visible ASCII characters without `;`, others percent-encoded",
        )
    })
    .at_most(MAX_PATH_BYTES)
    .described_as(PATH_PATTERN, &["/", "/shop"])
}

/// The text, with everything percent-encoded that is no `cookie-octet`.
fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if matches!(byte, b'!' | b'#'..=b'+' | b'-'..=b':' | b'<'..=b'[' | b']'..=b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
