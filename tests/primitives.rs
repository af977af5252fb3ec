//! Events, semaphores and locks, for threads and for loops.
#![expect(
    unsafe_code,
    reason = "a waker whose clone and drop are the test's own has to be built by hand"
)]

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "primitives/barrier.rs"]
mod barrier;
#[path = "primitives/condition.rs"]
mod condition;
#[path = "primitives/queue.rs"]
mod queue;

use std::{
    cell::{Cell, RefCell},
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use settled::{
    EventLoop, Expired, Interrupt, InterruptGuard, LoopRef, Surplus, ThreadFuture, WaitError,
    WouldDeadlock, context,
    primitives::{AwaitPermit, Event, Lock, Permit, Semaphore},
    tasks,
};

/// More than any test takes; a wait that needs it has failed.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(20);

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future + Unpin>(future: &mut F, bell: &Arc<Bell>) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
}

/// A future that has found no permit free, and what it wakes.
fn waiting(semaphore: &Semaphore) -> (AwaitPermit<'_>, Arc<Bell>) {
    let (mut future, bell) = (semaphore.acquire_async(), Arc::default());
    assert!(poll(&mut future, &bell).is_pending());
    (future, bell)
}

fn taken<'a>(future: &mut AwaitPermit<'a>, bell: &Arc<Bell>) -> Permit<'a> {
    match poll(future, bell) {
        Poll::Ready(permit) => permit,
        Poll::Pending => panic!("it has no permit"),
    }
}

/// Returns when so many wait, as what is printed says.
fn until_wait(of: &impl std::fmt::Debug, many: usize) {
    while !format!("{of:?}").contains(&format!("waiting: {many}")) {
        thread::yield_now();
    }
}

#[test]
fn an_event_lets_threads_and_the_tasks_of_two_loops_go_on() {
    watch!();
    let event = Event::new();
    let waits = |event: Event| move || event.wait();
    let threads = [thread::spawn(waits(event.clone())), thread::spawn(waits(event.clone()))];
    let on_a_loop = |event: Event| {
        move || {
            let event_loop = EventLoop::new();
            let in_turn = Rc::new(RefCell::new(Vec::new()));
            let noted = Rc::clone(&in_turn);
            let run = event_loop.run_until_complete(async move {
                event.wait_async().await;
                noted.borrow_mut().push("told");
            });
            run.map(|_| in_turn.take()).map_err(|error| error.to_string())
        }
    };
    let loops = [thread::spawn(on_a_loop(event.clone())), thread::spawn(on_a_loop(event.clone()))];
    until_wait(&event, 4);
    assert!(!event.is_set());
    event.set();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Ok(()));
    }
    for thread in loops {
        assert_eq!(thread.join().unwrap(), Ok(vec!["told"]));
    }
    assert!(event.is_set() && event.wait().is_ok());
    assert_eq!(format!("{event:?}"), "Event { set: true, waiting: 0 }");
}

#[test]
fn whoever_waited_goes_on_although_the_event_is_cleared() {
    watch!();
    let (event, bells) = (Event::new(), [Arc::default(), Arc::default(), Arc::default()]);
    let mut futures = [event.wait_async(), event.wait_async(), event.wait_async()];
    let [first, second, late] = &mut futures;
    assert!(poll(first, &bells[0]).is_pending() && poll(second, &bells[1]).is_pending());
    event.set();
    event.clear();
    assert!(!event.is_set());
    assert!(poll(late, &bells[2]).is_pending());
    assert_eq!(bells.each_ref().map(|bell| bell.count()), [1, 1, 0]);
    assert!(poll(first, &bells[0]).is_ready());
    // Dropped with its turn, it takes nothing from the others.
    drop(mem::replace(second, event.wait_async()));
    assert_eq!(format!("{event:?}"), "Event { set: false, waiting: 1 }");
    assert!(poll(late, &bells[2]).is_pending());
    event.set();
    assert!(poll(late, &bells[2]).is_ready() && poll(second, &bells[1]).is_ready());
}

