//! Response headers for admitted requests, and refusals.

use super::decision::{Denial, Reason, Standing};
use crate::config::{Config, Limit};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::key_part::KeyPart;
use mesh_policy::label::Label;
use mesh_policy::refusal::{Member, Refusal};
use std::borrow::Cow;
use std::time::Duration;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");
/// Tells downstream Envoys not to retry.
const X_ENVOY_RATELIMITED: HeaderName = HeaderName::from_static("x-envoy-ratelimited");

/// The problem type of an exceeded quota (draft-ietf-httpapi-ratelimit-headers-10, section 5.1).
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The headers for the response to an admitted request. They replace the upstream's. `config` has the limit of this name.
pub(super) fn response_edits(config: &Config, limit: &str, standing: &Standing) -> Vec<Edit> {
    standing_headers(config, limit, standing)
        .into_iter()
        .map(|(name, value)| Edit::Set(name, value))
        .collect()
}

/// The refusal of a denial by a limit of this config.
#[inline(never)]
pub(super) fn refusal<'a>(config: &'a Config, limit: Option<&'a Limit>, denial: &Denial) -> Refusal<'a> {
    let reject = &config.reject;
    let row = denial.reason.row();
    let mut refusal = Refusal::new(row, Label::of(row.label).about(name(limit)));
    refusal.text = Some(text(&denial.reason, limit));
    refusal.more_headers = &reject.headers;
    match &denial.reason {
        Reason::NoTokens { .. } | Reason::NoSlot => {
            refusal.status = Some(reject.status);
            let title = if reject.status == 429 { "Too Many Requests" } else { "Quota Exceeded" };
            refusal.problem_type = Some((QUOTA_EXCEEDED, title));
            refusal.members = vec![("violated-policies", Member::ListOf(name(limit)))];
            // The configured body is for exceeded quotas only.
            refusal.body = reject.body.as_deref().map(|body| (body, &reject.content_type.0));
        }
        Reason::NoKey { .. } => refusal.status = Some(reject.missing_key_status),
        Reason::Error => {}
    }
    if let Reason::NoTokens { standing, wait } = &denial.reason {
        refusal.headers.extend(standing_headers(config, name(limit), standing));
        if config.response_headers.retry_after {
            let seconds = seconds(*wait).max(1);
            refusal.headers.push((RETRY_AFTER, HeaderValue::text(seconds.to_string())));
        }
    }
    if matches!(denial.reason, Reason::NoTokens { .. } | Reason::NoSlot) {
        refusal.headers.push((X_ENVOY_RATELIMITED, HeaderValue::text("true")));
    }
    refusal
}

fn name(limit: Option<&Limit>) -> &str {
    limit.map_or("", |limit| &limit.name)
}

/// The text for the client. It names the limit and the missing part of the key, never a value.
fn text(reason: &Reason, limit: Option<&Limit>) -> Cow<'static, str> {
    let Some(limit) = limit else { return Cow::Borrowed(reason.row().text) };
    let name = &limit.name;
    Cow::Owned(match reason {
        Reason::NoTokens { .. } | Reason::NoSlot => format!("rate limit {name} exceeded"),
        Reason::NoKey { part } => {
            let part = limit.key.get(*part).map(KeyPart::describe);
            format!("the request lacks the key of limit {name}: {}", part.unwrap_or_default())
        }
        Reason::Error => format!("rate limit {name} cannot be checked"),
    })
}

/// The headers of draft-ietf-httpapi-ratelimit-headers-10, and their predecessors `X-RateLimit-*`.
///
/// The quota is the burst, and the window is the time to refill it, rounded up. A client that keeps to this is never
/// refused, and `r` never exceeds `q`.
#[inline(never)]
fn standing_headers(config: &Config, limit: &str, standing: &Standing) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    let asked = config.response_headers;
    if !(asked.ratelimit || asked.x_ratelimit) {
        return headers;
    }
    let (burst, remaining, reset) = (standing.burst(), standing.remaining(), seconds(standing.reset()));
    let mut push = |name, value: String| headers.push((name, HeaderValue::text(value)));
    if asked.ratelimit {
        let window = seconds(standing.window()).max(1);
        push(RATELIMIT_POLICY, item(limit, [(";q=", burst), (";w=", window)]));
        push(RATELIMIT, item(limit, [(";r=", remaining), (";t=", reset)]));
    }
    if asked.x_ratelimit {
        push(X_RATELIMIT_LIMIT, burst.to_string());
        push(X_RATELIMIT_REMAINING, remaining.to_string());
        push(X_RATELIMIT_RESET, reset.to_string());
    }
    headers
}

/// A structured field item with parameters (RFC 9651). A limit's name needs no escapes.
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

/// Seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
