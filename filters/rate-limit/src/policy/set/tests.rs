use super::{Charge, ChargedLevel, LONG_RECORD_BYTES, Overflow, RECORD_BYTES, Set, Verdict, WAYS};
use crate::policy::bucket::{Quota, Rate};
use mesh_policy::time::Nanos;
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::time::Duration;

fn quota(per_second: u64, burst: u64) -> Quota {
    let rate = Rate::new(NonZeroU64::new(per_second).unwrap(), Duration::from_secs(1)).unwrap();
    Quota { rate, burst: NonZeroU64::new(burst).unwrap() }
}

fn charge(fingerprint: u64, quota: &Quota, overflow: Overflow) -> Charge<'_> {
    Charge { fingerprint, quota, generation: 0, cost: 1, overflow }
}

fn admitted(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Admitted { .. } | Verdict::Unmetered)
}

/// A set in which every slot is taken until `quota` refills its first token.
fn full_set(quota: &Quota) -> Set {
    let mut set = Set::parse(None);
    for other in 0..WAYS as u64 {
        assert!(admitted(set.charge(&charge(1000 + other, quota, Overflow::Deny), Nanos(0)).verdict));
    }
    set
}

#[test]
fn a_record_reads_back() {
    let mut set = full_set(&quota(7, 3));
    set.charge(&charge(1, &quota(7, 3), Overflow::Share), Nanos(5));
    let record = set.record().to_vec();
    assert_eq!(record.len(), RECORD_BYTES);
    assert_eq!(Set::parse(Some(record)), set);
}

#[test]
fn what_is_not_a_set_is_an_empty_one() {
    for record in [None, Some(Vec::new()), Some(vec![0xff; RECORD_BYTES]), Some(vec![0; 7])] {
        assert_eq!(Set::parse(record), Set::parse(None));
    }
}

#[test]
fn only_a_full_bucket_loses_its_slot() {
    let quota = quota(1, 1);
    let mut set = full_set(&quota);
    let newcomer = charge(1, &quota, Overflow::Deny);
    assert_eq!(set.charge(&newcomer, Nanos(999_999_999)).verdict, Verdict::NoSlot);
    assert!(admitted(set.charge(&newcomer, Nanos(1_000_000_000)).verdict));
}

#[test]
fn without_a_slot_the_overflow_decides() {
    let quota = quota(1, 1);
    let now = Nanos(1);
    let verdict = |overflow| full_set(&quota).charge(&charge(1, &quota, overflow), now).verdict;
    assert_eq!(verdict(Overflow::Allow), Verdict::Unmetered);
    assert_eq!(verdict(Overflow::Deny), Verdict::NoSlot);
    let mut set = full_set(&quota);
    assert!(admitted(set.charge(&charge(1, &quota, Overflow::Share), now).verdict));
    // Another client shares the overflow.
    assert!(!admitted(set.charge(&charge(2, &quota, Overflow::Share), now).verdict));
}

#[test]
fn a_slot_that_comes_free_begins_at_the_overflow_s_level() {
    let quota = quota(1, 1);
    let mut set = full_set(&quota);
    let client = charge(1, &quota, Overflow::Share);
    assert!(admitted(set.charge(&client, Nanos(900_000_000)).verdict));
    // Slots are free again at 1 s, but what the client took from the overflow is refilled at 1.9 s.
    let early = set.charge(&client, Nanos(1_800_000_000));
    assert!(!admitted(early.verdict));
    assert!(matches!(early.level, ChargedLevel::Slot(_)));
    assert!(admitted(set.charge(&client, Nanos(1_900_000_000)).verdict));
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let quota = quota(1, 1);
    for mut set in [Set::parse(None), full_set(&quota)] {
        let client = charge(1, &quota, Overflow::Share);
        let charged = set.charge(&client, Nanos(10));
        assert!(!admitted(set.charge(&client, Nanos(10)).verdict));
        assert!(set.give_back(&client, &charged.level, Nanos(10)));
        assert!(admitted(set.charge(&client, Nanos(10)).verdict));
    }
}

