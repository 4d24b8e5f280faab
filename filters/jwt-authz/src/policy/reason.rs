//! The reasons for refusing a request, each with its status, challenge, label and text.

use mesh_policy::effects::GrpcStatus;
use mesh_policy::reason::{Challenge, Class};

const BAD_REQUEST: Class = Class::new(400, GrpcStatus::InvalidArgument);
const UNAUTHENTICATED: Class = Class::new(401, GrpcStatus::Unauthenticated).with_challenge(Challenge::Bearer);
const INVALID_TOKEN: Class =
    Class::new(401, GrpcStatus::Unauthenticated).with_challenge(Challenge::BearerError("invalid_token"));
const FORBIDDEN: Class = Class::new(403, GrpcStatus::PermissionDenied)
    .with_challenge(Challenge::BearerError("insufficient_scope"));
const UNAVAILABLE: Class = Class::new(503, GrpcStatus::Unavailable);

mesh_policy::reasons! {
    /// The response names the places where a token is expected.
    pub NO_TOKEN: UNAUTHENTICATED, "missing", "the request has no token";
    pub PARTS: INVALID_TOKEN, "malformed", "the token does not have three parts";
    pub HEADER_ENCODING: INVALID_TOKEN, "malformed", "the token's header is not base64url";
    pub HEADER_JSON: INVALID_TOKEN, "malformed", "the token's header is not a JSON object with distinct names";
    pub CRITICAL: INVALID_TOKEN, "malformed", "the token's header requires an extension";
    pub NO_ALGORITHM: INVALID_TOKEN, "malformed", "the token's header has no `alg`";
    pub KEY_ID: INVALID_TOKEN, "malformed", "the token's `kid` is not a short string";
    pub SIGNATURE_ENCODING: INVALID_TOKEN, "malformed", "the token's signature is not base64url";
    /// The payload is needed before verification, to choose among several providers.
    pub ISSUER_UNREADABLE: INVALID_TOKEN, "malformed", "the token's payload is not a JSON object with distinct names";
    pub TOO_LARGE: INVALID_TOKEN, "too_large", "the token is too large";
    pub SEVERAL_TOKENS: INVALID_TOKEN, "ambiguous", "the request has two different tokens";
    pub REPEATED_HEADER: INVALID_TOKEN, "ambiguous", "the request repeats a header for tokens";
    pub ALGORITHM_NOT_ALLOWED: INVALID_TOKEN, "unknown_key", "the token's algorithm is not allowed";
    pub UNKNOWN_KEY: INVALID_TOKEN, "unknown_key", "the token's key is unknown";
    pub NO_KEY_FOR_ALGORITHM: INVALID_TOKEN, "unknown_key", "no key is for the token's algorithm";
    pub BAD_SIGNATURE: INVALID_TOKEN, "bad_signature", "the token's signature is wrong";
    pub PAYLOAD_JSON: INVALID_TOKEN, "bad_claims", "the token's payload is not a JSON object with distinct names";
    pub EXP_TYPE: INVALID_TOKEN, "bad_claims", "the token's `exp` is not a number";
    pub NBF_TYPE: INVALID_TOKEN, "bad_claims", "the token's `nbf` is not a number";
    pub IAT_TYPE: INVALID_TOKEN, "bad_claims", "the token's `iat` is not a number";
    pub AUD_TYPE: INVALID_TOKEN, "bad_claims", "the token's `aud` is not a string or an array of strings";
    pub NO_EXP: INVALID_TOKEN, "bad_claims", "the token has no `exp`";
    pub LIFETIME: INVALID_TOKEN, "bad_claims", "the token's `exp` is too far in the future";
    pub EXPIRED: INVALID_TOKEN, "expired", "the token has expired";
    /// `nbf` or `iat` is in the future.
    pub NOT_YET_VALID: INVALID_TOKEN, "not_yet_valid", "the token is not valid yet";
    pub WRONG_ISSUER: INVALID_TOKEN, "wrong_issuer", "the token's issuer is not accepted";
    pub WRONG_AUDIENCE: INVALID_TOKEN, "wrong_audience", "the token's audience is not accepted";
    pub WRONG_SUBJECT: INVALID_TOKEN, "wrong_subject", "the token's subject is not accepted";
    pub JWKS_UNAVAILABLE: UNAVAILABLE, "jwks_unavailable", "no keys are available to verify the token";
    /// Sent without a challenge if the request has no verified token.
    pub NO_RULE: FORBIDDEN, "no_rule", "no rule allows this request";
    /// Sent without a challenge if the request has no verified token.
    pub DENIED_BY: FORBIDDEN, "denied_by", "a rule denies this request";
    pub ESCAPED_SLASH: BAD_REQUEST, "escaped_slash", "the path has an escaped slash";
    /// The path begins with two slashes or has dot segments; upstreams resolve these differently.
    pub AMBIGUOUS_PATH: BAD_REQUEST, "ambiguous_path", "the path is ambiguous";
    /// A rule tests the host, and the authority does not name exactly one.
    pub AMBIGUOUS_HOST: BAD_REQUEST, "ambiguous_host", "the host is ambiguous";
    /// The CPU budget for signature checks in the VM is used up.
    pub NO_TIME: UNAVAILABLE, "overloaded", "too many signatures to verify";
    pub NOT_TRIED: UNAVAILABLE, "overloaded", "too many keys may have signed the token";
    pub CHECK_FAILED: UNAVAILABLE, "error", "the signature cannot be verified";
    pub ERROR: UNAVAILABLE, "error", "the request cannot be judged";
}

/// The distinct labels, in the order of the table.
pub fn labels() -> Vec<&'static str> {
    let mut labels = Vec::new();
    for reason in ALL {
        if !labels.contains(&reason.label) {
            labels.push(reason.label);
        }
    }
    labels
}
