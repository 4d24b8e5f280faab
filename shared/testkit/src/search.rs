//! Interleaves workers in every possible order, by a depth-first search.
//!
//! A worker's steps are its store calls: it reads a record, reads the clock, writes a record. Between any two
//! of them another worker may take a step, a task may start, time may pass, or the next call may fail. The
//! search tries each of these choices, within [`Bounds`]. A script is one sequence of choices.
//!
//! A task cannot be suspended, so each step runs it from its start: a [`Replay`] answers the calls that were
//! made before as before, and stops at the first new one. What follows from a state depends only on the
//! state, so each state is searched once; the scripts that lead to it are counted nevertheless.

use crate::records::Records;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The tasks of the workers, and what must hold.
pub trait Scene: Sized {
    /// The memory of a worker, which it keeps from task to task.
    type Worker: Clone;
    /// One task of a worker. It makes at least two store calls.
    type Task: Clone + Debug + Ord + Hash;
    /// The result of a task.
    type Outcome: Clone + Debug + Ord + Hash;

    /// Whether workers have memory. Without it they are interchangeable.
    const REMEMBERS: bool;

    /// The initial memory of a worker.
    fn worker(&self, index: usize) -> Self::Worker;

    /// The tasks that an idle worker may start.
    fn tasks(&self, state: &State<Self>, worker: usize) -> Vec<Self::Task>;

    /// Runs a task. The result depends on nothing but the arguments and the answers of the store.
    fn run(&self, worker: &mut Self::Worker, task: &Self::Task, store: &mut Replay<'_>) -> Self::Outcome;

    /// Checks a write.
    ///
    /// # Errors
    /// A description of the violation.
    fn written(&self, _key: &[u8], _before: Option<&[u8]>, _after: &[u8]) -> Result<(), String> {
        Ok(())
    }

    /// Checks a state in which a task has just ended, the last of [`State::events`].
    ///
    /// # Errors
    /// A description of the violation.
    fn done(&self, _state: &State<Self>, _records: &dyn Fn() -> Records) -> Result<(), String> {
        Ok(())
    }

    /// Checks the end of a script.
    ///
    /// # Errors
    /// A description of the violation.
    fn ended(&self, _state: &State<Self>, _records: Records) -> Result<(), String> {
        Ok(())
    }
}

/// The size of the scripts.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Number of workers, each with one task at a time.
    pub workers: usize,
    /// Number of tasks.
    pub tasks: u32,
    /// Length of a pause, in nanoseconds.
    pub pause: u64,
    /// Maximum number of pauses.
    pub pauses: u32,
    /// Whether a pause may be within a task.
    pub pauses_in_flight: bool,
    /// Maximum number of failing store calls.
    pub failures: u32,
}

/// A task that has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event<T, O> {
    /// The worker.
    pub worker: usize,
    /// The task.
    pub task: T,
    /// Its result.
    pub outcome: O,
    /// Number of tasks that had ended when this one started; 0 if workers have no memory.
    pub begun_after: usize,
    /// Number of tasks that had ended when this one last read the clock.
    pub after: usize,
}

/// A state of the proxy.
pub struct State<S: Scene> {
    /// The clock, in nanoseconds.
    pub now: u64,
    /// The tasks that have ended, in this order.
    pub events: Rc<Vec<Event<S::Task, S::Outcome>>>,
    records: Records<Text, Text>,
    workers: Vec<Worker<S>>,
    begun: u32,
    pauses: u32,
    failures: u32,
}

/// The extent of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Number of scripts.
    pub scripts: u64,
    /// Number of distinct states.
    pub states: usize,
}

/// Tries every script. The clock starts at `now`.
///
/// # Panics
/// If a check fails; the message contains the script.
pub fn search<S: Scene>(scene: &S, bounds: Bounds, now: Nanos) -> Found {
    let workers = (0..bounds.workers).map(|index| Worker {
        memory: Some(Rc::new(scene.worker(index))),
        past: Rc::default(),
        running: None,
    });
    let state = State {
        now: now.0,
        events: Rc::default(),
        records: Records::default(),
        workers: workers.collect(),
        begun: 0,
        pauses: 0,
        failures: 0,
    };
    let texts = RefCell::default();
    let mut search = Search { scene, bounds, texts, known: FxHashMap::default(), path: Vec::new() };
    let scripts = search.follow(state);
    Found { scripts, states: search.known.len() }
}

