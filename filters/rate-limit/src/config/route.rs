//! What a route of a block has of the block's own config, and what must agree among a block's configs.

use super::{Config, Override};
use crate::quota::Quota;
use mesh_policy::facts::Needs;
use mesh_policy::key_part::KeyPart;
use mesh_policy::mode::Mode;
use mesh_policy::routes::{Misfit, RouteConfig};
use mesh_policy::settings::Settings;
use std::collections::BTreeMap;

impl RouteConfig for Config {
    const OF_BLOCK: &'static [&'static str] = &["capacity"];

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for limit in self.limits.iter().filter(|limit| self.settings.mode.max(limit.mode) != Mode::Off) {
            needs.add(&limit.needs());
        }
        needs
    }

    /// Limits of one name are one set of buckets. What determines the buckets and how they refill must agree.
    ///
    /// The rest may differ: which requests a limit is for and what they cost, whether a refusal is enforced, and what becomes
    /// of a request that has no bucket of its own. None of it makes a bucket admit more.
    fn misfits(&self, other: &Self) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        let is_found_elsewhere = self.settings.client_ip != other.settings.client_ip;
        for (index, limit) in self.limits.iter().enumerate() {
            let Some(other) = other.limits.iter().find(|other| other.name == limit.name) else { continue };
            let fields = [
                ("key", limit.key == other.key),
                ("rate", limit.quota.rate == other.quota.rate),
                ("burst", limit.quota.burst == other.quota.burst),
                ("overrides", quotas(&limit.overrides) == quotas(&other.overrides)),
            ];
            let mut add = |path: String| {
                let name = &limit.name;
                let message = format!(
                    "found another value, expected that of limit `{name}` in the block's other configs"
                );
                misfits.push(Misfit { path, message });
            };
            // The same key, but the address of another peer.
            let is_by_address = limit.key.iter().any(|part| matches!(part, KeyPart::ClientIp(_)));
            if is_by_address && is_found_elsewhere {
                add("client_ip".to_owned());
            }
            for (field, _) in fields.into_iter().filter(|(_, agrees)| !agrees) {
                add(format!("limits[{index}].{field}"));
            }
        }
        misfits
    }
}

