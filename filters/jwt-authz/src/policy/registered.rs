//! The registered claims of a verified token (RFC 7519, section 4.1).

use super::denial::Denial;
use super::reason;
use crate::config::Provider;
use mesh_policy::reason::Reason;
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// Checks the claims against the provider's config and RFC 7519.
///
/// `now` is the time since the Unix epoch. Returns when the token expires, leeway included, in seconds since the
/// epoch; `None` if never.
pub(super) fn check(
    claims: &Map<String, Json>,
    provider: &Provider,
    now: Duration,
) -> Result<Option<f64>, Denial> {
    if let Some(issuer) = &provider.issuer
        && claims.get("iss").and_then(Json::as_str) != Some(issuer)
    {
        return Err(Denial::new(reason::WRONG_ISSUER));
    }
    if !provider.audiences.is_empty() && !is_for(claims.get("aud"), &provider.audiences)? {
        return Err(Denial::new(reason::WRONG_AUDIENCE));
    }
    let subject = claims.get("sub").and_then(Json::as_str);
    let is_subject = provider.subjects.is_empty()
        || provider.subjects.iter().any(|test| test.is_match_any(subject.iter()));
    if !is_subject {
        return Err(Denial::new(reason::WRONG_SUBJECT));
    }
    check_times(claims, provider, now)
}

fn check_times(
    claims: &Map<String, Json>,
    provider: &Provider,
    now: Duration,
) -> Result<Option<f64>, Denial> {
    let (now, leeway) = (now.as_secs_f64(), provider.leeway.as_secs_f64());
    let expires = date(claims, "exp", reason::EXP_TYPE)?;
    if let Some(expires) = expires {
        // RFC 7519, section 4.1.4: a token must not be accepted on or after `exp`.
        if now >= expires + leeway {
            return Err(Denial::new(reason::EXPIRED));
        }
        if provider.max_lifetime.is_some_and(|lifetime| expires > now + lifetime.as_secs_f64() + leeway) {
            return Err(Denial::new(reason::LIFETIME));
        }
    } else if provider.require_expiration || provider.max_lifetime.is_some() {
        return Err(Denial::new(reason::NO_EXP));
    }
    let begins = date(claims, "nbf", reason::NBF_TYPE)?;
    let issued = date(claims, "iat", reason::IAT_TYPE)?;
    for begin in [begins, issued].into_iter().flatten() {
        if now + leeway < begin {
            return Err(Denial::new(reason::NOT_YET_VALID));
        }
    }
    Ok(expires.map(|expires| expires + leeway))
}

/// A NumericDate: seconds since the Unix epoch, possibly with a fraction.
fn date(claims: &Map<String, Json>, name: &str, not_a_number: Reason) -> Result<Option<f64>, Denial> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(number)) => Ok(number.as_f64()),
        Some(_) => Err(Denial::new(not_a_number)),
    }
}

/// Whether `aud`, a string or an array of strings, contains one of `audiences`.
fn is_for(audience: Option<&Json>, audiences: &[String]) -> Result<bool, Denial> {
    let known = |text: &String| audiences.contains(text);
    match audience {
        None => Ok(false),
        Some(Json::String(text)) => Ok(known(text)),
        Some(Json::Array(items)) if items.iter().all(Json::is_string) => Ok(items
            .iter()
            .filter_map(Json::as_str)
            .any(|text| audiences.iter().any(|audience| audience == text))),
        Some(_) => Err(Denial::new(reason::AUD_TYPE)),
    }
}
