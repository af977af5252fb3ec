//! Foreign code that does its worst, in every place where this crate runs any: each guarantee holds all the same.
//!
//! A place times a deed times an end. Code that blocks does so until another thread has used the same future, pool or
//! loop: under a lock of this crate that would never end.
#![expect(
    unsafe_code,
    reason = "a waker whose clone and drop are the test's own has to be built by hand"
)]

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    future::{Future, IntoFuture},
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    pin::pin,
    rc::Rc,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
    thread,
    time::Duration,
};

use settled::{
    Cancelled, EventLoop, Executor, Failure, Job, LoopRef, Promise, ThreadFuture, ThreadPool,
    bridge,
};

type Shared = ThreadFuture<Value, Value>;

/// What foreign code does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Panics,
    /// Panics with something whose drop panics too.
    PanicsTwice,
    /// Uses the future, pool or loop that it runs for.
    Reenters,
    /// Blocks until another thread has used it.
    Blocks,
    /// Drops what may be the last handle.
    DropsLast,
}

const DEEDS: [Deed; 5] =
    [Deed::Panics, Deed::PanicsTwice, Deed::Reenters, Deed::Blocks, Deed::DropsLast];

/// How the future ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Finish,
    Fail,
    Cancel,
    Drop,
    Abandon,
}

const ENDS: [End; 5] = [End::Finish, End::Fail, End::Cancel, End::Drop, End::Abandon];

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic_any("a payload's own fault");
        }
    }
}

/// Uses what foreign code runs for.
type Uses = Box<dyn Fn() + Send>;

/// Foreign code: it acts once, however often it is called, and not before it is armed.
#[derive(Clone)]
struct Foreign {
    deed: Deed,
    uses: Arc<Mutex<Option<Uses>>>,
    armed: Arc<AtomicBool>,
    acted: Arc<AtomicUsize>,
}

impl Foreign {
    fn new(deed: Deed, uses: impl Fn() + Send + 'static) -> Self {
        let uses: Uses = Box::new(uses);
        let armed = Arc::new(AtomicBool::new(true));
        Self { deed, uses: Arc::new(Mutex::new(Some(uses))), armed, acted: Arc::default() }
    }

    fn acted(&self) -> bool {
        self.acted.load(Ordering::SeqCst) > 0
    }

    fn act(&self) {
        // A panic while another unwinds would end the process, by whoever's code.
        if thread::panicking()
            || !self.armed.load(Ordering::SeqCst)
            || self.acted.fetch_add(1, Ordering::SeqCst) > 0
        {
            return;
        }
        let uses = self.uses.lock().unwrap().take();
        match self.deed {
            Deed::Panics => panic_any("foreign code"),
            Deed::PanicsTwice => panic_any(Bomb),
            Deed::Reenters => uses.iter().for_each(|uses| uses()),
            Deed::Blocks => {
                thread::spawn(move || uses.iter().for_each(|uses| uses())).join().unwrap()
            }
            Deed::DropsLast => drop(uses),
        }
    }
}

fn use_every_method(future: &Shared) {
    let _ = (future.done(), future.cancelled(), future.running(), format!("{future:?}"));
    let _ = future.try_result().is_ok();
    let _ = future.wait_timeout(Duration::ZERO).is_ok();
    future.add_done_callback(|_| ());
    let mut awaits = pin!(future.into_future());
    let _ = awaits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    future.cancel();
    drop(future.clone());
}

/// A value whose drop is foreign code.
struct Value(Option<Foreign>);

impl Drop for Value {
    fn drop(&mut self) {
        if let Some(foreign) = self.0.take() {
            foreign.act();
        }
    }
}

/// A closure's capture whose drop is foreign code.
struct Dropped(Foreign);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.act();
    }
}

/// A waker that acts when it is woken, cloned or dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Wake,
    Clone,
    Drop,
}

struct Hostile {
    on: On,
    foreign: Foreign,
}