#[test]
fn the_later_config_s_quota_holds_for_both() {
    let (small, large) = (quota(1, 2), quota(1, 8));
    let mut set = Set::parse(None);
    let mut admissions = |quota: &Quota, generation| {
        let charge = Charge { generation, ..charge(1, quota, Overflow::Deny) };
        (0..20).filter(|_| admitted(set.charge(&charge, Nanos(0)).verdict)).count()
    };
    assert_eq!(admissions(&large, 1), 8);
    // What the later config clips stays owed under the earlier one.
    assert_eq!(admissions(&small, 2), 0);
    assert_eq!(admissions(&large, 1), 0);
    // It also stays owed under an even later config, as after a rollback.
    assert_eq!(admissions(&large, 3), 0);
    // The earlier config does not clip what the later one has charged.
    assert_eq!(admissions(&small, 2), 0);
}

/// Each worker loads a config at a different time; a charge by any worker counts for the config.
#[test]
fn a_config_is_not_silent_while_one_of_its_workers_charges() {
    let (small, large) = (quota(1, 20), quota(1, 80));
    let mut set = Set::parse(None);
    let mut charge_by = |quota: &Quota, generation, seconds: u64| {
        let charge = Charge { generation, ..charge(1, quota, Overflow::Deny) };
        set.charge(&charge, Nanos(seconds * 1_000_000_000)).quota
    };
    charge_by(&large, 1, 0);
    for _ in 0..20 {
        charge_by(&small, 3, 0);
    }
    assert_eq!(charge_by(&small, 2, 9), small);
    assert_eq!(charge_by(&large, 1, 11), small);
    // After ten seconds without a charge it is silent.
    assert_eq!(charge_by(&large, 1, 19), large);
}

#[test]
fn a_full_bucket_is_nobody_s() {
    let (small, large) = (quota(1, 2), quota(1, 8));
    let mut set = Set::parse(None);
    let later = Charge { generation: 2, ..charge(1, &small, Overflow::Deny) };
    let earlier = Charge { generation: 1, ..charge(1, &large, Overflow::Deny) };
    assert!(admitted(set.charge(&later, Nanos(0)).verdict));
    assert_eq!(set.clone().charge(&earlier, Nanos(999_999_999)).quota, small);
    assert_eq!(set.charge(&earlier, Nanos(1_000_000_000)).quota, large);
}

#[test]
fn a_small_bucket_that_is_full_does_not_fill_a_large_one() {
    let (large, small) = (quota(2, 5), quota(2, 3));
    let mut set = Set::parse(None);
    let mut admissions = |quota: &Quota, generation, millis: u64| {
        let charge = Charge { generation, ..charge(1, quota, Overflow::Deny) };
        (0..20).filter(|_| admitted(set.charge(&charge, Nanos(millis * 1_000_000)).verdict)).count()
    };
    assert_eq!(admissions(&large, 1, 0), 5);
    assert_eq!(admissions(&small, 2, 0), 0);
    // The clipped level of the small bucket is refilled; of the 5 tokens owed, 2 are left.
    assert_eq!(admissions(&large, 1, 1500), 3);
    assert_eq!(admissions(&small, 2, 3000), 3);
    assert_eq!(admissions(&large, 1, 3000), 0);
}

#[test]
fn a_bucket_is_kept_while_it_has_a_debt() {
    let (small, large, lasting) = (quota(1, 2), quota(1, 8), quota(1, 100));
    let mut set = full_set(&lasting);
    for other in 1..WAYS as u64 {
        // The other slots stay taken throughout this test.
        let charge = Charge { cost: 99, ..charge(1000 + other, &lasting, Overflow::Deny) };
        assert!(admitted(set.charge(&charge, Nanos(0)).verdict));
    }
    let (mut bucket, newcomer) = (charge(1000, &large, Overflow::Deny), charge(1, &large, Overflow::Deny));
    bucket.cost = 7;
    assert!(admitted(set.charge(&bucket, Nanos(0)).verdict));
    assert_eq!(set.record().len(), RECORD_BYTES);
    let clips = Charge { quota: &small, generation: 1, cost: 1, ..bucket };
    assert!(!admitted(set.charge(&clips, Nanos(0)).verdict));
    assert_eq!(set.record().len(), LONG_RECORD_BYTES);
    let mut set = Set::parse(Some(set.record().to_vec()));
    // The small bucket is full after two seconds, the large one after eight.
    assert_eq!(set.charge(&newcomer, Nanos(7_999_999_999)).verdict, Verdict::NoSlot);
    assert!(admitted(set.charge(&newcomer, Nanos(8_000_000_000)).verdict));
    assert_eq!(set.record().len(), RECORD_BYTES);
}

