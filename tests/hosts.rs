//! Loops of all kinds keep the contract of `Schedule`, and the kit finds those that do not.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Condvar, Mutex},
    task::{Context, Wake, Waker},
    thread,
};

use log::Log;
use settled::{
    Cancel, Closed, EventLoop, Failure, Job, LoopHandle, Schedule, ThreadFuture,
    conformance::{Subject, check, rules},
    context,
    host::{Host, JobQueue, JobSender, job_queue},
};

/// This crate's own loop.
struct Own(EventLoop);

/// Ends a run of the loop behind each job, so that it can be asked whether it is done.
struct AndStop(LoopHandle);

impl Schedule for AndStop {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        let here = self.0.clone();
        let job = Job::new(move || {
            job.run();
            here.stop();
        });
        Schedule::call_soon_threadsafe(&self.0, job)
    }
}

impl Subject for Own {
    fn schedule(&self) -> Arc<dyn Schedule> {
        Arc::new(AndStop(self.0.handle()))
    }

    fn run_until(&mut self, done: &dyn Fn() -> bool) {
        // With nothing to do it sleeps.
        while !done() {
            self.0.run_forever().unwrap();
        }
    }
}

/// A loop that only polls one future, and sleeps until it is woken.
struct Polls {
    sender: JobSender,
    queue: JobQueue,
}

#[derive(Default)]
struct Bell(Mutex<bool>, Condvar);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }
}

impl Polls {
    fn new() -> Self {
        let (sender, queue) = job_queue();
        Self { sender, queue }
    }
}

impl Subject for Polls {
    fn schedule(&self) -> Arc<dyn Schedule> {
        Arc::new(self.sender.clone())
    }

    fn run_until(&mut self, done: &dyn Fn() -> bool) {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let mut queue = pin!(&mut self.queue);
        while !done() {
            let poll = queue.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(poll.is_pending());
            if !done() {
                let rung = bell.0.lock().unwrap();
                *bell.1.wait_while(rung, |rung| !std::mem::take(rung)).unwrap() = false;
            }
        }
    }
}

#[test]
fn the_crates_own_loop_conforms() {
    watch!();
    assert_eq!(check(|| Own(EventLoop::new())), 9);
}

#[test]
fn a_polled_job_queue_conforms() {
    watch!();
    check(Polls::new);
}

/// How a loop breaks the contract.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Inline,
    AnotherThread,
    LastFirst,
    LastOfFiveFirst,
    Swallows,
    Keeps,
    ForgetsAfterAHundred,
    Loses,
    Unmarked,
    StaysMarked,
}

#[derive(Clone)]
struct Faulty {
    fault: Fault,
    jobs: Arc<Mutex<Option<VecDeque<Job>>>>,
    kept: Arc<Mutex<Vec<Job>>>,
}

impl Schedule for Faulty {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        let mut jobs = self.jobs.lock().unwrap();
        let Some(open) = &mut *jobs else {
            return if self.fault == Fault::Swallows { Ok(()) } else { Err(Closed::new(job)) };
        };
        match self.fault {
            Fault::Inline => {
                drop(jobs);
                job.run();
            }
            Fault::LastFirst | Fault::LastOfFiveFirst => open.push_front(job),
            Fault::Loses if open.len() == 3 => drop(job),
            _ => open.push_back(job),
        }
        Ok(())
    }
}

/// What a loop has forgotten: neither run nor dropped, and yet no leak.
static FORGOTTEN: Mutex<Vec<Job>> = Mutex::new(Vec::new());

/// The loop, and how many jobs it has run.
struct FaultyLoop(Faulty, usize);

impl FaultyLoop {
    /// Waits until this many jobs are queued. Posters are on their way.
    fn wait_for(&self, queued: usize) {
        while self.0.jobs.lock().unwrap().as_ref().is_some_and(|jobs| jobs.len() < queued) {
            thread::yield_now();
        }
    }
}

impl Subject for FaultyLoop {
    fn schedule(&self) -> Arc<dyn Schedule> {
        Arc::new(self.0.clone())
    }

