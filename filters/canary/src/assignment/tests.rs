use super::{Assigner, Weight, shares, uniform};
use mesh_policy::percent::Percentage;

/// `h` and `u` of a variant.
#[track_caller]
fn check_hash(split: &str, variant: &str, identity: &[u8], hash: u64, unit: f64) {
    let assigner = Assigner::new(split, std::iter::once(variant));
    let found = assigner.variants[0].hash(identity);
    assert_eq!(found, hash, "{split} {variant} {} {found:#018x}", identity.escape_ascii());
    assert_eq!(uniform(found).to_bits(), unit.to_bits(), "{found:#018x}");
}

/// From an independent implementation that was checked with the vectors of the hash. They must never change.
#[test]
fn known_hashes() {
    check_hash("checkout-2026-11", "v1", b"user-1", 0x8f8b_2ee3_511d_0076, 0.560_717_516_419_675_4);
    check_hash("checkout-2026-11", "v2", b"user-1", 0xca20_14ea_b64c_2ef1, 0.789_552_027_991_064_8);
    check_hash("checkout-2026-11", "v2", b"user-2", 0xb850_76b2_e50f_b52b, 0.719_977_778_125_268_1);
    check_hash("checkout-2026-11", "v2", b"", 0x7079_3485_979f_18a0, 0.439_349_444_022_465_4);
    check_hash("", "", b"", 0x58c1_1a8c_7198_a3ca, 0.346_696_528_709_431_96);
    check_hash("a", "bc", b"d", 0x694e_aa3c_4cb5_31d3, 0.411_356_582_376_090_8);
    check_hash("ab", "c", b"d", 0x1a9b_3652_bb43_76ae, 0.103_930_850_217_933_3);
    check_hash("search", "stable", "Jürgen".as_bytes(), 0xd3c9_7206_ca0a_e402, 0.827_292_563_111_807_3);
    check_hash("search", "canary", b"\0\xff\x80", 0x22dc_12f0_38de_7d97, 0.136_170_562_408_432_56);
}

/// Half of 2^-53 and 1: the logarithm is finite for every hash.
#[test]
fn the_ends_of_the_uniform_number() {
    assert_eq!(uniform(0), 2f64.powi(-54));
    assert_eq!(uniform(u64::MAX), 1.0);
    assert_eq!(uniform(1 << 63), 0.5);
    assert_eq!(uniform(1 << 62), 0.25 + 2f64.powi(-54));
}

/// `variants`: names and shares.
#[track_caller]
fn check(split: &str, variants: &[(&str, f64)], identity: &str, expected: Option<&str>) {
    let shares: Vec<f64> = variants.iter().map(|(_, share)| *share).collect();
    let assigner = Assigner::new(split, variants.iter().map(|(name, _)| *name));
    let found = assigner.choose(&shares, identity.as_bytes()).map(|index| variants[index].0);
    assert_eq!(found, expected, "{split} {variants:?} {identity}");
}

/// From the same independent implementation.
#[test]
fn known_assignments() {
    let split = "checkout-2026-11";
    let variants = &[("v1", 90.0), ("v2", 10.0)];
    check(split, variants, "user-1", Some("v1"));
    check(split, variants, "user-2", Some("v1"));
    check(split, variants, "user-9", Some("v2"));
    check(split, variants, "alice", Some("v1"));
    check(split, variants, "judy", Some("v2"));
    check("search", variants, "judy", Some("v1"));
}

#[test]
fn a_share_that_is_not_above_zero_gets_nobody() {
    for identity in ["user-1", "user-2", "user-9", ""] {
        check("s", &[("a", 0.0), ("b", 1.0), ("c", -0.0)], identity, Some("b"));
        check("s", &[("a", f64::NAN), ("b", -1.0), ("c", 1e-300)], identity, Some("c"));
        check("s", &[("a", 0.0), ("b", -1.0), ("c", f64::NAN)], identity, None);
        check("s", &[], identity, None);
    }
    let assigner = Assigner::new("s", ["a", "b"].into_iter());
    assert_eq!(assigner.choose(&[0.0], b"user-1"), None);
    assert_eq!(assigner.choose(&[0.0, 1.0, 9.0], b"user-1"), Some(1));
}

