//! What a client is told of a part of a key that its request lacks.

use crate::config::KeyPart;

impl KeyPart {
    /// The part by its kind and name, never by a value.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::ClientIp { .. } => "client address".to_owned(),
            Self::Header(name) => format!("header {}", name.as_str()),
            Self::Cookie(name) => format!("cookie {name}"),
            Self::Query(name) => format!("query parameter {name}"),
            Self::Path => "path".to_owned(),
            Self::Method => "method".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Claim(path) => format!("claim {}", path.join(".")),
            Self::Principal => "client certificate".to_owned(),
            Self::Attribute(path) => format!("attribute {}", path.join(".")),
            // Never missing, and its text is nobody else's business.
            Self::Constant(_) => "constant".to_owned(),
        }
    }
}