    fn run_until(&mut self, done: &dyn Fn() -> bool) {
        if self.0.fault == Fault::LastOfFiveFirst {
            // Four post, so that two of them are from one thread.
            self.wait_for(5);
        }
        while !done() {
            let job = self.0.jobs.lock().unwrap().as_mut().and_then(VecDeque::pop_front);
            let Some(job) = job else {
                // What is lost will never be done: it then ends, and the rule fails.
                if self.0.fault == Fault::Loses {
                    return;
                }
                thread::yield_now();
                continue;
            };
            self.1 += 1;
            match self.0.fault {
                Fault::Unmarked => job.run(),
                Fault::StaysMarked => {
                    std::mem::forget(context::enter_loop());
                    job.run();
                }
                Fault::AnotherThread => {
                    thread::spawn(move || job.run()).join().unwrap();
                }
                _ => {
                    let _role = context::enter_loop();
                    job.run();
                }
            }
        }
    }
}

impl Drop for FaultyLoop {
    fn drop(&mut self) {
        let forgets = self.0.fault == Fault::ForgetsAfterAHundred && self.1 >= 100;
        if forgets {
            self.wait_for(1);
        }
        let jobs = self.0.jobs.lock().unwrap().take();
        if forgets {
            FORGOTTEN.lock().unwrap().extend(jobs.into_iter().flatten());
        } else if self.0.fault == Fault::Keeps {
            self.0.kept.lock().unwrap().extend(jobs.unwrap());
        }
    }
}

/// Whether a faulty loop breaks that rule, tried in a thread of its own.
fn breaks(fault: Fault, name: &str) -> bool {
    let make = move || {
        let jobs = Arc::new(Mutex::new(Some(VecDeque::new())));
        FaultyLoop(Faulty { fault, jobs, kept: Arc::default() }, 0)
    };
    let (_, rule) = rules().into_iter().find(|(named, _)| *named == name).unwrap();
    let tries = thread::spawn(move || catch_unwind(AssertUnwindSafe(|| rule(&make))).is_err());
    tries.join().unwrap()
}

/// Each rule can fail, and each fault breaks the rule that is about it.
#[test]
fn the_kit_finds_each_fault() {
    watch!();
    let faults = [
        (Fault::Inline, "never inline"),
        (Fault::AnotherThread, "on the loop's thread"),
        (Fault::LastFirst, "first in, first out"),
        (Fault::LastOfFiveFirst, "ten thousand posts from four threads"),
        (Fault::ForgetsAfterAHundred, "posts against close"),
        (Fault::Swallows, "closed hands the job back"),
        (Fault::Keeps, "a dropped job settles its future"),
        (Fault::Loses, "first in, first out"),
        (Fault::Unmarked, "the thread is marked while jobs run"),
        (Fault::StaysMarked, "the thread is marked while jobs run"),
    ];
    for (fault, rule) in faults {
        assert!(breaks(fault, rule), "{fault:?} keeps: {rule}");
    }
}

/// A wake-up that is lost shows as a loop that sleeps for ever; here the loop notices, and ends.
#[test]
fn the_kit_finds_a_lost_wake_up() {
    watch!();
    struct Deaf(Polls);
    impl Subject for Deaf {
        fn schedule(&self) -> Arc<dyn Schedule> {
            self.0.schedule()
        }

        fn run_until(&mut self, _: &dyn Fn() -> bool) {
            // Runs what is there, and is never woken again.
            self.0.queue.run_pending();
        }
    }
    let (name, rule) = rules::<Deaf>()[5];
    assert_eq!(name, "no wake-up is lost");
    let result = catch_unwind(AssertUnwindSafe(|| rule(&|| Deaf(Polls::new()))));
    assert!(result.is_err());
}

/// `[host-1]`
#[test]
fn futures_of_a_host_go_through_its_loop() {
    watch!();
    let log = Log::new();
    let (sender, mut queue) = job_queue();
    let host = Host::new(Arc::new(sender));
    let (promise, future) = host.create_future::<u32, ()>();
    let seen = log.clone();
    let home = thread::current().id();
    future.add_done_callback(move |settled| {
        assert_eq!(thread::current().id(), home);
        seen.add(format!("{:?}", settled.result().unwrap()));
    });
    thread::spawn(move || promise.finish(1).unwrap()).join().unwrap();
    assert!(!future.done() && log.entries().is_empty(), "it lags until the loop delivers");
    queue.run_pending();
    assert_eq!(log.entries(), ["1"]);
    assert_eq!(future.result().unwrap(), &1);
    // A late callback comes in a later turn.
    let seen = log.clone();
    future.add_done_callback(move |_| seen.add("late"));
    assert_eq!(log.entries().len(), 1);
    queue.run_pending();
    assert_eq!(log.entries(), ["1", "late"]);
}

