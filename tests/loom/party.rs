//! A program, played by the threads of the real crate, each at its own speed, under loom.

#[path = "../replay/agents/act.rs"]
mod act;
#[path = "pieces.rs"]
mod make;

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    iter,
    num::NonZero,
    panic::resume_unwind,
    rc::Rc,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use loom::thread::{self, ThreadId};
use settled::{
    EventLoop, LoopFuture, LoopHandle, ThreadFuture, ThreadPool, Timer, Token, WeakThreadFuture,
    as_completed, bridge,
    model::{Answer, Do, Future as It, Kind, Op, Piece, Program, Role},
};

use stateright::Model;

use self::act::act;
use crate::said::{Outcome, answer, sorted};
use crate::{
    explore::{block_on, check},
    real::{Producer, end},
    told::Told,
};

/// How long a timed wait waits: until the timer of the scenario goes off.
const TIME: Duration = Duration::from_secs(1);

type Future = ThreadFuture<u8, u8>;

/// What a program is played on. loom does not see it: what it shows depends on the interleaving alone.
struct World {
    members: Vec<(Role, Vec<Do>)>,
    pieces: Vec<(Kind, Vec<Do>)>,
    futures: Vec<OnceLock<Arc<Future>>>,
    /// Of those whose handles go, the handle of each thread that drops it; and weak ones.
    handles: Vec<Mutex<HashMap<usize, Arc<Future>>>>,
    weak: Vec<Option<WeakThreadFuture<u8, u8>>>,
    producers: Vec<Mutex<Producer>>,
    loops: Vec<Mutex<Option<LoopHandle>>>,
    pools: Vec<ThreadPool>,
    said: Mutex<Vec<Vec<String>>>,
    /// Nothing is said any more.
    over: AtomicBool,
}

/// What a thread knows while it plays.
struct Part {
    world: Arc<World>,
    line: usize,
    event_loop: Option<Rc<EventLoop>>,
    views: HashMap<It, LoopFuture<u8, u8>>,
    tokens: HashMap<Piece, Token>,
    stops: bool,
}

thread_local! {
    /// The parts of all threads of a scenario, which one thread of the system runs.
    static PARTS: RefCell<HashMap<ThreadId, Part>> = RefCell::default();
}

fn part<R>(with: impl FnOnce(&mut Part) -> R) -> Option<R> {
    let here = thread::current().id();
    PARTS.with_borrow_mut(|parts| parts.get_mut(&here).map(with))
}

fn world() -> Arc<World> {
    part(|part| Arc::clone(&part.world)).expect("it plays")
}

fn event_loop() -> Rc<EventLoop> {
    part(|part| part.event_loop.clone()).flatten().expect("its loop is open")
}

fn view(it: It) -> LoopFuture<u8, u8> {
    part(|part| part.views[&it].clone()).expect("it plays")
}

/// Says something, and where that is, to be [mended](mend).
fn say(what: String) -> usize {
    let (world, line) = part(|part| (Arc::clone(&part.world), part.line)).expect("it plays");
    let said = &mut world.said.lock().unwrap()[line];
    if !world.over.load(Ordering::Relaxed) {
        said.push(what);
    }
    said.len().saturating_sub(1)
}

fn mend(place: usize, what: String) {
    let (world, line) = part(|part| (Arc::clone(&part.world), part.line)).expect("it plays");
    if !world.over.load(Ordering::Relaxed) {
        world.said.lock().unwrap()[line][place] = what;
    }
}

/// This thread plays the part of a worker, if it plays none.
fn me(world: &Arc<World>) {
    if part(|_| ()).is_none() {
        let mut said = world.said.lock().unwrap();
        enter(world, said.len());
        said.push(Vec::new());
    }
}

fn enter(world: &Arc<World>, line: usize) {
    let part = Part {
        world: Arc::clone(world),
        line,
        event_loop: None,
        views: HashMap::new(),
        tokens: HashMap::new(),
        stops: false,
    };
    PARTS.with_borrow_mut(|parts| parts.insert(thread::current().id(), part));
}

/// Does what a script says, to its end or to where a start comes too late.
fn play(script: &[Do]) {
    for what in script {
        // A call that settles or registers has done so before the callbacks run that it runs; a wait has not.
        let waits = what.waits_for().is_some() || matches!(what, Do::Shutdown | Do::Closed(_));
        let place = (!waits).then(|| say(String::new()));
        let told = match *what {
            Do::Panics => Told::Nothing,
            Do::Stop => {
                part(|part| part.stops = true);
                Told::Nothing
            }
            Do::AsCompleted(_) => complete(*what),
            Do::WaitTimeout(_) | Do::WaitAllTimeout(_) => act(*what, Some(TIME)),
            _ => act(*what, None),
        };
        let late = matches!(told, Told::Answer(Answer::Lost(_)));
        let text = answer(*what, told);
        match place {
            Some(place) => mend(place, text),
            None => drop(say(text)),
        }
        match what {
            Do::Panics => resume_unwind(Box::new("as the program says")),
            Do::Start(_) if late => return,
            _ => {}
        }
    }
}

