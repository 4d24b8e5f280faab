//! The variants of a split.

use crate::assignment::Weight;
use mesh_config::kinds::{List, list, number};
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

/// A number from 0 to a million with up to two decimals. A third one is refused, as it would be lost.
fn weight() -> impl Kind<Out = Weight> {
    number(0.0..=MAX_WEIGHT).and_then(|value, weight| {
        // Far above the rounding error of a float, and far below a third decimal.
        const TOLERANCE: f64 = 1e-6;
        let hundredths = weight * 100.0;
        if (hundredths - hundredths.round()).abs() > TOLERANCE {
            return value.expected(ProblemKind::BadPattern, "at most two decimals");
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an integer from 0 to 10^8"
        )]
        let hundredths = hundredths.round() as u32;
        Weight::from_hundredths(hundredths)
    })
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
