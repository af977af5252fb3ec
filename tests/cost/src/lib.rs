//! The operations whose cost is counted, each repeated as often as the caller says.
//!
//! What surrounds the repetition costs the same whatever their number, so that the difference between two
//! numbers is the operations' alone. All run in one thread but for [`submit`], whose two threads never run at once.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{Future, pending, poll_fn},
    hint::black_box,
    num::NonZero,
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use settled::{
    Clock, EventLoop, Executor, LoopRef, Promise, ThreadFuture, ThreadPool, as_completed, bridge,
    primitives::{Event, Lock, Queue, Semaphore},
    tasks,
};

mod peers;

pub use peers::PEERS;

/// Does an operation so many times.
pub type Operation = fn(usize);

/// What a row of the table is called, and what it counts.
pub const OPERATIONS: [(&str, Operation); 32] = [
    ("create, finish, take", take),
    ("await what is ready", ready),
    ("register, wake, ready", register),
    ("1 callback", |times| callbacks(times, 1)),
    ("8 callbacks", |times| callbacks(times, 8)),
    ("cancel", cancel),
    (OF_TWO_THREADS, submit),
    ("task", task),
    ("task of many", many_tasks),
    ("wake a task", wake),
    ("give way", yields),
    ("call_soon", call_soon),
    ("post", post),
    ("sleep in vain", sleep_in_vain),
    ("sleep beside 1,000 jobs", sleep),
    ("sleep among own jobs", sleep_among_own),
    ("stop through a view", stop),
    ("stop what is elsewhere", stop_elsewhere),
    ("leave an await", leave_awaits),
    ("poll again", poll_again),
    ("leave a view", leave_views),
    ("leave an iterator", leave_iterators),
    ("remove a callback", remove_callbacks),
    ("stop an await", stop_awaits),
    ("list a task", list),
    ("cancel a timer", cancel_timers),
    ("lock, unlock", lock),
    ("acquire, release", acquire),
    ("wait, set, go on", wait_for_event),
    ("leave a line", leave_line),
    ("put, get", put),
    ("wait, put, get", wait_to_get),
];

/// The operations of so many at once. What each of them costs may grow with a logarithm, and no more.
pub const OF_MANY: [&str; 14] = [
    "task of many",
    "sleep among own jobs",
    "stop through a view",
    "stop what is elsewhere",
    "leave an await",
    "poll again",
    "leave a view",
    "leave an iterator",
    "remove a callback",
    "stop an await",
    "list a task",
    "cancel a timer",
    "leave a line",
    "call_soon",
];

/// One that grows with their number. The check must say so.
pub const GROWING: (&str, Operation) = ("task of many: one in 64 is looked at for each", searched);

/// The operation of two threads. What one frees that the other has allocated, the C library's allocator puts together now
/// or later, as it happens: only the instructions of the program count.
pub const OF_TWO_THREADS: &str = "submit and collect";

/// Two operations that are dearer than one of the table: the first locks once more, the second allocates once more.
/// The check must say so of both.
pub const SEEDED: [(&str, Operation); 2] =
    [("create, finish, take: locks", locks), ("create, finish, take: allocates", allocates)];

fn pair() -> (Promise<u64, Infallible>, ThreadFuture<u64, Infallible>) {
    black_box(ThreadFuture::pair())
}

fn take(times: usize) {
    for number in 0..times as u64 {
        let (promise, future) = pair();
        promise.finish(black_box(number)).expect("nobody cancels");
        let settled = future.into_settled().expect("no loop runs here");
        let value = settled.take().expect("the promise is gone");
        assert_eq!(value.ok(), Some(number));
    }
}

fn locks(times: usize) {
    let lock = Mutex::new(0);
    for _ in 0..times {
        take(1);
        *black_box(&lock).lock().expect("nobody panics with it") += 1;
    }
}

fn allocates(times: usize) {
    for _ in 0..times {
        take(1);
        drop(black_box(Box::new(0_u64)));
    }
}

fn searched(times: usize) {
    let mut all = Vec::new();
    for number in 0..times {
        all.push(black_box(number));
        assert_eq!(all.iter().step_by(64).filter(|it| **black_box(it) > number).count(), 0);
    }
}

/// A waker as executors have them: counted, and shared between threads.
struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        black_box(&self);
    }
}

fn ready(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for number in 0..times as u64 {
        let (promise, future) = pair();
        promise.finish(black_box(number)).expect("nobody cancels");
        let Poll::Ready(settled) = pin!(future.into_future()).poll(&mut context) else {
            panic!("it is settled");
        };
        assert_eq!(settled.result().ok(), Some(&number));
    }
}