/// What each wait answers: one that only looks, one on the thread of a loop, one that is interrupted, one that expires.
fn ends_as_every_wait_does(wait: &dyn Fn(Option<Duration>) -> Result<(), WaitError>) {
    let zero = Some(Duration::ZERO);
    assert_eq!(wait(zero), Err(WaitError::Expired(Expired)));
    {
        let _loop = context::enter_loop();
        let refused = Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop));
        assert_eq!((wait(None), wait(Some(LONG))), (refused, refused));
        assert_eq!(wait(zero), Err(WaitError::Expired(Expired)));
        let interrupt = Interrupt::new();
        interrupt.interrupt();
        let _entered = interrupt.enter();
        assert_eq!(wait(None), refused, "as a future answers");
    }
    let interrupt = Interrupt::new();
    {
        let _entered = interrupt.enter();
        interrupt.interrupt();
        assert_eq!(
            (wait(None), wait(Some(LONG))),
            (Err(WaitError::Interrupted), Err(WaitError::Interrupted))
        );
    }
    let begin = Instant::now();
    assert_eq!(wait(Some(SHORT)), Err(WaitError::Expired(Expired)));
    assert!(begin.elapsed() >= SHORT);
}

#[test]
fn a_wait_for_an_event_ends_as_every_wait_does() {
    watch!();
    let event = Event::new();
    ends_as_every_wait_does(&|timeout| match timeout {
        Some(timeout) => event.wait_timeout(timeout),
        None => event.wait(),
    });
    assert_eq!(event.wait_deadline(Instant::now()), Err(WaitError::Expired(Expired)));
    assert_eq!(format!("{event:?}"), "Event { set: false, waiting: 0 }");
    event.set();
    let _loop = context::enter_loop();
    assert_eq!((event.wait(), event.wait_timeout(Duration::ZERO)), (Ok(()), Ok(())));
}

#[test]
fn a_wait_for_a_permit_ends_as_every_wait_does() {
    watch!();
    let semaphore = Semaphore::new(0);
    ends_as_every_wait_does(&|timeout| match timeout {
        Some(timeout) => semaphore.acquire_timeout(timeout).map(drop),
        None => semaphore.acquire().map(drop),
    });
    let late = semaphore.acquire_deadline(Instant::now());
    assert_eq!(late.unwrap_err(), WaitError::Expired(Expired));
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0, of: 0, waiting: 0 }");
    semaphore.release(1).unwrap();
    let _loop = context::enter_loop();
    drop(semaphore.acquire().unwrap());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn an_interrupt_ends_a_wait_that_sleeps() {
    watch!();
    let (interrupt, semaphore) = (Interrupt::new(), Semaphore::new(0));
    let waits = thread::spawn({
        let (interrupt, semaphore) = (interrupt.clone(), semaphore.clone());
        move || {
            let _entered = interrupt.enter();
            semaphore.acquire().map(drop)
        }
    });
    until_wait(&semaphore, 1);
    interrupt.interrupt();
    assert_eq!(waits.join().unwrap(), Err(WaitError::Interrupted));
    semaphore.release(1).unwrap();
    assert_eq!(semaphore.available(), 1);
}

/// As many callbacks run inside each other.
const DEPTH: usize = 32;

/// Calls this in a callback of a future that it settles.
fn call(work: impl FnOnce() + Send + 'static) {
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    future.add_done_callback(|_| work());
    promise.finish(()).unwrap();
}

/// Calls this inside so many callbacks.
fn inside(many: usize, work: Box<dyn FnOnce() + Send>) {
    match many.checked_sub(1) {
        Some(many) => call(move || inside(many, work)),
        None => work(),
    }
}

#[test]
fn a_callback_that_was_deferred_runs_before_a_wait() {
    watch!();
    /// Goes so deep into callbacks that the next one is deferred, and waits for what that does.
    fn nest(semaphore: Semaphore, met: mpsc::Sender<()>) {
        let (promise, future) = ThreadFuture::<(), ()>::pair();
        future.add_done_callback(move |settled| {
            let (again, inner) = ThreadFuture::<(), ()>::pair();
            assert!(settled.result().is_ok());
            again.finish(()).unwrap();
            let adds = semaphore.clone();
            inner.add_done_callback(move |_| adds.release(1).unwrap());
            let was_deferred = semaphore.available() == 0;
            semaphore.acquire_timeout(LONG).unwrap().forget();
            if was_deferred {
                met.send(()).unwrap();
            } else {
                nest(semaphore, met);
            }
        });
        promise.finish(()).unwrap();
    }
    let (met, meets) = mpsc::channel();
    nest(Semaphore::new(0), met);
    assert_eq!(meets.iter().count(), 1);
}

