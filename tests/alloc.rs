//! What a future costs in memory, and that all of it comes back, in the order that is promised.
//!
//! The allocator counts per thread, so that neither the other tests nor the harness are counted.
//! The numbers are exact, and so they are those of one platform: 64 bits, and locks of `std` that
//! are a futex and need no allocation of their own.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; this one only counts")]

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{IntoFuture, poll_fn},
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll, Waker},
    thread,
};

use settled::{Cancel, EventLoop, Promise, ThreadFuture, primitives::Semaphore};

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

/// What this thread has asked for and given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    allocations: usize,
    bytes: usize,
    frees: usize,
    freed_bytes: usize,
}

thread_local! {
    /// Constant and without a drop: using it allocates nothing.
    static COUNT: Cell<Count> = const {
        Cell::new(Count { allocations: 0, bytes: 0, frees: 0, freed_bytes: 0 })
    };
}

// SAFETY: every call goes to the system's allocator unchanged; counting neither allocates nor
// unwinds. `realloc` keeps its default, which is made of these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut count = COUNT.get();
        count.allocations += 1;
        count.bytes += layout.size();
        COUNT.set(count);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let mut count = COUNT.get();
        count.frees += 1;
        count.freed_bytes += layout.size();
        COUNT.set(count);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(memory, layout) }
    }
}

impl Count {
    /// What this thread has done since `self`.
    fn since(self) -> Self {
        let now = COUNT.get();
        Self {
            allocations: now.allocations - self.allocations,
            bytes: now.bytes - self.bytes,
            frees: now.frees - self.frees,
            freed_bytes: now.freed_bytes - self.freed_bytes,
        }
    }

    fn allocated(allocations: usize, bytes: usize) -> Self {
        Self { allocations, bytes, ..Self::default() }
    }

    fn freed(frees: usize, freed_bytes: usize) -> Self {
        Self { frees, freed_bytes, ..Self::default() }
    }

    /// How many bytes have not come back.
    fn live(self) -> usize {
        self.bytes - self.freed_bytes
    }
}

/// What `f` makes this thread allocate and free.
fn count<R>(f: impl FnOnce() -> R) -> (R, Count) {
    let before = COUNT.get();
    let result = f();
    (result, before.since())
}

fn pair<T>() -> (Promise<T, Infallible>, ThreadFuture<T, Infallible>) {
    ThreadFuture::pair()
}

/// Runs a callback in this thread, so that what a thread pays only once has been paid.
fn warm_up() {
    let (promise, future) = pair::<()>();
    future.add_done_callback(|_| ());
    promise.finish(()).unwrap();
}

/// Polls it with a waker that does nothing.
fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

const NOTHING: Count = Count { allocations: 0, bytes: 0, frees: 0, freed_bytes: 0 };

/// The cell without its slot: the word of 8; the place of 16, for one waiter, one callback or the list of more; how many weak
/// handles there are, of 4; the lock, whether somebody has looked, what is in the place, and the last ticket, of 1 each.
const CELL: usize = 32;

/// `Option<Result<T, Failure<Infallible>>>` for a `T` of 8: a cancellation, which is its cause and the pointer to the
/// reason, in whose place `T` is.
const SLOT: usize = 16;

/// The list, which is made for the second: the waiters of 8 + 40 + 24 + 8, of whom one needs no memory of his own; the
/// callbacks of 16 + 24, of which one does not either; the reason of a cancel and what is read of it, of 8 each.
const LIST: usize = 136;

/// What it costs the allocator when a cell goes: its thread keeps the memory.
fn kept_or_freed() -> Count {
    if cfg!(settled_allocates) { Count::freed(1, CELL + SLOT) } else { NOTHING }
}

/// More get seven places at once; a callback's place is a pointer and what to call.
const MORE_CALLBACKS: usize = 7 * 16;

#[test]
fn a_pair_is_one_allocation() {
    watch!();
    let (made, spent) = count(pair::<u64>);
    assert_eq!(spent, Count::allocated(1, CELL + SLOT));
    let ((), back) = count(|| drop(made));
    assert_eq!(back, kept_or_freed());

    let (made, spent) = count(pair::<[u64; 4]>);
    assert_eq!(spent, Count::allocated(1, CELL + SLOT + 3 * 8), "only the slot grows with `T`");
    drop(made);
}

/// As many cells as a thread keeps the memory of.
const MOST: usize = if cfg!(settled_allocates) { 0 } else { 1_024 };

