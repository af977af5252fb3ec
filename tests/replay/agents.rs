//! Those who take part, as threads of the real crate that do what they are told, one operation at a time.
#![expect(unsafe_code, reason = "a coroutine is sent to its loop before it holds anything of it")]

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::{Future, poll_fn},
    num::NonZero,
    panic::resume_unwind,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use settled::{
    Closed, EventLoop, Executor, LoopFuture, LoopHandle, ReturnWhen, ThreadFuture, ThreadPool,
    Token, as_completed, bridge,
    model::{Agent, Answer, Do, End, Future as It, Kind, Op, Piece, Script},
    wait,
};

use crate::{
    play::Play,
    real::{Producer, end, read},
};

/// The script of a loop, which is the first job that it runs.
pub(crate) const OWN: Piece = Piece::MAX;

/// Who speaks: one who takes part by number, a worker of a pool by one from here on.
pub(crate) type Line = usize;
pub(crate) const WORKERS: Line = 100;

/// What a thread is told to do.
pub(crate) enum Command {
    /// A new path begins.
    Begin(Arc<World>, Option<Agent>),
    Do(Do),
    /// Waits until now, and not longer.
    Expire(Do),
    /// A loop makes its view of a future.
    View(It),
    /// A loop runs what is due first.
    Tick,
    Close,
    /// The script that runs is over; if it settles something, then with this value.
    Leave(u8),
    /// Goes on with the drop of a coroutine.
    GoOn,
    /// The path is over.
    End,
}

/// What a thread says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    /// It has done what it does without being seen.
    Ready,
    /// An operation has returned.
    Told(Told),
    /// A script has begun in this thread, which waits for what to do.
    Began(Piece),
    /// A coroutine is dropped; it waits for leave to go on.
    Dropped(Piece),
    /// The loop has run what was due first, if there was anything, or is closed.
    Turned(bool),
    /// A job's future is settled, and all are told but its callbacks.
    Settled(It),
}

/// What somebody was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Nothing,
    Answer(Answer),
    /// How these ended, which are done.
    Done(Vec<(It, End)>),
    /// That the wait might never end.
    Refused,
    /// Whether it was accepted, or removed.
    Is(bool),
}

/// What one path is played on.
pub(crate) struct World {
    pub(crate) play: Arc<Play>,
    /// Those that somebody has made.
    pub(crate) futures: Vec<Mutex<Option<ThreadFuture<u8, u8>>>>,
    producers: Vec<Mutex<Producer>>,
    loops: Vec<Mutex<Option<LoopHandle>>>,
    pub(crate) pools: Vec<ThreadPool>,
    pub(crate) over: AtomicBool,
    lines: Sender<(Line, Report)>,
    pub(crate) workers: Mutex<HashMap<Line, Sender<Command>>>,
    next_worker: AtomicUsize,
}

impl World {
    pub(crate) fn new(play: &Arc<Play>, lines: &Sender<(Line, Report)>) -> Arc<Self> {
        let made = |it: It| {
            let (promise, future) = ThreadFuture::promise();
            if play.is_base(it) {
                (Mutex::new(Some(future)), Mutex::new(Producer::Pending(promise)))
            } else {
                (Mutex::new(None), Mutex::new(Producer::Gone))
            }
        };
        let (futures, producers) = (0..play.program.futures()).map(made).unzip();
        let pool = |workers: &usize| ThreadPool::new(NonZero::new(*workers).expect("it has some"));
        Arc::new(Self {
            play: Arc::clone(play),
            futures,
            producers,
            loops: play.program.members().map(|_| Mutex::new(None)).collect(),
            pools: play.workers.iter().map(pool).collect(),
            over: AtomicBool::new(false),
            lines: lines.clone(),
            workers: Mutex::default(),
            next_worker: AtomicUsize::new(WORKERS),
        })
    }

    pub(crate) fn future(&self, it: It) -> Option<ThreadFuture<u8, u8>> {
        self.futures[usize::from(it)].lock().unwrap().clone()
    }

    fn produce(&self, it: It, op: Op) -> Told {
        let place = &self.producers[usize::from(it)];
        let mut producer = std::mem::replace(&mut *place.lock().unwrap(), Producer::Gone);
        let answer = producer.invoke(op);
        *place.lock().unwrap() = producer;
        answer.map_or(Told::Nothing, Told::Answer)
    }

    /// Settles all that nobody in it will.
    pub(crate) fn drop_promises(&self) {
        for producer in &self.producers {
            let last = std::mem::replace(&mut *producer.lock().unwrap(), Producer::Gone);
            drop(last);
        }
    }
}

/// What a thread knows while it plays.
struct Part {
    world: Arc<World>,
    line: Line,
    commands: Rc<Receiver<Command>>,
    event_loop: Option<Rc<EventLoop>>,
    views: HashMap<It, LoopFuture<u8, u8>>,
    tokens: HashMap<Piece, Token>,
}