/// Says what `as_completed` yields, in that order.
fn complete(what: Do) -> Told {
    let world = world();
    let given: Vec<It> = what.waits_for().expect("it waits").iter().collect();
    let futures: Vec<_> = given.iter().map(|it| world.future(*it).expect("it is made")).collect();
    for item in as_completed(futures.iter().map(|it| &**it), None) {
        let Ok((place, settled)) = item else { return Told::Refused };
        let done = vec![(given[place], end(settled.result()))];
        let _ = say(answer(what, Told::Done(done)));
    }
    Told::Nothing
}

impl World {
    fn new(program: &Program) -> Arc<Self> {
        let members: Vec<_> = program.members().map(|(role, it)| (role, it.to_vec())).collect();
        let pieces: Vec<_> = program.pieces().map(|(kind, it)| (kind, it.to_vec())).collect();
        let says = |what: Do| {
            let says = move |script: &&Vec<Do>| script.contains(&what);
            (0..).zip(members.iter().map(|it| &it.1)).filter(move |it| says(&it.1))
        };
        let begin = program.init_states().remove(0);
        let (mut handles, mut weak) = (Vec::new(), Vec::new());
        let mut made = |it: It| {
            handles.push(Mutex::default());
            weak.push(None);
            let of =
                |kind: &Kind| matches!(*kind, Kind::Job(of, _) | Kind::Task(of, _) if of == it);
            if pieces.iter().any(|(kind, _)| of(kind)) {
                return (OnceLock::new(), Mutex::new(Producer::Gone));
            }
            let (promise, future) = Future::pair();
            let promise = Mutex::new(Producer::Pending(promise));
            let at = usize::from(it);
            weak[at] = says(Do::Upgrade(it)).next().map(|_| future.downgrade());
            let mut lines: Vec<usize> = says(Do::Drop(it)).map(|(line, _)| line).collect();
            let Some(last) = lines.pop() else {
                return (OnceLock::from(Arc::new(future)), promise);
            };
            // One more, if somebody keeps what he has.
            let more = usize::from(begin.future(it).handles()) - lines.len() - 1;
            lines.extend(members.len()..members.len() + more);
            let mut all: HashMap<_, _> =
                lines.into_iter().map(|line| (line, Arc::new(future.clone()))).collect();
            all.insert(last, Arc::new(future));
            handles[at] = Mutex::new(all);
            (OnceLock::new(), promise)
        };
        let (futures, producers) = (0..program.futures()).map(&mut made).unzip();
        let workers = |pool: u8| members.iter().filter(|it| it.0 == Role::Worker(pool)).count();
        let pools = (0..).map(workers).map_while(NonZero::new).map(ThreadPool::new).collect();
        Arc::new(Self {
            futures,
            handles,
            weak,
            producers,
            pools,
            loops: members.iter().map(|_| Mutex::new(None)).collect(),
            said: Mutex::new(vec![Vec::new(); members.len()]),
            over: AtomicBool::new(false),
            members,
            pieces,
        })
    }

    fn future(&self, it: It) -> Option<Arc<Future>> {
        let handles = self.handles[usize::from(it)].lock().unwrap();
        let own = part(|part| handles.get(&part.line).cloned()).flatten();
        let kept = own.or_else(|| handles.get(&self.members.len()).cloned());
        kept.or_else(|| self.futures[usize::from(it)].get().cloned())
    }

    fn drop_handle(&self, it: It) {
        let line = part(|part| part.line).expect("it plays");
        let handle = self.handles[usize::from(it)].lock().unwrap().remove(&line);
        drop(handle.expect("it has one"));
    }

    fn weak(&self, it: It) -> &WeakThreadFuture<u8, u8> {
        self.weak[usize::from(it)].as_ref().expect("it has one")
    }

    fn with_promise(&self, it: It, with: impl FnOnce(&Producer)) {
        let place = &self.producers[usize::from(it)];
        let producer = std::mem::replace(&mut *place.lock().unwrap(), Producer::Gone);
        with(&producer);
        *place.lock().unwrap() = producer;
    }

    fn make(&self, it: It, future: Future) {
        assert!(self.futures[usize::from(it)].set(Arc::new(future)).is_ok(), "it is made once");
    }

    fn produce(&self, it: It, op: Op) -> Told {
        let place = &self.producers[usize::from(it)];
        let mut producer = std::mem::replace(&mut *place.lock().unwrap(), Producer::Gone);
        let answer = producer.invoke(op);
        *place.lock().unwrap() = producer;
        answer.map_or(Told::Nothing, Told::Answer)
    }

    /// Plays the part of a thread to its end.
    fn thread(self: &Arc<Self>, line: usize) {
        enter(self, line);
        play(&self.members[line].1);
        self.abandon(&self.members[line].1);
    }

