//! Joins the calls of an application with the requests that have caused them.

use super::editor::values_after;
use super::failed::Failed;
use super::metric::{Metric, invalid_count};
use super::others::is_of_other_trace;
use crate::baggage;
use crate::config::{Config, Correlate, DIRECTION, Direction};
use crate::correlation::{Entry, Id, Seeded};
use crate::format::{self, Format, Read};
use crate::header::only;
use mesh_policy::effects::Edit;
use mesh_policy::facts::Facts;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};
use mesh_policy::store::Store;
use mesh_policy::verdict::Count;
use std::borrow::Cow;

/// What correlates requests.
pub(super) struct Correlation {
    by: HeaderName,
    direction: Direction,
    /// The headers that are carried over.
    carry: Vec<HeaderName>,
    table: Seeded,
}

/// The headers of an outbound request with those that are carried; the edits that add them; and whether there is a trace
/// among them.
type Carried<'h> = (Cow<'h, Headers>, Vec<Edit>, bool);

/// The side of the application that a request is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It goes to the application.
    Inbound,
    /// It comes from the application.
    Outbound,
}

impl Correlation {
    pub(super) fn new(correlate: &Correlate, config: &Config, table: Seeded) -> Self {
        let mut carry: Vec<HeaderName> = Vec::new();
        // The config tells names apart by case.
        for name in correlate.carry.clone().unwrap_or_else(|| default_carry(config)) {
            if !carry.contains(&name) {
                carry.push(name);
            }
        }
        // Envoy's tracer writes these itself.
        let is_native =
            |name: &HeaderName| config.native_tracer.iter().any(|format| format.headers().contains(name));
        carry.retain(|name| !is_native(name));
        Self { by: correlate.by.clone(), direction: correlate.direction, carry, table }
    }

    /// The side that a request is on; `None` if the proxy does not say.
    pub(super) fn direction(&self, facts: &Facts<'_>, counts: &mut Vec<Count<Metric>>) -> Option<Side> {
        match self.direction {
            Direction::Inbound => Some(Side::Inbound),
            Direction::Outbound => Some(Side::Outbound),
            Direction::Auto => {
                let value = facts.attribute(&DIRECTION);
                let number = value.and_then(|value| Some(u64::from_le_bytes(value.try_into().ok()?)));
                // envoy.config.core.v3.TrafficDirection
                let side = match number {
                    Some(1) => Some(Side::Inbound),
                    Some(2) => Some(Side::Outbound),
                    _ => None,
                };
                counts.extend(side.is_none().then(|| Count::of(Metric::NoDirection)));
                side
            }
        }
    }

    /// The id of a request, if it has exactly one that can be stored.
    fn id<'a>(&'a self, headers: &'a Headers) -> Option<Id<'a>> {
        only(headers, &self.by).ok().flatten().and_then(Id::new)
    }

    /// Stores the headers that the application is sent.
    #[inline(never)]
    pub(super) fn remember(
        &self,
        headers: &Headers,
        edits: &[Edit],
        store: &mut impl Store,
        counts: &mut Vec<Count<Metric>>,
    ) -> Result<(), Failed> {
        let Some(id) = self.id(headers) else { return Ok(()) };
        let Some(table) = self.table.get(store).map_err(|_| Failed)? else { return Ok(()) };
        let mut carried: Vec<(&HeaderName, &[u8])> = Vec::new();
        for name in &self.carry {
            carried.extend(values_after(headers, edits, name).into_iter().map(|value| (name, value)));
        }
        // Also if there are none: an earlier request with this id may have had some.
        let stored = table.store(id, &carried, store).map_err(|_| Failed)?;
        counts.extend(stored.evicted.then(|| Count::of(Metric::Evicted)));
        if stored.too_large > 0 {
            counts.push(Count::of(Metric::TooLarge).times(stored.too_large as u64));
        }
        Ok(())
    }

    /// What an outbound request lacks and the inbound one had; `None` if nothing was stored.
    #[inline(never)]
    pub(super) fn carried<'h>(
        &self,
        readable: &[Format],
        headers: &'h Headers,
        store: &mut impl Store,
        counts: &mut Vec<Count<Metric>>,
    ) -> Result<Option<Carried<'h>>, Failed> {
        let Some(id) = self.id(headers) else { return Ok(None) };
        let Some(entry) = self.find(id, store)? else {
            counts.push(Count::labelled(Metric::Correlated, 1));
            return Ok(None);
        };
        counts.push(Count::labelled(Metric::Correlated, 0));
        let (mut joined, mut edits, mut has_trace) = (headers.clone(), Vec::new(), false);
        let has_context = self.has_context(readable, headers);
        let carried: Vec<(HeaderName, HeaderValue)> = entry
            .iter()
            .filter_map(|(name, value)| {
                // An entry may be of a config that carried others.
                let name = self.carry.iter().find(|carried| carried.as_str().as_bytes() == name)?;
                let is_wanted = match kind(name) {
                    Kind::Trace => !has_context,
                    Kind::OtherTrace => !has_context && headers.first(name.as_str()).is_none(),
                    Kind::NoTrace => headers.first(name.as_str()).is_none(),
                };
                is_wanted.then_some((name.clone(), HeaderValue::new(value)?))
            })
            .collect();
        // What the application sends of a format that is carried is no context, and must not become a part of one.
        for format in Format::ALL {
            if !carried.iter().any(|(name, _)| format.headers().contains(name)) {
                continue;
            }
            has_trace = true;
            if let (Read::Invalid(invalid), true) =
                (format::read(*format, headers), readable.contains(format))
            {
                counts.push(invalid_count(*format, invalid));
            }
            let present = format.headers().iter().filter(|name| joined.remove(name) > 0);
            edits.extend(present.cloned().map(Edit::Remove));
        }
        for (name, value) in carried {
            joined.add(&name, &value);
            edits.push(Edit::Add(name, value));
        }
        Ok(Some((Cow::Owned(joined), edits, has_trace)))
    }

    /// What was stored under an id.
    fn find(&self, id: Id<'_>, store: &mut impl Store) -> Result<Option<Entry>, Failed> {
        let Some(table) = self.table.get(store).map_err(|_| Failed)? else { return Ok(None) };
        table.find(id, store).map_err(|_| Failed)
    }

    /// Whether a request has a context in a format that is read or carried.
    fn has_context(&self, readable: &[Format], headers: &Headers) -> bool {
        let is_carried = |format: Format| format.headers().iter().any(|name| self.carry.contains(name));
        let mut formats =
            Format::ALL.iter().filter(|format| readable.contains(format) || is_carried(**format));
        formats.any(|format| matches!(format::read(*format, headers), Read::Context(_)))
    }
}

/// What a header tells, which decides whether a call lacks it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A context, or a part of one, in a format that the filter knows.
    Trace,
    /// A trace in the format of another tracer.
    OtherTrace,
    /// Something else.
    NoTrace,
}

fn kind(name: &HeaderName) -> Kind {
    if Format::ALL.iter().any(|format| format.headers().contains(name)) {
        Kind::Trace
    } else if is_of_other_trace(name.as_str().as_bytes()) {
        Kind::OtherTrace
    } else {
        Kind::NoTrace
    }
}

/// The headers that are carried over if the config does not name any.
fn default_carry(config: &Config) -> Vec<HeaderName> {
    let formats = config.inject.iter().flat_map(|format| format.headers());
    formats.cloned().chain([baggage::HEADER]).collect()
}
