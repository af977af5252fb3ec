//! One run for each error: its code is printed beside what it says, so keep it short.

use std::{
    convert::Infallible,
    future::{pending, ready},
    num::NonZero,
    sync::{Arc, Mutex, OnceLock, mpsc},
    task::Waker,
    time::Duration,
};

use settled::{
    AnyPromise, Cancel, Death, DeathCause, EventLoop, Executor, Interrupt, Job, JoinError, LoopRef,
    MapError, Progress, Schedule, ThreadFuture, ThreadPool, Unsent, UnsentKind, bridge,
    primitives::{Barrier, Queue, Semaphore},
    tasks,
};

#[cfg(feature = "process")]
use settled::process::{self, Function, ProcessPool};

type Future = ThreadFuture<u32, &'static str>;

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(600);

fn one_worker() -> Arc<ThreadPool> {
    Arc::new(ThreadPool::new(NonZero::<usize>::MIN))
}

/// The first thing that this loop reports of what `makes` does.
fn reported(makes: impl FnOnce(&LoopRef)) -> String {
    let event_loop = EventLoop::new();
    let (tells, told) = mpsc::channel();
    event_loop.set_exception_handler(move |incident| drop(tells.send(incident.to_string())));
    makes(&event_loop);
    event_loop.run_until_complete(async { tasks::sleep(SHORT).await }).unwrap();
    told.recv().unwrap()
}

/// Jobs of one worker, each of which waits for the next.
fn chain(pool: &Arc<ThreadPool>) -> String {
    let inner = Arc::clone(pool);
    let next = pool.submit(move || chain(&inner)).unwrap();
    next.wait().map_or_else(|why| why.to_string(), |it| it.result().unwrap().clone())
}

/// Callbacks inside each other, each of which waits for the next, as deep as that goes; then a loop.
fn nest(answer: &Arc<OnceLock<String>>) {
    let ((runs, run), (promise, future)) = (Future::pair(), Future::pair());
    let inner = Arc::clone(answer);
    run.add_done_callback(move |_| {
        if inner.get().is_none() {
            nest(&inner);
        }
        drop(promise);
    });
    drop(runs);
    if future.wait().is_err()
        && let Err(why) = EventLoop::new().run_until_complete(pending::<()>())
    {
        let _ = answer.set(why.to_string());
    }
}