#[test]
fn permits_are_free_held_or_on_their_way() {
    watch!();
    let semaphore = Semaphore::new(2);
    let (one, two) = (semaphore.try_acquire().unwrap(), semaphore.acquire().unwrap());
    assert!(semaphore.try_acquire().is_none());
    let (mut future, bell) = waiting(&semaphore);
    assert_eq!(
        format!("{one:?}"),
        "Permit { of: Some(Semaphore { available: 0, of: 2, waiting: 1 }) }"
    );
    drop(one);
    // On its way: nobody has it, and it is not free.
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0, of: 2, waiting: 0 }");
    assert!(semaphore.try_acquire().is_none());
    let one = taken(&mut future, &bell);
    two.forget();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0, of: 1, waiting: 0 }");
    semaphore.release(2).unwrap();
    let one = one.into_owned();
    drop(thread::spawn(move || drop(one)).join());
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 3, of: 3, waiting: 0 }");
    // What is leaked stays away.
    mem::forget(semaphore.try_acquire());
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 2, of: 3, waiting: 0 }");
}

/// What is free besides is not his who comes for what he was granted.
#[test]
fn whoever_was_granted_a_permit_takes_no_other() {
    watch!();
    let semaphore = Semaphore::new(2);
    let held = [semaphore.try_acquire().unwrap(), semaphore.try_acquire().unwrap()];
    let (mut future, bell) = waiting(&semaphore);
    assert!(poll(&mut future, &bell).is_pending());
    drop(held);
    assert_eq!(semaphore.available(), 1);
    let permit = taken(&mut future, &bell);
    assert_eq!(semaphore.available(), 1);
    drop(permit);
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn whoever_came_first_is_given_the_permit() {
    watch!();
    let (semaphore, (told, hears)) = (Semaphore::new(0), mpsc::channel());
    let thread = |number: usize| {
        let (semaphore, told) = (semaphore.clone(), told.clone());
        move || {
            let permit = semaphore.acquire().unwrap();
            told.send(number).unwrap();
            drop(permit);
        }
    };
    let task = |number: usize| {
        let (semaphore, told) = (semaphore.clone(), told.clone());
        move || {
            let run = EventLoop::new().run_until_complete(async move {
                let permit = semaphore.acquire_async().await;
                told.send(number).unwrap();
                drop(permit);
            });
            run.unwrap();
        }
    };
    let mut all = Vec::new();
    for number in 0..6 {
        let spawned = if number % 2 == 0 {
            thread::spawn(thread(number))
        } else {
            thread::spawn(task(number))
        };
        all.push(spawned);
        until_wait(&semaphore, number + 1);
    }
    semaphore.release(1).unwrap();
    assert_eq!(hears.iter().take(6).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    all.into_iter().for_each(|thread| thread.join().unwrap());
    // Two at once: the first two have them.
    semaphore.acquire().unwrap().forget();
    let [first, second, third] = &mut [(); 3].map(|()| waiting(&semaphore));
    semaphore.release(2).unwrap();
    assert_eq!([&first.1, &second.1, &third.1].map(|bell| bell.count()), [1, 1, 0]);
    assert!(semaphore.try_acquire().is_none());
    let permits = [taken(&mut second.0, &second.1), taken(&mut first.0, &first.1)];
    assert!(poll(&mut third.0, &third.1).is_pending());
    drop(permits);
    drop(taken(&mut third.0, &third.1));
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn whoever_leaves_hands_a_grant_on_and_nothing_else() {
    watch!();
    let semaphore = Semaphore::new(1);
    let held = semaphore.try_acquire().unwrap();
    let (first, second, third) = (waiting(&semaphore), waiting(&semaphore), waiting(&semaphore));
    // One who was granted nothing hands nothing on.
    drop(second.0);
    assert_eq!([first.1.count(), third.1.count()], [0, 0]);
    drop(held);
    assert_eq!([first.1.count(), third.1.count()], [1, 0]);
    // One who was granted it does, also before he has come.
    drop(first.0);
    assert_eq!((second.1.count(), third.1.count()), (0, 1));
    let (mut future, bell) = third;
    assert_eq!(semaphore.available(), 0);
    drop(taken(&mut future, &bell));
    // With nobody left it is free.
    let held = semaphore.try_acquire().unwrap();
    let (last, _) = waiting(&semaphore);
    drop(held);
    drop(last);
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }");
}

#[test]
fn a_loop_that_is_closed_leaves_nobody_waiting() {
    watch!();
    let (semaphore, event) = (Semaphore::new(1), Event::new());
    let held = semaphore.try_acquire().unwrap();
    let waits = |semaphore: &Semaphore, event: &Event| {
        let (event_loop, semaphore, event) = (EventLoop::new(), semaphore.clone(), event.clone());
        let has = Rc::new(Cell::new(false));
        let noted = Rc::clone(&has);
        let waits = async move {
            let permit = semaphore.acquire_async().await;
            noted.set(true);
            event.wait_async().await;
            drop(permit);
        };
        drop(event_loop.create_task(waits).unwrap());
        assert!(event_loop.try_tick().unwrap());
        (event_loop, has)
    };
    let [first, second, third] = [(); 3].map(|()| waits(&semaphore, &event));
    until_wait(&semaphore, 3);
    second.0.close();
    until_wait(&semaphore, 2);
    drop(held);
    // It is the turn of the first, who does not come any more.
    first.0.close();
    while !third.1.get() {
        third.0.try_tick().unwrap();
    }
    assert!(!first.1.get() && !second.1.get());
    until_wait(&event, 1);
    third.0.close();
    until_wait(&event, 0);
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }");
}

#[test]
fn a_bounded_semaphore_refuses_a_surplus() {
    watch!();
    let semaphore = Semaphore::bounded(2);
    assert_eq!(semaphore.release(1), Err(Surplus));
    let permit = semaphore.try_acquire().unwrap();
    // It is held, and so there are as many as there may be.
    assert_eq!(semaphore.release(1), Err(Surplus));
    let other = semaphore.try_acquire().unwrap();
    let (mut future, bell) = waiting(&semaphore);
    assert_eq!((semaphore.release(1), bell.count()), (Err(Surplus), 0));
    drop(permit);
    assert_eq!((semaphore.release(1), bell.count()), (Err(Surplus), 1));
    other.forget();
    assert_eq!(
        (semaphore.release(2), semaphore.release(1), semaphore.release(1)),
        (Err(Surplus), Ok(()), Err(Surplus))
    );
    drop(taken(&mut future, &bell));
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 2, of: 2, waiting: 0 }");
    // Without a bound there may be as many as can be counted.
    let semaphore = Semaphore::new(1);
    assert_eq!(
        (semaphore.release(usize::MAX), semaphore.release(usize::MAX - 1)),
        (Err(Surplus), Ok(()))
    );
}

