//! A block: one filter with its config.

use super::route::{self, Routed};
use mesh_config::describe::{Defs, Shape};
use mesh_config::kind::some;
use mesh_config::kinds::{Object, by_fields, linked, object};
use mesh_config::{Form, Kind, Value};
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
    TraceContext(Box<Routed<trace_context::config::Config>>),
    /// Of jwt-authz.
    JwtAuthz(Box<Routed<jwt_authz::config::Config>>),
    /// Of rate-limit.
    RateLimit(Box<Routed<rate_limit::config::Config>>),
    /// Of canary.
    Canary(Box<Routed<canary::config::Config>>),
    /// Of fault.
    Fault(Box<Routed<fault::config::Config>>),
}

impl Object for Block {
    type Context<'a> = ();

    const NAME: &'static str = "Block";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let filter = form
            .one_of()
            .case(
                "trace_context",
                "A config of [trace-context](../trace-context/README.md#fields).",
                linked(trace_context::config::Config::kind(), "../trace-context/README.md"),
                |config| FilterConfig::TraceContext(Box::new(Routed::alone(config))),
            )
            .case(
                "jwt_authz",
                "A config of [jwt-authz](../jwt-authz/README.md#fields).",
                linked(jwt_authz::config::Config::kind(), "../jwt-authz/README.md"),
                |config| FilterConfig::JwtAuthz(Box::new(Routed::alone(config))),
            )
            .case(
                "rate_limit",
                "A config of [rate-limit](../rate-limit/README.md#fields).",
                linked(rate_limit::config::Config::kind(), "../rate-limit/README.md"),
                |config| FilterConfig::RateLimit(Box::new(Routed::alone(config))),
            )
            .case(
                "canary",
                "A config of [canary](../canary/README.md#fields).",
                linked(canary::config::Config::kind(), "../canary/README.md"),
                |config| FilterConfig::Canary(Box::new(Routed::alone(config))),
            )
            .case(
                "fault",
                "A config of [fault](../fault/README.md#fields).",
                linked(fault::config::Config::kind(), "../fault/README.md"),
                |config| FilterConfig::Fault(Box::new(Routed::alone(config))),
            )
            .end();
        let name = form.omitted(
            "name",
            "The block's [name](#names). No two blocks have the same one; `-`, `.` and `_` count as the same. \
             Default: the filter's, such as `rate-limit`.",
            some(scope::Block::kind()),
        );
        let routes = form.restriction(
            "routes",
            "Other configs for some requests, see [routes](#routes). The first one that matches decides for the whole stream; \
             without one the block's own config does. Default: none.",
            route::Described,
        );
        let (filter, name, ()) = (filter?, name?, routes?);
        let is_own = |name: &scope::Block| name.as_str() != filter.name();
        Some(Self { name: name.filter(is_own), filter })
    }
}

/// How a block is read from a config.
pub(super) struct BlockKind;

impl Kind for BlockKind {
    type Out = Block;

    fn read(&self, value: &Value<'_>) -> Option<Block> {
        let block = object::<Block>().read(value);
        let written = FILTERS.iter().find_map(|(field, _)| Some((*field, value.field(field)?)));
        let Some((field, written)) = written else { return block };
        let (name, filter) = block.map(|block| (block.name, block.filter)).unzip();
        let filter = FilterConfig::with_routes(field, filter, value, &written);
        Some(Block { name: name?, filter: filter? })
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        let of_routes = route::configs(defs).map(|(filter, config)| {
            let routes = Shape::list_of(Shape::with_field("config", config));
            (filter, Shape::with_field("routes", routes))
        });
        object::<Block>().shape(defs).if_given(of_routes)
    }
}

impl Block {
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

    /// With the routes of its block. Without a config, which is wrong, they are only read for their problems.
    fn with_routes(field: &str, own: Option<Self>, block: &Value<'_>, written: &Value<'_>) -> Option<Self> {
        macro_rules! with_routes {
            ($Filter:ident) => {{
                let own = own.and_then(|own| if let Self::$Filter(own) = own { Some(own) } else { None });
                let routes = route::read(block, written, own.as_ref().map(|routed| &routed.own));
                let mut routed = own?;
                routed.routes = routes?;
                Some(Self::$Filter(routed))
            }};
        }
        match field {
            "trace_context" => with_routes!(TraceContext),
            "jwt_authz" => with_routes!(JwtAuthz),
            "rate_limit" => with_routes!(RateLimit),
            "canary" => with_routes!(Canary),
            "fault" => with_routes!(Fault),
            _ => None,
        }
    }

    /// Whether it reads claims of tokens that a block in front of it must have verified.
    pub(super) fn reads_claims(&self) -> bool {
        match self {
            Self::TraceContext(config) => config.reads_claims(false),
            Self::JwtAuthz(config) => config.reads_claims(true),
            Self::RateLimit(config) => config.reads_claims(false),
            Self::Canary(config) => config.reads_claims(false),
            Self::Fault(config) => config.reads_claims(false),
        }
    }

    /// With modes that are at least as lenient as this one.
    #[must_use]
    pub(crate) fn made_lenient(mut self, mode: Mode) -> Self {
        match &mut self {
            Self::TraceContext(config) => config.make_lenient(mode),
            Self::JwtAuthz(config) => config.make_lenient(mode),
            Self::RateLimit(config) => config.make_lenient(mode),
            Self::Canary(config) => config.make_lenient(mode),
            Self::Fault(config) => config.make_lenient(mode),
        }
        self
    }
}