/// What an entry is called, and what comes to its message.
pub(crate) type Run = (&'static str, fn() -> String);

/// Each entry is `"Type::Variant" { a run that ends with the message }`.
macro_rules! runs {
    ($runs:ident: $($name:literal { $($body:tt)* })*) => {
        pub(crate) const $runs: &[Run] = &[$(($name, || { $($body)* })),*];
    };
}

runs! { RUNS:
    "Failure::Error" {
        let (promise, future) = Future::pair();
        promise.fail("disk full").unwrap();
        format!("{:#}", future.exception().unwrap().unwrap())
    }
    "Failure::Panicked" {
        let job = one_worker().submit(|| panic!("off by one")).unwrap();
        job.exception().unwrap().unwrap().to_string()
    }
    "Failure::Cancelled" {
        let (_promise, future) = Future::pair();
        assert_eq!(future.cancel(), Cancel::Now);
        future.exception().unwrap().unwrap().to_string()
    }
    "Failure::Abandoned" {
        let (promise, future) = Future::pair();
        drop(promise.start());
        future.exception().unwrap().unwrap().to_string()
    }
    "Failure::Died" {
        let (promise, future) = Future::pair();
        let (who, cause) = ("worker 3 (process 4711)", DeathCause::Signal(9));
        promise.start().unwrap().died(Death::new(who, "resize", cause, Progress::Begun));
        future.exception().unwrap().unwrap().to_string()
    }
    "Failure::Unsent" {
        let (promise, future) = Future::pair();
        let why = "\"resize\" gave 70000000 bytes, of at most 67108864";
        promise.start().unwrap().unsent(Unsent::new(UnsentKind::TooLarge, why));
        future.exception().unwrap().unwrap().to_string()
    }
    "Cancellation" {
        let (_promise, future) = Future::pair();
        assert_eq!(future.cancel_with("user pressed x"), Cancel::Now);
        future.exception().unwrap().unwrap().to_string()
    }
    "Cancelled::Requested" {
        let (promise, future) = Future::pair();
        assert_eq!(future.cancel(), Cancel::Now);
        promise.start().unwrap_err().to_string()
    }
    "Cancelled::Dropped" {
        let (promise, future) = Future::pair();
        drop(promise);
        future.exception().unwrap().unwrap().to_string()
    }
    "Cancelled::Broken" {
        let (goes, waits) = mpsc::channel::<()>();
        let waits = Mutex::new(waits);
        let fails = move || panic!("no licence: {:?}", waits.lock().unwrap().recv());
        let pool = ThreadPool::builder().initializer(fails).build();
        let job = pool.submit(|| ()).unwrap();
        drop(goes);
        job.exception().unwrap().unwrap().to_string()
    }
    "Cancelled::Stopped" {
        let (promise, future) = Future::owned_pair(Waker::noop().clone());
        promise.stopped();
        future.exception().unwrap().unwrap().to_string()
    }
    "Refusal::Running" {
        let (promise, future) = Future::pair();
        let _running = promise.start().unwrap();
        format!("{:?}", future.cancel())
    }
    "Refusal::Finished" {
        let (promise, future) = Future::pair();
        promise.finish(5).unwrap();
        format!("{:?}", future.cancel())
    }
    "NoValue::Unsettled" {
        let (_promise, future) = Future::pair();
        future.try_result().unwrap_err().to_string()
    }
    "NoValue::Failed" {
        let (promise, future) = Future::pair();
        promise.fail("disk full").unwrap();
        future.result().unwrap_err().to_string()
    }
    "InvalidState" {
        let (_promise, future) = EventLoop::new().create_future::<u32, ()>();
        future.exception().unwrap_err().to_string()
    }
    "Expired" {
        let event_loop = EventLoop::new();
        let waits = tasks::timeout(pending::<()>(), SHORT);
        event_loop.run_until_complete(waits).unwrap().unwrap_err().to_string()
    }
    "WaitError::Expired" {
        let (_promise, future) = Future::pair();
        future.wait_timeout(SHORT).unwrap_err().to_string()
    }
    "WaitError::WouldDeadlock" {
        let (_promise, future) = Future::pair();
        let waits = async { future.wait_timeout(LONG).unwrap_err().to_string() };
        EventLoop::new().run_until_complete(waits).unwrap()
    }
    "WaitError::Interrupted" {
        let ((_promise, future), interrupt) = (Future::pair(), Interrupt::new());
        let _entered = interrupt.enter();
        interrupt.interrupt();
        future.wait().unwrap_err().to_string()
    }
    "WouldDeadlock::EventLoop" {
        let (_promise, future) = Future::pair();
        let waits = async { future.wait().unwrap_err().to_string() };
        EventLoop::new().run_until_complete(waits).unwrap()
    }
    "WouldDeadlock::OwnWorker" {
        let pool = one_worker();
        let itself = Arc::clone(&pool);
        let job = pool.submit(move || itself.shutdown()).unwrap();
        job.result().unwrap().unwrap_err().to_string()
    }
    "WouldDeadlock::Circle" {
        let (pool, (gives, given)) = (one_worker(), mpsc::channel::<ThreadFuture<String, Infallible>>());
        let job = pool.submit(move || given.recv().unwrap().wait().unwrap_err().to_string()).unwrap();
        gives.send(job.clone()).unwrap();
        job.result().unwrap().clone()
    }
    "WouldDeadlock::TooDeep" {
        let pool = one_worker();
        let inner = Arc::clone(&pool);
        pool.submit(move || chain(&inner)).unwrap().result().unwrap().clone()
    }
    "WouldDeadlock::Lent" {
        let ((promise, future), (hands, handed)) = (Future::pair(), mpsc::channel::<Future>());
        let (tells, told) = mpsc::channel();
        future.add_done_callback(move |_| {
            let JoinError::Back(back) = handed.recv().unwrap().join().unwrap_err() else { return };
            tells.send(back.why().to_string()).unwrap();
        });
        hands.send(future).unwrap();
        promise.finish(5).unwrap();
        told.recv().unwrap()
    }
    "JoinError::Failed" {
        let job = one_worker().submit(|| panic!("off by one")).unwrap();
        job.join().unwrap_err().to_string()
    }
    "JoinError::Shared" {
        let job = one_worker().submit(|| 5).unwrap();
        let _other = job.clone();
        job.join().unwrap_err().to_string()
    }
    "JoinError::Back" {
        let (_promise, future) = ThreadFuture::<u32, Infallible>::pair();
        future.join_timeout(SHORT).unwrap_err().to_string()
    }
    "Back" {
        let (_promise, future) = Future::pair();
        let JoinError::Back(back) = future.join_timeout(SHORT).unwrap_err() else { panic!() };
        back.to_string()
    }
    "TooLate::Started" {
        let (promise, _future) = Future::pair();
        AnyPromise::from(promise.start().unwrap()).start().unwrap_err().to_string()
    }
    "TooLate::Settled" {
        let (promise, _future) = Future::pair();
        let mut promise = AnyPromise::from(promise);
        promise.settle(Ok(5)).unwrap();
        promise.settle(Ok(6)).unwrap_err().to_string()
    }
    "TooLate::Cancelled" {
        let (promise, future) = Future::pair();
        assert_eq!(future.cancel(), Cancel::Now);
        AnyPromise::from(promise).start().unwrap_err().to_string()
    }
    "Unseen::Cancelled" {
        let (promise, future) = Future::pair();
        assert_eq!(future.cancel(), Cancel::Now);
        promise.finish_or_return(5).unwrap_err().to_string()
    }
    "Unseen::Closed" {
        let (promise, future) = Future::pair();
        drop(future);
        promise.finish_or_return(5).unwrap_err().to_string()
    }
    "Lost" {
        let (promise, future) = Future::pair();
        assert_eq!(future.cancel(), Cancel::Now);
        promise.finish(5).unwrap_err().to_string()
    }
    "Surplus" {
        Semaphore::bounded(1).release(1).unwrap_err().to_string()
    }
    "BrokenBarrier" {
        let barrier = Barrier::new(2);
        barrier.abort();
        let run = EventLoop::new().run_until_complete(barrier.wait_async());
        run.unwrap().unwrap_err().to_string()
    }
    "BarrierError::Broken" {
        let barrier = Barrier::new(2);
        barrier.abort();
        barrier.wait().unwrap_err().to_string()
    }
    "BarrierError::Wait" {
        Barrier::new(2).wait_timeout(SHORT).unwrap_err().to_string()
    }
    "QueueClosed" {
        let queue = Queue::<u32>::unbounded();
        queue.close();
        queue.try_get().unwrap_err().to_string()
    }
    "QueueError::Closed" {
        let queue = Queue::<u32>::unbounded();
        queue.close();
        queue.get().unwrap_err().to_string()
    }
    "QueueError::Wait" {
        Queue::<u32>::unbounded().get_timeout(SHORT).unwrap_err().to_string()
    }
    "TryPutError::Full" {
        Queue::bounded(0).try_put(1).unwrap_err().cause.to_string()
    }
    "TryPutError::Closed" {
        let queue = Queue::unbounded();
        queue.close();
        queue.try_put(1).unwrap_err().cause.to_string()
    }
    "NotPut" {
        Queue::bounded(0).try_put(1).unwrap_err().to_string()
    }
    "NoneUnfinished" {
        Queue::<u32>::unbounded().task_done().unwrap_err().to_string()
    }
    "Closed" {
        let handle = EventLoop::new().handle();
        let refused = Schedule::call_soon_threadsafe(&handle, Job::new(|| ()));
        refused.unwrap_err().to_string()
    }
    "RunError::Stopped" {
        let event_loop = EventLoop::new();
        event_loop.stop();
        event_loop.run_until_complete(pending::<()>()).unwrap_err().to_string()
    }
    "RunError::Nested" {
        let inner = async { EventLoop::new().run_until_complete(ready(())) };
        EventLoop::new().run_until_complete(inner).unwrap().unwrap_err().to_string()
    }
    "RunError::TooDeep" {
        let answer = Arc::new(OnceLock::new());
        nest(&answer);
        answer.get().unwrap().clone()
    }
    "MapError::Failed" {
        let pool = one_worker();
        let mut map = pool.map([0], |n| 1 / n);
        map.next().unwrap().unwrap_err().to_string()
    }
    "MapError::Expired" {
        let (keeps, waits) = mpsc::channel::<()>();
        let (pool, waits) = (one_worker(), Mutex::new(waits));
        let mut map = pool.map([0], move |_| waits.lock().unwrap().recv().is_err()).timeout(SHORT);
        let expired = map.next().unwrap().unwrap_err().to_string();
        drop(keeps);
        expired
    }
    "MapError::WouldDeadlock" {
        let (pool, (gives, given)) = (one_worker(), mpsc::channel::<()>());
        let given = Arc::new(Mutex::new(given));
        let maps = async {
            let mut map = pool.map([given], |given| given.lock().unwrap().recv().is_err());
            map.next().unwrap().unwrap_err()
        };
        let refused: MapError = EventLoop::new().run_until_complete(maps).unwrap();
        drop(gives);
        refused.to_string()
    }
    "MapError::Interrupted" {
        let (pool, interrupt, (keeps, waits)) = (one_worker(), Interrupt::new(), mpsc::channel::<()>());
        let waits = Mutex::new(waits);
        let _entered = interrupt.enter();
        interrupt.interrupt();
        let mut map = pool.map([0], move |_| waits.lock().unwrap().recv().is_err());
        let interrupted = map.next().unwrap().unwrap_err().to_string();
        drop(keeps);
        interrupted
    }
    "MapError::Closed" {
        let pool = one_worker();
        pool.shutdown().unwrap();
        let mut map = pool.map([0], |n| n);
        map.next().unwrap().unwrap_err().to_string()
    }
    "TimedOut" {
        let waits = async {
            let task = LoopRef::current().unwrap().create_task(pending::<()>());
            tasks::wait_for(task.unwrap(), SHORT).await.unwrap_err().to_string()
        };
        EventLoop::new().run_until_complete(waits).unwrap()
    }
    "GroupError" {
        let group = tasks::task_group(async |group: &tasks::TaskGroup<&str>| {
            drop(group.create_task::<(), _>(async { Err("no route") }));
            drop(group.create_task::<(), _>(async { panic!("off by one") }));
            Ok(())
        });
        EventLoop::new().run_until_complete(group).unwrap().unwrap_err().to_string()
    }
    "ToldToGroup" {
        let mut told = None;
        let group = tasks::task_group(async |group: &tasks::TaskGroup<&str>| {
            told = group.create_task::<(), _>(async { Err("no route") }).ok();
            Ok(())
        });
        let event_loop = EventLoop::new();
        event_loop.run_until_complete(group).unwrap().unwrap_err();
        told.unwrap().result().unwrap_err().to_string()
    }
    "Incident::CallbackPanicked" {
        reported(|here| {
            let (promise, future) = here.create_future::<u32, ()>();
            future.add_done_callback(|_| panic!("off by one"));
            promise.finish(5).unwrap();
        })
    }
    "Incident::ErrorNeverRetrieved" {
        reported(|here| {
            let task = here.create_task_result(async { Err::<(), _>("disk full") }).unwrap();
            task.task().unwrap().set_name("writer");
        })
    }
    "Incident::PanicNeverRetrieved" {
        reported(|here| drop(here.create_task(async { panic!("off by one") })))
    }
    "Incident::AbandonmentNeverRetrieved" {
        reported(|here| {
            let (promise, future) = Future::pair();
            drop(promise.start());
            drop(bridge::wrap_future(&future, here));
        })
    }
    "Incident::Message" {
        reported(|here| here.call_exception_handler(&settled::Incident::Message("out of beans")))
    }
}

#[cfg(feature = "process")]
const RESIZE: Function<String, u64, String> = Function::foreign("resize");

#[cfg(feature = "process")]
runs! { RUNS_OF_PROCESSES:
    "SubmitError::Closed" {
        process::worker(&[]);
        let pool = ProcessPool::new(NonZero::<usize>::MIN).unwrap();
        pool.close();
        pool.submit(&RESIZE, &"cat.png".to_owned()).unwrap_err().to_string()
    }
    "SubmitError::Broken" {
        let pool = ProcessPool::builder().program("/no/such/program", [""; 0]).build().unwrap();
        pool.submit(&RESIZE, &"cat.png".to_owned()).unwrap().wait().unwrap();
        pool.submit(&RESIZE, &"dog.png".to_owned()).unwrap_err().to_string()
    }
    "SubmitError::Unsent" {
        process::worker(&[]);
        let pool = ProcessPool::builder().limit(2000).build().unwrap();
        pool.submit(&RESIZE, &"cat.png".repeat(1000)).unwrap_err().to_string()
    }
}
