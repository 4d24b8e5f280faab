//! What may pass in baggage.

use crate::baggage::Key;
use mesh_config::ProblemKind;
use mesh_config::kinds::{Text, integer, list, text};
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::string::StringMatch;

const MAX_TESTS: usize = 256;
const MAX_SET: usize = 16;

mesh_config::object! {
    /// What may pass in baggage ([W3C Baggage](https://www.w3.org/TR/baggage/)).
    #[derive(Clone, Debug)]
    pub struct Baggage {
        /// Tests on keys: a member whose key passes none of them is dropped. Default: all pass.
        pub allow: Option<Vec<StringMatch>> = restriction(
            mesh_config::kind::some(list(StringMatch::kind()).at_most(MAX_TESTS, "tests"))
        ),
        /// Maximum number of members. Those beyond are dropped.
        pub max_members: u32 = default(64, integer(1..=180)),
        /// Maximum number of bytes of all members together. A member that does not fit is dropped.
        pub max_bytes: u32 = default(8192, integer(1..=65536)),
        /// Members that the filter sets. A client's own of the same key is always removed. Default: none.
        pub set: Vec<SetMember> = default(
            [], list(SetMember::kind()).at_most(MAX_SET, "members").unique("key", "a key that is not set yet")
        ),
    }
}

mesh_config::object! {
    /// A member that the filter sets.
    #[derive(Clone, Debug)]
    pub struct SetMember {
        /// The key.
        pub key: Key = required(key()),
        /// The [key part](../rate-limit/README.md#key-parts) that is its value. A request that lacks it gets no such member.
        pub from: KeyPart = required(KeyPart::kind()),
    }
}

/// A key of a member: a token.
fn key() -> Text<Key> {
    text(|value, key| match Key::new(key) {
        None => value.expected(ProblemKind::BadPattern, "a key: letters, digits and !#$%&'*+.^_`|~-"),
        key => key,
    })
    .described_as("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", &[])
}
