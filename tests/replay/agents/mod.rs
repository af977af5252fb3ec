//! Those who take part, as threads of the real crate that do what they are told, one operation at a time.

mod act;
mod make;
mod world;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    panic::resume_unwind,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context, Wake},
    thread,
    time::Duration,
};

use act::act;
use make::AssertSend;
use settled::{
    EventLoop, LoopFuture, Token, bridge,
    model::{Agent, Do, Future as It, Piece},
};
pub(crate) use world::{Command, Line, OWN, Report, Told, WORKERS, World};

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

/// Waits in this thread.
fn block_on(future: Pin<Box<dyn Future<Output = ()> + '_>>) {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let (mut future, waker) = (future, Arc::new(Unpark(thread::current())).into());
    while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        thread::park();
    }
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
