//! Routes: other configs of a block for some requests.

use mesh_config::describe::{Defs, Describer, Shape};
use mesh_config::kinds::{inheriting, linked, list, object};
use mesh_config::{Form, Kind, ProblemKind, Reader, Value};
use mesh_policy::facts::Needs;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::name::name;
use mesh_policy::routes::{Misfit, RouteConfig};
use std::collections::BTreeSet;

/// Maximum number of routes of a block.
pub const MAX_ROUTES: usize = 32;

/// A filter's config, and those that it has on some routes.
#[derive(Clone, Debug)]
pub struct Routed<C> {
    /// The block's own.
    pub own: C,
    /// In the order in which they are tried.
    pub routes: Vec<Route<C>>,
}

/// A config for some requests.
#[derive(Clone, Debug)]
pub struct Route<C> {
    /// Its name.
    pub name: String,
    /// Which requests it is for.
    pub matches: RequestMatch,
    /// What decides on them.
    pub config: C,
}

impl<C: RouteConfig> Routed<C> {
    /// A block without routes.
    pub(super) const fn alone(own: C) -> Self {
        Self { own, routes: Vec::new() }
    }

    /// Whether a config or a match reads claims of verified tokens. `is_verified`: the configs verify them.
    pub(super) fn reads_claims(&self, is_verified: bool) -> bool {
        let matches = self.routes.iter().map(|route| route.matches.needs());
        let own = std::iter::once(self.own.needs());
        let configs = own.chain(self.routes.iter().map(|route| route.config.needs()));
        matches.chain(configs.filter(|_| !is_verified)).any(|needs: Needs| needs.claims)
    }

    /// Makes each config's mode at least as lenient as this one.
    pub(super) fn make_lenient(&mut self, mode: Mode) {
        let routes = self.routes.iter_mut().map(|route| &mut route.config);
        for config in std::iter::once(&mut self.own).chain(routes) {
            let settings = config.settings();
            settings.mode = settings.mode.max(mode);
        }
    }
}

/// Reads the field `routes` of a block. `own`: the block's own config as it is written, and as it is read if it is good.
pub(super) fn read<C>(block: &Value<'_>, written: &Value<'_>, own: Option<&C>) -> Option<Vec<Route<C>>>
where
    C: for<'a> RouteConfig<Context<'a> = ()>,
{
    let Some(value) = block.field("routes") else { return Some(Vec::new()) };
    let routes = routes(RouteKind { written: Some(written), own }).read(&value)?;
    let Some(own) = own else { return Some(routes) };
    let mut misfits = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let before = routes.iter().take(index).map(|route| &route.config);
        let others = std::iter::once(own).chain(before);
        let mut of_route: Vec<_> = others.flat_map(|other| route.config.misfits(other)).collect();
        // Each path once, whichever of the others it does not agree with.
        let mut paths = BTreeSet::new();
        of_route.retain(|misfit| paths.insert(misfit.path.clone()));
        misfits.extend(of_route.into_iter().map(|misfit| (format!("[{index}].config"), misfit)));
        if route
            .matches
            .tests_header(&|name| own.own_headers().iter().any(|own| own.is_same_variable(name.as_bytes())))
        {
            let message =
                "found a header that the filter removes, expected another: clients could choose the route"
                    .to_owned();
            misfits.push((format!("[{index}]"), Misfit { path: "match".to_owned(), message }));
        }
    }
    let is_good = misfits.is_empty();
    for (route, misfit) in misfits {
        report(&value, &route, misfit);
    }
    Some(routes).filter(|_| is_good)
}

/// Reports what does not fit of the config at `path` within this value.
fn report(value: &Value<'_>, path: &str, Misfit { path: field, message }: Misfit) {
    let separator = if path.is_empty() { "" } else { "." };
    value.problem_at::<()>(&format!("{path}{separator}{field}"), ProblemKind::Conflict, message);
}

fn routes<'a, K: Kind>(route: K) -> impl Kind<Out = Vec<K::Out>> + use<'a, K> {
    list(route).at_most(MAX_ROUTES, "routes").unique("name", "a name that no other route has")
}

/// A route of a block.
struct RouteKind<'a, C> {
    /// The block's own config, as it is written, and as it is read if it is good.
    written: Option<&'a Value<'a>>,
    own: Option<&'a C>,
}

impl<C> Kind for RouteKind<'_, C>
where
    C: for<'a> RouteConfig<Context<'a> = ()>,
{
    type Out = Route<C>;

    fn read(&self, value: &Value<'_>) -> Option<Route<C>> {
        // Completed at once: until then, each route has a copy of what is the block's.
        let config = inheriting(object::<C>(), self.written, C::OF_BLOCK).and_then(|value, mut config: C| {
            let Some(own) = self.own else { return Some(config) };
            match config.complete(own) {
                Ok(()) => Some(config),
                Err(misfits) => {
                    misfits.into_iter().for_each(|misfit| report(value, "", misfit));
                    None
                }
            }
        });
        let (name, matches, config) = Reader::object(value, TYPE_NAME, |reader| fields(reader, config))?;
        Some(Route { name, matches, config })
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        inheriting(object::<C>(), None, C::OF_BLOCK).shape(defs)
    }
}

const NAME: &str = "Route";
const TYPE_NAME: &str = "suite::config::route::Route";

fn fields<F: Form, K: Kind>(form: &mut F, config: K) -> Option<(String, RequestMatch, K::Out)> {
    let name = form.required("name", "The route's name.", name());
    let matches = form.required(
        "match",
        "Which requests the route is for, see [match](../rate-limit/README.md#match).",
        linked(RequestMatch::selective(), "../rate-limit/README.md"),
    );
    let config = form.required(
        "config",
        "The filter's config on this route, in place of the block's. It has no [fields of the block](#routes).",
        config,
    );
    Some((name?, matches?, config?))
}

/// The field `routes` in a description: its config is that of any filter.
pub(super) struct Described;

impl Kind for Described {
    type Out = ();

    /// [`read`] reads it, beside the block's own config.
    fn read(&self, _: &Value<'_>) -> Option<()> {
        Some(())
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        routes(AnyRoute).shape(defs)
    }
}

struct AnyRoute;

impl Kind for AnyRoute {
    type Out = ();

    fn read(&self, _: &Value<'_>) -> Option<()> {
        Some(())
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        Describer::object(defs, NAME, TYPE_NAME, |form| {
            fields(form, AnyConfig);
        })
    }
}

struct AnyConfig;

impl Kind for AnyConfig {
    type Out = ();

    fn read(&self, _: &Value<'_>) -> Option<()> {
        Some(())
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        Shape::any_of(configs(defs).map(|(_, config)| config))
    }
}

/// The schemas of configs of routes, each with the field that names the block's filter.
pub(super) fn configs(defs: &mut Defs) -> [(&'static str, Shape); 5] {
    fn of<C>(defs: &mut Defs, link: &'static str) -> Shape
    where
        C: for<'a> RouteConfig<Context<'a> = ()>,
    {
        linked(RouteKind::<C> { written: None, own: None }, link).shape(defs)
    }
    [
        ("trace_context", of::<trace_context::config::Config>(defs, "../trace-context/README.md")),
        ("jwt_authz", of::<jwt_authz::config::Config>(defs, "../jwt-authz/README.md")),
        ("rate_limit", of::<rate_limit::config::Config>(defs, "../rate-limit/README.md")),
        ("canary", of::<canary::config::Config>(defs, "../canary/README.md")),
        ("fault", of::<fault::config::Config>(defs, "../fault/README.md")),
    ]
}