impl Hostile {
    fn waker(on: On, foreign: Foreign) -> Waker {
        let data = Arc::into_raw(Arc::new(Self { on, foreign }));
        // SAFETY: each function of the table takes what `Arc::into_raw` gave, and keeps the count.
        unsafe { Waker::from_raw(RawWaker::new(data.cast(), &TABLE)) }
    }

    fn when(&self, what: On) {
        if self.on == what {
            self.foreign.act();
        }
    }
}

const TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: the waker that is being cloned keeps the count above zero.
        let this = unsafe { &*data.cast::<Hostile>() };
        this.when(On::Clone);
        // SAFETY: as above; the new waker owns this count.
        unsafe { Arc::increment_strong_count(data.cast::<Hostile>()) };
        RawWaker::new(data, &TABLE)
    },
    |data| {
        // SAFETY: the waker that is woken owns one count.
        let this = unsafe { Arc::from_raw(data.cast::<Hostile>()) };
        this.when(On::Wake);
    },
    |data| {
        // SAFETY: the waker that is woken by reference keeps the count above zero.
        unsafe { &*data.cast::<Hostile>() }.when(On::Wake);
    },
    |data| {
        // SAFETY: the waker that is dropped owns one count.
        let this = unsafe { Arc::from_raw(data.cast::<Hostile>()) };
        this.when(On::Drop);
    },
);

/// Runs what may panic, here in the test's own code, and with a payload that may panic too.
fn survive(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        std::mem::forget(payload);
    }
}

/// Where foreign code runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Callback,
    /// What a callback captured, dropped after it ran.
    Capture,
    Value,
    Waker(On),
    LoopCallback,
}

const PLACES: [Place; 7] = [
    Place::Callback,
    Place::Capture,
    Place::Value,
    Place::Waker(On::Wake),
    Place::Waker(On::Clone),
    Place::Waker(On::Drop),
    Place::LoopCallback,
];

