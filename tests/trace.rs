//! What the feature `tracing` tells, and that it is told outside of locks.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    fmt,
    num::NonZero,
    sync::{Arc, Mutex, OnceLock, Weak, mpsc},
    thread,
};

use settled::{EventLoop, Executor, ThreadFuture, ThreadPool};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// What every thread was told, with its name, in the order in which it was told.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// A pool that the subscriber asks each time, which takes its lock.
static ASKED: Mutex<Weak<ThreadPool>> = Mutex::new(Weak::new());

struct Recorder;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "settled"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let asked = ASKED.lock().unwrap().upgrade();
        if let Some(pool) = asked {
            // Takes the pool's lock.
            assert!(pool.workers() <= pool.max_workers());
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let here = thread::current();
        TOLD.lock().unwrap().push(format!("{}:{}", here.name().unwrap_or("?"), fields.0));
        if fields.0.contains("the subscriber panics") {
            panic!("in the subscriber");
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| tracing::subscriber::set_global_default(Recorder).unwrap());
}

/// How many events of this thread say all of this.
fn told(thread: &str, parts: &[&str]) -> usize {
    let told = TOLD.lock().unwrap();
    let says = |it: &&String| it.starts_with(thread) && parts.iter().all(|part| it.contains(part));
    told.iter().filter(says).count()
}

fn here() -> String {
    thread::current().name().unwrap().to_owned()
}

/// `[report-4]`
#[test]
fn the_guide_has_each_event() {
    watch!();
    let source = include_str!("../src/trace.rs");
    let guide = include_str!("../src/guide/tracing.md");
    let told: Vec<_> = source.split("target: \"settled\"").skip(1).collect();
    assert_eq!(told.len(), 9);
    for event in told {
        let name = event.split("\");").next().unwrap().rsplit('"').next().unwrap();
        assert!(guide.contains(&format!("`{name}`")), "{name} is not in the guide");
    }
}

/// `[report-4]`
#[test]
fn a_pool_and_its_jobs_are_told_of() {
    watch!();
    listen();
    let pool = ThreadPool::named("told", NonZero::<usize>::MIN);
    assert_eq!(told(&here(), &["a pool begins", "pool=\"told\"", "workers=1"]), 1);
    pool.submit(|| ()).unwrap().wait().unwrap();
    assert_eq!(told("told-0", &["a job begins", "queued_us="]), 1);
    assert_eq!(told("told-0", &["a pool ends"]), 0);
    pool.shutdown().unwrap();
    assert_eq!(told("told-0", &["a pool ends", "pool=\"told\""]), 1);
    assert!(pool.submit(|| ()).is_err());
    assert_eq!(told(&here(), &["a job is refused"]), 1);
}

#[test]
fn a_refused_wait_is_told_of() {
    watch!();
    listen();
    let pool = Arc::new(ThreadPool::named("waits", NonZero::<usize>::MIN));
    let inside = Arc::clone(&pool);
    pool.submit(move || inside.shutdown().is_err()).unwrap().wait().unwrap();
    assert_eq!(told("waits-0", &["a wait is refused", "worker of the pool whose end"]), 1);
    let (_promise, future) = ThreadFuture::<(), ()>::pair();
    let role = settled::context::enter_loop();
    assert!(future.wait().is_err());
    drop(role);
    assert_eq!(told(&here(), &["a wait is refused", "runs an event loop"]), 1);
}

#[test]
fn a_loop_and_what_goes_wrong_on_it_are_told_of() {
    watch!();
    listen();
    let event_loop = EventLoop::new();
    assert_eq!(told(&here(), &["a loop begins", "id="]), 1);
    event_loop.set_exception_handler(|_| ());
    let (promise, future) = event_loop.create_future::<(), &str>();
    promise.fail("disk full").unwrap();
    drop(future);
    assert_eq!(told(&here(), &["an incident", "nobody has looked at"]), 1);
    event_loop.call_soon(|| panic!("on purpose")).unwrap();
    while event_loop.try_tick() == Ok(true) {}
    assert_eq!(told(&here(), &["an incident", "a callback panicked: on purpose"]), 1);
    assert_eq!(told(&here(), &["a loop ends"]), 0);
    event_loop.close();
    assert_eq!(told(&here(), &["a loop ends", "id="]), 1);
}

#[test]
fn a_panic_of_a_callback_is_told_of_and_one_of_the_subscriber_is_caught() {
    watch!();
    listen();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    future.add_done_callback(|_| panic!("the subscriber panics"));
    let (tells, told_too) = mpsc::channel();
    future.add_done_callback(move |_| tells.send(()).unwrap());
    promise.finish(()).unwrap();
    told_too.recv().unwrap();
    assert_eq!(told(&here(), &["a callback panicked", "the subscriber panics"]), 1);
}

#[test]
fn no_event_is_told_under_a_lock() {
    watch!();
    listen();
    let pool = Arc::new(ThreadPool::named("asked", NonZero::<usize>::MIN));
    *ASKED.lock().unwrap() = Arc::downgrade(&pool);
    // Each of these tells the subscriber, who takes the lock of the pool.
    let inside = Arc::clone(&pool);
    let job = pool.submit(move || inside.shutdown().is_err()).unwrap();
    assert!(job.join().unwrap());
    pool.execute(settled::Job::new(|| panic!("on purpose"))).unwrap_err();
    assert!(pool.submit(|| ()).is_err());
    pool.shutdown().unwrap();
    assert_eq!(told("asked-0", &["a pool ends"]), 1);
    *ASKED.lock().unwrap() = Weak::new();
}
