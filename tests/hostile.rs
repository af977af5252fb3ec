//! Foreign code that does its worst, in every place where this crate runs any: each guarantee holds all the same.
//!
//! A place times a deed times an end. Code that blocks does so until another thread has used the same future: under a
//! lock of this crate that would never end.
#![expect(
    unsafe_code,
    reason = "a waker whose clone and drop are the test's own has to be built by hand"
)]

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    future::{Future, IntoFuture},
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    pin::pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, RawWaker, RawWakerVTable, Waker},
    thread,
    time::Duration,
};

use settled::{EventLoop, Executor, Failure, Job, ThreadFuture, ThreadPool, bridge};

type Shared = ThreadFuture<Value, Value>;

/// What foreign code does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Panics,
    /// Panics with something whose drop panics too.
    PanicsTwice,
    /// Calls every method of the same future.
    Reenters,
    /// Blocks until another thread has called every method of the same future.
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

/// Foreign code: it acts once, however often it is called.
#[derive(Clone)]
struct Foreign {
    deed: Deed,
    handle: Arc<Mutex<Option<Shared>>>,
    acted: Arc<AtomicUsize>,
}

impl Foreign {
    fn new(deed: Deed) -> Self {
        Self { deed, handle: Arc::default(), acted: Arc::default() }
    }

    fn give(&self, future: &Shared) {
        *self.handle.lock().unwrap() = Some(future.clone());
    }

    fn acted(&self) -> bool {
        self.acted.load(Ordering::SeqCst) > 0
    }

    fn act(&self) {
        // A panic while another unwinds would end the process, by whoever's code.
        if thread::panicking() || self.acted.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let handle = self.handle.lock().unwrap().take();
        match (self.deed, handle) {
            (Deed::Panics, _) => panic_any("foreign code"),
            (Deed::PanicsTwice, _) => panic_any(Bomb),
            (Deed::Reenters, Some(future)) => use_every_method(&future),
            (Deed::Blocks, Some(future)) => {
                thread::spawn(move || use_every_method(&future)).join().unwrap();
            }
            (Deed::DropsLast | Deed::Reenters | Deed::Blocks, handle) => drop(handle),
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
    let foreign = Foreign::new(deed);
    let (promise, future) = Shared::pair();
    foreign.give(&future);
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
            survive(|| drop(waker));
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
    *foreign.handle.lock().unwrap() = None;
    survive(move || drop(future));
    foreign.acted()
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

/// `[pool-3]` `[pool-5]` Jobs, what they capture and their futures' callbacks, in a pool of two workers.
#[test]
fn foreign_code_breaks_no_guarantee_of_a_pool() {
    watch!();
    for deed in DEEDS {
        let pool = ThreadPool::new(std::num::NonZero::new(2).unwrap());
        let foreign = Foreign::new(deed);
        let (capture, job) = (Dropped(Foreign::new(deed)), foreign.clone());
        let first = pool.submit(move || {
            let _capture = capture;
            job.act();
        });
        let outcome = first.unwrap();
        let settled = outcome.wait().unwrap();
        let panics = matches!(deed, Deed::Panics | Deed::PanicsTwice);
        assert_eq!(matches!(settled.exception(), Some(Failure::Panicked(_))), panics, "{deed:?}");
        survive(move || drop(outcome));
        // A plain job, and one whose only use is its drop.
        let (plain, unused) = (Foreign::new(deed), Dropped(Foreign::new(deed)));
        pool.execute(Job::new(move || plain.act())).unwrap();
        pool.execute(Job::new(move || drop(unused))).unwrap();
        let after: Vec<_> = (0..4).map(|n| pool.submit(move || n).unwrap()).collect();
        for (n, future) in after.iter().enumerate() {
            assert_eq!(*future.result().unwrap(), n, "{deed:?}: the workers go on");
        }
        let queued = Dropped(Foreign::new(deed));
        let release = pool.submit(|| ()).unwrap();
        release.wait().unwrap();
        pool.execute(Job::new(move || drop(queued))).unwrap();
        pool.close();
        pool.cancel_pending();
        pool.shutdown().unwrap();
    }
}

/// `[report-1]` `[loop-5]` Calls, posts, timers, tasks and their drops, on a loop that then is closed.
#[test]
fn foreign_code_breaks_no_guarantee_of_a_loop() {
    watch!();
    for deed in DEEDS {
        let event_loop = EventLoop::new();
        let handler = Foreign::new(deed);
        event_loop.set_exception_handler(move |_| handler.act());
        let act = || {
            let foreign = Foreign::new(deed);
            move || foreign.act()
        };
        event_loop.call_soon(act()).unwrap();
        event_loop.call_later(Duration::ZERO, act()).unwrap();
        event_loop.handle().call_soon_threadsafe(act()).unwrap();
        let act_in_task = act();
        let task = event_loop.create_task(async move { act_in_task() }).unwrap();
        let held = Dropped(Foreign::new(deed));
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
        assert_eq!(ended, Ok(matches!(deed, Deed::Panics | Deed::PanicsTwice)), "{deed:?}");
        // What is left is dropped by close, which never unwinds.
        let (timer, left) = (Dropped(Foreign::new(deed)), Dropped(Foreign::new(deed)));
        event_loop.call_later(Duration::from_secs(3600), move || drop(timer)).unwrap();
        let last = event_loop.create_task(async move {
            let _left = left;
            std::future::pending::<()>().await;
        });
        let last = last.unwrap();
        assert!(catch_unwind(AssertUnwindSafe(move || drop(event_loop))).is_ok(), "{deed:?}");
        assert!(last.cancelled(), "{deed:?}");
    }
}
