//! What a route of a block has of the block's own config, and what must agree among a block's configs.

use super::{Config, Limit, Override};
use crate::quota::Quota;
use mesh_policy::facts::Needs;
use mesh_policy::routes::{Misfit, RouteConfig};
use mesh_policy::settings::Settings;
use std::collections::BTreeMap;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] = &["capacity"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        crate::policy::needs(self)
    }

    /// Limits of one name are one set of buckets. What determines the buckets and how they refill must agree.
    ///
    /// The rest may differ: which requests a limit is for and what they cost, whether a refusal is enforced, and what becomes
    /// of a request that has no bucket of its own. None of it makes a bucket admit more.
    fn misfits(&self, other: &Self) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        for (index, limit) in self.limits.iter().enumerate() {
            let named = other.limits.iter().find(|other| other.name == limit.name);
            for (field, found, expected) in named.map(|other| differences(limit, other)).into_iter().flatten() {
                let path = format!("limits[{index}].{field}");
                let message = format!(
                    "found {found}, expected {expected} limit `{}` has in another config of the block",
                    limit.name
                );
                misfits.push(Misfit { path, message });
            }
        }
        misfits
    }
}

/// The fields of two limits of one name that differ but must not.
fn differences(limit: &Limit, other: &Limit) -> Vec<(&'static str, String, String)> {
    let same = |agree: bool, field| (!agree).then(|| (field, format!("another {field}"), "the one that".to_owned()));
    let bursts = [limit, other].map(|limit| limit.quota.burst);
    let burst = (bursts[0] != bursts[1]).then(|| ("burst", bursts[0].to_string(), format!("{}, as", bursts[1])));
    [
        same(limit.key == other.key, "key"),
        same(limit.quota.rate == other.quota.rate, "rate"),
        burst,
        same(quotas(&limit.overrides) == quotas(&other.overrides), "overrides"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The quotas of single keys. Their order in the config means nothing.
fn quotas(overrides: &[Override]) -> BTreeMap<&[Vec<u8>], Quota> {
    overrides.iter().map(|entry| (entry.key.as_slice(), entry.quota)).collect()
}
