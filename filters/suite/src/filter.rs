//! The chain: a filter for each block.

use crate::config::{self, Block, FilterConfig};
use fault::filter::FaultFilter;
use jwt_authz::filter::JwtAuthz;
use mesh_config::Problems;
use mesh_host::{Build, Configure, Plugin, PolicyFilter};
use mesh_policy::mode::Mode;

mesh_host::any_filter! {
    /// The filter of a block.
    pub enum SuiteFilter, SuiteStream, "suite" {
        TraceContext(PolicyFilter<trace_context::policy::Policy>),
        JwtAuthz(JwtAuthz),
        RateLimit(PolicyFilter<rate_limit::policy::Policy>),
        Canary(PolicyFilter<canary::policy::Policy>),
        Fault(FaultFilter),
    }
}

impl Configure for SuiteFilter {
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
    fn of(block: Block, mode: Mode, plugin: Plugin) -> Result<Self, Problems> {
        let plugin = plugin.with_block(block.name);
        Ok(match block.filter.made_lenient(mode) {
            FilterConfig::TraceContext(config) => Self::TraceContext(PolicyFilter::build(*config, &plugin)?),
            FilterConfig::JwtAuthz(config) => Self::JwtAuthz(JwtAuthz::build(*config, &plugin)?),
            FilterConfig::RateLimit(config) => Self::RateLimit(PolicyFilter::build(*config, &plugin)?),
            FilterConfig::Canary(config) => Self::Canary(PolicyFilter::build(*config, &plugin)?),
            FilterConfig::Fault(config) => Self::Fault(FaultFilter::build(*config, &plugin)?),
        })
    }
}