/// `[host-1]` `[loop-5]`
#[test]
fn a_dropped_host_drops_its_callbacks_and_its_futures_read_through() {
    watch!();
    struct Says(Log, thread::ThreadId);
    impl Drop for Says {
        fn drop(&mut self) {
            assert_eq!(thread::current().id(), self.1);
            self.0.add("dropped");
        }
    }
    let log = Log::new();
    let (sender, mut queue) = job_queue();
    let host = Host::new(Arc::new(sender));
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let view = host.wrap_future(&future);
    let says = Says(log.clone(), thread::current().id());
    view.add_done_callback(move |_| says.0.add("ran"));
    drop(host);
    assert_eq!(log.entries(), ["dropped"]);
    thread::spawn(move || promise.finish(1).unwrap()).join().unwrap();
    queue.run_pending();
    assert_eq!(view.result().unwrap(), &1);
    assert_eq!(log.entries(), ["dropped"]);
}

/// `[host-1]` `[loop-5]`
#[test]
fn what_is_on_its_way_when_a_host_is_dropped_is_told() {
    watch!();
    let log = Log::new();
    let (sender, mut queue) = job_queue();
    let host = Host::new(Arc::new(sender));
    let ((promise, future), (other, follows)) =
        (host.create_future::<u32, ()>(), host.create_future::<u32, ()>());
    let (first, second) = (log.clone(), log.clone());
    follows.add_done_callback(move |_| second.add("and what that has settled"));
    future.add_done_callback(move |settled| {
        first.add(format!("{:?}", settled.result()));
        other.finish(2).unwrap();
    });
    thread::spawn(move || promise.finish(1).unwrap()).join().unwrap();
    drop(host);
    assert_eq!(log.entries(), ["Ok(1)", "and what that has settled"]);
    queue.run_pending();
    assert_eq!(log.entries().len(), 2, "once");
}

/// Counts its drops, all of them on the thread that made it.
struct Falls(Log, thread::ThreadId);

impl Falls {
    fn new(log: &Log) -> Self {
        Self(log.clone(), thread::current().id())
    }
}

impl Drop for Falls {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.1);
        self.0.add("dropped");
    }
}

/// `[host-1]`
#[test]
fn a_view_reads_through_when_its_queue_is_gone_first() {
    watch!();
    let log = Log::new();
    let (sender, queue) = job_queue();
    let host = Host::new(Arc::new(sender));
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let view = host.wrap_future(&future);
    let falls = Falls::new(&log);
    view.add_done_callback(move |_| falls.0.add("ran"));
    let (on_its_way, arrives) = ThreadFuture::<u32, ()>::pair();
    let arrives = host.wrap_future(&arrives);
    thread::spawn(move || on_its_way.finish(1).unwrap()).join().unwrap();
    assert!(!arrives.done(), "its delivery waits in the queue");
    drop(queue);
    assert_eq!(arrives.result().unwrap(), &1, "its delivery was dropped");
    assert!(!view.done());
    thread::spawn(move || promise.finish(2).unwrap()).join().unwrap();
    assert_eq!(view.result().unwrap(), &2, "its delivery was refused");
    let falls = Falls::new(&log);
    view.add_done_callback(move |_| falls.0.add("ran"));
    assert_eq!(log.entries(), ["dropped"], "of a closed loop, as late");
    assert_eq!(host.wrap_future(&future).result().unwrap(), &2);
    drop(host);
    assert_eq!(log.entries(), ["dropped", "dropped"]);
}

/// `[host-1]`: the refusal is the first that the host hears of it.
#[test]
fn what_a_host_settles_when_its_queue_is_gone_is_told_to_threads_alone() {
    watch!();
    let log = Log::new();
    let (sender, queue) = job_queue();
    let host = Host::new(Arc::new(sender));
    let (_promise, future) = ThreadFuture::<u32, ()>::pair();
    let view = host.wrap_future(&future);
    let falls = Falls::new(&log);
    view.add_done_callback(move |_| falls.0.add("ran"));
    let told = Log::new();
    let tells = told.clone();
    future.add_done_callback(move |_| tells.add("told"));
    drop(queue);
    assert_eq!(view.cancel(), Cancel::Now);
    assert!(view.cancelled());
    assert_eq!(told.entries(), ["told"]);
    assert_eq!(log.entries(), ["dropped"]);
}

