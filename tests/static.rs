//! What the compiler promises about each public type: bounds, sizes, niches, object safety.
//!
//! The assertions are checked when this file is compiled; the tests around them name what they are
//! about and count them. What must *not* compile, with the text that says why, is in
//! `tests/compile-fail`.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    cell::Cell,
    convert::Infallible,
    error::Error,
    hash::Hash,
    iter::Once,
    marker::PhantomPinned,
    mem::size_of,
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
    sync::{Arc, MutexGuard},
};

use settled::{
    AnyPromise, AsCompleted, AwaitLoop, AwaitLoopRef, AwaitThread, AwaitThreadRef, Back,
    BarrierError, BrokenBarrier, CallHandle, Cancel, CancelHandle, Cancelled, Closed, EventLoop,
    Executor, Expired, Failure, FutureId, Incident, Interrupt, InterruptGuard, InvalidState, Job,
    JoinError, LoopFuture, LoopHandle, LoopRef, Lost, Map, NoValue, NoneUnfinished, NotPut, Panic,
    Promise, QueueClosed, QueueError, Refusal, RunError, Schedule, Settled, Surplus, Task,
    ThreadFuture, ThreadPool, Token, TooLate, TryPutError, WaitError, WeakLoopFuture,
    WeakThreadFuture, WouldDeadlock,
    context::LoopGuard,
    host::{Host, JobQueue, JobSender},
    machine::{Event, State, Step},
    phase::{Owned, Pending, Running},
    primitives::{
        AwaitBarrier, AwaitCondition, AwaitEvent, AwaitGet, AwaitJoin, AwaitLock, AwaitPermit,
        AwaitPut, Barrier, Condition, Event as Occasion, Lock, LockGuard, Permit, Queue, Semaphore,
    },
    tasks::{GroupError, Sleep, TaskGroup, TimedOut, ToldToGroup},
};
use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};

/// `Send` and `Sync`.
type Both = u64;
/// `Send`, not `Sync`.
type Local = Cell<u8>;
/// Neither.
type Counted = Rc<u8>;
/// `Sync`, not `Send`.
type Guard = MutexGuard<'static, u8>;

/// `Type: A + B, !C + !D` for each line.
macro_rules! bounds {
    ($($t:ty: $($yes:ident)* , $(!$no:ident)*;)*) => {$(
        assert_impl_all!($t: Unpin, $($yes),*);
        $(assert_not_impl_any!($t: $no);)*
    )*};
}

#[test]
fn thread_future() {
    watch!();
    bounds! {
        ThreadFuture<Both, Infallible>: Send Sync Clone, !Copy;
        ThreadFuture<Local, ()>: Send, !Sync !Clone;
        ThreadFuture<Counted, ()>: , !Send !Sync !Clone;
        WeakThreadFuture<Both, Infallible>: Send Sync Clone, !Copy;
        WeakThreadFuture<Local, ()>: , !Sync !Clone;
        WeakThreadFuture<Counted, ()>: , !Send !Sync !Clone;
        ThreadFuture<Guard, ()>: Clone, !Send !Sync;
        ThreadFuture<(), Local>: Send, !Sync !Clone;
        ThreadFuture<(), Counted>: , !Send !Sync !Clone;
        ThreadFuture<(), Guard>: Clone, !Send !Sync;
    }
}

#[test]
fn settled() {
    watch!();
    bounds! {
        Settled<Both, Infallible>: Send Sync Clone, !Copy;
        Settled<Local, ()>: Send, !Sync !Clone;
        Settled<Counted, ()>: , !Send !Sync !Clone;
        Settled<Guard, ()>: Clone, !Send !Sync;
        Settled<(), Local>: Send, !Sync !Clone;
        Settled<(), Counted>: , !Send !Sync !Clone;
        Settled<(), Guard>: Clone, !Send !Sync;
    }
}

/// As the futures, but there is only one producer: a promise is never `Clone`.
#[test]
fn promise() {
    watch!();
    macro_rules! each_phase {
        ($($p:ty)*) => {$(bounds! {
            Promise<Both, Infallible, $p>: Send Sync, !Clone;
            Promise<Local, (), $p>: Send, !Sync !Clone;
            Promise<Counted, (), $p>: , !Send !Sync !Clone;
            Promise<Guard, (), $p>: , !Send !Sync !Clone;
            Promise<(), Local, $p>: Send, !Sync !Clone;
            Promise<(), Counted, $p>: , !Send !Sync !Clone;
            Promise<(), Guard, $p>: , !Send !Sync !Clone;
        })*};
    }
    each_phase!(Pending Running Owned);
}