impl<S: Scene> State<S> {
    /// The running tasks.
    pub fn running(&self) -> impl Iterator<Item = &S::Task> {
        self.workers.iter().filter_map(|worker| worker.running.as_ref()).map(|running| &running.task)
    }

    fn without_memory(mut self) -> Self {
        self.workers.iter_mut().for_each(|worker| worker.memory = None);
        self
    }

    /// The memory of a worker, as of the end of its last task.
    pub fn memory(&self, worker: usize) -> &S::Worker {
        self.workers[worker].memory.as_ref().expect("a live state has it")
    }
}

impl<S: Scene> Clone for State<S> {
    fn clone(&self) -> Self {
        Self {
            now: self.now,
            events: Rc::clone(&self.events),
            records: self.records.clone(),
            workers: self.workers.clone(),
            begun: self.begun,
            pauses: self.pauses,
            failures: self.failures,
        }
    }
}

/// A worker's memory is not compared, since it follows from its past.
impl<S: Scene> PartialEq for State<S> {
    fn eq(&self, other: &Self) -> bool {
        let parts = |state: &Self| (state.now, state.begun, state.pauses, state.failures);
        parts(self) == parts(other)
            && self.records == other.records
            && self.workers == other.workers
            && self.events == other.events
    }
}

impl<S: Scene> Eq for State<S> {}

impl<S: Scene> Hash for State<S> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.now, self.begun, self.pauses, self.failures).hash(hasher);
        self.records.hash(hasher);
        self.workers.hash(hasher);
        self.events.hash(hasher);
    }
}

struct Worker<S: Scene> {
    /// `None` only in [`Search::known`], which compares states without it.
    memory: Option<Rc<S::Worker>>,
    /// Its tasks that have ended, with the answers that they got.
    past: Rc<Past<S>>,
    running: Option<Running<S::Task>>,
}

impl<S: Scene> Clone for Worker<S> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), past: Rc::clone(&self.past), running: self.running.clone() }
    }
}

impl<S: Scene> Worker<S> {
    fn parts(&self) -> (&Past<S>, &Option<Running<S::Task>>) {
        (&self.past, &self.running)
    }
}

impl<S: Scene> PartialEq for Worker<S> {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl<S: Scene> Eq for Worker<S> {}

impl<S: Scene> Hash for Worker<S> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.parts().hash(hasher);
    }
}

type Past<S> = Vec<(<S as Scene>::Task, Vec<Answer>)>;

/// A running task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Running<T> {
    task: T,
    answers: Vec<Answer>,
    next: Call,
    begun_after: usize,
    after: usize,
}

/// The answer to a store call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Answer {
    Record(Option<(Text, u32)>),
    Clock(u64),
    Written(bool),
    Failed,
}

/// The next store call of a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Call {
    Record(Text),
    Clock,
    Write { name: Text, value: Text, version: Option<u32> },
}

impl Call {
    const fn name(&self) -> &'static str {
        match self {
            Self::Record(_) => "reads the record",
            Self::Clock => "reads the clock",
            Self::Write { .. } => "writes",
        }
    }
}

/// Interned bytes, so that states are compared quickly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Text(usize);

#[derive(Default)]
struct Texts {
    known: FxHashMap<Rc<[u8]>, Text>,
    all: Vec<Rc<[u8]>>,
}

impl Texts {
    fn keep(&mut self, bytes: &[u8]) -> Text {
        if let Some(text) = self.known.get(bytes) {
            return *text;
        }
        let (text, bytes) = (Text(self.all.len()), Rc::<[u8]>::from(bytes));
        self.all.push(bytes.clone());
        self.known.insert(bytes, text);
        text
    }
}

struct Search<'a, S: Scene> {
    scene: &'a S,
    bounds: Bounds,
    texts: RefCell<Texts>,
    /// Number of scripts from each state on.
    known: FxHashMap<State<S>, u64>,
    path: Vec<Choice<S::Task>>,
}

