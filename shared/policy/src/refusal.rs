//! Refusals, and their conversion to replies.

mod problem_details;

pub use problem_details::{Member, ProblemDetails};

use crate::effects::Reply;
use crate::headers::{HeaderName, HeaderValue};
use crate::label::Label;
use crate::reason::{Challenge, Reason};
use std::borrow::Cow;

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");
const WWW_AUTHENTICATE: HeaderName = HeaderName::from_static("www-authenticate");

/// The refusal of a request.
#[derive(Clone, Debug)]
pub struct Refusal<'a> {
    /// Why the request is refused.
    pub reason: Reason,
    /// The response code details.
    pub details: Label<'a>,
    /// The HTTP status, if it differs from that of the reason.
    pub status: Option<u16>,
    /// The text for the client, if it differs from that of the reason.
    pub text: Option<Cow<'a, str>>,
    /// Headers of the reply, besides the challenge and the content type.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Headers from the config, after all others.
    pub more_headers: &'a [(HeaderName, HeaderValue)],
    /// The realm of a challenge (RFC 9110, section 11.5). It must not contain quotes.
    pub realm: &'a str,
    /// Type and title of the problem (RFC 9457, section 3.1); `None` for `about:blank`.
    pub problem_type: Option<(&'static str, &'static str)>,
    /// Extension members of the problem details.
    pub members: Vec<(&'static str, Member<'a>)>,
    /// The body and its content type, instead of problem details.
    pub body: Option<(&'a str, &'a HeaderValue)>,
    /// Whether the request is refused even in shadow mode, because it must not be forwarded unchanged.
    pub is_final: bool,
}

impl<'a> Refusal<'a> {
    /// A refusal with the defaults of the reason.
    #[must_use]
    pub const fn new(reason: Reason, details: Label<'a>) -> Self {
        Self {
            reason,
            details,
            status: None,
            text: None,
            headers: Vec::new(),
            more_headers: &[],
            realm: "",
            problem_type: None,
            members: Vec::new(),
            body: None,
            is_final: false,
        }
    }

    /// Converts the refusal to a reply. For a gRPC request the body is the text, which becomes `grpc-message`.
    #[must_use]
    #[inline(never)]
    pub fn into_reply(self, is_grpc: bool) -> Reply {
        let text = self.text.as_deref().unwrap_or(self.reason.text);
        let status = self.status.unwrap_or(self.reason.class.status);
        let mut headers = Vec::new();
        headers.extend(self.challenge(text).map(|value| (WWW_AUTHENTICATE, HeaderValue::text(value))));
        headers.extend(self.headers);
        let body = match self.body {
            _ if is_grpc => text.to_owned(),
            Some((body, content_type)) => {
                headers.push((CONTENT_TYPE, content_type.clone()));
                body.to_owned()
            }
            None => {
                headers.push((CONTENT_TYPE, HeaderValue::text("application/problem+json")));
                let problem_type = self.problem_type;
                ProblemDetails { problem_type, status, detail: text, members: &self.members }.to_json()
            }
        };
        headers.extend_from_slice(self.more_headers);
        Reply {
            status,
            details: self.details.to_string(),
            headers,
            body: body.into_bytes(),
            grpc_status: Some(self.reason.class.grpc_status),
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3).
    fn challenge(&self, text: &str) -> Option<String> {
        let realm = self.realm;
        match self.reason.class.challenge {
            Challenge::None => None,
            Challenge::Bearer => Some(format!(r#"Bearer realm="{realm}""#)),
            Challenge::BearerError(error) => {
                Some(format!(r#"Bearer realm="{realm}", error="{error}", error_description="{text}""#))
            }
        }
    }
}
