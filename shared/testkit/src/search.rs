//! Every script of a few tasks: a depth-first search over what may happen next.
//!
//! A worker's calls to the store are its steps: it reads a record, reads the clock, writes a record. Between
//! any two of them another worker may take a step, a task may begin, time may pass, or the next call may
//! fail. The search takes each of these choices in turn, as often as [`Bounds`] allows.
//!
//! A task cannot stop in the middle, so a step runs it from its beginning: it is told again what it was told
//! before, up to the first call that has not been made. What happens in a state depends only on the state,
//! so each is searched once; scripts that meet in one are counted all the same.

use crate::records::Records;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// What workers do, and what must hold.
pub trait Scene: Sized {
    /// What a worker remembers from one task to the next.
    type Worker: Clone;
    /// What a worker does at a time. It makes at least two calls to the store.
    type Task: Clone + Debug + Ord + Hash;
    /// What a task has led to.
    type Outcome: Clone + Debug + Ord + Hash;

    /// Whether workers remember anything. If not, they are alike.
    const REMEMBERS: bool;

    /// A worker that has done nothing yet.
    fn worker(&self, index: usize) -> Self::Worker;

    /// What an idle worker may do next.
    fn tasks(&self, state: &State<Self>, worker: usize) -> Vec<Self::Task>;

    /// Does a task. It depends on nothing but the arguments and what the store answers.
    fn run(&self, worker: &mut Self::Worker, task: &Self::Task, store: &mut Replay<'_>) -> Self::Outcome;

    /// What must hold when a record was written.
    ///
    /// # Errors
    /// What is wrong.
    fn written(&self, _key: &[u8], _before: Option<&[u8]>, _after: &[u8]) -> Result<(), String> {
        Ok(())
    }

    /// What must hold whenever a task is done, the last of [`State::events`].
    ///
    /// # Errors
    /// What is wrong.
    fn done(&self, _state: &State<Self>, _records: &dyn Fn() -> Records) -> Result<(), String> {
        Ok(())
    }

    /// What must hold when a script ends.
    ///
    /// # Errors
    /// What is wrong.
    fn ended(&self, _state: &State<Self>, _records: Records) -> Result<(), String> {
        Ok(())
    }
}

/// How much there is in a script.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Workers, each with one task at a time.
    pub workers: usize,
    /// Tasks.
    pub tasks: u32,
    /// How long time passes at once, in nanoseconds.
    pub pause: u64,
    /// How often it may pass.
    pub pauses: u32,
    /// Whether time also passes while a task is under way.
    pub pauses_in_flight: bool,
    /// How many calls may fail.
    pub failures: u32,
}

/// A task that is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event<T, O> {
    /// Who did it.
    pub worker: usize,
    /// What was done.
    pub task: T,
    /// What it has led to.
    pub outcome: O,
    /// How many tasks had been done when this one began, if workers remember.
    pub begun_after: usize,
    /// How many tasks had been done when this one last read the clock.
    pub after: usize,
}

/// A state of the proxy.
pub struct State<S: Scene> {
    /// The clock, in nanoseconds.
    pub now: u64,
    /// The tasks that are done, in the order in which they ended.
    pub events: Rc<Vec<Event<S::Task, S::Outcome>>>,
    records: Records<Text, Text>,
    workers: Vec<Worker<S>>,
    begun: u32,
    pauses: u32,
    failures: u32,
}

/// How much a search has tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Scripts.
    pub scripts: u64,
    /// Different states.
    pub states: usize,
}