/// A loop future stays with its loop, whatever its value is.
#[test]
fn loop_future() {
    watch!();
    bounds! {
        LoopFuture<Both, Infallible>: Clone, !Send !Sync !Copy;
        LoopFuture<Local, ()>: , !Send !Sync !Clone;
        LoopFuture<Counted, ()>: , !Send !Sync !Clone;
        LoopFuture<Guard, ()>: Clone, !Send !Sync;
        LoopFuture<(), Local>: , !Send !Sync !Clone;
        LoopFuture<(), Counted>: , !Send !Sync !Clone;
        LoopFuture<(), Guard>: Clone, !Send !Sync;
        WeakLoopFuture<Both, Infallible>: Clone, !Send !Sync !Copy;
        WeakLoopFuture<Counted, ()>: Clone, !Send !Sync !Copy;
    }
}

/// What cancels it goes anywhere, whatever its value is. `[cancel-10]`
#[test]
fn cancel_handle() {
    watch!();
    bounds! {
        CancelHandle: Send Sync Clone UnwindSafe RefUnwindSafe, !Copy;
    }
    let _: fn(&LoopFuture<Counted, Counted>) -> CancelHandle = LoopFuture::cancel_handle;
    let _: fn(&LoopFuture<Guard, Local>) -> CancelHandle = LoopFuture::cancel_handle;
    assert_eq!(size_of::<Option<CancelHandle>>(), 2 * size_of::<usize>());
}

/// By value as the future itself, by reference as a reference to it.
#[test]
fn awaiting() {
    watch!();
    bounds! {
        AwaitThread<Both, Infallible>: Send Sync Future, !Clone;
        AwaitThread<Local, ()>: Send Future, !Sync;
        AwaitThread<Counted, ()>: Future, !Send !Sync;
        AwaitThread<Guard, ()>: Future, !Send !Sync;
        AwaitThread<(), Local>: Send, !Sync;
        AwaitThread<(), Counted>: , !Send !Sync;
        AwaitThread<(), Guard>: , !Send !Sync;
        AwaitThreadRef<'static, Both, Infallible>: Send Sync Future, !Clone;
        AwaitThreadRef<'static, Local, ()>: Future, !Send !Sync;
        AwaitThreadRef<'static, Counted, ()>: Future, !Send !Sync;
        AwaitThreadRef<'static, Guard, ()>: Future, !Send !Sync;
        AwaitThreadRef<'static, (), Local>: , !Send !Sync;
        AwaitThreadRef<'static, (), Counted>: , !Send !Sync;
        AwaitThreadRef<'static, (), Guard>: , !Send !Sync;
        AwaitLoop<Both, Infallible>: Future, !Send !Sync !Clone;
        AwaitLoopRef<'static, Both, Infallible>: Future, !Send !Sync !Clone;
    }
}

/// The flag goes anywhere, and who has entered it stays.
#[test]
fn interrupts() {
    watch!();
    bounds! {
        Interrupt: Send Sync Clone, !Copy;
        InterruptGuard: , !Send !Sync !Clone;
    }
}

/// They go anywhere, and so does what a thread holds of one, or a task awaits.
#[test]
fn primitives() {
    watch!();
    bounds! {
        Occasion: Send Sync Clone Unpin, !Copy;
        Semaphore: Send Sync Clone Unpin, !Copy;
        Permit: Send Sync Unpin, !Clone;
        AwaitEvent: Send Sync Unpin Future, !Clone;
        AwaitPermit: Send Sync Unpin Future, !Clone;
        Lock<Local>: Send Sync Clone Unpin, !Copy;
        Lock<Counted>: Clone, !Send !Sync;
        LockGuard<Local>: Send Unpin, !Sync !Clone;
        LockGuard<Both>: Send Sync, !Clone;
        AwaitLock<Local>: Send Unpin Future, !Clone;
        Condition: Send Sync Clone Unpin, !Copy;
        Barrier: Send Sync Clone Unpin, !Copy;
        AwaitBarrier: Send Sync Unpin Future, !Clone;
        BrokenBarrier: Send Sync Copy Eq Hash Error, ;
        BarrierError: Send Sync Copy Eq Error, ;
        AwaitCondition<Local>: Send Unpin Future, !Clone;
        Surplus: Send Sync Copy Eq Hash Error, ;
        Queue<Local>: Send Sync Clone Unpin, !Copy;
        Queue<Counted>: Clone, !Send !Sync;
        AwaitPut<Local>: Send Unpin Future, !Sync !Clone;
        AwaitGet<Local>: Send Sync Unpin Future, !Clone;
        AwaitJoin<Local>: Send Sync Unpin Future, !Clone;
        AwaitPut<PhantomPinned>: Unpin, ;
        QueueClosed: Send Sync Copy Eq Hash Error, ;
        QueueError: Send Sync Copy Eq Error, ;
        TryPutError: Send Sync Copy Eq Error, ;
        NotPut<Local>: Send Error, !Sync;
        NoneUnfinished: Send Sync Copy Eq Hash Error, ;
    }
}

