//! A simulated proxy in which a script interleaves the workers: between any two store calls of one worker,
//! another one may act, time may pass, or the call may fail. A property test generates the script.

use crate::records::Records;
use mesh_policy::store::{Snapshot, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// What happens before a store call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<A> {
    /// Nothing.
    Nothing,
    /// Time passes.
    Pass(Duration),
    /// Another worker acts.
    Act(A),
    /// The call fails.
    Fail,
}

/// The shared data of a simulated proxy, its clock, and the script. Clones share it.
#[derive(Debug)]
pub struct Shared<A> {
    records: Rc<RefCell<Records>>,
    now: Rc<Cell<Nanos>>,
    steps: Rc<RefCell<VecDeque<Step<A>>>>,
    depth: Rc<Cell<u32>>,
}

impl<A> Clone for Shared<A> {
    fn clone(&self) -> Self {
        Self {
            records: Rc::clone(&self.records),
            now: Rc::clone(&self.now),
            steps: Rc::clone(&self.steps),
            depth: Rc::clone(&self.depth),
        }
    }
}

impl<A> Shared<A> {
    /// Without records and without a script. The clock starts at `now`.
    #[must_use]
    pub fn new(now: Nanos) -> Self {
        let now = Rc::new(Cell::new(now));
        Self { records: Rc::default(), now, steps: Rc::default(), depth: Rc::default() }
    }

    /// Replaces the rest of the script.
    pub fn script(&self, steps: impl IntoIterator<Item = Step<A>>) {
        *self.steps.borrow_mut() = steps.into_iter().collect();
    }

    /// The clock.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.now.get()
    }

    /// Advances the clock to an instant. No effect if that has passed.
    pub fn wait_until(&self, instant: Nanos) {
        self.now.set(self.now().max(instant));
    }

    /// The records.
    pub fn records(&self) -> Ref<'_, Records> {
        self.records.borrow()
    }

    /// The records, to damage them.
    pub fn records_mut(&self) -> RefMut<'_, Records> {
        self.records.borrow_mut()
    }
}

/// A simulated proxy.
pub trait World {
    /// What another worker may do between two store calls.
    type Action;

    /// Maximum depth of actions within actions; at this depth no step of the script is taken.
    const DEEPEST: u32 = u32::MAX;

    /// Duration of a store call.
    const CALL: Duration = Duration::ZERO;

    /// The shared data.
    fn shared(&self) -> &Shared<Self::Action>;

    /// A worker acts.
    fn act(&self, action: Self::Action);

    /// Time passes, and what is due in the meantime happens.
    fn pass(&self, time: Duration) {
        let shared = self.shared();
        shared.wait_until(shared.now().after(time));
    }

    /// Called after a write, to assert what must hold for a record.
    fn written(&self, _key: &[u8], _before: Option<&[u8]>, _after: &[u8]) {}

    /// [`Store::read`](mesh_policy::store::Store::read) for a worker of this proxy.
    ///
    /// # Errors
    /// The next step of the script is [`Step::Fail`].
    fn read_record(&self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.next_step()?;
        let snapshot = self.shared().records().snapshot(key, self.shared().now());
        // Time may pass between the record and the clock, too.
        self.next_step()?;
        Ok(Snapshot { now: self.shared().now(), ..snapshot })
    }

    /// [`Store::write`](mesh_policy::store::Store::write) for a worker of this proxy.
    ///
    /// # Errors
    /// The next step of the script is [`Step::Fail`].
    fn write_record(&self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.next_step()?;
        let before = self.shared().records().get(key).map(|(value, _)| value.clone());
        let written = self.shared().records_mut().write(key.to_vec(), value.to_vec(), version);
        if written == Written::Done {
            self.written(key, before.as_deref(), value);
        }
        Ok(written)
    }

    /// Takes the next step of the script.
    ///
    /// # Errors
    /// It is [`Step::Fail`].
    fn next_step(&self) -> Result<(), StoreError> {
        let shared = self.shared();
        shared.wait_until(shared.now().after(Self::CALL));
        let depth = shared.depth.get();
        let step = if depth < Self::DEEPEST { shared.steps.borrow_mut().pop_front() } else { None };
        match step {
            None | Some(Step::Nothing) => {}
            Some(Step::Pass(time)) => self.pass(time),
            Some(Step::Act(action)) => {
                shared.depth.set(depth + 1);
                self.act(action);
                shared.depth.set(depth);
            }
            Some(Step::Fail) => return Err(StoreError::Host),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Shared, Step, World};
    use mesh_policy::store::{StoreError, Version, Written};
    use mesh_policy::time::Nanos;
    use std::time::Duration;

    struct Proxy(Shared<u8>);

    impl World for Proxy {
        type Action = u8;
        const DEEPEST: u32 = 1;

        fn shared(&self) -> &Shared<u8> {
            &self.0
        }

        fn act(&self, value: u8) {
            let version = self.read_record(b"k").unwrap().version;
            assert_eq!(self.write_record(b"k", &[value], version), Ok(Written::Done));
        }
    }

    #[test]
    fn others_act_between_any_two_calls() {
        let proxy = Proxy(Shared::new(Nanos(5)));
        proxy.0.script([
            Step::Act(1),
            Step::Pass(Duration::from_nanos(2)),
            Step::Act(2),
            Step::Fail,
            Step::Nothing,
        ]);
        let first = proxy.read_record(b"k").unwrap();
        assert_eq!((first.value, first.now), (Some(vec![1]), Nanos(7)));
        assert_eq!(proxy.write_record(b"k", &[3], first.version), Ok(Written::Conflict));
        assert_eq!(proxy.read_record(b"k"), Err(StoreError::Host));
        let second = proxy.read_record(b"k").unwrap();
        assert_eq!((second.value, second.version), (Some(vec![2]), Version::Number(2)));
    }
}