/// Plays every script. The clock begins at `now`.
///
/// # Panics
/// If something does not hold, with the script that led there.
pub fn search<S: Scene>(scene: &S, bounds: Bounds, now: Nanos) -> Found {
    let workers = (0..bounds.workers).map(|index| Worker {
        memory: Rc::new(scene.worker(index)),
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
    /// The tasks that are under way.
    pub fn running(&self) -> impl Iterator<Item = &S::Task> {
        self.workers.iter().filter_map(|worker| worker.running.as_ref()).map(|running| &running.task)
    }

    /// What a worker remembers, unless it is in the middle of a task: then, what it did before that.
    pub fn memory(&self, worker: usize) -> &S::Worker {
        &self.workers[worker].memory
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

/// What tells one state from another: a worker's memory follows from its past.
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
    memory: Rc<S::Worker>,
    /// The tasks that it has done, with what it was told.
    past: Rc<Past<S>>,
    running: Option<Running<S::Task>>,
}

impl<S: Scene> Clone for Worker<S> {
    fn clone(&self) -> Self {
        Self { memory: Rc::clone(&self.memory), past: Rc::clone(&self.past), running: self.running.clone() }
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

type Past<S> = Vec<(<S as Scene>::Task, Vec<Told>)>;

/// A task under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Running<T> {
    task: T,
    told: Vec<Told>,
    next: Call,
    begun_after: usize,
    after: usize,
}

/// What a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Told {
    Record(Option<(Text, u32)>),
    Clock(u64),
    Written(bool),
    Failed,
}

/// A call that is to be made.
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

/// Bytes that are kept once, so that states are quickly compared.
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
    /// How many scripts each state leads to.
    known: FxHashMap<Rc<State<S>>, u64>,
    path: Vec<Choice<S::Task>>,
}

/// What happens next.
enum Choice<T> {
    Begins(usize, T),
    Calls(usize, &'static str),
    Fails(usize, &'static str),
    TimePasses,
}

impl<T: Debug> fmt::Display for Choice<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins(worker, task) => write!(formatter, "worker {worker} begins {task:?}"),
            Self::Calls(worker, call) => write!(formatter, "worker {worker} {call}"),
            Self::Fails(worker, call) => write!(formatter, "worker {worker} {call} in vain"),
            Self::TimePasses => formatter.write_str("time passes"),
        }
    }
}

impl<S: Scene> Search<'_, S> {
    fn follow(&mut self, state: State<S>) -> u64 {
        let state = Rc::new(state);
        if let Some(scripts) = self.known.get(&state) {
            return *scripts;
        }
        let mut scripts = 0;
        for index in 0..state.workers.len() {
            if state.workers[index].running.is_some() {
                scripts += self.steps((*state).clone(), index);
            }
        }
        if state.begun < self.bounds.tasks {
            for index in self.idle(&state) {
                for task in self.scene.tasks(&state, index) {
                    scripts += self.begin((*state).clone(), index, task);
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
            scripts += self.follow(State { now, pauses, ..(*state).clone() });
            self.path.pop();
        }
        if scripts == 0 {
            self.hold(self.scene.ended(&state, self.records(&state)));
            scripts = 1;
        }
        self.known.insert(state, scripts);
        scripts
    }

    /// The idle workers; only one of them if they are alike.
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

    /// A task begins with its first call: before that it is not there.
    fn begin(&mut self, mut state: State<S>, index: usize, task: S::Task) -> u64 {
        state.begun += 1;
        let (_, _, call) = self.replay(&state.workers[index], &task, &[]);
        let next = call.unwrap_or_else(|| panic!("{task:?} makes no call"));
        let begun_after = if S::REMEMBERS { state.events.len() } else { 0 };
        self.path.push(Choice::Begins(index, task.clone()));
        state.workers[index].running = Some(Running { task, told: Vec::new(), next, begun_after, after: 0 });
        let scripts = self.steps(state, index);
        self.path.pop();
        scripts
    }

    /// Makes a worker's next call, well and, if it may, in vain.
    fn steps(&mut self, state: State<S>, index: usize) -> u64 {
        let may_fail = state.failures < self.bounds.failures;
        let failed = if may_fail { self.step(state.clone(), index, true) } else { 0 };
        failed + self.step(state, index, false)
    }

    /// Makes a worker's next call, and goes on from there.
    fn step(&mut self, mut next: State<S>, index: usize, fails: bool) -> u64 {
        let mut running = next.workers[index].running.take().expect("it is running");
        let call = running.next.name();
        self.path.push(if fails { Choice::Fails(index, call) } else { Choice::Calls(index, call) });
        let told = if fails {
            next.failures += 1;
            Told::Failed
        } else {
            self.call(&mut next, &mut running)
        };
        running.told.push(told);
        let (memory, outcome, call) = self.replay(&next.workers[index], &running.task, &running.told);
        if let Some(call) = call {
            next.workers[index].running = Some(Running { next: call, ..running });
        } else {
            let worker = &mut next.workers[index];
            let Running { task, told, begun_after, after, .. } = running;
            if S::REMEMBERS {
                worker.memory = Rc::new(memory);
                Rc::make_mut(&mut worker.past).push((task.clone(), told));
            }
            let who = if S::REMEMBERS { index } else { 0 };
            Rc::make_mut(&mut next.events).push(Event { worker: who, task, outcome, begun_after, after });
            self.hold(self.scene.done(&next, &|| self.records(&next)));
        }
        if !S::REMEMBERS {
            // The order of workers that are alike is no difference between states.
            next.workers.sort_unstable_by(|one, other| one.running.cmp(&other.running));
        }
        let scripts = self.follow(next);
        self.path.pop();
        scripts
    }

    fn call(&self, state: &mut State<S>, running: &mut Running<S::Task>) -> Told {
        match &running.next {
            Call::Record(name) => {
                Told::Record(state.records.get(name).map(|(value, number)| (*value, number)))
            }
            Call::Clock => {
                running.after = state.events.len();
                Told::Clock(state.now)
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
                Told::Written(written == Written::Done)
            }
        }
    }

    fn replay(
        &self,
        worker: &Worker<S>,
        task: &S::Task,
        told: &[Told],
    ) -> (S::Worker, S::Outcome, Option<Call>) {
        let mut memory = S::Worker::clone(&worker.memory);
        let mut store = Replay { told: told.iter(), texts: &self.texts, next: None };
        let outcome = self.scene.run(&mut memory, task, &mut store);
        (memory, outcome, store.next)
    }
}

/// The store as a task sees it that is told again what it was told before: it fails at the first call that
/// has not been made.
pub struct Replay<'a> {
    told: std::slice::Iter<'a, Told>,
    texts: &'a RefCell<Texts>,
    next: Option<Call>,
}

impl<'a> Replay<'a> {
    fn tell(&mut self, call: impl FnOnce() -> Call) -> Result<&'a Told, StoreError> {
        let told = if self.next.is_none() { self.told.next() } else { None };
        match told {
            Some(Told::Failed) => Err(StoreError::Host),
            Some(told) => Ok(told),
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
        let (value, version) = match self.tell(|| Call::Record(name))? {
            Told::Record(Some((value, number))) => {
                (Some(texts.borrow().all[value.0].to_vec()), Version::Number(*number))
            }
            Told::Record(None) => (None, Version::Absent),
            other => panic!("{other:?} for a record"),
        };
        match self.tell(|| Call::Clock)? {
            Told::Clock(now) => Ok(Snapshot { value, version, now: Nanos(*now) }),
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
        match self.tell(|| Call::Write { name: keep(key), value: keep(value), version })? {
            Told::Written(true) => Ok(Written::Done),
            Told::Written(false) => Ok(Written::Conflict),
            other => panic!("{other:?} for a write"),
        }
    }
}

#[cfg(test)]
mod tests;