thread_local! {
    static PART: RefCell<Option<Part>> = const { RefCell::new(None) };
    /// The end of the path was told in the middle of a script.
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

/// A thread that plays one path after the other.
pub(crate) fn start(line: Line, lines: Sender<(Line, Report)>) -> Sender<Command> {
    let (commands, told) = channel();
    let told = Rc::new(told);
    let begin = move |told: Rc<Receiver<Command>>| {
        while let Ok(Command::Begin(world, on_loop)) = told.recv() {
            let part = Part {
                world,
                line,
                commands: Rc::clone(&told),
                event_loop: None,
                views: HashMap::new(),
                tokens: HashMap::new(),
            };
            PART.set(Some(part));
            if let Some(agent) = on_loop {
                make_loop(agent);
            }
            say(Report::Ready);
            while serve().is_some() {}
            // It may have seen that the path is over before it was told.
            while !ENDED.get() {
                ENDED.set(matches!(told.recv(), Ok(Command::End) | Err(_)));
            }
            ENDED.set(false);
            drop(PART.take());
            lines.send((line, Report::Ready)).expect("the test lives");
        }
    };
    let sent = AssertSend(told);
    thread::spawn(move || begin(sent.into_inner()));
    commands
}

/// The part that this thread plays.
fn part<R>(with: impl FnOnce(&mut Part) -> R) -> Option<R> {
    PART.with_borrow_mut(|part| part.as_mut().map(with))
}

/// Nobody is told of anything once the path is over.
fn is_over() -> bool {
    part(|part| part.world.over.load(Ordering::SeqCst)).unwrap_or(true)
}

fn world() -> Arc<World> {
    part(|part| Arc::clone(&part.world)).expect("a path is played")
}

fn say(what: Report) {
    if is_over() {
        return;
    }
    part(|part| drop(part.world.lines.send((part.line, what))));
}

fn next() -> Option<Command> {
    if is_over() {
        return None;
    }
    let commands = part(|part| Rc::clone(&part.commands))?;
    let command = commands.recv().ok()?;
    if matches!(command, Command::End) {
        ENDED.set(true);
        return None;
    }
    Some(command)
}

/// Does what is told until the script that runs is over, which gives a value, or the path, which gives none.
fn serve() -> Option<u8> {
    loop {
        if let Command::Leave(value) = obey(next()?)? {
            return Some(value);
        }
    }
}

/// Does one thing, or gives back what ends the script.
fn obey(command: Command) -> Option<Command> {
    match command {
        Command::Do(Do::Panics) => resume_unwind(Box::new("as it was told")),
        Command::Do(what) => say(Report::Told(act(what, None))),
        Command::Expire(what) => say(Report::Told(act(what, Some(Duration::ZERO)))),
        Command::View(it) => {
            let (future, event_loop) = (world().future(it)?, event_loop());
            if part(|part| !part.views.contains_key(&it)) == Some(true) {
                let view = bridge::wrap_future(&future, &event_loop);
                part(|part| part.views.insert(it, view));
            }
            say(Report::Ready);
        }
        Command::Tick => {
            let turned = event_loop().try_tick().expect("it does not run");
            say(Report::Turned(turned));
        }
        Command::Close => {
            let event_loop = part(|part| part.event_loop.take())?;
            drop(event_loop);
            say(Report::Turned(true));
        }
        other => return Some(other),
    }
    Some(Command::GoOn)
}

fn make_loop(agent: Agent) {
    let event_loop = Rc::new(EventLoop::new());
    event_loop.set_exception_handler(|_| ());
    let world = world();
    *world.loops[usize::from(agent)].lock().unwrap() = Some(event_loop.handle());
    if world.play.has_script(agent) {
        let own = event_loop.call_soon(|| {
            piece(OWN);
        });
        drop(own);
    }
    let views = (0..world.play.program.futures())
        .filter(|it| world.play.is_base(*it) && world.play.is_viewed(*it));
    let views: Vec<_> = views
        .map(|it| (it, bridge::wrap_future(&world.future(it).expect("it is there"), &event_loop)))
        .collect();
    part(|part| {
        part.views.extend(views);
        part.event_loop = Some(event_loop);
    });
}

fn event_loop() -> Rc<EventLoop> {
    part(|part| part.event_loop.clone()).flatten().expect("its loop is open")
}

fn view(it: It) -> LoopFuture<u8, u8> {
    part(|part| part.views[&it].clone()).expect("a path is played")
}

/// A callback or job of the program: it says that it has begun, and does what it is told.
fn piece(number: Piece) -> Option<u8> {
    say(Report::Began(number));
    serve()
}

/// A job of a pool. Its thread is made known with its first one.
fn job(holds: Holds) -> Result<u8, u8> {
    let world = Arc::clone(&holds.0);
    if PART.with_borrow(Option::is_none) && !world.over.load(Ordering::SeqCst) {
        let (commands, told) = channel();
        let line = world.next_worker.fetch_add(1, Ordering::SeqCst);
        world.workers.lock().unwrap().insert(line, commands);
        PART.set(Some(Part {
            world,
            line,
            commands: Rc::new(told),
            event_loop: None,
            views: HashMap::new(),
            tokens: HashMap::new(),
        }));
    }
    Ok(holds.begin().unwrap_or_default())
}

/// The promises of a script that goes without having come to its end.
struct Holds(Arc<World>, Piece, bool);

impl Holds {
    fn new(number: Piece) -> Self {
        Self(world(), number, true)
    }

    /// The script runs: what it holds it drops where the model says so.
    fn begin(mut self) -> Option<u8> {
        self.2 = false;
        piece(self.1)
    }
}

impl Drop for Holds {
    fn drop(&mut self) {
        if self.2 {
            let script = self.0.play.script(0, Script::Piece(self.1));
            for it in script.iter().filter_map(|what| what.promise()) {
                self.0.produce(it, Op::Abandon);
            }
        }
    }
}

/// Says that its coroutine is dropped, unless that has come to its end.
struct Drops(Piece, Arc<AtomicBool>);

impl Drop for Drops {
    fn drop(&mut self) {
        if self.1.load(Ordering::SeqCst) && !is_over() {
            drop(Holds::new(self.0));
            say(Report::Dropped(self.0));
            while let Some(command) = next() {
                if matches!(command, Command::GoOn) {
                    break;
                }
                obey(command);
            }
        }
    }
}

async fn coroutine(drops: Drops) -> Result<u8, u8> {
    say(Report::Began(drops.0));
    while let Some(command) = next() {
        match command {
            Command::Do(Do::Await(it) | Do::AwaitOf(_, it)) => {
                let settled = view(it).await;
                say(Report::Told(Told::Done(vec![(it, end(settled.result()))])));
            }
            Command::Leave(value) => {
                drops.1.store(false, Ordering::SeqCst);
                return Ok(value);
            }
            other => {
                if matches!(other, Command::Do(Do::Panics)) {
                    drops.1.store(false, Ordering::SeqCst);
                }
                obey(other);
            }
        }
    }
    // The path is over: the loop drops what is left.
    poll_fn(|_| std::task::Poll::Pending).await
}

/// Sent before it holds anything that must not be.
struct AssertSend<T>(T);

// SAFETY: a receiver of an agent is sent before it is shared; a coroutine is sent before its first step, when it
// holds a number and a flag, and from then on its loop polls and drops it on one thread.
unsafe impl<T> Send for AssertSend<T> {}

impl<T> AssertSend<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

impl<F: Future> Future for AssertSend<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<F::Output> {
        // SAFETY: the field is pinned with the whole, which gives no other access to it.
        unsafe { self.map_unchecked_mut(|it| &mut it.0) }.poll(cx)
    }
}

