//! Problem details (RFC 9457).

/// Problem details, to be written as a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct ProblemDetails<'a> {
    /// `type` and `title`; `None` for `about:blank`, whose title is the status's reason phrase.
    pub problem_type: Option<(&'static str, &'static str)>,
    /// `status`
    pub status: u16,
    /// `detail`
    pub detail: &'a str,
    /// Extension members.
    pub members: &'a [(&'static str, Member<'a>)],
}

/// The value of an extension member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// A string.
    Text(&'a str),
    /// An array with this string.
    ListOf(&'a str),
}

impl ProblemDetails<'_> {
    /// Serializes the object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(256);
        json.push('{');
        let title = match self.problem_type {
            Some((uri, title)) => {
                push_member(&mut json, "type", uri);
                Some(title)
            }
            None => reason_phrase(self.status),
        };
        if let Some(title) = title {
            push_member(&mut json, "title", title);
        }
        json.push_str(&format!(r#""status":{},"#, self.status));
        push_member(&mut json, "detail", self.detail);
        for (name, member) in self.members {
            match member {
                Member::Text(text) => push_member(&mut json, name, text),
                Member::ListOf(text) => {
                    json.push_str(&format!(r#""{name}":["#));
                    push_string(&mut json, text);
                    json.push_str("],");
                }
            }
        }
        json.pop();
        json.push('}');
        json
    }
}

fn push_member(json: &mut String, name: &str, text: &str) {
    push_string(json, name);
    json.push(':');
    push_string(json, text);
    json.push(',');
}

/// Written by hand, as `serde_json`'s writer would add 1 KB to a module.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => json.push_str(&format!("\\u{:04x}", character as u32)),
            _ => json.push(character),
        }
    }
    json.push('"');
}

/// The reason phrase of a status (RFC 9110 and IANA's registry).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(problem: ProblemDetails<'_>, expected: Value) {
        assert_eq!(serde_json::from_str::<Value>(&problem.to_json()).unwrap(), expected);
    }

    #[test]
    fn members() {
        let plain = ProblemDetails { problem_type: None, status: 403, detail: "no", members: &[] };
        check(plain, json!({"title": "Forbidden", "status": 403, "detail": "no"}));
        check(ProblemDetails { status: 499, ..plain }, json!({"status": 499, "detail": "no"}));
        let members = [("rule", Member::Text("a")), ("violated-policies", Member::ListOf("b"))];
        let typed = ProblemDetails { problem_type: Some(("https://x", "X")), members: &members, ..plain };
        let expected = json!({
            "type": "https://x", "title": "X", "status": 403, "detail": "no",
            "rule": "a", "violated-policies": ["b"],
        });
        check(typed, expected);
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod laws {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn every_text_reads_back(detail: String, member: String) {
                let members = [("a", Member::Text(&member)), ("b", Member::ListOf(&member))];
                let problem = ProblemDetails { problem_type: None, status: 400, detail: &detail, members: &members };
                let read: Value = serde_json::from_str(&problem.to_json()).unwrap();
                prop_assert_eq!(read["detail"].as_str(), Some(&*detail));
                prop_assert_eq!(read["a"].as_str(), Some(&*member));
                prop_assert_eq!(read["b"][0].as_str(), Some(&*member));
            }
        }
    }
}