#[test]
fn a_future_that_nobody_polls_keeps_its_permit() {
    watch!();
    let semaphore = Semaphore::new(1);
    let held = semaphore.try_acquire().unwrap();
    let (kept, _) = waiting(&semaphore);
    let (mut polled, bell) = waiting(&semaphore);
    drop(held);
    assert!(poll(&mut polled, &bell).is_pending());
    assert_eq!(semaphore.acquire_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
    drop(kept);
    assert!(poll(&mut polled, &bell).is_ready());
}

#[test]
fn a_task_goes_on_in_a_later_turn_and_is_stopped_in_the_line() {
    watch!();
    let (semaphore, seen) = (Semaphore::new(0), Rc::new(RefCell::new(Vec::new())));
    let noted = Rc::clone(&seen);
    let run = EventLoop::new().run_until_complete(async move {
        let here = LoopRef::current().unwrap();
        let (awaited, notes) = (semaphore.clone(), Rc::clone(&noted));
        let task = here
            .create_task(async move {
                let _permit = awaited.acquire_async().await;
                notes.borrow_mut().push("has it");
            })
            .unwrap();
        let awaited = semaphore.clone();
        let stopped = here.create_task(async move { drop(awaited.acquire_async().await) }).unwrap();
        // Both have begun to wait.
        tasks::sleep(Duration::ZERO).await;
        until_wait(&semaphore, 2);
        stopped.cancel();
        assert!(stopped.await.cancelled());
        until_wait(&semaphore, 1);
        semaphore.release(1).unwrap();
        noted.borrow_mut().push("released");
        task.await;
        assert_eq!(semaphore.available(), 1);
        // A timeout stops whoever waits, too.
        let all = semaphore.try_acquire();
        assert!(tasks::timeout(semaphore.acquire_async(), SHORT).await.is_err());
        drop(all);
        semaphore.available()
    });
    assert_eq!(run.unwrap(), 1);
    assert_eq!(seen.take(), ["released", "has it"]);
}

/// Where a waker's own code runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Clone,
    Wake,
    Drop,
}

/// What it does there, once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Panics,
    /// Calls every method.
    Reenters,
    /// Adds a permit, and sets the event.
    Gives,
    /// Blocks until another thread has called every method.
    Blocks,
}

