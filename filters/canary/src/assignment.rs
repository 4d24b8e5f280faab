//! Which variant of a split an identity gets: weighted rendezvous hashing
//! (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005: the logarithmic method).
//!
//! For each variant, `h` is the low half of the [hash](mesh_policy::hash) of the split's name, the variant's name and the
//! identity, under the key `mesh-filters 1.0`; `u` is `((h >> 11) + 0.5) / 2^53`; and the variant's score is
//! `-ln(u) / share`. The variant with the lowest score is chosen. A score depends on one variant only, so an identity moves
//! only where the change of a share makes it move.
//!
//! The result depends on nothing else, and `ln` is a function of this program rather than of the platform: all workers, all
//! proxies and the command line agree, in all versions. The vectors in the tests must never change.

mod shares;

pub use shares::{Weight, shares};

use mesh_policy::hash::{Hasher, Key};

/// Assigns identities to the variants of one split.
#[derive(Clone)]
pub struct Assigner {
    variants: Vec<Variant>,
}

/// A variant of the split.
#[derive(Clone)]
struct Variant {
    /// Decides between equal scores.
    name: String,
    /// Has the names of the split and of the variant.
    hasher: Hasher,
}

impl Assigner {
    /// The variants of a split, by their names.
    #[must_use]
    pub fn new<'a>(split: &str, variants: impl Iterator<Item = &'a str>) -> Self {
        let variant = |name: &str| {
            let mut hasher = Key::PUBLIC.hasher();
            hasher.part(split.as_bytes());
            hasher.part(name.as_bytes());
            Variant { name: name.to_owned(), hasher }
        };
        Self { variants: variants.map(variant).collect() }
    }

    /// The index of the variant that an identity gets. `shares` has one for each variant, in the order of [`Assigner::new`];
    /// only their proportions count. A variant whose share is missing or not above 0 gets nobody; `None` if there is no
    /// other.
    ///
    /// When the share of one variant grows and no other share does, nobody leaves that variant.
    #[must_use]
    pub fn choose(&self, shares: &[f64], identity: &[u8]) -> Option<usize> {
        let mut lowest: Option<(f64, &str, usize)> = None;
        for (index, (variant, share)) in self.variants.iter().zip(shares).enumerate() {
            if *share > 0.0 {
                let score = -libm::log(uniform(variant.hash(identity))) / share;
                let comes_first = lowest.is_none_or(|(least, name, _)| {
                    score < least || (score == least && variant.name.as_str() < name)
                });
                if comes_first {
                    lowest = Some((score, &variant.name, index));
                }
            }
        }
        lowest.map(|(_, _, index)| index)
    }
}

impl Variant {
    /// `h`: the low half of the hash.
    fn hash(&self, identity: &[u8]) -> u64 {
        let mut hasher = self.hasher.clone();
        hasher.part(identity);
        hasher.finish_halves().0
    }
}

/// `u`: a number above 0 and at most 1. It is computed in `f64`, where the sum is rounded to even from 2^52 on.
fn uniform(hash: u64) -> f64 {
    const RANGE: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_precision_loss, reason = "an integer below 2^53")]
    let integer = (hash >> 11) as f64;
    (integer + 0.5) / RANGE
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;
