//! Callbacks, jobs and tasks, as they are made of the pieces of a program.
#![expect(unsafe_code, reason = "a coroutine is sent to its loop before it holds anything of it")]

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
};

use settled::{
    Closed, Executor, bridge,
    model::{Agent, Do, Future as It, Kind, Op, Piece, Script},
};

use super::{
    Command, PART, Part, Report, Told, World, event_loop, is_over, next, obey, part, piece, say,
    view, world,
};
use crate::real::end;

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
pub(super) struct Holds(Arc<World>, Piece, bool);

impl Holds {
    pub(super) fn new(number: Piece) -> Self {
        Self(world(), number, true)
    }

    /// The script runs: what it holds it drops where the model says so.
    pub(super) fn begin(mut self) -> Option<u8> {
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
pub(super) struct AssertSend<T>(pub(super) T);

// SAFETY: a receiver of an agent is sent before it is shared; a coroutine is sent before its first step, when it
// holds a number and a flag, and from then on its loop polls and drops it on one thread.
unsafe impl<T> Send for AssertSend<T> {}

impl<T> AssertSend<T> {
    pub(super) fn into_inner(self) -> T {
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
    *world.futures[usize::from(it)].lock().unwrap() = future.map(Arc::new);
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
    *world.futures[usize::from(it)].lock().unwrap() = Some(Arc::new(future));
    true
}

pub(super) fn is_accepted(number: Piece) -> bool {
    let world = world();
    let kind = world.play.program.pieces().nth(usize::from(number)).expect("it is there").0;
    match kind {
        Kind::Task(it, home) => spawn(number, it, home),
        Kind::Job(it, pool) => submit(number, it, pool),
        Kind::Call => unreachable!("a callback is added"),
    }
}