fn pairs(times: usize) -> Vec<(Promise<u64, Infallible>, ThreadFuture<u64, Infallible>)> {
    let mut pairs = Vec::with_capacity(times);
    pairs.resize_with(times, pair);
    pairs
}

/// `[cell-4]` A thread keeps what it frees for its next cells, up to a bound, and ends without it.
#[test]
fn memory_is_kept_for_the_next_cells() {
    watch!();
    /// The last that the thread drops, since it was the first: tells what the thread has given back by then.
    struct Last(RefCell<Option<mpsc::Sender<Count>>>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.take().unwrap().send(COUNT.get()).unwrap();
        }
    }
    thread_local! {
        static LAST: Last = const { Last(RefCell::new(None)) };
    }
    let (tell, told) = mpsc::channel();
    let before = thread::spawn(|| {
        LAST.with(|last| last.0.replace(Some(tell)));
        let begin = COUNT.get();
        let mut cells = pairs(MOST + 10);
        let ((), back) = count(|| cells.clear());
        assert_eq!(back, Count::freed(10, 10 * (CELL + SLOT)));
        let ((), spent) = count(|| cells.resize_with(MOST + 20, pair));
        assert_eq!((spent.allocations, spent.frees), (20 + 1, 1), "and the vector grew");
        let (other, spent) = count(pair::<[u64; 4]>);
        assert_eq!(spent.allocations, 1, "of its size none was kept");
        drop((cells, other));
        let other = if MOST > 0 { CELL + SLOT + 3 * 8 } else { 0 };
        assert_eq!(begin.since().live(), MOST * (CELL + SLOT) + other);
        (COUNT.get(), MOST * (CELL + SLOT) + other)
    });
    let ((before, kept), end) = (before.join().unwrap(), told.recv().unwrap());
    // The thread gives back what it is itself, too.
    assert!(end.freed_bytes >= before.freed_bytes + kept, "{end:?} {before:?}");
    assert!(end.frees >= before.frees + MOST);
}

/// `[cell-4]` What is aligned otherwise than to 8 bytes, or larger than 128, comes from the allocator and goes back to it.
#[test]
fn memory_of_other_sizes_is_not_kept() {
    watch!();
    fn comes_and_goes<T: Default>() {
        for _ in 0..2 {
            let ((promise, future), spent) = count(pair::<T>);
            assert_eq!((spent.allocations, spent.frees), (1, 0));
            assert!(promise.finish(T::default()).is_ok());
            let ((), back) = count(|| drop(future));
            assert_eq!(back, Count::freed(1, spent.bytes));
        }
    }
    warm_up();
    comes_and_goes::<u128>();
    comes_and_goes::<[u64; 12]>();
    if !cfg!(settled_allocates) {
        drop(pair::<[u64; 11]>());
        let (last, spent) = count(pair::<[u64; 11]>);
        assert_eq!(spent, NOTHING, "it is as large as what is kept");
        drop(last);
    }
}

#[test]
fn a_life_without_waiters_allocates_nothing_more() {
    watch!();
    let (promise, future) = pair::<u64>();
    let (running, start) = count(|| promise.start().unwrap());
    let (second, clone) = count(|| future.clone());
    let (answer, cancel) = count(|| future.cancel());
    assert!(matches!(answer, Cancel::Refused(_)));
    let ((), finish) = count(|| running.finish(5));
    let ((), read) = count(|| assert_eq!(future.result().unwrap(), &5));
    drop(second);
    assert_eq!([start, clone, cancel, finish, read], [NOTHING; 5]);
    let (value, take) = count(|| future.into_settled().unwrap().take().unwrap().unwrap());
    assert_eq!((value, take), (5, kept_or_freed()));
}

#[test]
fn a_cancelled_life_gives_everything_back() {
    watch!();
    let (promise, future) = pair::<u64>();
    let (answer, cancel) = count(|| future.cancel());
    assert_eq!((answer, cancel), (Cancel::Now, NOTHING));
    let (lost, finish) = count(|| promise.finish(5).unwrap_err().value);
    assert_eq!((lost, finish), (5, NOTHING), "the future still holds the cell");
    let ((), back) = count(|| drop(future));
    assert_eq!(back, kept_or_freed());
}