#[test]
fn what_is_given_back_is_not_owed_either() {
    let (small, large) = (quota(1, 2), quota(1, 8));
    let mut set = Set::parse(None);
    let charge = |quota, generation, cost| Charge { generation, cost, ..charge(1, quota, Overflow::Deny) };
    let taken = charge(&large, 1, 6);
    assert!(admitted(set.charge(&taken, Nanos(0)).verdict));
    let (clips, last) = (charge(&small, 2, 1), charge(&large, 3, 1));
    assert!(!admitted(set.charge(&clips, Nanos(0)).verdict));
    // Charged and given back under the small quota.
    let charged = set.charge(&clips, Nanos(1_000_000_000));
    assert!(admitted(charged.verdict));
    assert!(set.give_back(&clips, &charged.level, Nanos(1_000_000_000)));
    // 6 were taken, and 1 was refilled.
    let left = (0..20).filter(|_| admitted(set.charge(&last, Nanos(1_000_000_000)).verdict)).count();
    assert_eq!(left, 3);
}

#[test]
fn after_a_rollback_the_earlier_config_s_quota_comes_back() {
    let hourly = |burst| Quota {
        rate: Rate::new(NonZeroU64::MIN, Duration::from_secs(3600)).unwrap(),
        ..quota(1, burst)
    };
    let (first, second) = (hourly(5), hourly(100));
    let mut set = Set::parse(None);
    let mut at = |quota: &Quota, generation, now| {
        let charge = Charge { generation, ..charge(1, quota, Overflow::Deny) };
        set.charge(&charge, Nanos(now)).quota.burst.get()
    };
    assert_eq!(at(&first, 1, 0), 5);
    assert_eq!(at(&second, 2, 1), 100);
    // The second config drains and becomes silent; then only the first one charges.
    assert_eq!(at(&first, 1, 1_000_000_000), 100);
    assert_eq!(at(&first, 1, 10_000_000_000), 100);
    assert_eq!(at(&first, 1, 10_000_000_001), 5);
}

proptest! {
    /// With far more clients in a set than it has slots, each client stays within its limit in every window, whatever
    /// is evicted and whoever shares the overflow.
    #[test]
    fn a_crowd_gets_nobody_over_the_limit(
        requests in prop::collection::vec((1u64..24, 0u64..400_000_000), 1..250),
        deny in any::<bool>(), per_second in prop::array::uniform3((1u64..6, 1u64..4)),
    ) {
        let quotas = per_second.map(|(rate, burst)| quota(rate, burst));
        let overflow = if deny { Overflow::Deny } else { Overflow::Share };
        let mut set = Set::parse(None);
        let mut now = 0;
        let mut admissions: Vec<(u64, u64)> = Vec::new();
        for (client, pause) in requests {
            now += pause;
            let quota = &quotas[client as usize % 3];
            let charged = set.charge(&charge(client, quota, overflow), Nanos(now));
            set = Set::parse(Some(set.record().to_vec()));
            if admitted(charged.verdict) {
                admissions.push((client, now));
            }
        }
        for client in 1..24 {
            let (rate, burst) = per_second[client as usize % 3];
            let times: Vec<u64> = admissions.iter().filter(|(of, _)| *of == client).map(|(_, at)| *at).collect();
            for (first, from) in times.iter().enumerate() {
                for (last, to) in times.iter().enumerate().skip(first) {
                    let count = (last - first + 1) as u64;
                    prop_assert!(count.saturating_sub(burst) * 1_000_000_000 <= rate * (to - from));
                }
            }
        }
    }
}