/// `[report-1]`
#[test]
fn a_host_reports_panics_of_callbacks() {
    watch!();
    let log = Log::new();
    let (sender, mut queue) = job_queue();
    let host = Host::new(Arc::new(sender));
    let told = log.clone();
    host.set_exception_handler(move |incident| told.add(incident.to_string()));
    let (promise, future) = host.create_future::<u32, ()>();
    future.add_done_callback(|_| panic!("in a frame"));
    promise.finish(1).unwrap();
    queue.run_pending();
    let expected = format!("a callback panicked: in a frame; it was part of {}", future.id());
    assert_eq!(log.entries(), [expected]);
}

/// `[host-2]`
#[test]
fn a_job_queue_survives_what_its_jobs_do() {
    watch!();
    let (sender, mut queue) = job_queue();
    let log = Log::new();
    let (again, later) = (sender.clone(), log.clone());
    let post = |job: Job| sender.call_soon_threadsafe(job).unwrap();
    post(Job::new(|| panic!("isolated")));
    post(Job::new(move || {
        again.call_soon_threadsafe(Job::new(move || later.add("in a later turn"))).unwrap();
    }));
    assert_eq!(queue.run_pending(), 2);
    assert!(log.entries().is_empty());
    assert_eq!(queue.run_pending(), 1);
    assert_eq!(log.entries(), ["in a later turn"]);
    // What is dropped with the queue settles, and may itself post.
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let last = sender.clone();
    future.add_done_callback(move |_| {
        assert!(last.call_soon_threadsafe(Job::new(|| ())).is_err());
    });
    post(Job::new(move || drop(promise)));
    drop(queue);
    assert!(matches!(future.exception().unwrap(), Some(Failure::Cancelled(_))));
}

#[test]
fn a_hook_is_called_once_between_two_turns() {
    watch!();
    let ((sender, mut queue), log) = (job_queue(), Log::new());
    let post = || sender.call_soon_threadsafe(Job::new(|| ())).unwrap();
    post();
    let called = log.clone();
    queue.set_wake_hook(move || called.add("called"));
    assert_eq!(log.entries().len(), 1, "something is queued");
    post();
    thread::scope(|scope| drop(scope.spawn(post)));
    assert_eq!((log.entries().len(), queue.run_pending()), (1, 3));
    assert_eq!((log.entries().len(), queue.run_pending()), (1, 0), "nothing was posted");
    post();
    post();
    assert_eq!((log.entries().len(), queue.run_pending()), (2, 2));
    // What a turn posts is for the next, also if it is the first of several.
    let (again, more) = (sender.clone(), sender.clone());
    post();
    assert_eq!(log.entries().len(), 3);
    let job = Job::new(move || {
        again.call_soon_threadsafe(Job::new(|| ())).unwrap();
        more.call_soon_threadsafe(Job::new(|| ())).unwrap();
    });
    sender.call_soon_threadsafe(job).unwrap();
    assert_eq!((queue.run_pending(), log.entries().len()), (2, 4));
    assert_eq!((queue.run_pending(), log.entries().len()), (2, 4));
    // A second hook replaces the first, and goes with the queue.
    let (held, second) = (Arc::new(()), log.clone());
    let holds = Arc::clone(&held);
    queue.set_wake_hook(move || {
        let _ = &holds;
        second.add("the second");
    });
    post();
    assert_eq!(log.entries().last().unwrap(), "the second");
    assert_eq!(log.entries().len(), 5);
    drop(queue);
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(sender.call_soon_threadsafe(Job::new(|| ())).is_err());
    assert_eq!(log.entries().len(), 5, "what is refused wakes nobody");
}

#[test]
fn a_hook_may_post_and_may_panic() {
    watch!();
    let ((sender, mut queue), log) = (job_queue(), Log::new());
    let (inner, ran) = (sender.clone(), log.clone());
    queue.set_wake_hook(move || {
        let ran = ran.clone();
        inner.call_soon_threadsafe(Job::new(move || ran.add("of the hook"))).unwrap();
        panic!("isolated");
    });
    let first = log.clone();
    sender.call_soon_threadsafe(Job::new(move || first.add("the first"))).unwrap();
    assert_eq!(queue.run_pending(), 2);
    assert_eq!(log.entries(), ["the first", "of the hook"]);
}

/// A loop that turns once whenever its hook is called, and sleeps otherwise.
struct Sleeps {
    sender: JobSender,
    queue: JobQueue,
    bell: Arc<Bell>,
}

impl Sleeps {
    fn new() -> Self {
        let ((sender, mut queue), bell) = (job_queue(), Arc::<Bell>::default());
        let rings = Arc::clone(&bell);
        queue.set_wake_hook(move || Arc::clone(&rings).wake());
        Self { sender, queue, bell }
    }
}