/// By reference as references to the futures, by value as the futures themselves; a map as its executor and values.
#[test]
fn iterators() {
    watch!();
    fn lives_where_it_likes<T: 'static>() {}
    lives_where_it_likes::<AsCompleted<ThreadFuture<Local, ()>>>();
    lives_where_it_likes::<Map<Arc<ThreadPool>, Once<u8>, fn(u8), ()>>();
    bounds! {
        AsCompleted<ThreadFuture<Both, ()>>: Send Sync Iterator, !Clone;
        AsCompleted<ThreadFuture<Local, ()>>: Send Iterator, !Sync;
        AsCompleted<ThreadFuture<Counted, ()>>: Iterator, !Send !Sync;
        AsCompleted<&'static ThreadFuture<Both, ()>>: Send Sync Iterator, !Clone;
        AsCompleted<&'static ThreadFuture<Local, ()>>: Iterator, !Send !Sync;
        Map<Arc<ThreadPool>, Once<u8>, fn(u8) -> Both, Both>: Send Sync Iterator, !Clone;
        Map<&'static ThreadPool, Once<u8>, fn(u8) -> Local, Local>: Send Iterator, !Sync;
    }
}

/// The loop stays in its thread; what others may have of it is the handle.
#[test]
fn event_loop() {
    watch!();
    bounds! {
        EventLoop: , !Send !Sync !Clone;
        LoopRef: Clone, !Send !Sync;
        CallHandle: Clone, !Send !Sync;
        LoopGuard: , !Send !Sync !Clone;
        LoopHandle: Send Sync Clone Schedule, !Copy;
        Token: Send Sync Copy Eq Hash, ;
    }
}

#[test]
fn tasks() {
    watch!();
    bounds! {
        Task: Clone Eq, !Send !Sync;
        TaskGroup<Both>: Clone, !Send !Sync;
        Sleep: Future, !Send !Sync !Clone;
        Incident<'static>: Copy, !Send !Sync;
        FutureId: Send Sync Copy Eq Hash, ;
        ToldToGroup: Send Sync Copy, ;
        GroupError<Both>: Send Sync, !Clone;
        TimedOut<Both, Both>: Error, !Send !Sync !Clone;
    }
}

#[test]
fn hosts() {
    watch!();
    bounds! {
        Host: , !Send !Sync !Clone;
        JobSender: Schedule Send Sync Clone, !Copy;
        JobQueue: Future, !Send !Sync !Clone;
    }
}

#[test]
fn executor() {
    watch!();
    bounds! {
        ThreadPool: Send Sync Executor, !Clone;
        Arc<ThreadPool>: Send Sync Clone Executor, ;
        Job: Send, !Sync !Clone;
    }
}

/// A panic is `Sync` although its payload is not: else no future would be. For the rest, an error
/// is what it holds.
#[test]
fn errors() {
    watch!();
    bounds! {
        Panic: Send Sync, !Clone;
        Failure<Both>: Send Sync, !Clone;
        Failure<Local>: Send, !Sync;
        Failure<Counted>: , !Send !Sync;
        Failure<Guard>: Sync, !Send;
        Failure<std::io::Error>: Error Send Sync, ;
        Cancel: Send Sync Copy Eq Hash, ;
        Refusal: Send Sync Copy Eq Hash, ;
        Cancelled: Error Send Sync Copy Eq Hash, ;
        Expired: Error Send Sync Copy Eq, ;
        InvalidState: Error Send Sync Copy Eq, ;
        RunError: Error Send Sync Copy Eq, ;
        WaitError: Error Send Sync Copy Eq, ;
        WouldDeadlock: Error Send Sync Copy Eq, ;
        Lost<Both>: Error Send Sync Copy Eq, ;
        Lost<Local>: Send, !Sync;
        Closed<Job>: Error Send Sync, ;
        Closed<Local>: Error Send Sync, ;
        JoinError<std::io::Error, Back<WaitError, ThreadFuture<Local, std::io::Error>>>: Error Send Sync, ;
        Lost<Both, TooLate>: Error Send Sync Copy Eq, ;
        AnyPromise<Both, Infallible>: Send Sync, !Clone;
        AnyPromise<Local, ()>: Send, !Sync !Clone;
        NoValue<WouldDeadlock, &'static Failure<std::io::Error>>: Error Send Sync Copy, ;
    }
}

