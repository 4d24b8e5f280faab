//! A block: one filter with its config.

use mesh_config::kind::some;
use mesh_config::kinds::{Object, Record, linked, object};
use mesh_config::{Form, Value};
use mesh_policy::mode::Mode;
use mesh_policy::scope::{self, variable};

/// The fields that name a block's filter, each with the filter's name.
const FILTERS: [(&str, &str); 5] = [
    ("trace_context", "trace-context"),
    ("jwt_authz", "jwt-authz"),
    ("rate_limit", "rate-limit"),
    ("canary", "canary"),
    ("fault", "fault"),
];

/// A block of the chain.
#[derive(Clone, Debug)]
pub struct Block {
    /// The filter's config.
    pub filter: FilterConfig,
    /// The block's name, if it is not the filter's.
    pub name: Option<scope::Block>,
}

/// The config of one of the filters.
#[derive(Clone, Debug)]
pub enum FilterConfig {
    /// Of trace-context.
    TraceContext(Box<trace_context::config::Config>),
    /// Of jwt-authz.
    JwtAuthz(Box<jwt_authz::config::Config>),
    /// Of rate-limit.
    RateLimit(Box<rate_limit::config::Config>),
    /// Of canary.
    Canary(Box<canary::config::Config>),
    /// Of fault.
    Fault(Box<fault::config::Config>),
}

impl Object for Block {
    type Context<'a> = ();

    const NAME: &'static str = "Block";

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let filter = form
            .one_of()
            .case(
                "trace_context",
                "A config of [trace-context](../trace-context/README.md#fields).",
                linked(trace_context::config::Config::kind(), "../trace-context/README.md"),
                |config| FilterConfig::TraceContext(Box::new(config)),
            )
            .case(
                "jwt_authz",
                "A config of [jwt-authz](../jwt-authz/README.md#fields).",
                linked(jwt_authz::config::Config::kind(), "../jwt-authz/README.md"),
                |config| FilterConfig::JwtAuthz(Box::new(config)),
            )
            .case(
                "rate_limit",
                "A config of [rate-limit](../rate-limit/README.md#fields).",
                linked(rate_limit::config::Config::kind(), "../rate-limit/README.md"),
                |config| FilterConfig::RateLimit(Box::new(config)),
            )
            .case(
                "canary",
                "A config of [canary](../canary/README.md#fields).",
                linked(canary::config::Config::kind(), "../canary/README.md"),
                |config| FilterConfig::Canary(Box::new(config)),
            )
            .case(
                "fault",
                "A config of [fault](../fault/README.md#fields).",
                linked(fault::config::Config::kind(), "../fault/README.md"),
                |config| FilterConfig::Fault(Box::new(config)),
            )
            .end();
        let name = form.omitted(
            "name",
            "The block's [name](#names). No two blocks have the same one, also not with `_` for `-` and `.`. \
             Default: the filter's, such as `rate-limit`.",
            some(scope::Block::kind()),
        );
        let (filter, name) = (filter?, name?);
        let is_own = |name: &scope::Block| name.as_str() != filter.name();
        Some(Self { name: name.filter(is_own), filter })
    }
}

impl Block {
    /// How it is read from a config.
    #[must_use]
    pub fn kind() -> Record<'static, Self> {
        object()
    }

    /// The name of a block that may be wrong, as it is in filter state.
    pub(super) fn name_in_state(block: &Value<'_>) -> Option<Vec<u8>> {
        let own = block.peek("name").and_then(|name| name.as_string());
        let filter = FILTERS.iter().find(|(field, _)| block.peek(field).is_some()).map(|(_, name)| *name);
        own.or(filter).map(|name| variable(name).into_bytes())
    }
}

impl FilterConfig {
    /// The block's field that has the config.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.names().0
    }

    /// The filter's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names().1
    }

    const fn names(&self) -> (&'static str, &'static str) {
        let [trace_context, jwt_authz, rate_limit, canary, fault] = FILTERS;
        match self {
            Self::TraceContext(_) => trace_context,
            Self::JwtAuthz(_) => jwt_authz,
            Self::RateLimit(_) => rate_limit,
            Self::Canary(_) => canary,
            Self::Fault(_) => fault,
        }
    }

    /// Whether it reads claims of verified tokens.
    pub(super) fn reads_claims(&self) -> bool {
        match self {
            Self::TraceContext(config) => trace_context::policy::needs(config).claims,
            Self::JwtAuthz(_) => false,
            Self::RateLimit(config) => rate_limit::policy::needs(config).claims,
            Self::Canary(config) => canary::policy::needs(config).claims,
            Self::Fault(config) => fault::policy::needs(config).claims,
        }
    }

    /// With a mode that is at least as lenient as this one.
    #[must_use]
    pub(crate) fn made_lenient(mut self, mode: Mode) -> Self {
        let settings = match &mut self {
            Self::TraceContext(config) => &mut config.settings,
            Self::JwtAuthz(config) => &mut config.settings,
            Self::RateLimit(config) => &mut config.settings,
            Self::Canary(config) => &mut config.settings,
            Self::Fault(config) => &mut config.settings,
        };
        settings.mode = settings.mode.max(mode);
        self
    }
}
