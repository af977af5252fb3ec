//! Those who take part, as threads of the real crate that do what they are told, one operation at a time.

use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use settled::{
    Closed, Job, LoopFuture, ReturnWhen, Schedule, ThreadFuture, Token, as_completed, context,
    host::Host,
    model::{Answer, Do, End, Op},
    wait,
};

use crate::real::{Producer, end, read};

/// What one path is played on.
pub(crate) struct World {
    pub(crate) future: ThreadFuture<u8, u8>,
    producer: Mutex<Producer>,
    pub(crate) queue: Queue,
}

/// The loop's queue, from which the test takes one job at a time.
#[derive(Clone, Default)]
pub(crate) struct Queue(Arc<Mutex<VecDeque<Job>>>);

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Schedule for Queue {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        self.0.lock().unwrap().push_back(job);
        Ok(())
    }
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let (promise, future) = ThreadFuture::promise();
        let producer = Mutex::new(Producer::Pending(promise));
        Arc::new(Self { future, producer, queue: Queue::default() })
    }
}

/// What an agent is told to do.
pub(crate) enum Command {
    /// A new path begins; the loop makes its view.
    Begin(Arc<World>, bool),
    Do(Do),
    /// The loop takes a job of its queue.
    Take,
    /// The callback that runs is over.
    Leave,
    /// The path is over.
    End,
}

/// What an agent says.
#[derive(Debug, PartialEq)]
pub(crate) enum Report {
    /// An operation has returned.
    Told(Option<Answer>),
    /// A callback or a posted job has begun in this thread, and waits for what to do.
    Began(u8),
}

/// What an agent knows while it plays.
struct Part {
    world: Arc<World>,
    view: Option<(LoopFuture<u8, u8>, Host)>,
    tokens: Vec<(u8, Token)>,
}

struct Lines {
    commands: Receiver<Command>,
    reports: Sender<Report>,
}

thread_local! {
    static LINES: RefCell<Option<Lines>> = const { RefCell::new(None) };
    static PART: RefCell<Option<Part>> = const { RefCell::new(None) };
}

/// An agent, seen from the test.
pub(crate) struct Agent {
    pub(crate) commands: Sender<Command>,
    pub(crate) reports: Receiver<Report>,
}

impl Agent {
    pub(crate) fn start() -> Self {
        let (commands, told) = channel();
        let (tell, reports) = channel();
        thread::spawn(move || {
            LINES.set(Some(Lines { commands: told, reports: tell }));
            serve();
        });
        Self { commands, reports }
    }

    pub(crate) fn tell(&self, command: Command) {
        self.commands.send(command).expect("the agent lives");
    }

    pub(crate) fn hear(&self) -> Report {
        self.reports.recv().expect("the agent lives")
    }
}

fn next() -> Option<Command> {
    LINES.with_borrow(|lines| lines.as_ref().expect("it is an agent").commands.recv().ok())
}

fn report(what: Report) {
    LINES.with_borrow(|lines| {
        let _ = lines.as_ref().expect("it is an agent").reports.send(what);
    });
}

/// Does what is told, until the callback that runs is over, or the path, or the test.
fn serve() {
    while let Some(command) = next() {
        match command {
            Command::Begin(world, is_loop) => {
                let view = is_loop.then(|| {
                    let host = Host::new(Arc::new(world.queue.clone()));
                    (host.wrap_future(&world.future), host)
                });
                PART.set(Some(Part { world, view, tokens: Vec::new() }));
                report(Report::Told(None));
            }
            Command::Do(what) => {
                let answer = act(what);
                report(Report::Told(answer));
            }
            Command::Take => {
                let job = world().queue.0.lock().unwrap().pop_front();
                let _role = context::enter_loop();
                job.expect("the model's queue has an entry").run();
                report(Report::Told(None));
            }
            Command::Leave => return,
            Command::End => {
                let part = PART.take();
                drop(part);
                report(Report::Told(None));
            }
        }
    }
}

fn world() -> Arc<World> {
    PART.with_borrow(|part| Arc::clone(&part.as_ref().expect("a path is played").world))
}

fn view() -> LoopFuture<u8, u8> {
    PART.with_borrow(|part| {
        let part = part.as_ref().expect("a path is played");
        part.view.as_ref().expect("it is the loop").0.clone()
    })
}

/// A callback of the program: it says that it has begun, and does what it is told.
fn piece(number: u8) {
    report(Report::Began(number));
    serve();
}

fn act(what: Do) -> Option<Answer> {
    let world = world();
    let future = &world.future;
    let produce = |op| {
        let mut producer = std::mem::replace(&mut *world.producer.lock().unwrap(), Producer::Gone);
        let answer = producer.invoke(op);
        *world.producer.lock().unwrap() = producer;
        answer
    };
    let read_all = |done: Option<End>| Some(Answer::Read(done));
    match what {
        Do::Start(_) => produce(Op::Start),
        Do::Finish(_) => produce(Op::Settle(End::Value(0))),
        Do::Fail(_) => produce(Op::Settle(End::Error(0))),
        Do::Abandon(_) => produce(Op::Abandon),
        Do::Cancel(_) => Some(Answer::Cancel(future.cancel())),
        Do::Done(_) | Do::Read(_) => read_all(read(future)),
        Do::Result(_) => read_all(Some(end(future.wait().expect("a thread may wait").result()))),
        Do::Wait(_) => {
            let (done, _) =
                wait([future], None, ReturnWhen::AllCompleted).expect("a thread may wait");
            read_all(Some(end(done[0].1.result())))
        }
        Do::AsCompleted(_) => {
            let settled = as_completed([future], None).next().expect("one").expect("no timeout").1;
            read_all(Some(end(settled.result())))
        }
        Do::Add(_, number) => {
            future.add_done_callback(move |_| piece(number));
            Some(Answer::Done)
        }
        Do::Post(_, number) => {
            world.queue.call_soon_threadsafe(Job::new(move || piece(number))).expect("it is open");
            None
        }
        Do::LoopDone(_) => read_all(view().settled().map(|settled| end(settled.result()))),
        Do::LoopCancel(_) => Some(Answer::Cancel(view().cancel())),
        Do::LoopAdd(_, number) => {
            let token = view().add_done_callback(move |_| piece(number));
            PART.with_borrow_mut(|part| {
                part.as_mut().expect("it plays").tokens.push((number, token))
            });
            None
        }
        Do::LoopRemove(_, number) => {
            let token = PART.with_borrow(|part| {
                let tokens = &part.as_ref().expect("it plays").tokens;
                tokens.iter().find(|(of, _)| *of == number).map(|(_, token)| *token)
            });
            if let Some(token) = token {
                view().remove_done_callback(token);
            }
            None
        }
        other => unreachable!("{other:?} is not replayed"),
    }
}
