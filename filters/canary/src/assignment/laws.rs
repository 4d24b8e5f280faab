//! Properties for any split.

use super::{Assigner, Weight, shares};
use mesh_policy::percent::Percentage;
use proptest::prelude::*;

/// Shares are integers up to 2^53, among them often 0, small and equal ones.
fn share() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..6, 0..=1u64 << 53]
}

/// A split: its name, and the shares of two to eight variants by their names.
fn split() -> impl Strategy<Value = (String, Vec<(String, u64)>)> {
    let variants = prop::collection::btree_map("[a-c]{1,3}", share(), 2..=8);
    ("[a-z]{0,3}", variants.prop_map(|variants| variants.into_iter().collect()))
}

/// Eight identities that differ from case to case.
fn identities() -> impl Strategy<Value = Vec<Vec<u8>>> {
    any::<u64>()
        .prop_map(|seed| (0..8u8).map(|number| [&seed.to_le_bytes()[..], &[number]].concat()).collect())
}

/// The variant of each identity.
fn choices<'v>(split: &str, variants: &'v [(String, u64)], identities: &[Vec<u8>]) -> Vec<Option<&'v str>> {
    let assigner = Assigner::new(split, variants.iter().map(|(name, _)| name.as_str()));
    let shares: Vec<f64> = variants.iter().map(|(_, share)| *share as f64).collect();
    let choose =
        |identity: &Vec<u8>| assigner.choose(&shares, identity).map(|index| variants[index].0.as_str());
    identities.iter().map(choose).collect()
}

proptest! {
    #[test]
    fn nobody_leaves_a_variant_that_alone_grows(
        (split, before) in split(),
        left in prop::collection::vec(0u64..=4, 8),
        grown: prop::sample::Index,
        to in share(),
        identities in identities(),
    ) {
        let grown = grown.index(before.len());
        let mut after = before.clone();
        for (index, (_, share)) in after.iter_mut().enumerate() {
            // Each of the others keeps its share, a part of it, or nothing.
            *share = if index == grown { to.max(*share) } else { *share / 4 * left[index] };
        }
        let name = Some(before[grown].0.as_str());
        let found = choices(&split, &before, &identities).into_iter().zip(choices(&split, &after, &identities));
        for (before, after) in found {
            prop_assert!(before != name || after == name, "{before:?} {after:?}");
        }
    }

    #[test]
    fn who_moves_moves_to_or_from_the_variant_that_alone_changes(
        (split, before) in split(),
        changed: prop::sample::Index,
        to in share(),
        identities in identities(),
    ) {
        let changed = changed.index(before.len());
        let mut after = before.clone();
        after[changed].1 = to;
        check_movers(&split, &before, &after, changed, &identities)?;
    }

    #[test]
    fn a_growing_rollout_moves_identities_to_its_variant_only(
        (split, names) in split(),
        weights in prop::collection::vec(prop_oneof![0u32..6, 0..=Weight::MAX.hundredths()], 8),
        rolled_out: prop::sample::Index,
        (from, to) in (0u32..=1_000_000, 0u32..=1_000_000),
        identities in identities(),
    ) {
        let rolled_out = rolled_out.index(names.len());
        let weights: Vec<_> = weights.into_iter().filter_map(Weight::from_hundredths).take(names.len()).collect();
        let at = |parts| {
            let shares = shares(&weights, Some((rolled_out, Percentage::from_parts_per_million(parts).unwrap())));
            let named = names.iter().zip(shares);
            named.map(|((name, _), share)| (name.clone(), share as u64)).collect::<Vec<_>>()
        };
        let (before, after) = (at(from.min(to)), at(from.max(to)));
        let name = Some(names[rolled_out].0.as_str());
        let found = choices(&split, &before, &identities).into_iter().zip(choices(&split, &after, &identities));
        for (before, after) in found {
            prop_assert!(before == after || after == name, "{before:?} {after:?}");
        }
    }

    #[test]
    fn the_order_of_the_variants_does_not_matter(
        (split, variants) in split(),
        by in 0usize..8,
        identities in identities(),
    ) {
        let mut other = variants.clone();
        other.rotate_left(by % variants.len());
        other.swap(0, by % variants.len());
        prop_assert_eq!(choices(&split, &variants, &identities), choices(&split, &other, &identities));
    }

    #[test]
    fn somebody_is_chosen_if_a_share_is_above_zero(
        (split, variants) in split(),
        identities in identities(),
    ) {
        let positive = variants.iter().any(|(_, share)| *share > 0);
        for choice in choices(&split, &variants, &identities) {
            let share = choice.map(|name| variants.iter().find(|(found, _)| found == name).unwrap().1);
            prop_assert!(share.map_or(!positive, |share| share > 0), "{choice:?}");
        }
    }

    #[test]
    fn arbitrary_shares_do_not_panic(shares: Vec<f64>, variants: Vec<String>, identity: Vec<u8>) {
        let found = Assigner::new("s", variants.iter().map(String::as_str)).choose(&shares, &identity);
        prop_assert!(found.is_none_or(|index| index < variants.len() && shares[index] > 0.0));
    }
}

/// Checks that whoever moves between two versions of a split moves to or from the variant with index `changed`.
fn check_movers(
    split: &str,
    before: &[(String, u64)],
    after: &[(String, u64)],
    changed: usize,
    identities: &[Vec<u8>],
) -> Result<(), TestCaseError> {
    let name = Some(before[changed].0.as_str());
    for (before, after) in
        choices(split, before, identities).into_iter().zip(choices(split, after, identities))
    {
        prop_assert!(before == after || before == name || after == name, "{before:?} {after:?}");
    }
    Ok(())
}

/// Every change of one weight of three that are at most 3.
#[test]
fn every_small_change_of_one_weight() {
    let identities: Vec<_> = (0..64u8).map(|number| vec![number]).collect();
    let splits = (0..64u64).map(|digits| {
        let weights = [digits % 4, digits / 4 % 4, digits / 16];
        ["a", "b", "c"].map(str::to_owned).into_iter().zip(weights).collect::<Vec<_>>()
    });
    for before in splits {
        for (changed, to) in (0..3).flat_map(|changed| (0..4).map(move |to| (changed, to))) {
            let mut after = before.clone();
            after[changed].1 = to;
            check_movers("s", &before, &after, changed, &identities).unwrap();
        }
    }
}