/// One future with foreign code in one place, and its innocent neighbours.
#[expect(clippy::too_many_lines, reason = "one scenario, from its beginning to its end")]
fn settle(place: Place, deed: Deed, end: End) -> bool {
    let (promise, future) = Shared::pair();
    let handle = future.clone();
    let foreign = Foreign::new(deed, move || use_every_method(&handle));
    let (before, after) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = |of: &Arc<AtomicUsize>| {
        let of = Arc::clone(of);
        move || {
            of.fetch_add(1, Ordering::SeqCst);
        }
    };
    let event_loop = EventLoop::new();
    event_loop.set_exception_handler(|_| ());
    let view = bridge::wrap_future(&future, &event_loop);
    let looped = Rc::new(std::cell::Cell::new(0));

    let called = count(&before);
    future.add_done_callback(move |_| called());
    let mut awaits = Box::pin(future.clone().into_future());
    match place {
        Place::Callback => {
            let foreign = foreign.clone();
            future.add_done_callback(move |_| foreign.act());
        }
        Place::Capture => {
            let dropped = Dropped(foreign.clone());
            future.add_done_callback(move |_| drop(dropped));
        }
        Place::Waker(on) => {
            let waker = Hostile::waker(on, foreign.clone());
            let poll = || drop(awaits.as_mut().poll(&mut Context::from_waker(&waker)));
            // A clone that panics unwinds through the poll, which is the user's own; nothing else may.
            survive(poll);
            // Its drop here is the test's own.
            foreign.armed.store(false, Ordering::SeqCst);
            drop(waker);
            foreign.armed.store(true, Ordering::SeqCst);
            if on == On::Drop {
                // The one that is there is replaced: what its drop does is nothing to whoever polls.
                let _ = awaits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        }
        Place::LoopCallback => {
            let foreign = foreign.clone();
            view.add_done_callback(move |_| foreign.act());
        }
        Place::Value => {}
    }
    let called = count(&after);
    future.add_done_callback(move |_| called());
    let call = Rc::clone(&looped);
    view.add_done_callback(move |_| call.set(call.get() + 1));
    let waits = {
        let future = future.clone();
        thread::spawn(move || future.wait().is_ok())
    };

    let value = || Value((place == Place::Value).then(|| foreign.clone()));
    let settles = AssertUnwindSafe(|| match end {
        End::Finish => drop(promise.finish(value()).map_err(|lost| drop(lost.value))),
        End::Fail => drop(promise.fail(value()).map_err(|lost| drop(lost.value))),
        End::Cancel => {
            future.cancel();
            drop(promise);
        }
        End::Drop => drop(promise),
        End::Abandon => drop(promise.start()),
    });
    let settled = catch_unwind(settles);
    assert!(settled.is_ok(), "{place:?} {deed:?} {end:?}: it unwound through the settler");
    assert!(future.done(), "{place:?} {deed:?} {end:?}: it is not settled");
    assert!(waits.join().unwrap(), "{place:?} {deed:?} {end:?}: a waiter was not told");
    let calls = [before.load(Ordering::SeqCst), after.load(Ordering::SeqCst)];
    assert_eq!(calls, [1, 1], "{place:?} {deed:?} {end:?}: the neighbours were not called once");
    for _ in 0..3 {
        event_loop.stop();
        event_loop.run_forever().unwrap();
    }
    assert_eq!(looped.get(), 1, "{place:?} {deed:?} {end:?}: the loop's neighbour");
    let late = count(&after);
    future.add_done_callback(move |_| late());
    assert_eq!(after.load(Ordering::SeqCst), 2, "{place:?} {deed:?} {end:?}: a late callback");
    // The last handles go: what is dropped now is foreign too, in the dropping code's own thread.
    survive(move || drop(awaits));
    drop(view);
    survive(move || drop(event_loop));
    drop(foreign.uses.lock().unwrap().take());
    survive(move || drop(future));
    foreign.acted()
}

/// A waker of somebody who comes too late: its clone settles the future, and its drop is foreign code. Whoever polls goes
/// on. `[callback-5]`
#[test]
fn a_waker_that_comes_too_late_harms_nobody() {
    watch!();
    /// Settles the future when it is cloned, and panics when it is dropped.
    struct Late(Mutex<Option<Promise<u32, ()>>>);
    const LATE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            // SAFETY: the waker that is being cloned keeps the count above zero.
            let this = unsafe { &*data.cast::<Late>() };
            let promise = this.0.lock().unwrap().take();
            promise.into_iter().for_each(|promise| promise.finish(7).unwrap());
            // SAFETY: as above; the new waker owns this count.
            unsafe { Arc::increment_strong_count(data.cast::<Late>()) };
            RawWaker::new(data, &LATE)
        },
        |_| unreachable!("nobody is woken"),
        |_| unreachable!("nobody is woken"),
        |data| {
            // SAFETY: the waker that is dropped owns one count.
            drop(unsafe { Arc::from_raw(data.cast::<Late>()) });
            panic_any("foreign code");
        },
    );
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let late = Arc::new(Late(Mutex::new(Some(promise))));
    // SAFETY: each function of the table takes what `Arc::into_raw` gave, and keeps the count.
    let waker = unsafe { Waker::from_raw(RawWaker::new(Arc::into_raw(late).cast(), &LATE)) };
    let mut awaits = pin!(future.into_future());
    let polled =
        catch_unwind(AssertUnwindSafe(|| awaits.as_mut().poll(&mut Context::from_waker(&waker))));
    // Its drop here is the test's own.
    survive(move || drop(waker));
    let Ok(Poll::Ready(settled)) = polled else { panic!("it unwound through the poll") };
    assert_eq!(settled.result(), Ok(&7));
}

