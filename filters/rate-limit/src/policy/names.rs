//! The names of limits within a block. Limits of one name share their buckets and counters, whichever of the block's configs
//! they are in.

use super::first_requests::FirstRequests;
use std::cell::RefCell;
use std::rc::Rc;

/// The names of the limits of all configs of a block.
#[derive(Default)]
pub(crate) struct Names(RefCell<Vec<Rc<Named>>>);

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
        let mut names = self.0.borrow_mut();
        if let Some(named) = names.iter().find(|named| named.name == name) {
            return Rc::clone(named);
        }
        let (name, index) = (name.to_owned(), names.len());
        let named = Rc::new(Named { name, index, first_requests: FirstRequests::default() });
        names.push(Rc::clone(&named));
        named
    }

    /// How many names there are.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }
}
