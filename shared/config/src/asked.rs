//! Which fields readers have asked for, in debug builds: for the test that asked is described.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// The names that the fields of one type were asked for by.
type Names = Vec<&'static str>;

thread_local! {
    static ASKED: RefCell<BTreeMap<&'static str, Names>> = const { RefCell::new(BTreeMap::new()) };
}

pub(crate) fn record(type_name: &'static str, names: &[&'static str]) {
    ASKED.with(|asked| {
        if let Ok(mut asked) = asked.try_borrow_mut() {
            asked.entry(type_name).or_insert_with(|| names.to_vec());
        }
    });
}

/// The names that the fields of each type were asked for by, when one was first read on this thread.
#[must_use]
pub fn by_type() -> BTreeMap<&'static str, Names> {
    ASKED.with(|asked| asked.try_borrow().map(|asked| asked.clone()).unwrap_or_default())
}
