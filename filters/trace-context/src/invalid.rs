//! What is wrong with a header.

/// The reason for which the headers of a format are invalid. One word has one meaning in all formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalid {
    /// The version is one that does not exist.
    Version,
    /// A value, or a part of it, is too long or too short.
    Length,
    /// A character is not a hexadecimal digit, or it is in upper case where the format has lower case.
    Hex,
    /// A number is not a decimal one of 64 bits.
    Decimal,
    /// An id is zero.
    ZeroId,
    /// The sampling state is none of the format.
    Sampling,
    /// A header, or a field that may stand once, is there several times.
    Repeated,
    /// An id is missing.
    Incomplete,
    /// A list has too many members.
    Members,
    /// The parts are not separated as the format says, or a character may not stand where it is.
    Grammar,
}

impl Invalid {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::Version,
        Self::Length,
        Self::Hex,
        Self::Decimal,
        Self::ZeroId,
        Self::Sampling,
        Self::Repeated,
        Self::Incomplete,
        Self::Members,
        Self::Grammar,
    ];

    /// The name in counters and decisions.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Length => "length",
            Self::Hex => "hex",
            Self::Decimal => "decimal",
            Self::ZeroId => "zero_id",
            Self::Sampling => "sampling",
            Self::Repeated => "repeated",
            Self::Incomplete => "incomplete",
            Self::Members => "members",
            Self::Grammar => "grammar",
        }
    }
}