/// Makes a task: its loop does so itself, others send it the coroutine.
fn spawn(number: Piece, it: It, home: Agent) -> bool {
    let armed = Arc::new(AtomicBool::new(true));
    let coroutine = coroutine(Drops(number, Arc::clone(&armed)));
    let world = world();
    let here = part(|part| part.line) == Some(usize::from(home));
    let future = if here {
        let made = event_loop().create_task_result(coroutine);
        refused(made, &armed).map(|view| {
            let future = bridge::thread_future(&view);
            part(|part| part.views.insert(it, view));
            future
        })
    } else {
        let home = world.loops[usize::from(home)].lock().unwrap().clone().expect("it is made");
        refused(bridge::run_coroutine_threadsafe_result(AssertSend(coroutine), &home), &armed)
    };
    let accepted = future.is_some();
    *world.futures[usize::from(it)].lock().unwrap() = future;
    accepted
}

/// A coroutine that is handed back is dropped without a word.
fn refused<T, F>(made: Result<T, Closed<F>>, armed: &AtomicBool) -> Option<T> {
    if made.is_err() {
        armed.store(false, Ordering::SeqCst);
    }
    made.ok()
}

fn submit(number: Piece, it: It, pool: u8) -> bool {
    let world = world();
    let holds = Holds::new(number);
    let work = move || job(holds);
    let Ok(future) = world.pools[usize::from(pool)].submit_result(work) else { return false };
    future.add_done_callback(move |_| say(Report::Settled(it)));
    *world.futures[usize::from(it)].lock().unwrap() = Some(future);
    true
}

