use super::{Bounds, Replay, Scene, State, search};
use crate::records::Records;
use mesh_policy::store::{Store, StoreError, Written, update};
use mesh_policy::time::Nanos;

const BOUNDS: Bounds =
    Bounds { workers: 2, tasks: 2, pause: 1, pauses: 0, pauses_in_flight: true, failures: 0 };

/// Each task increments a counter. Unless it is careful, it does not try again after a conflict.
struct Counter {
    is_careful: bool,
}

impl Scene for Counter {
    type Worker = ();
    type Task = ();
    type Outcome = Result<(), String>;
    const REMEMBERS: bool = false;

    fn worker(&self, _: usize) {}

    fn tasks(&self, _: &State<Self>, _: usize) -> Vec<()> {
        vec![()]
    }

    fn run(&self, (): &mut (), (): &(), store: &mut Replay<'_>) -> Result<(), String> {
        let tries = if self.is_careful { 2 } else { 1 };
        let count =
            |record: Option<&[u8]>, _: Nanos| (Some(vec![record.map_or(1, |record| record[0] + 1)]), ());
        update(store, b"k", tries, count).map_err(|error| format!("{error:?}"))
    }

    fn ended(&self, state: &State<Self>, records: Records) -> Result<(), String> {
        let counted = records.get(&b"k"[..]).map_or(0, |(record, _)| record[0]);
        let done = state.events.iter().filter(|event| event.outcome.is_ok()).count();
        if usize::from(counted) == done && done == state.events.len() {
            Ok(())
        } else {
            Err(format!("{counted} counted, {done} done"))
        }
    }
}

#[test]
fn scripts_are_counted() {
    // A task makes three calls. After the first call of the first worker, its two others and the three of the
    // second worker come in any order: 10 ways to choose 2 of 5. Whoever tries again is alone by then.
    let found = search(&Counter { is_careful: true }, BOUNDS, Nanos(0));
    assert_eq!(found.scripts, 10);
    assert_eq!(search(&Counter { is_careful: true }, BOUNDS, Nanos(0)), found);
    let alone = Bounds { workers: 1, ..BOUNDS };
    assert_eq!(search(&Counter { is_careful: true }, alone, Nanos(0)).scripts, 1);
    let with_a_pause = Bounds { pauses: 1, ..alone };
    // The pause is before one of six calls, or nowhere.
    assert_eq!(search(&Counter { is_careful: true }, with_a_pause, Nanos(0)).scripts, 7);
    let between_tasks = Bounds { pauses_in_flight: false, ..with_a_pause };
    assert_eq!(search(&Counter { is_careful: true }, between_tasks, Nanos(0)).scripts, 3);
}

#[test]
#[should_panic(expected = "1 counted, 1 done\n  worker 0 starts ()\n  worker 0 reads the record")]
fn a_script_that_breaks_a_law_is_printed() {
    search(&Counter { is_careful: false }, BOUNDS, Nanos(0));
}

#[test]
#[should_panic(expected = ", which fails")]
fn a_call_may_fail() {
    search(&Counter { is_careful: true }, Bounds { failures: 1, workers: 1, ..BOUNDS }, Nanos(0));
}

/// A worker remembers what it has read last.
struct Memory;

impl Scene for Memory {
    type Worker = u8;
    type Task = u8;
    type Outcome = Option<u8>;
    const REMEMBERS: bool = true;

    fn worker(&self, index: usize) -> u8 {
        u8::try_from(index).unwrap()
    }

    fn tasks(&self, state: &State<Self>, worker: usize) -> Vec<u8> {
        vec![state.memory(worker) + 10]
    }

    fn run(&self, worker: &mut u8, task: &u8, store: &mut Replay<'_>) -> Option<u8> {
        assert_eq!(*task, *worker + 10);
        let mut turn = || -> Result<u8, StoreError> {
            let snapshot = store.read(b"k")?;
            let written = store.write(b"k", &[*task], snapshot.version)?;
            let read = snapshot.value.map_or(0, |value| value[0]);
            Ok(if written == Written::Done { read } else { 100 })
        };
        let read = turn().ok()?;
        *worker = read;
        Some(read)
    }

    fn done(&self, state: &State<Self>, _: &dyn Fn() -> Records) -> Result<(), String> {
        let last = state.events.last().unwrap();
        assert_eq!(Some(*state.memory(last.worker)), last.outcome);
        assert!(last.begun_after <= last.after && last.after < state.events.len());
        Ok(())
    }
}

#[test]
fn a_worker_remembers() {
    assert!(search(&Memory, Bounds { tasks: 3, ..BOUNDS }, Nanos(0)).scripts > 100);
}
