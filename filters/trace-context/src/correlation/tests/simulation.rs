//! Simulates the workers of a proxy: before every call to the store, another worker may store or find something. Each result
//! is compared with the [`model`](super::model).

use super::super::{Settings, Stored, Table};
use super::model::{Write, evicts, left};
use super::{Content, content, find, ids_of_a_set, store, table};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::{Shared, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The config of the worker.
    pub(super) config: usize,
    pub(super) id: usize,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    Find,
    Store,
    /// The request has none of the headers.
    StoreNothing,
    /// One of the values is too long.
    StoreInPart,
    /// All headers together are too large.
    StoreTooMuch,
}

/// What is found, or is to be found after a call that stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Entry(Option<Content>),
    /// The store has failed.
    Unknown,
}

/// The headers of a request, what is to be found of them, and how many are too large.
pub(super) fn request(what: What, call: usize) -> (Content, Option<Content>, usize) {
    let content = content(call);
    match what {
        What::Find | What::StoreNothing => (Vec::new(), None, 0),
        What::Store => (content.clone(), Some(content), 0),
        What::StoreInPart => {
            let long = ("y".to_owned(), vec![b'1'; 21]);
            ([vec![long], content.clone()].concat(), Some(content), 1)
        }
        What::StoreTooMuch => {
            let many = [content, vec![("y".to_owned(), vec![b'1'; 20]); 3]].concat();
            (many, None, 1)
        }
    }
}

/// The writes to a record, each with the version that the record got.
type Writes = Vec<(Version, Write)>;

#[derive(Clone)]
pub(super) struct Simulation {
    shared: Shared<Call>,
    tables: Rc<Vec<(Settings, Table)>>,
    ids: Rc<Vec<Vec<u8>>>,
    /// The writes to each record.
    writes: Rc<RefCell<BTreeMap<Vec<u8>, Writes>>>,
    calls: Rc<Cell<usize>>,
}

impl World for Simulation {
    type Action = Call;
    const DEEPEST: u32 = 4;

    fn shared(&self) -> &Shared<Call> {
        &self.shared
    }

    fn act(&self, call: Call) {
        let _result = self.run(call);
    }
}

/// The store of one call.
struct Worker<'a> {
    simulation: &'a Simulation,
    id: usize,
    ttl: Duration,
    /// What is to be found after a write.
    content: Option<Content>,
    /// What must be found in the last snapshot, and its time.
    seen: Option<(Option<Content>, Nanos)>,
    /// Whether the write has evicted an entry; `None` before a write.
    evicts: Option<bool>,
}

impl Simulation {
    /// Workers with these configs, and so many ids in one set of the first config.
    pub(super) fn new(settings: &[Settings], ids: usize) -> Self {
        let tables: Vec<_> = settings.iter().map(|settings| (*settings, table(*settings))).collect();
        Self {
            shared: Shared::new(Nanos(1_000_000_000_000)),
            ids: Rc::new(ids_of_a_set(&tables[0].1, ids)),
            tables: Rc::new(tables),
            writes: Rc::default(),
            calls: Rc::default(),
        }
    }

    /// Makes a call, and compares its result.
    pub(super) fn run(&self, call: Call) -> Left {
        self.calls.set(self.calls.get() + 1);
        let (settings, table) = &self.tables[call.config];
        let (headers, content, too_large) = request(call.what, self.calls.get());
        let id = &self.ids[call.id];
        let mut worker = Worker {
            simulation: self,
            id: call.id,
            ttl: settings.ttl,
            content: content.clone(),
            seen: None,
            evicts: None,
        };
        if call.what == What::Find {
            let Ok(found) = find(table, id, &mut worker) else { return Left::Unknown };
            let (expected, _) = worker.seen.expect("it has read");
            assert_eq!(found, expected, "{call:?}");
            return Left::Entry(found);
        }
        let stored = store(table, id, &headers, &mut worker);
        match (&stored, worker.evicts) {
            (Ok(stored), Some(evicted)) => assert_eq!(*stored, Stored { evicted, too_large }, "{call:?}"),
            // There was nothing to remove.
            (Ok(stored), None) => {
                assert_eq!(*stored, Stored { evicted: false, too_large }, "{call:?}");
                assert_eq!((content.as_ref(), worker.seen.expect("it has read").0), (None, None), "{call:?}");
            }
            (Err(_), evicts) => assert_eq!(evicts, None, "a call that fails has written"),
        }
        stored.map_or(Left::Unknown, |_| Left::Entry(content))
    }
}

impl Store for Worker<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let snapshot = self.simulation.read_record(key)?;
        let writes = self.simulation.writes.borrow();
        let writes = writes.get(key).map(Vec::as_slice).unwrap_or_default();
        // Others may have written since the record was read.
        let seen = writes.iter().position(|(version, _)| *version == snapshot.version);
        let seen: Vec<_> =
            writes.iter().take(seen.map_or(0, |last| last + 1)).map(|(_, write)| write).collect();
        self.seen = Some((left(&seen, self.id, snapshot.now).cloned(), snapshot.now));
        Ok(snapshot)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let written = self.simulation.write_record(key, value, version)?;
        if written == Written::Done {
            let (_, at) = self.seen.clone().expect("it has read");
            let (content, expires) = (self.content.clone(), at.after(self.ttl));
            let number = self.simulation.shared.records().get(key).expect("it is written").1;
            let mut all = self.simulation.writes.borrow_mut();
            let writes = all.entry(key.to_vec()).or_default();
            writes.push((Version::Number(number), Write { id: self.id, content, at, expires }));
            self.evicts = Some(evicts(&writes.iter().map(|(_, write)| write).collect::<Vec<_>>()));
        }
        Ok(written)
    }
}