#[test]
fn callbacks_cost_their_boxes_and_one_list() {
    watch!();
    warm_up();
    let (promise, future) = pair::<u64>();
    let expected = 5_u64;
    let callback = move |settled: &settled::Settled<u64, Infallible>| {
        assert_eq!(settled.result().unwrap(), &expected);
    };
    let ((), first) = count(|| future.add_done_callback(callback));
    assert_eq!(first, Count::allocated(1, 8), "what the callback holds: there is room in the cell");
    let ((), second) = count(|| future.add_done_callback(callback));
    assert_eq!(
        second,
        Count::allocated(3, LIST + MORE_CALLBACKS + 8),
        "the list, and room for more"
    );
    let ((), third) = count(|| future.add_done_callback(callback));
    assert_eq!(third, Count::allocated(1, 8), "there is room");
    let ((), empty) = count(|| future.add_done_callback(|_| ()));
    assert_eq!(empty, NOTHING, "a callback that holds nothing has no box");

    let ((), finish) = count(|| promise.finish(5).unwrap());
    let all = Count::freed(5, LIST + MORE_CALLBACKS + 3 * 8);
    assert_eq!(finish, all, "callbacks go when they have run");
    let ((), back) = count(|| drop(future));
    assert_eq!(back, kept_or_freed());
}

/// Whoever is alone waits in the cell, and leaves nothing behind; the second makes the list.
#[test]
fn one_waiter_costs_nothing() {
    watch!();
    let (promise, future) = pair::<u64>();
    let (mut first, mut second) = (future.clone().output(), future.clone().output());
    assert_eq!(count(|| is_pending(&mut first)), (true, NOTHING));
    assert_eq!(count(|| is_pending(&mut first)), (true, NOTHING), "who is in stays in");
    let (waits, two) = count(|| is_pending(&mut second));
    assert_eq!((waits, two.allocations), (true, 2), "the list, and room for more");
    drop((first, second, future, promise));

    let (promise, future) = pair::<u64>();
    let leave = |times| {
        count(|| (0..times).for_each(|_| assert!(is_pending(&mut future.clone().output())))).1
    };
    assert_eq!(leave(63), NOTHING);
    assert_eq!(leave(1), Count::allocated(1, LIST), "tickets in the cell have a byte");
    assert_eq!(leave(1000), NOTHING, "which stays");
    promise.finish(5).unwrap();
}

/// Nor in a task of a loop, in a thread that works for no pool.
#[test]
fn one_waiter_in_a_loop_costs_nothing() {
    watch!();
    let (promise, future) = pair::<u64>();
    let polled = async {
        let mut first = (&future).into_future();
        poll_fn(|cx| Poll::Ready(count(|| Pin::new(&mut first).poll(cx).is_pending()))).await
    };
    assert_eq!(EventLoop::new().run_until_complete(polled).unwrap(), (true, NOTHING));
    promise.finish(5).unwrap();
}

/// A thread notes what it is (a loop, a worker, in a callback) on a stack of its own, which grows
/// from nothing to four places of 32 at once, and of which cells it calls callbacks on another, of four addresses. Both
/// end with the thread, as what it keeps of the cell.
#[test]
fn a_thread_pays_once_for_what_it_is() {
    watch!();
    let (first, second) =
        thread::spawn(|| (count(warm_up).1.live(), count(warm_up).1.live())).join().unwrap();
    let kept = if MOST > 0 { CELL + SLOT } else { 0 };
    assert_eq!((first, second), (4 * 32 + 4 * size_of::<usize>() + kept, 0));
}

thread_local! {
    /// How many bytes were live when a [`Probe`] was dropped in this thread, but for what is kept for the next cell.
    static LIVE_AT_DROP: Cell<Option<usize>> = const { Cell::new(None) };
}

/// A value that looks, from within its own drop, at what has come back since it was made.
#[derive(Debug)]
struct Probe(Count);

impl Drop for Probe {
    fn drop(&mut self) {
        let live = self.0.since().live();
        // What was freed is there for another.
        let (_, next) = count(pair::<Probe>);
        let kept = if cfg!(settled_allocates) || next.allocations > 0 { 0 } else { PROBED };
        LIVE_AT_DROP.set(Some(live - kept));
    }
}

/// What a cell of one takes.
const PROBED: usize = CELL + 8 + size_of::<Probe>();

