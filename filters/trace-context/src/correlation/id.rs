//! The id of a request.

/// Length of the longest id.
const MAX_BYTES: usize = 128;

/// The id of a request: 1 to 128 bytes of any value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<'a>(&'a [u8]);

impl<'a> Id<'a> {
    /// An id; `None` if it is empty or too long.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() || bytes.len() > MAX_BYTES { None } else { Some(Self(bytes)) }
    }

    /// The bytes of the id.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn an_id_has_1_to_128_bytes() {
        for (length, expected) in [(0, false), (1, true), (36, true), (128, true), (129, false), (256, false)]
        {
            assert_eq!(Id::new(&vec![0xff; length]).is_some(), expected, "{length}");
        }
    }
}
