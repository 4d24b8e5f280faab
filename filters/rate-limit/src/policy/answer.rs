//! What a client is told: headers on an admitted response, a whole reply on a refusal.

use super::decision::{Reason, Refusal, Standing};
use crate::config::{Config, KeyPart, Limit};
use mesh_policy::effects::{Edit, GrpcStatus, Reply};
use mesh_policy::headers::{HeaderName, HeaderValue};
use std::time::Duration;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");
/// Tells Envoys in front not to retry.
const X_ENVOY_RATELIMITED: HeaderName = HeaderName::from_static("x-envoy-ratelimited");
const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// The status of a refusal that no limit has decided.
const UNAVAILABLE: u16 = 503;

impl Config {
    /// The headers for a response whose request was admitted. They take the place of the upstream's.
    #[must_use]
    pub fn response_edits(&self, standing: &Standing) -> Vec<Edit> {
        if !(self.response_headers.ratelimit || self.response_headers.x_ratelimit) {
            return Vec::new();
        }
        let mut edits = Vec::with_capacity(5);
        edits.extend(self.standing_headers(standing).map(|(name, value)| Edit::Set(name, value)));
        edits
    }

    /// The answer to a request that is refused. `grpc`: whether it is a gRPC request.
    #[must_use]
    pub fn reply(&self, refusal: &Refusal, grpc: bool) -> Reply {
        let limit = refusal.limit.and_then(|limit| self.limits.get(limit));
        let name = limit.map_or("", |limit| &limit.name);
        let mut headers = Vec::new();
        if let Reason::NoTokens { standing, wait } = &refusal.reason {
            headers.extend(self.standing_headers(standing));
            if self.response_headers.retry_after {
                headers.push((RETRY_AFTER, HeaderValue::text(seconds(*wait).max(1).to_string())));
            }
        }
        let (status, grpc_status) = match refusal.reason {
            Reason::Error => (UNAVAILABLE, GrpcStatus::Unavailable),
            // Waiting does not help: the client is to mend its request.
            Reason::NoKey { .. } => (self.reject.missing_key_status, GrpcStatus::InvalidArgument),
            Reason::NoTokens { .. } | Reason::NoSlot => {
                headers.push((X_ENVOY_RATELIMITED, HeaderValue::text("true")));
                (self.reject.status, GrpcStatus::ResourceExhausted)
            }
        };
        let (body, content_type) = match (&self.reject.body, &refusal.reason) {
            _ if grpc => (message(&refusal.reason, limit), None),
            // The config's body speaks of a quota.
            (Some(body), Reason::NoTokens { .. } | Reason::NoSlot) => {
                (body.clone(), Some(self.reject.content_type.clone()))
            }
            (_, reason) => {
                (problem(reason, status, limit), Some(HeaderValue::text("application/problem+json")))
            }
        };
        headers.extend(content_type.map(|content_type| (CONTENT_TYPE, content_type)));
        headers.extend(self.reject.headers.iter().cloned());
        let details = details(&refusal.reason, name);
        Reply { status, details, headers, body: body.into_bytes(), grpc_status: Some(grpc_status) }
    }

    /// draft-ietf-httpapi-ratelimit-headers-10, and the `X-RateLimit-*` that came before it.
    ///
    /// The quota is the burst and the window the time it takes to refill, rounded up: whoever keeps
    /// to that is never refused, and `r` never exceeds `q`.
    fn standing_headers(&self, standing: &Standing) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let name = self.limits.get(standing.limit).map_or("", |limit| &limit.name);
        let asked = self.response_headers;
        let (burst, remaining, reset) = (standing.burst(), standing.remaining(), seconds(standing.reset()));
        let ratelimit = asked.ratelimit.then(|| {
            let window = seconds(standing.window()).max(1);
            [
                (RATELIMIT_POLICY, item(name, [(";q=", burst), (";w=", window)])),
                (RATELIMIT, item(name, [(";r=", remaining), (";t=", reset)])),
            ]
        });
        let x_ratelimit = asked.x_ratelimit.then(|| {
            [
                (X_RATELIMIT_LIMIT, burst.to_string()),
                (X_RATELIMIT_REMAINING, remaining.to_string()),
                (X_RATELIMIT_RESET, reset.to_string()),
            ]
        });
        let headers = ratelimit.into_iter().flatten().chain(x_ratelimit.into_iter().flatten());
        headers.map(|(name, value)| (name, HeaderValue::text(value)))
    }
}

/// The response-code details of a refusal: the reason and the limit, never the key.
#[must_use]
pub fn details(reason: &Reason, limit: &str) -> String {
    match reason {
        Reason::NoTokens { .. } | Reason::NoSlot => format!("rate_limited{{{limit}}}"),
        Reason::NoKey { .. } => format!("rate_limit_key_missing{{{limit}}}"),
        Reason::Error => format!("rate_limit_error{{{limit}}}"),
    }
}

fn message(reason: &Reason, limit: Option<&Limit>) -> String {
    let name = limit.map_or("", |limit| &limit.name);
    match reason {
        Reason::NoTokens { .. } | Reason::NoSlot => format!("rate limit {name} exceeded"),
        Reason::NoKey { part } => {
            let part = limit.and_then(|limit| limit.key.get(*part)).map(KeyPart::describe);
            format!("rate limit {name}: missing {}", part.unwrap_or_default())
        }
        Reason::Error => format!("rate limit {name} cannot be checked"),
    }
}

/// A problem document (RFC 9457); the type of an exceeded quota is the draft's. A limit's name holds
/// nothing that would have to be escaped.
fn problem(reason: &Reason, status: u16, limit: Option<&Limit>) -> String {
    let detail = message(reason, limit);
    let name = limit.map_or("", |limit| &limit.name);
    match reason {
        Reason::NoTokens { .. } | Reason::NoSlot => {
            let title = if status == 429 { "Too Many Requests" } else { "Quota Exceeded" };
            format!(
                r#"{{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"{title}","status":{status},"detail":"{detail}","violated-policies":["{name}"]}}"#
            )
        }
        Reason::NoKey { .. } | Reason::Error => {
            // The name of a cookie or of a claim may hold anything.
            let detail = escaped(&detail);
            let title = reason_phrase(status).map(|title| format!(r#""title":"{title}","#));
            format!(r#"{{{}"status":{status},"detail":"{detail}"}}"#, title.unwrap_or_default())
        }
    }
}

/// A text within a JSON string. Written by `serde_json` instead, it would add 1 KB to the module.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            '\0'..='\x1f' => escaped.push_str(&format!("\\u{:04x}", character as u32)),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The phrase of a status (RFC 9110 and IANA's registry).
const fn reason_phrase(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => return None,
    })
}

/// An item with its parameters as a structured field (RFC 9651): a name needs no escapes.
fn item(name: &str, parameters: [(&str, u64); 2]) -> String {
    let mut item = String::with_capacity(64);
    item.push('"');
    item.push_str(name);
    item.push('"');
    for (key, value) in parameters {
        item.push_str(key);
        item.push_str(itoa::Buffer::new().format(value));
    }
    item
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::escaped;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_escaped_text_reads_back(text: String) {
            let json = format!("\"{}\"", escaped(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
