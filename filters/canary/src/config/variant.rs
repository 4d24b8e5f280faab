//! The variants of a split.

use crate::assignment::Weight;
use mesh_config::kinds::{List, decimal, list};
use mesh_config::{Kind, ProblemKind};

/// Maximum number of variants. Each costs a hash for each request.
const MAX_VARIANTS: usize = 32;
const MAX_WEIGHT: f64 = 1_000_000.0;

mesh_config::object! {
    /// A variant of a split.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Variant {
        /// The variant's name, as routes know it.
        pub name: String = required(mesh_policy::name::name()),
        /// Its share of the requests, relative to the other weights, with up to two decimals.
        pub weight: Weight = required(weight()),
    }
}

/// A number from 0 to a million with up to two decimals.
fn weight() -> impl Kind<Out = Weight> {
    decimal(0.0..=MAX_WEIGHT, 100, "at most two decimals")
        .and_then(|_, hundredths| Weight::from_hundredths(hundredths))
}

pub(super) fn variants() -> impl Kind<Out = Vec<Variant>> {
    let variants: List<'static, _> = list(Variant::kind())
        .at_least(2)
        .at_most(MAX_VARIANTS, "variants")
        .unique("name", "a name that no other variant has");
    variants.and_then(|value, variants| {
        if variants.iter().all(|variant| variant.weight.hundredths() == 0) {
            return value.problem(ProblemKind::Conflict, "found no weight above 0, expected one");
        }
        Some(variants)
    })
}

/// The name of one of the variants, if they are good.
pub(super) fn one_of(variants: Option<&[Variant]>) -> impl Kind<Out = String> {
    mesh_policy::name::name().and_then(move |value, name: String| {
        if variants.is_some_and(|variants| !variants.iter().any(|variant| variant.name == name)) {
            return value.expected(ProblemKind::UnknownWord, "a variant of the split");
        }
        Some(name)
    })
}