    /// Waits for all jobs that were submitted.
    fn shut_down(&self) {
        for pool in &self.pools {
            pool.shutdown().expect("it may wait");
        }
    }
}

/// Plays a program once.
fn once(program: &Program) -> Outcome {
    let script = |(_, script): (_, &[Do])| script.to_vec();
    let all = program.members().map(script).chain(program.pieces().map(|it| it.1.to_vec()));
    let timed = all.flatten().any(|it| matches!(it, Do::WaitTimeout(_) | Do::WaitAllTimeout(_)));
    let timer = timed.then(Timer::new);
    let world = World::new(program);
    let mut threads: Vec<usize> =
        (0..world.members.len()).filter(|it| world.members[*it].0 == Role::Thread).collect();
    let home = world.members.iter().position(|it| it.0 == Role::Loop);
    let ticking = timer.as_ref().map(|timer| thread::spawn(timer.alarm()));
    let line = home.unwrap_or_else(|| threads.remove(0));
    let event_loop = home.map(|home| open(&world, home));
    // A loop without other threads makes its calls before anybody waits for their end.
    let alone = threads.is_empty();
    let last = threads.pop();
    let spawn = |line: usize| {
        let world = Arc::clone(&world);
        thread::spawn(move || world.thread(line))
    };
    let others: Vec<_> = threads.into_iter().map(spawn).collect();
    // The last of them has nobody but the loop after it.
    let finish = {
        let (world, handle) = (Arc::clone(&world), event_loop.as_ref().map(|it| it.handle()));
        move || {
            last.into_iter().for_each(|line| world.thread(line));
            others.into_iter().for_each(|it| it.join().unwrap());
            if let Some(handle) = handle {
                world.shut_down();
                handle.stop();
            }
        }
    };
    match event_loop {
        Some(event_loop) => run(&world, line, event_loop, finish, alone),
        None => {
            let finisher = thread::spawn(finish);
            world.thread(line);
            finisher.join().unwrap();
            world.shut_down();
        }
    }
    ticking.into_iter().for_each(|it| it.join().unwrap());
    let said = world.said.lock().unwrap().clone();
    let roles = world.members.iter().map(|it| it.0).chain(iter::repeat(Role::Worker(0)));
    let outcome = sorted(said.into_iter().zip(roles));
    drop(PARTS.take());
    outcome
}

/// The loop, with its views, in this thread. Its own script is its first job.
fn open(world: &Arc<World>, line: usize) -> Rc<EventLoop> {
    enter(world, line);
    let event_loop = Rc::new(EventLoop::new());
    event_loop.set_exception_handler(|_| ());
    *world.loops[line].lock().unwrap() = Some(event_loop.handle());
    let scripts = world.members.iter().map(|it| &it.1).chain(world.pieces.iter().map(|it| &it.1));
    let viewed: BTreeSet<It> = scripts.flatten().filter_map(|what| what.views()).collect();
    for it in viewed {
        if let Some(future) = world.future(it) {
            let view = bridge::wrap_future(&future, &event_loop);
            part(|part| part.views.insert(it, view));
        }
    }
    part(|part| part.event_loop = Some(Rc::clone(&event_loop)));
    let script = world.members[line].1.clone();
    if !script.is_empty() {
        let own = Arc::clone(world);
        let begins = event_loop.call_soon(move || {
            play(&script);
            own.abandon(&script);
        });
        assert!(begins.is_ok(), "it is open");
    }
    event_loop
}

/// Runs the loop until all others have ended, as `finish` sees to, and nothing is left to do.
fn run(
    world: &World,
    line: usize,
    event_loop: Rc<EventLoop>,
    finish: impl FnOnce() + Send + 'static,
    alone: bool,
) {
    let mut finish = Some(finish);
    let early = (!alone).then(|| finish.take().map(thread::spawn)).flatten();
    if !world.members[line].1.is_empty() {
        assert_eq!(event_loop.try_tick(), Ok(true), "its script is its first job");
    }
    let finisher = early.or_else(|| finish.map(thread::spawn)).expect("it is one of both");
    if part(|part| part.stops) == Some(true) {
        part(|part| part.event_loop = None);
        drop(event_loop);
        return finisher.join().unwrap();
    }
    event_loop.run_forever().unwrap();
    finisher.join().unwrap();
    while event_loop.try_tick() == Ok(true) {}
    world.over.store(true, Ordering::Relaxed);
    part(|part| part.event_loop = None);
    drop(event_loop);
}

/// What was told in all executions of a program, and how many there were.
pub(crate) fn outcomes(program: &Program, bound: Option<usize>) -> (BTreeSet<Outcome>, usize) {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let executions = check(bound, {
        let (seen, program) = (Arc::clone(&seen), program.clone());
        move || {
            let outcome = once(&program);
            seen.lock().unwrap().insert(outcome);
        }
    });
    let seen = seen.lock().unwrap().clone();
    (seen, executions)
}