/// One element of a script.
enum Choice<T> {
    Starts(usize, T),
    Calls(usize, &'static str),
    Fails(usize, &'static str),
    TimePasses,
}

impl<T: Debug> fmt::Display for Choice<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starts(worker, task) => write!(formatter, "worker {worker} starts {task:?}"),
            Self::Calls(worker, call) => write!(formatter, "worker {worker} {call}"),
            Self::Fails(worker, call) => write!(formatter, "worker {worker} {call}, which fails"),
            Self::TimePasses => formatter.write_str("time passes"),
        }
    }
}

impl<S: Scene> Search<'_, S> {
    fn follow(&mut self, state: State<S>) -> u64 {
        if let Some(scripts) = self.known.get(&state) {
            return *scripts;
        }
        let mut scripts = 0;
        for index in 0..state.workers.len() {
            if state.workers[index].running.is_some() {
                scripts += self.steps(state.clone(), index);
            }
        }
        if state.begun < self.bounds.tasks {
            for index in self.idle(&state) {
                for task in self.scene.tasks(&state, index) {
                    scripts += self.begin(state.clone(), index, task);
                }
            }
        }
        let is_idle = state.workers.iter().all(|worker| worker.running.is_none());
        if state.pauses < self.bounds.pauses
            && (state.begun < self.bounds.tasks || !is_idle)
            && (self.bounds.pauses_in_flight || is_idle)
        {
            let (now, pauses) = (state.now + self.bounds.pause, state.pauses + 1);
            self.path.push(Choice::TimePasses);
            scripts += self.follow(State { now, pauses, ..state.clone() });
            self.path.pop();
        }
        if scripts == 0 {
            self.hold(self.scene.ended(&state, self.records(&state)));
            scripts = 1;
        }
        self.known.insert(state.without_memory(), scripts);
        scripts
    }

    /// The idle workers; only one of them if they are interchangeable.
    fn idle(&self, state: &State<S>) -> Vec<usize> {
        let workers = state.workers.iter().enumerate();
        let idle = workers.filter(|(_, worker)| worker.running.is_none()).map(|(index, _)| index);
        idle.take(if S::REMEMBERS { usize::MAX } else { 1 }).collect()
    }

    fn records(&self, state: &State<S>) -> Records {
        let texts = self.texts.borrow();
        let text = |text: &Text| texts.all[text.0].to_vec();
        let mut records = Records::default();
        for (key, value) in state.records.iter() {
            let _done = records.write(text(key), text(value), Version::Absent);
        }
        records
    }

    fn hold(&self, law: Result<(), String>) {
        if let Err(problem) = law {
            let path = self.path.iter().map(|choice| format!("\n  {choice}"));
            panic!("{problem}{}", path.collect::<String>());
        }
    }

    /// Starts a task and makes its first call.
    fn begin(&mut self, mut state: State<S>, index: usize, task: S::Task) -> u64 {
        state.begun += 1;
        let (_, _, call) = self.replay(&state.workers[index], &task, &[]);
        let next = call.unwrap_or_else(|| panic!("{task:?} makes no store call"));
        let begun_after = if S::REMEMBERS { state.events.len() } else { 0 };
        self.path.push(Choice::Starts(index, task.clone()));
        state.workers[index].running =
            Some(Running { task, answers: Vec::new(), next, begun_after, after: 0 });
        let scripts = self.steps(state, index);
        self.path.pop();
        scripts
    }

    /// Makes a worker's next call, and within the bounds also lets it fail.
    fn steps(&mut self, state: State<S>, index: usize) -> u64 {
        let may_fail = state.failures < self.bounds.failures;
        let failed = if may_fail { self.step(state.clone(), index, true) } else { 0 };
        failed + self.step(state, index, false)
    }

    /// Makes a worker's next call, or lets it fail, and searches the resulting state.
    fn step(&mut self, mut next: State<S>, index: usize, fails: bool) -> u64 {
        let mut running = next.workers[index].running.take().expect("it is running");
        let call = running.next.name();
        self.path.push(if fails { Choice::Fails(index, call) } else { Choice::Calls(index, call) });
        let answer = if fails {
            next.failures += 1;
            Answer::Failed
        } else {
            self.call(&mut next, &mut running)
        };
        running.answers.push(answer);
        let (memory, outcome, call) = self.replay(&next.workers[index], &running.task, &running.answers);
        if let Some(call) = call {
            next.workers[index].running = Some(Running { next: call, ..running });
        } else {
            let worker = &mut next.workers[index];
            let Running { task, answers, begun_after, after, .. } = running;
            if S::REMEMBERS {
                worker.memory = Some(Rc::new(memory));
                Rc::make_mut(&mut worker.past).push((task.clone(), answers));
            }
            let who = if S::REMEMBERS { index } else { 0 };
            Rc::make_mut(&mut next.events).push(Event { worker: who, task, outcome, begun_after, after });
            self.hold(self.scene.done(&next, &|| self.records(&next)));
        }
        if !S::REMEMBERS {
            // The order of interchangeable workers does not distinguish states.
            next.workers.sort_unstable_by(|one, other| one.running.cmp(&other.running));
        }
        let scripts = self.follow(next);
        self.path.pop();
        scripts
    }

    fn call(&self, state: &mut State<S>, running: &mut Running<S::Task>) -> Answer {
        match &running.next {
            Call::Record(name) => {
                Answer::Record(state.records.get(name).map(|(value, number)| (*value, number)))
            }
            Call::Clock => {
                running.after = state.events.len();
                Answer::Clock(state.now)
            }
            Call::Write { name, value, version } => {
                let before = state.records.get(name).map(|(value, _)| *value);
                let version = version.map_or(Version::Absent, Version::Number);
                let written = state.records.write(*name, *value, version);
                if written == Written::Done {
                    let all = |text: Text| Rc::clone(&self.texts.borrow().all[text.0]);
                    let (key, before, after) = (all(*name), before.map(all), all(*value));
                    self.hold(self.scene.written(&key, before.as_deref(), &after));
                }
                Answer::Written(written == Written::Done)
            }
        }
    }

    fn replay(
        &self,
        worker: &Worker<S>,
        task: &S::Task,
        answers: &[Answer],
    ) -> (S::Worker, S::Outcome, Option<Call>) {
        let mut memory = S::Worker::clone(worker.memory.as_ref().expect("a live state has it"));
        let mut store = Replay { answers: answers.iter(), texts: &self.texts, next: None };
        let outcome = self.scene.run(&mut memory, task, &mut store);
        (memory, outcome, store.next)
    }
}

