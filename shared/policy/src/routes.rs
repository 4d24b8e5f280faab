//! Routes: other configs of a filter for some requests.

use crate::facts::{Facts, Needs};
use crate::headers::HeaderName;
use crate::matching::request::{MatchInput, RequestMatch};
use crate::settings::Settings;
use crate::truth::Truth;
use mesh_config::kinds::Object;

/// The routes of a filter: for which requests another config decides.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// The name of each, and which requests it is for, in the order in which they are tried.
    all: Vec<(String, RequestMatch)>,
    settings: Settings,
    needs: Needs,
}

/// Which configs are for a request. Position 0 is the filter's own, 1 the first route's, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The first one that is certainly for the request.
    pub certain: usize,
    /// The routes in front of it that may be for the request.
    pub possible: Vec<usize>,
}

impl Routes {
    /// `settings`: those of the filter's own config, for the client's address. `all`: the name of each route, and which
    /// requests it is for, in the order in which they are tried.
    #[must_use]
    pub fn new(settings: Settings, all: Vec<(String, RequestMatch)>) -> Self {
        let mut needs = Needs::default();
        all.iter().for_each(|(_, matches)| needs.add(&matches.needs()));
        Self { needs: settings.complete(needs), settings, all }
    }

    /// The names of the routes.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.all.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The facts of a request that the choice needs.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The configs for a request.
    #[must_use]
    pub fn choose(&self, facts: &Facts<'_>) -> Chosen {
        let request = MatchInput::new(facts, self.settings.client(&self.needs, facts).ip);
        let mut chosen = Chosen::default();
        for (position, (_, matches)) in (1..).zip(&self.all) {
            match matches.test(&request) {
                Truth::Yes => {
                    chosen.certain = position;
                    break;
                }
                Truth::Undecided => chosen.possible.push(position),
                Truth::No => {}
            }
        }
        chosen
    }

    /// The configs for a request of which nothing is known.
    #[must_use]
    pub fn choose_blindly(&self) -> Chosen {
        Chosen { certain: 0, possible: (1..=self.all.len()).collect() }
    }
}

/// A config of which a route can have another one.
pub trait RouteConfig: Object {
    /// The fields that own state or must hold on every path: a route has those of the filter's own config.
    const OF_BLOCK: &'static [&'static str] = &[];

    /// The settings that all filters have.
    fn settings(&mut self) -> &mut Settings;

    /// The facts of a request that it needs.
    fn needs(&self) -> Needs;

    /// The headers that it removes from requests. A route's match may not read them: it is tried before.
    fn own_headers(&self) -> Vec<&HeaderName> {
        Vec::new()
    }

    /// Adds what a route has of the filter's own config besides [`RouteConfig::OF_BLOCK`], and refuses what it may not have.
    ///
    /// # Errors
    /// What may not be there.
    fn complete(&mut self, _own: &Self) -> Result<(), Vec<Misfit>> {
        Ok(())
    }

    /// What does not agree with another config of the same block. Things of one name share their state.
    fn misfits(&self, _other: &Self) -> Vec<Misfit> {
        Vec::new()
    }
}

/// A part of a route's config that does not fit to the other configs of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The JSON path within the route's config, as `limits[0].burst`.
    pub path: String,
    /// What was found, and what is expected.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::{Chosen, Routes};
    use crate::facts::{Facts, Needs};
    use crate::headers::Headers;
    use crate::matching::request::RequestMatch;
    use crate::settings::Settings;
    use crate::testing::{read_field, test};

    fn routes(paths: &[&str]) -> Routes {
        let route = |path: &&str| {
            let json = format!(r#"{{"path": {{"prefix": "{path}"}}}}"#);
            ((*path).to_owned(), read_field("match", &json, RequestMatch::kind()).unwrap_or_default())
        };
        Routes::new(Settings::default(), paths.iter().map(route).collect())
    }

    #[track_caller]
    fn check(paths: &[&str], target: &str, certain: usize, possible: &[usize]) {
        let headers = Headers::from_pairs([(":path", target)]);
        let chosen = routes(paths).choose(&Facts::of(&headers));
        assert_eq!(chosen, Chosen { certain, possible: possible.to_vec() }, "{paths:?} {target}");
    }

    #[test]
    fn the_first_one_that_certainly_matches() {
        check(&[], "/a", 0, &[]);
        check(&["/a"], "/b", 0, &[]);
        check(&["/a", "/b"], "/b", 2, &[]);
        check(&["/a", "/a/b"], "/a/b", 1, &[]);
    }

    #[test]
    fn those_in_front_that_may_match() {
        check(&["/a/b", "/c", "/a"], "/a%2Fb", 3, &[1]);
        check(&["/a/b", "/a/b/c"], "/a%2Fb%2Fc", 0, &[1, 2]);
        check(&["/b", "/a", "/a/b"], "/a%2Fb", 2, &[]);
    }

    #[test]
    fn of_an_unknown_request_all() {
        assert_eq!(routes(&["/a", "/b"]).choose_blindly(), Chosen { certain: 0, possible: vec![1, 2] });
    }

    #[test]
    fn only_what_is_tested_is_needed() {
        assert_eq!(*routes(&[]).needs(), Needs::default());
        assert!(routes(&["/a"]).needs().headers);
    }
}