/// Makes a future with a [`Probe`] in mind and lets `life` end it, in a thread that keeps no memory yet.
fn live_at_drop(
    life: impl FnOnce(Promise<Probe, Infallible>, ThreadFuture<Probe, Infallible>, Probe) + Send,
) -> Option<usize> {
    let lives = || {
        warm_up();
        let probe = Probe(COUNT.get());
        let (promise, future) = pair();
        assert_eq!(probe.0.since().live(), PROBED, "the cell is alive");
        life(promise, future, probe);
        LIVE_AT_DROP.get()
    };
    thread::scope(|scope| scope.spawn(lives).join().unwrap())
}

/// Whoever is last frees the memory first and then drops the value. `[cell-4]`
#[test]
fn values_are_dropped_after_the_memory_is_freed() {
    watch!();
    let by_reader = live_at_drop(|promise, future, probe| {
        promise.finish(probe).unwrap();
        drop(future);
    });
    let by_settler = live_at_drop(|promise, future, probe| {
        drop(future);
        promise.finish(probe).unwrap();
    });
    let by_running_settler = live_at_drop(|promise, future, probe| {
        drop(future);
        promise.start().unwrap().finish(probe);
    });
    let by_proof = live_at_drop(|promise, future, probe| {
        promise.finish(probe).unwrap();
        drop(future.into_settled().unwrap());
    });
    let by_taker = live_at_drop(|promise, future, probe| {
        promise.finish(probe).unwrap();
        drop(future.into_settled().unwrap().take().unwrap());
    });
    assert_eq!([by_reader, by_settler, by_running_settler, by_proof, by_taker], [Some(0); 5]);
}

/// With callbacks the settler keeps its handle until they have run, and is last then.
#[test]
fn values_are_dropped_after_the_memory_is_freed_with_callbacks_too() {
    watch!();
    let by_settler = live_at_drop(|promise, future, probe| {
        future.add_done_callback(|settled| {
            assert!(settled.result().is_ok());
            assert_eq!(LIVE_AT_DROP.get(), None, "it is lent the value");
        });
        drop(future);
        promise.finish(probe).unwrap();
    });
    assert_eq!(by_settler, Some(0));
}

/// A value that comes too late never was in the cell.
#[test]
fn a_lost_value_is_the_losers() {
    watch!();
    let by_loser = live_at_drop(|promise, future, probe| {
        assert_eq!(future.cancel(), Cancel::Now);
        let lost = promise.finish(probe).unwrap_err();
        drop(future);
        assert_eq!(LIVE_AT_DROP.get(), None);
        drop(lost);
    });
    assert_eq!(by_loser, Some(0));
}

#[test]
fn a_wait_for_several_that_leaves_gives_everything_back() {
    watch!();
    use settled::{ReturnWhen, as_completed, wait};
    let pairs: Vec<_> = (0..10).map(|_| ThreadFuture::<u64, ()>::pair()).collect();
    let leave = || {
        let futures = || pairs.iter().map(|(_, future)| future);
        let none = Some(std::time::Duration::ZERO);
        assert_eq!(wait(futures(), none, ReturnWhen::AllCompleted).unwrap().1.len(), 10);
        drop(as_completed(futures(), None));
    };
    // Who had so many waiters has a list, and the room that it then has for others stays with it.
    for _ in 0..40 {
        leave();
    }
    let before = COUNT.get();
    for _ in 0..100 {
        leave();
    }
    let since = before.since();
    assert_eq!((since.allocations, since.bytes), (since.frees, since.freed_bytes));
    assert!(since.allocations > 0, "the waits were counted");
}

/// Who waits for a primitive pays for his place as long as he waits, however many there are, and whether they go on or leave.
#[test]
fn a_line_gives_back_what_many_have_needed() {
    watch!();
    let semaphore = Semaphore::new(0);
    let wait = |many: usize, goes_on: bool| {
        let mut all: Vec<_> = (0..many).map(|_| semaphore.acquire_async()).collect();
        assert!(all.iter_mut().all(is_pending));
        if goes_on {
            semaphore.release(many).unwrap();
            assert!(!all.iter_mut().any(is_pending));
            (0..many).for_each(|_| semaphore.try_acquire().unwrap().forget());
        }
    };
    for goes_on in [false, true] {
        let needed = count(|| wait(10_000, goes_on)).1;
        assert!(needed.allocations > 10, "the waits were counted");
        // What is behind the word stays as long as the semaphore does.
        assert!(needed.live() < 512, "{} bytes are kept", needed.live());
    }
}
