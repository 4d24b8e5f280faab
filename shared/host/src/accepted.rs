//! What tells an operator which config the filter has accepted last: a log line and a gauge.

use crate::filter::Filter;
use crate::logger::target_of;
use crate::metrics::Gauge;
use crate::plugin::Plugin;
use crate::shared_data::SharedData;
use mesh_policy::hash::Key;
use mesh_policy::store::update;

/// Reports an accepted config.
pub(crate) fn report<F: Filter>(filters: &[F], config: &[u8], plugin: &Plugin) {
    let hash = hash(config);
    // In the form in which Istio extracts labels from names.
    let gauge =
        format!("mesh_filters.{}.plugin=.={};.;config_hash", F::NAME.replace('-', "_"), plugin.name());
    Gauge::define(&gauge).set(hash.into());
    if !log::log_enabled!(log::Level::Info) || !is_first(F::NAME, plugin.name(), hash) {
        return;
    }
    for filter in filters {
        log::info!(target: &target_of(filter.name()), "config {hash:08x} accepted: {}", filter.summary());
    }
}

/// 32 bits that change with the config.
#[allow(clippy::cast_possible_truncation, reason = "any 32 bits of the hash do")]
fn hash(config: &[u8]) -> u32 {
    let mut hasher = Key::new([0; 16]).hasher();
    hasher.part(config);
    hasher.finish() as u32
}

/// Whether this VM is the first of the proxy to report this config. Each worker has a VM, and the proxy a few
/// more. Without shared data each one reports it.
fn is_first(filter: &str, plugin: &str, hash: u32) -> bool {
    const TRIES: u32 = 8;
    let (key, hash) = (format!("mesh_filters.config/1/{filter}/{plugin}"), hash.to_le_bytes());
    let is_first = update(&mut SharedData, key.as_bytes(), TRIES, |reported, _| {
        let is_first = reported != Some(hash.as_slice());
        (is_first.then(|| hash.to_vec()), is_first)
    });
    is_first.unwrap_or(true)
}