struct Hostile {
    on: On,
    deed: Deed,
    primitives: Primitives,
    acted: AtomicUsize,
    /// Not while the test drops a waker of its own.
    is_armed: AtomicBool,
}

#[derive(Clone)]
struct Primitives(Semaphore, Event);

impl Primitives {
    /// Calls every method, and leaves everything as it was.
    fn use_all(&self) {
        let Self(semaphore, event) = self;
        let bell = Arc::default();
        drop(semaphore.try_acquire());
        drop(semaphore.acquire_timeout(Duration::ZERO));
        drop(poll(&mut semaphore.acquire_async(), &bell));
        semaphore.release(0).unwrap();
        assert!(!format!("{semaphore:?}{event:?}").contains("locked"));
        let _ = (semaphore.available(), event.is_set(), event.wait_timeout(Duration::ZERO));
        let _ = poll(&mut event.wait_async(), &bell);
    }
}

impl Hostile {
    fn new(on: On, deed: Deed, primitives: &Primitives) -> Arc<Self> {
        let (acted, is_armed) = (AtomicUsize::new(0), AtomicBool::new(true));
        Arc::new(Self { on, deed, primitives: primitives.clone(), acted, is_armed })
    }

    /// Polls with a waker whose own code may panic, here in the test's own code.
    fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Option<Poll<F::Output>> {
        let waker = self.waker();
        let polled = survive(|| Pin::new(future).poll(&mut Context::from_waker(&waker)));
        self.is_armed.store(false, Ordering::Relaxed);
        drop(waker);
        self.is_armed.store(true, Ordering::Relaxed);
        polled
    }

    fn waker(self: &Arc<Self>) -> Waker {
        let data = Arc::into_raw(Arc::clone(self));
        // SAFETY: the table's functions count as those of an `Arc` of this type.
        unsafe { Waker::from_raw(RawWaker::new(data.cast(), &TABLE)) }
    }

