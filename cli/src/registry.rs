//! The list of filters, which build, check, schema, bench, demo and tests share.

use std::path::Path;

use mesh_config::{Problems, Schema};
use mesh_policy::metric::documentation;

use crate::bench::{self, Effort, Rows};
use crate::module::Module;

/// The shipped filters, in the order of the command line.
pub const FILTERS: [Filter; 6] = [TRACE_CONTEXT, JWT_AUTHZ, RATE_LIMIT, CANARY, FAULT, SUITE];

/// The canary filter.
pub const CANARY: Filter = Filter {
    name: "canary",
    check: |config| canary::config::parse(config).map(drop),
    bench: bench::canary::rows,
    schema: canary::config::schema,
    metrics: documentation::markdown::<canary::policy::Metric>,
};

/// The fault filter.
pub const FAULT: Filter = Filter {
    name: "fault",
    check: |config| fault::config::parse(config).map(drop),
    bench: bench::fault::rows,
    schema: fault::config::schema,
    metrics: documentation::markdown::<fault::policy::Metric>,
};

/// The jwt-authz filter.
pub const JWT_AUTHZ: Filter = Filter {
    name: "jwt-authz",
    check: |config| jwt_authz::config::parse(config).map(drop),
    bench: bench::jwt_authz::rows,
    schema: jwt_authz::config::schema,
    metrics: documentation::markdown::<jwt_authz::policy::Metric>,
};

/// The rate-limit filter.
pub const RATE_LIMIT: Filter = Filter {
    name: "rate-limit",
    check: |config| rate_limit::config::parse(config).map(drop),
    bench: bench::rate_limit::rows,
    schema: rate_limit::config::schema,
    metrics: documentation::markdown::<rate_limit::policy::Metric>,
};

/// The suite: any of the other filters in one VM.
pub const SUITE: Filter = Filter {
    name: "suite",
    check: |config| suite::config::parse(config).map(drop),
    bench: bench::suite::rows,
    schema: suite::config::schema,
    metrics: documentation::markdown::<suite::metric::Metric>,
};

/// The trace-context filter.
pub const TRACE_CONTEXT: Filter = Filter {
    name: "trace-context",
    check: |config| trace_context::config::parse(config).map(drop),
    bench: bench::trace_context::rows,
    schema: trace_context::config::schema,
    metrics: documentation::markdown::<trace_context::policy::Metric>,
};

/// A filter, with what each command needs.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// The name of its folder, package, example and module.
    name: &'static str,
    /// Parses a config as the module does.
    check: fn(&[u8]) -> Result<(), Problems>,
    /// The listeners that its bench compares.
    bench: Rows,
    /// The schema of its config.
    schema: fn() -> Schema,
    /// The README's part on its metrics.
    metrics: fn(&str) -> String,
}

/// Finds a filter by its name.
#[must_use]
pub fn find(name: &str) -> Option<Filter> {
    FILTERS.into_iter().find(|filter| filter.name == name)
}

/// The names of all filters.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.into_iter().map(Filter::name)
}

/// The modules of all filters.
pub fn modules() -> impl Iterator<Item = Module> {
    FILTERS.into_iter().map(Filter::module)
}

impl Filter {
    /// The name of its folder under `filters/`, its package, its example and its module.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its module, which builds to `dist/<name>.wasm`.
    #[must_use]
    pub const fn module(self) -> Module {
        Module::of_filter(self.name)
    }

    /// Parses a config as the module does.
    ///
    /// # Errors
    ///
    /// All problems of the config.
    pub fn check(self, config: &[u8]) -> Result<(), Problems> {
        (self.check)(config)
    }

    /// The README's part on its metrics.
    #[must_use]
    pub fn metrics(self) -> String {
        (self.metrics)(self.name)
    }

    /// The schema of its config.
    #[must_use]
    pub fn schema(self) -> Schema {
        (self.schema)()
    }

    /// Measures the filter and prints a table. `against`: a folder with an older build of its module, which
    /// is measured in turns with the present one.
    ///
    /// # Errors
    ///
    /// The folder has no such module, something cannot be built or started, or a listener does not answer as
    /// it should.
    pub fn bench(self, against: Option<&Path>, effort: Effort) -> anyhow::Result<()> {
        let older = against.map(|folder| bench::older_module(self.name, folder)).transpose()?;
        bench::run(self.bench, &self.module().build()?, older.as_deref(), effort)
    }
}

impl From<Filter> for Module {
    fn from(filter: Filter) -> Self {
        filter.module()
    }
}

#[cfg(test)]
mod tests;