/// A caught panic leaves a future whole: what counts is whether it leaves the value whole.
#[test]
fn unwinding() {
    watch!();
    bounds! {
        ThreadFuture<Both, Infallible>: UnwindSafe RefUnwindSafe, ;
        Settled<Both, Infallible>: UnwindSafe RefUnwindSafe, ;
        Promise<Both, Infallible>: UnwindSafe RefUnwindSafe, ;
        ThreadFuture<Local, ()>: , !UnwindSafe !RefUnwindSafe;
        ThreadFuture<(), Local>: , !UnwindSafe !RefUnwindSafe;
    }
}

#[test]
fn machine() {
    watch!();
    bounds! {
        State: Send Sync Copy Ord Hash, ;
        Event: Send Sync Copy Ord Hash, ;
        Step: Send Sync Copy Eq Hash, ;
    }
    assert_eq!([size_of::<State>(), size_of::<Event>(), size_of::<Step>()], [1, 1, 1]);
}

/// A handle is one pointer, and never null, so that an `Option` of it is no larger.
#[test]
fn sizes_of_handles() {
    watch!();
    type Large = [u64; 32];
    macro_rules! one_pointer {
        ($($t:ty)*) => {$(
            assert_eq!(size_of::<$t>(), size_of::<usize>(), stringify!($t));
            assert_eq!(size_of::<Option<$t>>(), size_of::<usize>(), "Option<{}>", stringify!($t));
        )*};
    }
    one_pointer! {
        ThreadFuture<u64, Infallible> ThreadFuture<Large, String>
        Settled<u64, Infallible> Settled<Large, String>
        Promise<u64, Infallible> Promise<Large, String>
        Promise<u64, Infallible, Running> Promise<u64, Infallible, Owned>
        LoopFuture<u64, Infallible> LoopFuture<Large, String>
        LoopHandle LoopRef EventLoop ThreadPool Panic
    }
    assert_eq!(size_of::<Job>(), 2 * size_of::<usize>(), "a pointer and what to call");
    assert_eq!(size_of::<CallHandle>(), 2 * size_of::<usize>(), "a pointer and what to call");
    assert_eq!(size_of::<Result<Settled<Large, String>, ()>>(), size_of::<usize>());
}

/// What is handed out in place of a value is no larger than two words.
#[test]
fn sizes_of_errors() {
    watch!();
    assert_eq!(size_of::<Failure<Infallible>>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<NoValue<WouldDeadlock, &Failure<String>>>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Cancel>(), 1);
    assert_eq!(size_of::<WaitError>(), 1);
}

/// A future knows its loop as `dyn Schedule` only.
#[test]
fn schedule_is_object_safe() {
    watch!();
    assert_obj_safe!(Schedule);
    let event_loop = EventLoop::new();
    let schedule: Arc<dyn Schedule> = Arc::new(event_loop.handle());
    schedule.call_soon_threadsafe(Job::new(|| ())).unwrap();
    bounds! { Arc<dyn Schedule>: Send Sync Clone, ; }
}

/// An executor chosen at run time submits like any other: `submit` is called on a pointer to it.
#[test]
fn executor_is_object_safe() {
    watch!();
    assert_obj_safe!(Executor);
    let owned: Arc<dyn Executor> = Arc::new(ThreadPool::default());
    assert_eq!(owned.submit(|| 1).unwrap().result().unwrap(), &1);
    let lent: &dyn Executor = &*owned;
    assert_eq!((&lent).submit(|| 1).unwrap().result().unwrap(), &1);
    let event_loop = EventLoop::new();
    let view = settled::bridge::run_in_executor(&event_loop, lent, || 1).unwrap();
    let settled = event_loop.run_until_complete(view).unwrap();
    assert_eq!(settled.result().unwrap(), &1);
}