impl Subject for Sleeps {
    fn schedule(&self) -> Arc<dyn Schedule> {
        Arc::new(self.sender.clone())
    }

    fn run_until(&mut self, done: &dyn Fn() -> bool) {
        while !done() {
            let Bell(rung, told) = &*self.bell;
            let mut rung = rung.lock().unwrap();
            while !*rung {
                rung = told.wait(rung).unwrap();
            }
            *rung = false;
            drop(rung);
            self.queue.run_pending();
        }
    }
}

#[test]
fn a_loop_that_sleeps_until_its_hook_is_called_conforms() {
    watch!();
    assert_eq!(check(Sleeps::new), rules::<Sleeps>().len());
}

#[cfg(feature = "tokio")]
mod tokio_loop {
    use super::*;
    use settled::host::tokio_local;

    struct Local {
        runtime: tokio::runtime::Runtime,
        set: tokio::task::LocalSet,
        schedule: Arc<dyn Schedule>,
    }

    impl Subject for Local {
        fn schedule(&self) -> Arc<dyn Schedule> {
            Arc::clone(&self.schedule)
        }

        fn run_until(&mut self, done: &dyn Fn() -> bool) {
            self.set.block_on(
                &self.runtime,
                std::future::poll_fn(|cx| {
                    // tokio polls this again after other tasks ran, since it asks for it.
                    cx.waker().wake_by_ref();
                    if done() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                }),
            );
        }
    }

    fn local(make: impl Fn() -> Arc<dyn Schedule>) -> Local {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let set = tokio::task::LocalSet::new();
        let schedule = set.block_on(&runtime, async { make() });
        Local { runtime, set, schedule }
    }

    #[test]
    fn a_tokio_local_set_conforms() {
        watch!();
        check(|| local(|| Arc::new(tokio_local())));
    }

    /// What one would write first: a task for each job.
    struct Spawns(tokio::runtime::Handle);

    impl Schedule for Spawns {
        fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
            drop(self.0.spawn(async { job.run() }));
            Ok(())
        }
    }

    #[test]
    fn spawning_a_task_for_each_job_does_not_conform() {
        watch!();
        let make = || local(|| Arc::new(Spawns(tokio::runtime::Handle::current())));
        let mut broken: Vec<_> = rules::<Local>().to_vec();
        broken.retain(|(_, rule)| catch_unwind(AssertUnwindSafe(|| rule(&make))).is_err());
        let broken: Vec<_> = broken.into_iter().map(|(name, _)| name).collect();
        assert!(broken.contains(&"closed hands the job back"), "{broken:?}");
        assert!(broken.contains(&"the thread is marked while jobs run"), "{broken:?}");
        assert!(broken.contains(&"first in, first out"), "{broken:?}");
    }
}

#[cfg(feature = "async-executor")]
mod async_executor_loop {
    use super::*;
    use settled::host::local_executor;

    struct Local {
        executor: async_executor::LocalExecutor<'static>,
        schedule: Arc<dyn Schedule>,
    }

    impl Subject for Local {
        fn schedule(&self) -> Arc<dyn Schedule> {
            Arc::clone(&self.schedule)
        }

        fn run_until(&mut self, done: &dyn Fn() -> bool) {
            let bell = Arc::new(Bell::default());
            let waker = Waker::from(Arc::clone(&bell));
            while !done() {
                let mut tick = pin!(self.executor.tick());
                while tick.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                    let rung = bell.0.lock().unwrap();
                    *bell.1.wait_while(rung, |rung| !std::mem::take(rung)).unwrap() = false;
                }
            }
        }
    }

    #[test]
    fn a_local_executor_conforms() {
        watch!();
        check(|| {
            let executor = async_executor::LocalExecutor::new();
            let schedule = Arc::new(local_executor(&executor));
            Local { executor, schedule }
        });
    }
}

#[test]
fn debug_says_what_there_is() {
    watch!();
    let (sender, queue) = job_queue();
    sender.call_soon_threadsafe(Job::new(|| ())).unwrap();
    let (one, other) = (format!("{sender:?}"), format!("{queue:?}"));
    assert!(one.starts_with("JobSender") && other.starts_with("JobQueue"), "{one} {other}");
    let host = Host::new(Arc::new(sender));
    let (_promise, future) = ThreadFuture::<u32, ()>::pair();
    let _view = host.wrap_future(&future);
    assert_eq!(format!("{host:?}"), "Host { futures: 1 }");
}