fn register(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for number in 0..times as u64 {
        let (promise, future) = pair();
        let mut future = pin!(future.into_future());
        assert!(future.as_mut().poll(&mut context).is_pending());
        promise.finish(black_box(number)).expect("nobody cancels");
        let Poll::Ready(settled) = future.poll(&mut context) else { panic!("it is settled") };
        assert_eq!(settled.result().ok(), Some(&number));
    }
}

fn callbacks(times: usize, count: usize) {
    for number in 0..times as u64 {
        let (promise, future) = pair();
        for place in 0..count {
            // What it captures makes it an allocation, as callbacks have it.
            future.add_done_callback(move |settled| {
                black_box((place, settled.result().is_ok()));
            });
        }
        promise.finish(black_box(number)).expect("nobody cancels");
        drop(future);
    }
}

fn cancel(times: usize) {
    for number in 0..times as u64 {
        let (promise, future) = pair();
        assert_eq!(future.cancel(), settled::Cancel::Now);
        let lost = promise.finish(black_box(number)).expect_err("it is cancelled");
        assert_eq!(lost.value, number);
    }
}

/// Jobs of a pool with one worker. It does not begin until all are queued, and nobody collects until it has done
/// all: which of the two threads is the quicker does not count.
fn submit(times: usize) {
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    let (arrive, arrived) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let at_gate = pool.submit(move || {
        arrive.send(()).expect("somebody listens");
        gate.recv().expect("it is opened");
    });
    arrived.recv().expect("the worker comes");
    let mut jobs = Vec::with_capacity(times);
    for number in 0..times as u64 {
        jobs.push(pool.submit(move || black_box(number)).expect("the pool is open"));
    }
    let last = pool.submit(|| ()).expect("the pool is open");
    open.send(()).expect("the worker waits");
    last.wait().expect("no loop runs here");
    for (number, job) in (0..).zip(jobs) {
        let settled = job.into_settled().expect("no loop runs here");
        assert_eq!(settled.result().ok(), Some(&number));
    }
    drop(at_gate);
}

/// Runs `f` on a loop.
fn on_loop(f: impl AsyncFnOnce(LoopRef)) {
    let event_loop = EventLoop::new();
    let run = async { f(LoopRef::current().expect("a loop runs")).await };
    event_loop.run_until_complete(run).expect("it ends");
}

fn task(times: usize) {
    on_loop(async |here| {
        for number in 0..times as u64 {
            let task = here.create_task(async move { black_box(number) }).expect("it is open");
            assert_eq!(task.await.result().ok(), Some(&number));
        }
    });
}

fn many_tasks(times: usize) {
    on_loop(async |here| {
        let spawn =
            |number| here.create_task(async move { black_box(number) }).expect("it is open");
        let tasks: Vec<_> = (0..times as u64).map(spawn).collect();
        for (number, task) in (0..).zip(tasks) {
            assert_eq!(task.await.result().ok(), Some(&number));
        }
    });
}

/// What two tasks have that wake each other: how often it is still to be done, and the waker of each.
#[derive(Default)]
struct Ball {
    left: Cell<usize>,
    wakers: RefCell<[Option<Waker>; 2]>,
}

impl Ball {
    fn of(times: usize) -> Rc<Self> {
        Rc::new(Self { left: Cell::new(times), wakers: RefCell::default() })
    }

