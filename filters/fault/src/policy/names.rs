//! The kinds of faults, and their names.

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The request waits.
    Delay,
    /// The proxy replies in place of the upstream.
    Abort,
    /// The response is changed.
    Response,
    /// The response is slowed down.
    Throttle,
}

impl FaultKind {
    /// All kinds, in the order in which they happen.
    pub const ALL: [Self; 4] = [Self::Delay, Self::Abort, Self::Response, Self::Throttle];

    /// The name in configs, labels and cohorts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Abort => "abort",
            Self::Response => "response",
            Self::Throttle => "throttle",
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, kind: FaultKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether a kind is among them.
    #[must_use]
    pub const fn contains(self, kind: FaultKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// The kinds, in the order in which they happen.
    pub fn iter(self) -> impl Iterator<Item = FaultKind> {
        FaultKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<FaultKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = FaultKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::with)
    }
}