/// `[callback-5]` `[callback-6]` `[promise-3]`
#[test]
fn foreign_code_breaks_no_guarantee_of_a_future() {
    watch!();
    let (mut tried, mut acted) = (0, 0);
    for place in PLACES {
        for deed in DEEDS {
            for end in ENDS {
                tried += 1;
                acted += u32::from(settle(place, deed, end));
            }
        }
    }
    println!("hostile: {tried} futures, foreign code acted in {acted}");
    // A value is dropped only where there is one: of five ends, two have it.
    assert_eq!((tried, acted), (175, 160));
}

/// Foreign code in many places, each of which has to have acted in the end.
struct Places<F> {
    deed: Deed,
    uses: F,
    all: Vec<(&'static str, Foreign)>,
}

impl<F: Fn() + Clone + Send + 'static> Places<F> {
    fn new(deed: Deed, uses: F) -> Self {
        Self { deed, uses, all: Vec::new() }
    }

    fn code(&mut self, place: &'static str) -> Foreign {
        let foreign = Foreign::new(self.deed, self.uses.clone());
        self.all.push((place, foreign.clone()));
        foreign
    }

    fn acts(&mut self, place: &'static str) -> impl Fn() + Send + 'static {
        let foreign = self.code(place);
        move || foreign.act()
    }

    fn dropped(&mut self, place: &'static str) -> Dropped {
        Dropped(self.code(place))
    }

    fn have_acted(&self) {
        for (place, foreign) in &self.all {
            assert!(foreign.acted(), "{:?}: foreign code did not act: {place}", self.deed);
        }
    }
}

/// Uses a pool, if it is there still, and drops a future that nobody settles any more.
fn use_a_pool(pool: &Arc<ThreadPool>) -> impl Fn() + Clone + Send + 'static {
    let pool = Arc::downgrade(pool);
    move || {
        let Some(pool) = pool.upgrade() else { return };
        let _ = (pool.workers(), pool.is_broken(), pool.broken_reason(), format!("{pool:?}"));
        drop(pool.submit(|| ()));
        drop(pool.execute(Job::new(|| ())));
        drop(Shared::pair());
    }
}

/// `[pool-3]` `[pool-5]` Jobs, what they capture and their futures' callbacks, in a pool of two workers.
#[test]
fn foreign_code_breaks_no_guarantee_of_a_pool() {
    watch!();
    for deed in DEEDS {
        let pool = Arc::new(ThreadPool::new(std::num::NonZero::new(2).unwrap()));
        let mut places = Places::new(deed, use_a_pool(&pool));
        let capture = places.dropped("a job's capture");
        let ended = pool.submit(move || drop(capture)).unwrap();
        ended.wait().unwrap();
        survive(move || drop(ended));
        let outcome = pool.submit(places.acts("a job")).unwrap();
        let settled = outcome.wait().unwrap();
        let panics = matches!(deed, Deed::Panics | Deed::PanicsTwice);
        assert_eq!(matches!(settled.exception(), Some(Failure::Panicked(_))), panics, "{deed:?}");
        survive(move || drop(outcome));
        // A plain job, and one whose only use is its drop.
        pool.execute(Job::new(places.acts("a plain job"))).unwrap();
        let unused = places.dropped("a plain job's capture");
        pool.execute(Job::new(move || drop(unused))).unwrap();
        // A callback of its future, in a worker.
        let (begins, begun) = mpsc::channel();
        let told = pool.submit(move || begun.recv().unwrap()).unwrap();
        let called = places.acts("a callback");
        told.add_done_callback(move |_| called());
        begins.send(()).unwrap();
        told.wait().unwrap();
        let after: Vec<_> = (0..4).map(|n| pool.submit(move || n).unwrap()).collect();
        for (n, future) in after.iter().enumerate() {
            assert_eq!(*future.result().unwrap(), n, "{deed:?}: the workers go on");
        }
        // What is queued behind two that run, and is dropped.
        let both = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let both = Arc::clone(&both);
            let twice = move || (0..2).for_each(|_| _ = both.wait());
            pool.execute(Job::new(twice)).unwrap();
        }
        both.wait();
        let queued = places.dropped("a queued job's capture");
        drop(pool.submit(move || drop(queued)).unwrap());
        let dropped = pool.submit(|| ()).unwrap();
        let called = places.acts("a callback of a job that is dropped");
        dropped.add_done_callback(move |_| called());
        pool.cancel_pending();
        assert!(dropped.cancelled(), "{deed:?}");
        both.wait();
        pool.shutdown().unwrap();
        places.have_acted();
    }
}

