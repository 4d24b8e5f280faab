//! The names of limits within a block. Limits of one name share their buckets and counters, whichever of the block's configs
//! they are in.

use super::first_requests::FirstRequests;
use std::cell::Cell;
use std::rc::Rc;

/// The names of the limits of all configs of a block.
#[derive(Default)]
pub(crate) struct Names {
    // Taken and put back, so that no borrow can fail.
    all: Cell<Vec<Rc<Named>>>,
    count: Cell<usize>,
}

/// What limits of one name share in a worker.
pub(crate) struct Named {
    name: String,
    /// The number of names before it.
    pub(crate) index: usize,
    /// The first requests, if such a limit reads claims.
    pub(crate) first_requests: FirstRequests,
}

impl Names {
    /// What the limits of this name share.
    pub(crate) fn get(&self, name: &str) -> Rc<Named> {
        let mut all = self.all.take();
        let named = all.iter().find(|named| named.name == name).map_or_else(
            || {
                let (name, index) = (name.to_owned(), all.len());
                Rc::new(Named { name, index, first_requests: FirstRequests::default() })
            },
            Rc::clone,
        );
        if named.index == all.len() {
            all.push(Rc::clone(&named));
        }
        self.count.set(all.len());
        self.all.set(all);
        named
    }

    /// How many names there are.
    pub(crate) const fn count(&self) -> usize {
        self.count.get()
    }
}