/// Infinite shares have the score 0, and tiny ones an infinite score.
#[test]
fn a_tie_goes_to_the_name_that_is_less() {
    for share in [f64::INFINITY, 5e-324] {
        for identity in ["user-1", "user-2", "user-9", ""] {
            check("s", &[("b", share), ("a", share), ("c", share)], identity, Some("a"));
            check("s", &[("c", share), ("b", share), ("a", 0.0)], identity, Some("b"));
            check("s", &[("v10", share), ("v2", share)], identity, Some("v10"));
        }
    }
}

const IDENTITIES: usize = 100_000;

/// The variant of each of `IDENTITIES` identities.
fn assign(split: &str, names: &[&str], shares: &[f64]) -> Vec<usize> {
    let assigner = Assigner::new(split, names.iter().copied());
    (0..IDENTITIES)
        .map(|number| assigner.choose(shares, format!("user-{number}").as_bytes()).unwrap())
        .collect()
}

const NAMES: [&str; 8] = ["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"];

#[test]
fn every_variant_gets_its_share() {
    let splits: [(&str, &[f64]); 6] = [
        ("checkout-2026-11", &[90.0, 10.0]),
        ("halves", &[1.0, 1.0]),
        ("thirds", &[3333.0, 3333.0, 3334.0]),
        ("canary", &[9999.0, 1.0]),
        ("uneven", &[7e15, 2e15, 9e14, 1e14]),
        ("eight", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
    ];
    for (split, shares) in splits {
        let assigned = assign(split, &NAMES[..shares.len()], shares);
        let total: f64 = shares.iter().sum();
        for (index, share) in shares.iter().enumerate() {
            let count = assigned.iter().filter(|variant| **variant == index).count();
            let points = 100.0 * (count as f64 / IDENTITIES as f64 - share / total);
            assert!(points.abs() < 0.5, "{split} {}: {count}", NAMES[index]);
        }
    }
}

/// Pearson's chi-squared of the table of pairs; with four degrees of freedom it exceeds 40 once in 20 million.
#[test]
fn splits_of_different_names_are_independent() {
    let shares = [50.0, 30.0, 20.0];
    let splits = ["checkout-2026-11", "checkout-2026-12", "search", ""];
    let assigned = splits.map(|split| assign(split, &NAMES[..3], &shares));
    for (index, first) in assigned.iter().enumerate() {
        for second in &assigned[index + 1..] {
            let count = |a, b| first.iter().zip(second).filter(|pair| *pair == (&a, &b)).count() as f64;
            let table = [0, 1, 2].map(|a| [0, 1, 2].map(|b| count(a, b)));
            let columns = [0, 1, 2].map(|b| table.iter().map(|row| row[b]).sum::<f64>());
            let mut chi_squared = 0.0;
            for row in &table {
                let total: f64 = row.iter().sum();
                for (count, column) in row.iter().zip(columns) {
                    let expected = total * column / IDENTITIES as f64;
                    chi_squared += (count - expected).powi(2) / expected;
                }
            }
            assert!(chi_squared < 40.0, "{chi_squared} {table:?}");
        }
    }
}

/// Grows a rollout from 10 to 25 percent.
#[track_caller]
fn check_growth(weights: &[u32]) {
    let weights: Vec<_> = weights.iter().map(|weight| Weight::from_hundredths(*weight).unwrap()).collect();
    let rolled_out = weights.len() - 1;
    let at = |parts| {
        let percentage = Percentage::from_parts_per_million(parts).unwrap();
        assign("checkout-2026-11", &NAMES[..weights.len()], &shares(&weights, Some((rolled_out, percentage))))
    };
    let (before, after) = (at(100_000), at(250_000));
    let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert!(moved.iter().all(|(_, after)| **after == rolled_out), "somebody moved elsewhere");
    // 15 percent of all, and no more.
    let points = 100.0 * moved.len() as f64 / IDENTITIES as f64 - 15.0;
    assert!(points.abs() < 0.5, "{}", moved.len());
}

#[test]
fn growth_from_10_to_25_percent_moves_nobody_back() {
    check_growth(&[9_000, 1_000]);
    check_growth(&[6_000, 3_000, 1_000]);
}