/// The store of a task that is run again: it gives the recorded answers, and fails at the first new call.
pub struct Replay<'a> {
    answers: std::slice::Iter<'a, Answer>,
    texts: &'a RefCell<Texts>,
    next: Option<Call>,
}

impl<'a> Replay<'a> {
    fn answer(&mut self, call: impl FnOnce() -> Call) -> Result<&'a Answer, StoreError> {
        let answer = if self.next.is_none() { self.answers.next() } else { None };
        match answer {
            Some(Answer::Failed) => Err(StoreError::Host),
            Some(answer) => Ok(answer),
            None => {
                self.next.get_or_insert_with(call);
                Err(StoreError::Host)
            }
        }
    }
}

impl Store for Replay<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let texts = self.texts;
        let name = texts.borrow_mut().keep(key);
        let (value, version) = match self.answer(|| Call::Record(name))? {
            Answer::Record(Some((value, number))) => {
                (Some(texts.borrow().all[value.0].to_vec()), Version::Number(*number))
            }
            Answer::Record(None) => (None, Version::Absent),
            other => panic!("{other:?} for a record"),
        };
        match self.answer(|| Call::Clock)? {
            Answer::Clock(now) => Ok(Snapshot { value, version, now: Nanos(*now) }),
            other => panic!("{other:?} for an instant"),
        }
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let texts = self.texts;
        let keep = |bytes| texts.borrow_mut().keep(bytes);
        let version = match version {
            Version::Absent => None,
            Version::Number(number) => Some(number),
        };
        match self.answer(|| Call::Write { name: keep(key), value: keep(value), version })? {
            Answer::Written(true) => Ok(Written::Done),
            Answer::Written(false) => Ok(Written::Conflict),
            other => panic!("{other:?} for a write"),
        }
    }
}

#[cfg(test)]
mod tests;
