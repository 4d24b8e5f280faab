//! Routes: other configs of a block for some requests.

use super::MAX_ROUTES;
use mesh_config::describe::{Defs, Describer, Shape};
use mesh_config::kinds::{inheriting, linked, list, object};
use mesh_config::{Form, Kind, ProblemKind, Reader, Value};
use mesh_policy::facts::Needs;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::name::name;
use mesh_policy::routes::{Misfit, RouteConfig};
use std::collections::BTreeSet;
use std::marker::PhantomData;

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
    let mut routes = routes(RouteKind { own: Some(written), read_as: PhantomData }).read(&value)?;
    let Some(own) = own else { return Some(routes) };
    let mut misfits = Vec::new();
    for index in 0..routes.len() {
        let (before, rest) = routes.split_at_mut(index);
        let Some(route) = rest.first_mut() else { break };
        let mut of_route = route.config.complete(own).err().unwrap_or_default();
        let others = std::iter::once(own).chain(before.iter().map(|route| &route.config));
        for other in others {
            of_route.extend(route.config.misfits(other));
        }
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
    for (route, Misfit { path, message }) in misfits {
        let _none: Option<()> = value.problem_at(&format!("{route}.{path}"), ProblemKind::Conflict, message);
    }
    Some(routes).filter(|_| is_good)
}

fn routes<'a, K: Kind>(route: K) -> impl Kind<Out = Vec<K::Out>> + use<'a, K> {
    list(route).at_most(MAX_ROUTES, "routes").unique("name", "a name that no other route has")
}

/// A route of a block.
struct RouteKind<'a, C> {
    own: Option<&'a Value<'a>>,
    read_as: PhantomData<C>,
}

impl<C> Kind for RouteKind<'_, C>
where
    C: for<'a> RouteConfig<Context<'a> = ()>,
{
    type Out = Route<C>;

    fn read(&self, value: &Value<'_>) -> Option<Route<C>> {
        let (name, matches, config) = Reader::object(value, TYPE_NAME, |reader| {
            fields(reader, inheriting(object::<C>(), self.own, C::OF_BLOCK))
        })?;
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
        fn of<C>(defs: &mut Defs, link: &'static str) -> Shape
        where
            C: for<'a> RouteConfig<Context<'a> = ()>,
        {
            linked(RouteKind::<C> { own: None, read_as: PhantomData }, link).shape(defs)
        }
        Shape::any_of([
            of::<trace_context::config::Config>(defs, "../trace-context/README.md"),
            of::<jwt_authz::config::Config>(defs, "../jwt-authz/README.md"),
            of::<rate_limit::config::Config>(defs, "../rate-limit/README.md"),
            of::<canary::config::Config>(defs, "../canary/README.md"),
            of::<fault::config::Config>(defs, "../fault/README.md"),
        ])
    }
}
