//! Sets of providers.

use super::provider::Provider;
use mesh_config::kinds::{list, string};
use mesh_config::{Kind, ProblemKind};

/// A provider, by its position in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderId(usize);

impl ProviderId {
    /// Maximum number of providers: a [`ProviderSet`] has a bit for each.
    pub const MAX: usize = 32;

    /// The provider at this position.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }
}

/// A set of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderSet(u32);

impl ProviderSet {
    /// No provider.
    pub const EMPTY: Self = Self(0);
    /// Every provider.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether a provider is in the set.
    #[must_use]
    pub fn contains(self, provider: ProviderId) -> bool {
        self.0 & Self::from(provider).0 != 0
    }

    /// The providers of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The names of providers. Without good providers there is nothing to compare them with.
    pub(super) fn kind(known: Option<&[Provider]>) -> impl Kind<Out = Self> {
        let provider = string::<String>().and_then(move |value, name| {
            match known?.iter().position(|provider| provider.name == name) {
                Some(index) => Some(ProviderId(index)),
                None => value.expected(ProblemKind::UnknownWord, "the name of a provider"),
            }
        });
        list(provider).not_empty().map(|providers| providers.into_iter().collect())
    }
}

impl Default for ProviderSet {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<ProviderId> for ProviderSet {
    fn from(provider: ProviderId) -> Self {
        Self(u32::try_from(provider.0).ok().and_then(|bit| 1u32.checked_shl(bit)).unwrap_or(0))
    }
}

impl FromIterator<ProviderId> for ProviderSet {
    fn from_iter<I: IntoIterator<Item = ProviderId>>(providers: I) -> Self {
        providers.into_iter().fold(Self::EMPTY, |set, provider| set.union(provider.into()))
    }
}
