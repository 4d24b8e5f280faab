//! How a refusal looks to the client and to the operator.

use super::reason::{Fault, Reason};
use crate::config::Config;
use mesh_policy::effects::{GrpcStatus, Reply};
use mesh_policy::headers::{HeaderName, HeaderValue};
use serde_json::json;

const WWW_AUTHENTICATE: HeaderName = HeaderName::from_static("www-authenticate");
const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub fault: Fault,
    /// The rule that refused it, by its place in the config.
    pub rule: Option<usize>,
}

/// How a reason is answered.
struct Kind {
    status: u16,
    title: &'static str,
    grpc_status: GrpcStatus,
    /// RFC 6750, section 3.1. `Some(None)`: a challenge without an error, since nothing was tried.
    challenge: Option<Option<&'static str>>,
}

impl Refusal {
    /// Where the proxy fails.
    pub(crate) const ERROR: Self = Self::new(Fault::new(Reason::Error, "the request cannot be judged"));

    pub(crate) const fn new(fault: Fault) -> Self {
        Self { fault, rule: None }
    }

    fn kind(&self) -> Kind {
        match self.fault.reason {
            Reason::Missing => Kind {
                status: 401,
                title: "Unauthorized",
                grpc_status: GrpcStatus::Unauthenticated,
                challenge: Some(None),
            },
            Reason::NoRule | Reason::DeniedBy => Kind {
                status: 403,
                title: "Forbidden",
                grpc_status: GrpcStatus::PermissionDenied,
                // Without a good token nobody has shown one that says too little.
                challenge: self.fault.provider.map(|_| Some("insufficient_scope")),
            },
            Reason::EscapedSlash | Reason::AmbiguousPath | Reason::AmbiguousHost => Kind {
                status: 400,
                title: "Bad Request",
                grpc_status: GrpcStatus::InvalidArgument,
                challenge: None,
            },
            Reason::JwksUnavailable | Reason::Overloaded | Reason::Error => Kind {
                status: 503,
                title: "Service Unavailable",
                grpc_status: GrpcStatus::Unavailable,
                challenge: None,
            },
            Reason::Malformed
            | Reason::TooLarge
            | Reason::Ambiguous
            | Reason::UnknownKey
            | Reason::BadSignature
            | Reason::BadClaims
            | Reason::Expired
            | Reason::NotYetValid
            | Reason::WrongIssuer
            | Reason::WrongAudience
            | Reason::WrongSubject => Kind {
                status: 401,
                title: "Unauthorized",
                grpc_status: GrpcStatus::Unauthenticated,
                challenge: Some(Some("invalid_token")),
            },
        }
    }
}

impl Config {
    /// The answer to a request that is refused. `grpc`: whether it is a gRPC request. Made of our own words
    /// and of names from the config: nothing of the token, nothing of its claims.
    #[must_use]
    pub fn reply(&self, refusal: &Refusal, grpc: bool) -> Reply {
        let kind = refusal.kind();
        let what = refusal.fault.what;
        let mut headers = Vec::new();
        if let Some(error) = kind.challenge {
            let challenge = match error {
                Some(error) => {
                    format!(r#"Bearer realm="{}", error="{error}", error_description="{what}""#, self.realm)
                }
                None => format!(r#"Bearer realm="{}""#, self.realm),
            };
            headers.push((WWW_AUTHENTICATE, HeaderValue::text(challenge)));
        }
        let body = if grpc {
            what.to_owned().into_bytes()
        } else {
            headers.push((CONTENT_TYPE, HeaderValue::text("application/problem+json")));
            self.problem(refusal, &kind)
        };
        Reply {
            status: kind.status,
            details: self.details(refusal),
            headers,
            body,
            grpc_status: Some(kind.grpc_status),
        }
    }

    /// The response-code details: the stage that refused, `denied_by` with the rule's name.
    #[must_use]
    pub fn details(&self, refusal: &Refusal) -> String {
        format!("jwt_authz{{{}}}", self.stage(refusal))
    }

    /// The stage that refused, `denied_by` with the rule's name.
    pub(super) fn stage(&self, refusal: &Refusal) -> String {
        let word = refusal.fault.reason.word();
        match self.rule_name(refusal) {
            Some(rule) => format!("{word}:{rule}"),
            None => word.to_owned(),
        }
    }

    /// A problem document (RFC 9457).
    fn problem(&self, refusal: &Refusal, kind: &Kind) -> Vec<u8> {
        let mut problem = json!({
            "title": kind.title,
            "status": kind.status,
            "detail": refusal.fault.what,
        });
        let provider = refusal.fault.provider.and_then(|index| self.providers.get(index));
        if let (Some(provider), Some(problem)) = (provider, problem.as_object_mut()) {
            problem.insert("provider".to_owned(), json!(provider.name));
        }
        if let (Some(rule), Some(problem)) = (self.rule_name(refusal), problem.as_object_mut()) {
            problem.insert("rule".to_owned(), json!(rule));
        }
        problem.to_string().into_bytes()
    }

    fn rule_name(&self, refusal: &Refusal) -> Option<&str> {
        refusal.rule.and_then(|index| self.rules.get(index)).map(|rule| rule.name.as_str())
    }
}