/// `[pool-10]` What is queued in a pool that breaks.
#[test]
fn foreign_code_breaks_no_guarantee_of_a_pool_that_breaks() {
    watch!();
    for deed in DEEDS {
        let both = Arc::new(Barrier::new(2));
        let fails = Arc::clone(&both);
        let pool =
            ThreadPool::builder().workers(NonZero::<usize>::MIN).try_initializer(move || {
                fails.wait();
                Err("no licence")
            });
        let pool = Arc::new(pool.build());
        let mut places = Places::new(deed, use_a_pool(&pool));
        let capture = places.dropped("a job's capture");
        let first = pool.submit(move || drop(capture)).unwrap();
        let called = places.acts("a callback");
        first.add_done_callback(move |_| called());
        let unused = places.dropped("a plain job's capture");
        pool.execute(Job::new(move || drop(unused))).unwrap();
        let last = pool.submit(|| ()).unwrap();
        both.wait();
        for job in [&first, &last] {
            let cause = job.exception().unwrap().and_then(Failure::cause);
            assert_eq!(cause, Some(Cancelled::Broken), "{deed:?}");
        }
        pool.shutdown().unwrap();
        places.have_acted();
    }
}

/// `[report-1]` `[loop-5]` Calls, posts, timers, tasks and their drops, on a loop that then is closed.
#[test]
fn foreign_code_breaks_no_guarantee_of_a_loop() {
    watch!();
    for deed in DEEDS {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let mut places = Places::new(deed, move || {
            drop(handle.call_soon_threadsafe(|| ()));
            let Some(here) = LoopRef::current() else { return };
            drop(here.call_soon(|| ()));
            drop(here.create_task(async {}));
            let _ = (here.is_closed(), format!("{here:?}"));
        });
        let panics = matches!(deed, Deed::Panics | Deed::PanicsTwice);
        let handler = Foreign::new(deed, || ());
        let handles = handler.clone();
        event_loop.set_exception_handler(move |_| handles.act());
        event_loop.call_soon(places.acts("a call")).unwrap();
        event_loop.call_later(Duration::ZERO, places.acts("a timer")).unwrap();
        event_loop.handle().call_soon_threadsafe(places.acts("a post")).unwrap();
        let act_in_task = places.acts("a task");
        let task = event_loop.create_task(async move { act_in_task() }).unwrap();
        let held = places.dropped("what a task that is stopped holds");
        let stopped = event_loop.create_task(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        let stopped = stopped.unwrap();
        let ended = event_loop.run_until_complete(async {
            let settled = task.await;
            let panicked = matches!(settled.exception(), Some(Failure::Panicked(_)));
            survive(move || drop(settled));
            stopped.cancel();
            stopped.await;
            panicked
        });
        assert_eq!(ended, Ok(panics), "{deed:?}");
        // What is left is dropped by close, which never unwinds.
        let timer = places.dropped("a timer's capture");
        event_loop.call_later(Duration::from_secs(3600), move || drop(timer)).unwrap();
        let left = places.dropped("what a task holds that is left");
        let last = event_loop.create_task(async move {
            let _left = left;
            std::future::pending::<()>().await;
        });
        let last = last.unwrap();
        assert!(catch_unwind(AssertUnwindSafe(move || drop(event_loop))).is_ok(), "{deed:?}");
        assert!(last.cancelled(), "{deed:?}");
        places.have_acted();
        assert_eq!(handler.acted(), panics, "{deed:?}: what panics is reported");
    }
}