    fn when(&self, what: On) {
        let is_now = self.on == what && self.is_armed.load(Ordering::Relaxed);
        if !is_now || self.acted.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        match self.deed {
            Deed::Panics => panic!("a waker's own fault"),
            Deed::Reenters => self.primitives.use_all(),
            Deed::Gives => {
                self.primitives.0.release(1).unwrap();
                self.primitives.1.set();
            }
            Deed::Blocks => {
                let primitives = self.primitives.clone();
                thread::spawn(move || primitives.use_all()).join().unwrap();
            }
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

/// Polls with a waker whose own code may panic, here in the test's own code.
fn survive<R>(f: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}

#[test]
fn a_hostile_waker_loses_no_permit_and_keeps_nobody_out() {
    watch!();
    for on in [On::Clone, On::Wake, On::Drop] {
        for deed in [Deed::Panics, Deed::Reenters, Deed::Blocks] {
            for by in [By::Release, By::Permit, By::Leaver] {
                for leaves in [Leaves::Never, Leaves::Granted, Leaves::Waiting] {
                    foreign_code(on, deed, by, leaves);
                }
            }
        }
    }
}

/// Who tells the one whose waker is hostile.
#[derive(Clone, Copy, Debug)]
enum By {
    Release,
    Permit,
    /// One who stood before him, and leaves with his grant.
    Leaver,
}

/// Gives the permit, with one who stands before all others.
fn give(by: By, semaphore: &Semaphore, held: Permit, before: AwaitPermit) {
    match by {
        By::Release => {
            drop(before);
            semaphore.release(1).unwrap();
            held.forget();
        }
        By::Permit => {
            drop(before);
            drop(held);
        }
        By::Leaver => {
            drop(held);
            drop(before);
        }
    }
}

/// When he leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaves {
    Never,
    Granted,
    Waiting,
}

/// One whose waker is hostile waits before another, is given another waker, and leaves or goes on.
fn foreign_code(on: On, deed: Deed, by: By, leaves: Leaves) {
    let case = format!("{on:?} {deed:?} {by:?} {leaves:?}");
    let primitives = Primitives(Semaphore::new(1), Event::new());
    let Primitives(semaphore, event) = &primitives;
    let [first, second] = [(); 2].map(|()| Hostile::new(on, deed, &primitives));
    let held = semaphore.try_acquire().unwrap();
    let before = waiting(semaphore).0;
    let (mut permit, mut set) = (semaphore.acquire_async(), event.wait_async());
    let mut poll_both = |hostile: &Arc<Hostile>| {
        let got = hostile.poll(&mut permit);
        (got, hostile.poll(&mut set).is_some_and(|it| it.is_ready()))
    };
    for hostile in [&first, &first, &second] {
        let (got, is_set) = poll_both(hostile);
        assert!(!is_set && !got.is_some_and(|it| it.is_ready()), "{case}");
    }
    let (mut last, bell) = waiting(semaphore);
    let give = || give(by, semaphore, held, before);
    if leaves != Leaves::Never {
        let mut give = Some(give);
        if leaves == Leaves::Granted {
            give.take().unwrap()();
            event.set();
        }
        drop(permit);
        drop(set);
        give.into_iter().for_each(|give| give());
    } else {
        give();
        event.set();
        let (got, is_set) = poll_both(&second);
        let Some(Poll::Ready(permit)) = got else { panic!("{case}: the permit was lost") };
        assert!(is_set, "{case}");
        drop(permit);
    }
    drop(taken(&mut last, &bell));
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }", "{case}");
    let is_told = on != On::Wake || leaves != Leaves::Waiting;
    assert!(
        !is_told || first.acted.load(Ordering::Relaxed) + second.acted.load(Ordering::Relaxed) > 0,
        "{case}"
    );
}

/// Futures that were leaked leave their wakers in the line, which go with the last handle, one by one: what the drop of one
/// does harms nobody, nor the others.
#[test]
fn a_leaked_waker_that_panics_harms_nobody() {
    watch!();
    fn leak(mut future: impl Future + Unpin) -> Arc<Hostile> {
        let primitives = Primitives(Semaphore::new(0), Event::new());
        let hostile = Hostile::new(On::Drop, Deed::Panics, &primitives);
        assert!(hostile.poll(&mut future).is_some_and(|it| it.is_pending()));
        std::mem::forget(future);
        hostile
    }
    let (semaphore, event, lock) = (Semaphore::new(0), Event::new(), Lock::new(()));
    std::mem::forget(lock.try_lock());
    let mut leaked = Vec::new();
    for _ in 0..3 {
        leaked.push(leak(semaphore.acquire_async()));
        leaked.push(leak(event.wait_async()));
        leaked.push(leak(lock.lock_async()));
    }
    drop((semaphore, event, lock));
    let is_gone = |it: &Arc<Hostile>| it.acted.load(Ordering::Relaxed) == 1;
    assert!(leaked.iter().all(is_gone), "all wakers are gone");
}

/// What comes while a poll clones its waker is not lost, neither before it stands in the line nor after.
#[test]
fn what_is_granted_while_a_waker_is_cloned_is_taken() {
    watch!();
    for stands in [false, true] {
        let primitives = Primitives(Semaphore::new(0), Event::new());
        let (mut permit, mut set) = (primitives.0.acquire_async(), primitives.1.wait_async());
        if stands {
            let bell = Arc::default();
            assert!(poll(&mut permit, &bell).is_pending() && poll(&mut set, &bell).is_pending());
        }
        let hostile = || Hostile::new(On::Clone, Deed::Gives, &primitives);
        let is_set = hostile().poll(&mut set).is_some_and(|it| it.is_ready());
        primitives.0.try_acquire().into_iter().for_each(Permit::forget);
        primitives.1.clear();
        let permit = hostile().poll(&mut permit).is_some_and(|it| it.is_ready());
        assert!(is_set && permit, "it stood in the line: {stands}");
    }
}

/// Its answer is given once.
#[test]
fn what_is_over_is_not_polled_again() {
    watch!();
    fn is_over<F: Future + Unpin>(mut future: F) {
        let bell = Arc::default();
        assert!(poll(&mut future, &bell).is_ready());
        assert!(survive(|| poll(&mut future, &bell).is_ready()).is_none(), "it is polled again");
    }
    let event = Event::new();
    event.set();
    is_over(event.wait_async());
    let (semaphore, lock) = (Semaphore::new(1), Lock::new(()));
    is_over(semaphore.acquire_async());
    is_over(lock.lock_async());
    assert!(semaphore.available() == 1 && !lock.is_locked());
}

/// A wait that is interrupted as its turn comes goes on; one that is interrupted before hands nothing on.
#[test]
fn an_interrupt_that_comes_with_a_grant_takes_nothing() {
    watch!();
    let (semaphore, event) = (Semaphore::new(0), Event::new());
    let adds = semaphore.clone();
    let mut waits = None;
    let entered = Interrupt::ask_every(Duration::from_millis(1), move || {
        // The thread stands in the line before this one.
        waits.get_or_insert_with(|| {
            let (adds, bell) = (adds.clone(), Arc::default());
            let mut waits = Box::pin(async move { drop(adds.acquire_async().await) });
            assert!(poll(&mut waits, &bell).is_pending());
            waits
        });
        adds.release(1).unwrap();
        true
    });
    semaphore.acquire().unwrap().forget();
    drop(entered);
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0, of: 0, waiting: 0 }");
    let sets = event.clone();
    let _entered = Interrupt::ask_every(Duration::from_millis(1), move || {
        sets.set();
        true
    });
    assert_eq!(event.wait(), Ok(()));
}

