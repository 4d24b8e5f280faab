//! A filter's metrics in the proxy.

use crate::metrics::{Counter, Gauge};
use mesh_policy::metric::{Kind, Metric};
use mesh_policy::scope::Scope;
use std::marker::PhantomData;

/// A filter's metrics, defined when its config is read: one of each, or one for each value of its labels.
pub struct Metrics<M> {
    defined: Vec<Vec<Defined>>,
    metric: PhantomData<M>,
}

#[derive(Clone, Copy)]
enum Defined {
    /// These values of the labels have no such metric.
    Nothing,
    Counter(Counter),
    Gauge(Gauge),
}

impl<M: Metric> Metrics<M> {
    /// `values` gives the values of a metric's labels, see
    /// [`Policy::label_values`](mesh_policy::policy::Policy::label_values).
    pub fn new<'a>(filter: &str, scope: &Scope, values: impl Fn(M) -> Vec<Option<Vec<&'a str>>>) -> Self {
        let define = |metric: &M| {
            let definition = metric.definition();
            let is_single = definition.labels.is_empty();
            let values = if is_single { vec![Some(Vec::new())] } else { values(*metric) };
            let defined = values.into_iter().map(|value| {
                let Some(value) = value else { return Defined::Nothing };
                let name = definition.full_name(filter, scope, &value);
                match definition.kind {
                    Kind::Counter => Defined::Counter(Counter::define(&name)),
                    Kind::Gauge => Defined::Gauge(Gauge::define(&name)),
                }
            });
            defined.collect()
        };
        Self { defined: M::ALL.iter().map(define).collect(), metric: PhantomData }
    }

    /// A counter; one that counts nothing where there is none.
    #[must_use]
    pub fn counter(&self, metric: M, value: usize) -> Counter {
        match self.get(metric, value) {
            Some(Defined::Counter(counter)) => *counter,
            _ => Counter::NONE,
        }
    }

    /// A gauge; one that shows nothing where there is none.
    #[must_use]
    pub fn gauge(&self, metric: M, value: usize) -> Gauge {
        match self.get(metric, value) {
            Some(Defined::Gauge(gauge)) => *gauge,
            _ => Gauge::NONE,
        }
    }

    fn get(&self, metric: M, value: usize) -> Option<&Defined> {
        self.defined.get(metric.index())?.get(value)
    }
}