/// The quotas of single keys. Their order in the config means nothing.
fn quotas(overrides: &[Override]) -> BTreeMap<&[Vec<u8>], Quota> {
    overrides.iter().map(|entry| (entry.key.as_slice(), entry.quota)).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, parse};
    use mesh_policy::routes::RouteConfig as _;

    fn config(limit: &str) -> Config {
        parse(format!(r#"{{"limits": [{limit}]}}"#).as_bytes())
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// `own`: a limit of one config, `route`: the limits of another.
    #[track_caller]
    fn check(own: &str, route: &str, expected: &[&str]) {
        let misfits = config(route).misfits(&config(own));
        let lines: Vec<_> =
            misfits.iter().map(|misfit| format!("{}: {}", misfit.path, misfit.message)).collect();
        assert_eq!(lines, expected, "{own} {route}");
    }

    /// The limit `l` with these fields.
    fn l(fields: &str) -> String {
        format!(r#"{{"name": "l", {fields}}}"#)
    }

    const RATE: &str = r#""rate": {"requests": 60, "per": "1m"}"#;

    #[test]
    fn limits_of_one_name_have_one_quota() {
        let limit = l(RATE);
        check(&limit, &limit, &[]);
        check(&limit, &l(r#""rate": {"requests": 1, "per": "1s"}, "burst": 60"#), &[]);
        check(
            &limit,
            &l(&format!(r#"{RATE}, "burst": 5"#)),
            &[
                "limits[0].burst: found another value, expected that of limit `l` in the block's other configs",
            ],
        );
        check(
            &limit,
            &l(r#""rate": {"requests": 60, "per": "1s"}"#),
            &["limits[0].rate: found another value, expected that of limit `l` in the block's other configs"],
        );
        check(&limit, r#"{"name": "L", "rate": {"requests": 1, "per": "1s"}}"#, &[]);
    }

    #[test]
    fn limits_of_one_name_have_one_key() {
        let limit = |key: &str| l(&format!(r#""key": [{key}], {RATE}"#));
        let another =
            &["limits[0].key: found another value, expected that of limit `l` in the block's other configs"];
        check(&limit(r#"{"header": "A"}"#), &limit(r#"{"header": "a"}"#), &[]);
        check(&limit(r#"{"header": "a"}"#), &limit(r#"{"header": "b"}"#), another);
        check(&limit(r#""client_ip""#), &limit(r#"{"client_ip": {}}"#), &[]);
        check(&limit(r#""client_ip""#), &limit(r#"{"client_ip": {"v6_prefix": 48}}"#), another);
        check(&limit(r#""host", "path""#), &limit(r#""path", "host""#), another);
        check(&limit(""), &limit(r#""path""#), another);
    }

    #[test]
    fn limits_of_one_name_have_the_same_overrides() {
        let limit = |overrides: &[(&str, u32)]| {
            let each = overrides
                .iter()
                .map(|(key, burst)| format!(r#"{{"key": ["{key}"], {RATE}, "burst": {burst}}}"#));
            let overrides = each.collect::<Vec<_>>().join(", ");
            l(&format!(r#""key": [{{"header": "a"}}], {RATE}, "overrides": [{overrides}]"#))
        };
        let others = &[
            "limits[0].overrides: found another value, expected that of limit `l` in the block's other configs",
        ];
        check(&limit(&[("x", 1), ("y", 2)]), &limit(&[("y", 2), ("x", 1)]), &[]);
        check(&limit(&[("x", 1), ("y", 2)]), &limit(&[("y", 1), ("x", 2)]), others);
        check(&limit(&[("x", 1)]), &limit(&[]), others);
        check(&limit(&[]), &limit(&[("x", 1)]), others);
    }

    #[test]
    fn the_rest_may_differ() {
        for fields in [
            r#""match": {"methods": ["GET"]}"#,
            r#""mode": "shadow""#,
            r#""cost": 7"#,
            r#""cost": {"header": "c", "max": 60}"#,
            r#""enforce_percentage": 1"#,
            r#""overflow": "deny""#,
            r#""on_missing_key": "shared""#,
        ] {
            check(&l(RATE), &l(&format!("{RATE}, {fields}")), &[]);
        }
    }

    #[test]
    fn an_address_as_key_is_found_in_one_place() {
        let check_hops = |key: &str, expected: &[&str]| {
            let limits = format!(r#"{{"limits": [{}]}}"#, l(&format!(r#""key": [{key}], {RATE}"#)));
            let hops = limits.replacen('{', r#"{"client_ip": {"trusted_hops": 1}, "#, 1);
            let [own, route] = [limits, hops].map(|config| parse(config.as_bytes()).unwrap());
            let paths: Vec<_> = route.misfits(&own).into_iter().map(|misfit| misfit.path).collect();
            assert_eq!(paths, expected, "{key}");
        };
        check_hops(r#""client_ip""#, &["client_ip"]);
        check_hops(r#"{"header": "a"}"#, &[]);
    }

    #[test]
    fn every_difference_is_told_where_it_is() {
        let other = r#"{"name": "m", "rate": {"requests": 9, "per": "1s"}}"#;
        let route = l(r#""key": ["path"], "rate": {"requests": 9, "per": "1s"}"#);
        let expected = [
            "limits[1].key: found another value, expected that of limit `l` in the block's other configs",
            "limits[1].rate: found another value, expected that of limit `l` in the block's other configs",
            "limits[1].burst: found another value, expected that of limit `l` in the block's other configs",
        ];
        check(&l(RATE), &format!("{other}, {route}"), &expected);
    }
}
