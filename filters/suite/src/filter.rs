//! The chain: a filter for each block.

use crate::config::{self, Block, FilterConfig};
use fault::filter::FaultFilter;
use jwt_authz::filter::JwtAuthz;
use mesh_config::Problems;
use mesh_host::{BuildRoute, Configure, Plugin, PolicyFilter, Routed};
use mesh_policy::mode::Mode;
use mesh_policy::routes::{RouteConfig, Routes};

mesh_host::any_filter! {
    /// The filter of a block.
    pub enum SuiteFilter, SuiteStream, "suite" {
        TraceContext(Routed<PolicyFilter<trace_context::policy::Policy>>),
        JwtAuthz(Routed<JwtAuthz>),
        RateLimit(Routed<PolicyFilter<rate_limit::policy::Policy>>),
        Canary(Routed<PolicyFilter<canary::policy::Policy>>),
        Fault(Routed<FaultFilter>),
    }
}

impl Configure for SuiteFilter {
    #[inline(never)]
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let config = config::parse(config)?;
        let mut filters = Vec::new();
        let mut problems: Option<Problems> = None;
        for (position, block) in config.filters.into_iter().enumerate() {
            let path = format!("filters[{position}].{}", block.filter.key());
            match Self::of(block, config.mode, plugin.at(position)) {
                Ok(filter) => filters.push(filter),
                Err(found) => {
                    let found = found.within(&path);
                    problems = Some(match problems {
                        Some(others) => others.and(found),
                        None => found,
                    });
                }
            }
        }
        problems.map_or(Ok(filters), Err)
    }
}

impl SuiteFilter {
    /// The filter of a block, where the suite has this mode.
    #[inline(never)]
    fn of(block: Block, mode: Mode, plugin: Plugin) -> Result<Self, Problems> {
        let plugin = plugin.with_block(block.name);
        Ok(match block.filter.made_lenient(mode) {
            FilterConfig::TraceContext(config) => Self::TraceContext(routed(*config, &plugin)?),
            FilterConfig::JwtAuthz(config) => Self::JwtAuthz(routed(*config, &plugin)?),
            FilterConfig::RateLimit(config) => Self::RateLimit(routed(*config, &plugin)?),
            FilterConfig::Canary(config) => Self::Canary(routed(*config, &plugin)?),
            FilterConfig::Fault(config) => Self::Fault(routed(*config, &plugin)?),
        })
    }
}

/// The filter of a block with those of its routes.
fn routed<F: BuildRoute<Config: RouteConfig>>(
    config: config::Routed<F::Config>,
    plugin: &Plugin,
) -> Result<Routed<F>, Problems> {
    let config::Routed { mut own, routes } = config;
    let settings = *own.settings();
    let (routes, configs) =
        routes.into_iter().map(|route| ((route.name, route.matches), route.config)).unzip();
    Routed::build(own, Routes::new(settings, routes), configs, plugin)
}