/// In the order in which they came.
#[test]
fn an_event_tells_the_first_first() {
    watch!();
    struct Notes(usize, mpsc::Sender<usize>);
    impl Wake for Notes {
        fn wake(self: Arc<Self>) {
            self.1.send(self.0).unwrap();
        }
    }
    let (event, (told, hears)) = (Event::new(), mpsc::channel());
    let mut all = [(); 4].map(|()| event.wait_async());
    for (number, future) in all.iter_mut().enumerate() {
        let waker = Waker::from(Arc::new(Notes(number, told.clone())));
        assert!(Pin::new(future).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    event.set();
    assert_eq!(hears.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

/// Threads and the tasks of two loops take permits, leave at every moment, and the books balance.
#[test]
fn the_books_of_threads_and_loops_balance() {
    watch!();
    let (semaphore, inside) = (Semaphore::bounded(2), Arc::new(AtomicUsize::new(0)));
    let enter = |inside: &AtomicUsize| {
        assert!(inside.fetch_add(1, Ordering::Relaxed) < 2, "more than two are inside");
        thread::yield_now();
        inside.fetch_sub(1, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        for number in 0..4 {
            let (semaphore, inside) = (semaphore.clone(), Arc::clone(&inside));
            scope.spawn(move || {
                for round in 0..2000_u32 {
                    let time = Duration::from_micros(u64::from(round % 7) * 10);
                    let permit = match number {
                        0 => semaphore.acquire(),
                        _ => semaphore.acquire_timeout(time),
                    };
                    if permit.is_ok() {
                        enter(&inside);
                    }
                }
            });
        }
        for _ in 0..2 {
            let (semaphore, inside) = (semaphore.clone(), Arc::clone(&inside));
            scope.spawn(move || {
                let event_loop = EventLoop::new();
                let stays = event_loop.run_until_complete(async move {
                    let here = LoopRef::current().unwrap();
                    for round in 0..500_u32 {
                        let (semaphore, inside) = (semaphore.clone(), Arc::clone(&inside));
                        let waits = async move {
                            let _permit = semaphore.acquire_async().await;
                            enter(&inside);
                        };
                        let task = here.create_task(waits).unwrap();
                        if round % 3 == 0 {
                            tasks::sleep(Duration::ZERO).await;
                            task.cancel();
                        }
                        task.await;
                    }
                    // It waits when its loop is closed, or has its permit by then.
                    drop(here.create_task(async move { drop(semaphore.acquire_async().await) }));
                    tasks::sleep(Duration::ZERO).await;
                });
                stays.unwrap();
            });
        }
    });
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 2, of: 2, waiting: 0 }");
}

/// It is told by the waker of its last poll, and by no other.
#[test]
fn a_task_that_moves_is_woken_where_it_is() {
    watch!();
    let (semaphore, event) = (Semaphore::new(0), Event::new());
    let [first, last] = [(); 2].map(|()| Arc::<Bell>::default());
    let (mut permit, mut set) = (semaphore.acquire_async(), event.wait_async());
    for bell in [&first, &first, &last] {
        assert!(poll(&mut permit, bell).is_pending() && poll(&mut set, bell).is_pending());
    }
    assert_eq!(Arc::strong_count(&first), 1, "the first waker was let go of");
    semaphore.release(1).unwrap();
    event.set();
    assert_eq!((first.count(), last.count()), (0, 2));
}

#[test]
fn one_at_a_time_has_the_value_of_a_lock() {
    watch!();
    let total = Lock::new(0_u32);
    assert_eq!(format!("{total:?}"), format!("Lock {{ turn: {:?}, .. }}", Semaphore::bounded(1)));
    thread::scope(|scope| {
        for _ in 0..2 {
            let (in_thread, on_loop) = (total.clone(), total.clone());
            scope.spawn(move || {
                for _ in 0..500 {
                    let mut guard = in_thread.lock().unwrap();
                    let last = *guard;
                    thread::yield_now();
                    *guard = last + 1;
                }
            });
            scope.spawn(move || {
                let adds = async move {
                    for _ in 0..200 {
                        let mut guard = on_loop.lock_async().await;
                        let last = *guard;
                        // Kept across an await.
                        tasks::sleep(Duration::ZERO).await;
                        *guard = last + 1;
                    }
                };
                EventLoop::new().run_until_complete(adds).unwrap();
            });
        }
    });
    let guard = total.try_lock().unwrap();
    assert_eq!((*guard, format!("{guard:?} {guard}")), (1400, "1400 1400".to_owned()));
    assert!(total.is_locked() && total.try_lock().is_none());
    // Sent to another thread, it unlocks there.
    let guard = guard.into_owned();
    thread::spawn(move || drop(guard)).join().unwrap();
    assert!(!total.is_locked());
}

#[test]
fn a_wait_for_a_lock_ends_as_every_wait_does() {
    watch!();
    let lock = Lock::<u8>::default();
    let guard = lock.lock().unwrap();
    ends_as_every_wait_does(&|timeout| match timeout {
        Some(timeout) => lock.lock_timeout(timeout).map(drop),
        None => lock.lock().map(drop),
    });
    let late = lock.lock_deadline(Instant::now());
    assert_eq!(late.unwrap_err(), WaitError::Expired(Expired));
    let (mut first, mut second, bell) = (lock.lock_async(), lock.lock_async(), Arc::default());
    assert!(poll(&mut first, &bell).is_pending() && poll(&mut second, &bell).is_pending());
    drop(guard);
    drop(first);
    assert!(poll(&mut second, &bell).is_ready());
    assert!(!lock.is_locked());
}

#[test]
fn a_panic_poisons_no_lock() {
    watch!();
    let lock = Lock::new(1);
    let panics = lock.clone();
    let end = thread::spawn(move || {
        *panics.lock().unwrap() = 2;
        let mut guard = panics.lock().unwrap();
        *guard = 3;
        panic!("with the guard");
    });
    assert!(end.join().is_err());
    assert_eq!(*lock.lock().unwrap(), 3);
}

#[test]
fn a_guard_that_is_leaked_keeps_the_value() {
    watch!();
    let value = Arc::new(());
    let lock = Lock::new(Arc::clone(&value));
    mem::forget(lock.lock().unwrap());
    assert!(lock.is_locked() && lock.try_lock().is_none());
    assert_eq!(lock.lock_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
    drop(lock);
    assert_eq!(Arc::strong_count(&value), 1, "nobody has it any more");
    let lock = Lock::new(Arc::clone(&value));
    mem::forget(lock.lock().unwrap().into_owned());
    drop(lock);
    assert_eq!(Arc::strong_count(&value), 2, "what was leaked has the lock, and so its value");
    let lock = Lock::new(Arc::clone(&value));
    let guard = lock.lock().unwrap().into_owned();
    drop(lock);
    assert_eq!(Arc::strong_count(&value), 3);
    drop(guard);
    assert_eq!(Arc::strong_count(&value), 2, "the last handle is the guard's");
}

/// Panics when it is dropped, as what a closure owns may.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("a value's own fault");
        }
    }
}

/// What is asked inside a wait may panic in every way: the wait goes on, and nobody stays in the line.
#[test]
fn what_is_asked_in_a_wait_leaves_nobody_in_the_line() {
    watch!();
    let (semaphore, (met, meets)) = (Semaphore::new(0), mpsc::channel());
    let waits = thread::spawn({
        let semaphore = semaphore.clone();
        move || {
            let entered: Rc<RefCell<Option<InterruptGuard>>> = Rc::default();
            let (owns, own) = (Panics, Rc::clone(&entered));
            let asked = Interrupt::ask_every(Duration::from_millis(1), move || {
                let _ = &owns;
                // From now on the closure goes when it has answered.
                drop(own.take());
                met.send(()).unwrap();
                false
            });
            entered.replace(Some(asked));
            semaphore.acquire().map(drop)
        }
    });
    meets.recv().unwrap();
    semaphore.release(1).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(()));
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }");
}
