//! The filters of a config, and their state for one stream.

use crate::filter::Filter;

/// The filters of a config, in the order in which requests pass them.
pub(crate) struct Chain<F>(Vec<F>);

impl<F: Filter> Chain<F> {
    pub(crate) const fn new(filters: Vec<F>) -> Self {
        Self(filters)
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &F> {
        self.0.iter()
    }

    pub(crate) fn get(&self, position: usize) -> Option<&F> {
        self.0.get(position)
    }

    /// Fresh states for a stream.
    pub(crate) fn states(&self) -> States<F::Stream> {
        match self.0.as_slice() {
            [_] => States::One(State::default()),
            several => States::Several(several.iter().map(|_| State::default()).collect()),
        }
    }
}

/// What is kept of a stream for one filter.
#[derive(Default)]
pub(crate) struct State<S> {
    /// The filter's own state.
    pub(crate) own: S,
    /// Whether the filter has asked to hold a part of the request, and of the response, that has not been released.
    pub(crate) holds: [bool; 2],
}

/// The states of a stream, one for each filter. That of a single filter needs no allocation.
pub(crate) enum States<S> {
    One(State<S>),
    Several(Box<[State<S>]>),
}

impl<S> States<S> {
    /// No states.
    pub(crate) fn none() -> Self {
        Self::Several(Box::default())
    }

    pub(crate) fn get_mut(&mut self, position: usize) -> Option<&mut State<S>> {
        match self {
            Self::One(state) => Some(state).filter(|_| position == 0),
            Self::Several(states) => states.get_mut(position),
        }
    }
}