fn is_accepted(number: Piece) -> bool {
    let world = world();
    let kind = world.play.program.pieces().nth(usize::from(number)).expect("it is there").0;
    match kind {
        Kind::Task(it, home) => spawn(number, it, home),
        Kind::Job(it, pool) => submit(number, it, pool),
        Kind::Call => unreachable!("a callback is added"),
    }
}

/// Waits for some futures with what the crate has for that.
fn wait_for(what: Do, timeout: Option<Duration>) -> Told {
    let world = world();
    let these: Vec<It> = what.waits_for().expect("it waits").iter().collect();
    let futures: Vec<_> = these.iter().map(|it| world.future(*it).expect("it is there")).collect();
    let done = match what {
        Do::Result(_) => match futures[0].wait() {
            Ok(settled) => Ok(vec![(0, settled)]),
            Err(_) => Err(()),
        },
        Do::ResultTimeout(_) => match futures[0].wait_timeout(timeout.unwrap_or(Duration::MAX)) {
            Ok(settled) => Ok(vec![(0, settled)]),
            Err(settled::WaitError::Expired(_)) => Ok(Vec::new()),
            Err(_) => Err(()),
        },
        Do::AsCompleted(_) => {
            as_completed(&futures, None).collect::<Result<Vec<_>, _>>().map_err(|_| ())
        }
        Do::WaitFirst(_) => wait(&futures, timeout, ReturnWhen::FirstCompleted)
            .map(|parted| parted.0)
            .map_err(|_| ()),
        _ => {
            wait(&futures, timeout, ReturnWhen::AllCompleted).map(|parted| parted.0).map_err(|_| ())
        }
    };
    let Ok(done) = done else { return Told::Refused };
    let mut done: Vec<_> = done.iter().map(|(at, it)| (these[*at], end(it.result()))).collect();
    done.sort_unstable_by_key(|(it, _)| *it);
    done.dedup();
    Told::Done(done)
}

fn act(what: Do, timeout: Option<Duration>) -> Told {
    let world = world();
    let me = part(|part| part.line as u8).expect("a path is played");
    let thread = |it| world.future(it).expect("it is there");
    let looks = |settled: Option<End>| Told::Answer(Answer::Read(settled));
    match what {
        Do::Start(it) => world.produce(it, Op::Start),
        Do::Finish(it) => world.produce(it, Op::Settle(End::Value(me))),
        Do::Fail(it) => world.produce(it, Op::Settle(End::Error(0))),
        Do::Panic(it) => world.produce(it, Op::Settle(End::Panicked)),
        Do::Abandon(it) => world.produce(it, Op::Abandon),
        Do::Cancel(it) => Told::Answer(Answer::Cancel(thread(it).cancel())),
        Do::Done(it) | Do::Read(it) => looks(read(&thread(it))),
        Do::Poll(it) if part(|part| part.event_loop.is_none()) == Some(true) => {
            looks(read(&thread(it)))
        }
        Do::LoopDone(it) | Do::LoopRead(it) | Do::Poll(it) => {
            looks(view(it).settled().map(|settled| end(settled.result())))
        }
        Do::LoopCancel(it) => Told::Answer(Answer::Cancel(view(it).cancel())),
        Do::Add(it, number) => {
            let holds = Holds::new(number);
            thread(it).add_done_callback(move |_| {
                holds.begin();
            });
            Told::Nothing
        }
        Do::LoopAdd(it, number) => {
            let holds = Holds::new(number);
            let token = view(it).add_done_callback(move |_| {
                holds.begin();
            });
            part(|part| part.tokens.insert(number, token));
            Told::Nothing
        }
        Do::LoopRemove(it, number) => {
            let token = part(|part| part.tokens.get(&number).copied()).flatten();
            Told::Is(token.is_some_and(|token| view(it).remove_done_callback(token)))
        }
        Do::Post(home, number) => {
            let home = world.loops[usize::from(home)].lock().unwrap().clone().expect("it is made");
            let holds = Holds::new(number);
            Told::Is(
                home.call_soon_threadsafe(move || {
                    holds.begin();
                })
                .is_ok(),
            )
        }
        Do::Spawn(number) | Do::Submit(number) => Told::Is(is_accepted(number)),
        Do::Stop => {
            event_loop().stop();
            Told::Nothing
        }
        Do::Shutdown => shut_down(&world, false, false),
        Do::ShutdownNow => shut_down(&world, false, true),
        Do::Join => shut_down(&world, true, false),
        // The model says who has it.
        Do::Lock(_) | Do::Unlock(_) => Told::Nothing,
        _ => wait_for(what, timeout),
    }
}

fn shut_down(world: &World, wait: bool, drop_queued: bool) -> Told {
    match world.pools[0].shutdown(wait, drop_queued) {
        Ok(()) => Told::Nothing,
        Err(_) => Told::Refused,
    }
}