    /// Wakes the other until nothing is left.
    async fn play(self: Rc<Self>, me: usize) {
        poll_fn(|context| {
            let left = self.left.get();
            let mut wakers = self.wakers.borrow_mut();
            if let Some(other) = &wakers[1 - me] {
                other.wake_by_ref();
                self.left.set(left.saturating_sub(1));
            }
            if left == 0 {
                return Poll::Ready(());
            }
            if !wakers[me].as_ref().is_some_and(|mine| mine.will_wake(context.waker())) {
                wakers[me] = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

fn wake(times: usize) {
    on_loop(async |here| {
        let ball = Ball::of(times);
        let tasks =
            [0, 1].map(|me| here.create_task(Rc::clone(&ball).play(me)).expect("it is open"));
        for task in tasks {
            assert!(task.await.result().is_ok());
        }
    });
}

/// Gives way so often.
async fn give_way(times: usize) {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn yields(times: usize) {
    on_loop(async |here| {
        let task = here.create_task(give_way(times)).expect("it is open");
        assert!(task.await.result().is_ok());
    });
}

/// Polls what is not ready, and drops it.
async fn in_vain(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

const HOUR: Duration = Duration::from_secs(3600);

fn sleep_in_vain(times: usize) {
    on_loop(async |_| {
        for _ in 0..times {
            in_vain(tasks::sleep(black_box(HOUR))).await;
        }
    });
}

fn call_soon(times: usize) {
    on_loop(async |here| {
        for number in 0..times {
            let call = move || _ = black_box(number);
            drop(here.call_soon(call).expect("the loop is open"));
        }
        let (promise, last) = here.create_future::<(), Infallible>();
        drop(here.call_soon(|| promise.finish(()).expect("nobody cancels")).expect("it is open"));
        last.await;
    });
}

fn post(times: usize) {
    on_loop(async |here| {
        let handle = here.handle();
        for number in 0..times {
            let post = move || _ = black_box(number);
            handle.call_soon_threadsafe(post).expect("the loop is open");
        }
        let (promise, last) = here.create_future::<(), Infallible>();
        let end = move || promise.finish(()).expect("nobody cancels");
        handle.call_soon_threadsafe(end).expect("the loop is open");
        last.await;
    });
}

/// A loop in a worker, that of another being busy, while a thousand jobs are queued. Its clock jumps, so that it would
/// sleep and does not.
fn sleep(times: usize) {
    let pool = Arc::new(ThreadPool::new(NonZero::new(2).expect("two")));
    let (arrive, arrived) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let busy = pool.submit(move || {
        arrive.send(()).expect("somebody listens");
        gate.recv().expect("it is opened");
    });
    arrived.recv().expect("the worker comes");
    let inner = Arc::clone(&pool);
    let loops = pool.submit(move || {
        let jobs = (0..1000).map(|number| inner.submit(move || black_box(number)));
        let jobs: Vec<_> = jobs.map(|job| job.expect("the pool is open")).collect();
        let sleeps = async {
            for _ in 0..times {
                tasks::sleep(Duration::from_millis(1)).await;
            }
        };
        let event_loop = EventLoop::with_clock(&Clock::jumping());
        event_loop.run_until_complete(sleeps).expect("it ends");
        open.send(()).expect("the worker waits");
        jobs.len()
    });
    let loops = loops.expect("the pool is open").into_settled().expect("no loop runs here");
    assert_eq!(loops.result().ok(), Some(&1000));
    drop(busy);
}

/// A loop in the only worker of a pool sleeps beside jobs that nobody awaits, and then runs others that it awaits.
fn sleep_among_own(times: usize) {
    let pool = Arc::new(ThreadPool::new(NonZero::<usize>::MIN));
    let inner = Arc::clone(&pool);
    let loops = pool.submit(move || {
        let submit = |number| inner.submit(move || black_box(number)).expect("the pool is open");
        let event_loop = EventLoop::with_clock(&Clock::jumping());
        let sleeps = async {
            let jobs: Vec<_> = (0..times).map(submit).collect();
            for _ in 0..times {
                tasks::sleep(Duration::from_millis(1)).await;
            }
            let here = LoopRef::current().expect("a loop runs");
            let awaited = (0..times).map(|number| bridge::wrap_future(&submit(number), &here));
            for (number, view) in awaited.collect::<Vec<_>>().into_iter().enumerate() {
                assert_eq!(view.await.result().ok(), Some(&number));
            }
            jobs.len()
        };
        event_loop.run_until_complete(sleeps).expect("it ends")
    });
    let loops = loops.expect("the pool is open").into_settled().expect("no loop runs here");
    assert_eq!(loops.result().ok(), Some(&times));
}

/// Tasks that await others, through views of threads that do not know them. All are stopped when all wait.
fn stop(times: usize) {
    on_loop(async |here| stop_views(times, &here, &here).await);
}

/// The same for tasks of another loop, which are asked to stop and not waited for.
fn stop_elsewhere(times: usize) {
    let elsewhere = EventLoop::new();
    on_loop(async |here| stop_views(times, &here, &elsewhere).await);
}

async fn stop_views(times: usize, here: &LoopRef, there: &LoopRef) {
    let endless = || there.create_task(pending::<u64>()).expect("it is open");
    let outer = (0..times).map(|_| {
        let view = bridge::wrap_future(&bridge::thread_future(&endless()), here);
        here.create_task(async { view.await.result().is_ok() }).expect("it is open")
    });
    let outer: Vec<_> = outer.collect();
    tasks::sleep(Duration::ZERO).await;
    outer.iter().for_each(|task| assert_eq!(task.cancel(), settled::Cancel::Requested));
    for task in outer {
        assert!(task.await.cancelled());
    }
}

/// Those who came first and last go last and first, in turn.
fn in_turn<T>(items: Vec<T>) -> impl Iterator<Item = T> {
    let (mut items, mut last) = (items.into_iter(), false);
    std::iter::from_fn(move || {
        last = !last;
        if last { items.next_back() } else { items.next() }
    })
}

fn leave_awaits(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let (promise, future) = pair();
    let polled = std::iter::repeat_with(|| {
        let mut polled = (&future).into_future();
        assert!(pin!(&mut polled).poll(&mut Context::from_waker(&waker)).is_pending());
        polled
    });
    in_turn(polled.take(times).collect()).for_each(drop);
    drop(promise);
}

fn poll_again(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let (promise, future) = pair();
    let mut awaits: Vec<_> = (0..times).map(|_| (&future).into_future()).collect();
    for _ in 0..2 {
        for polled in &mut awaits {
            assert!(pin!(polled).poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
    drop((awaits, promise));
}

fn leave_iterators(times: usize) {
    let (promise, future) = pair();
    let iterators = (0..times).map(|_| as_completed([&future], None));
    in_turn(iterators.collect()).for_each(drop);
    drop(promise);
}

fn leave_views(times: usize) {
    on_loop(async |here| {
        let (promise, future) = pair();
        let views = (0..times).map(|_| bridge::wrap_future(&future, &here));
        in_turn(views.collect()).for_each(drop);
        drop(promise);
    });
}

fn remove_callbacks(times: usize) {
    on_loop(async |here| {
        let (promise, future) = here.create_future::<u64, Infallible>();
        let tokens =
            (0..times).map(|_| future.add_done_callback(|_| unreachable!("it is removed")));
        for token in in_turn(tokens.collect()) {
            assert!(future.remove_done_callback(token));
        }
        drop(promise);
    });
}

fn stop_awaits(times: usize) {
    on_loop(async |here| {
        let (promise, future) = here.create_future::<u64, Infallible>();
        let wait = |_| {
            let future = future.clone();
            here.create_task(async move { (&future).await.cancelled() }).expect("it is open")
        };
        let waits: Vec<_> = (0..times).map(wait).collect();
        tasks::sleep(Duration::ZERO).await;
        for task in in_turn(waits) {
            assert_eq!(task.cancel(), settled::Cancel::Requested);
            assert!(task.await.cancelled());
        }
        drop(promise);
    });
}

fn list(times: usize) {
    on_loop(async |here| {
        let wait = |_| here.create_task(pending::<u64>()).expect("it is open");
        let waits: Vec<_> = (0..times).map(wait).collect();
        assert_eq!(here.all_tasks().len(), waits.len());
    });
}

fn cancel_timers(times: usize) {
    on_loop(async |here| {
        let hour = Duration::from_secs(3600);
        let timer =
            |number| here.call_later(hour, move || _ = black_box(number)).expect("it is open");
        in_turn((0..times).map(timer).collect()).for_each(|timer| assert!(timer.cancel()));
        tasks::sleep(Duration::ZERO).await;
    });
}

fn lock(times: usize) {
    let lock = Lock::new(0);
    for _ in 0..times {
        *black_box(&lock).lock().expect("no loop runs here") += 1;
    }
    assert_eq!(*lock.lock().expect("no loop runs here"), times);
}

fn acquire(times: usize) {
    let semaphore = Semaphore::new(8);
    for _ in 0..times {
        drop(black_box(&semaphore).acquire().expect("no loop runs here"));
    }
}

fn wait_for_event(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for _ in 0..times {
        let event = black_box(Event::new());
        let mut waits = pin!(event.wait_async());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        event.set();
        assert!(waits.poll(&mut context).is_ready());
    }
}

fn leave_line(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let semaphore = Semaphore::new(0);
    let polled = std::iter::repeat_with(|| {
        let mut polled = semaphore.acquire_async();
        assert!(pin!(&mut polled).poll(&mut Context::from_waker(&waker)).is_pending());
        polled
    });
    in_turn(polled.take(times).collect()).for_each(drop);
}

fn put(times: usize) {
    let queue = Queue::bounded(1);
    for number in 0..times {
        black_box(&queue).put(black_box(number)).expect("there is room");
        assert_eq!(black_box(&queue).get(), Ok(number));
    }
}

fn wait_to_get(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    let queue = Queue::bounded(1);
    for number in 0..times {
        let mut gets = pin!(black_box(&queue).get_async());
        assert!(gets.as_mut().poll(&mut context).is_pending());
        queue.put(black_box(number)).expect("somebody waits for it");
        assert_eq!(gets.poll(&mut context), Poll::Ready(Ok(number)));
    }
}

/// How the operation of a peer is called.
#[must_use]
pub fn of_peer(operation: &str, peer: &str) -> String {
    format!("{operation}: {peer}")
}

/// The operation that the command line names, and how many times.
///
/// # Panics
///
/// If it names none.
#[must_use]
pub fn chosen() -> (Operation, usize) {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [name, times] = &arguments[..] else { panic!("which operation, and how often?") };
    let ours = OPERATIONS
        .iter()
        .chain(&SEEDED)
        .chain([&GROWING])
        .map(|(name, it)| ((*name).to_owned(), *it));
    let peers = PEERS.iter().map(|(operation, peer, it)| (of_peer(operation, peer), *it));
    let found = ours.chain(peers).find(|(known, _)| known == name);
    (found.expect("an operation of a table").1, times.parse().expect("a number"))
}
