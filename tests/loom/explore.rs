//! How a scenario is explored, and what its threads share.

use std::{
    cell::Cell,
    collections::BTreeSet,
    future::{Future, IntoFuture},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use loom::sync::Condvar;
use settled::{Promise, ThreadFuture, schedules};

use crate::{
    apart::{Count, count},
    history::{History, Sequential},
};

/// Which ends of a scenario have been seen, over all its executions.
pub(crate) type Seen = Mutex<BTreeSet<&'static str>>;

/// Runs `scenario` in every interleaving. It must have reached each of `ends` in some execution
/// and nothing else in any: a scenario that cannot lose its race would show nothing.
pub(crate) fn explore(name: &str, ends: &[&'static str], scenario: fn(&Seen)) {
    run(name, ends, None, scenario);
}

/// Runs `scenario` in every interleaving with at most three preemptions, where it has too many without a
/// bound. The caller says why that is enough.
pub(crate) fn explore_bounded(name: &str, ends: &[&'static str], scenario: fn(&Seen)) {
    run(name, ends, Some(3), scenario);
}

/// Runs `scenario` in every interleaving with at most four preemptions, or five with `SETTLED_FULL=1`: three threads that
/// take so many steps have millions without a bound. Whoever is told takes three accesses to settle, the lock, the word and
/// the hold; one preemption at each of them, and one of whoever it meets there, are four.
pub(crate) fn explore_deeply(name: &str, ends: &[&'static str], scenario: fn(&Seen)) {
    run(name, ends, bound().map(|bound| bound + 1), scenario);
}

/// Runs `scenario` in every interleaving, or in those with so many preemptions, and has each history explained,
/// once for all executions that have it. It writes the history, and returns the specification that must explain it.
pub(crate) fn explore_histories<S: Sequential>(
    name: &str,
    preemptions: Option<usize>,
    scenario: impl Fn(&History<S>) -> S + Send + Sync + 'static,
) {
    let histories = Arc::new(Mutex::new(BTreeSet::new()));
    let executions = check(preemptions, {
        let histories = Arc::clone(&histories);
        move || {
            let history = History::default();
            let spec = scenario(&history);
            if histories.lock().unwrap().insert(history.text()) {
                // The search is deep, and loom's threads have little stack.
                let explains = std::thread::spawn(move || history.explain(spec));
                explains.join().unwrap().unwrap_or_else(|why| panic!("{why}"));
            }
        }
    });
    assert!(executions > 1, "{name} has one interleaving only");
    count(Count::Executions, executions);
    count(Count::Histories, histories.lock().unwrap().len());
}

/// How many preemptions a program may have that has too many interleavings without a bound: three, or four with
/// `SETTLED_FULL=1`. The caller says why that is enough.
pub(crate) fn bound() -> Option<usize> {
    Some(if std::env::var_os("SETTLED_FULL").is_some() { 4 } else { 3 })
}

/// How many executions and distinct histories there were at least when this was last looked at.
pub(crate) const EXECUTIONS: usize = 3_369_879;
pub(crate) const HISTORIES: usize = 37_876;

/// Runs `scenario` under loom, and counts.
pub(crate) fn check(
    preemptions: Option<usize>,
    scenario: impl Fn() + Send + Sync + 'static,
) -> usize {
    schedules::run(preemptions, scenario)
}

fn run(name: &str, ends: &[&'static str], preemptions: Option<usize>, scenario: fn(&Seen)) {
    let seen = Arc::new(Seen::default());
    let executions = check(preemptions, {
        let seen = Arc::clone(&seen);
        move || scenario(&seen)
    });
    count(Count::Executions, executions);
    println!("loom: {name}: {executions} executions");
    assert!(executions > 1, "{name} has one interleaving only");
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen, ends.iter().copied().collect(), "{name} ended otherwise");
}

pub(crate) fn saw(seen: &Seen, end: &'static str) {
    seen.lock().unwrap().insert(end);
}

/// Values that count their drops, so that a leak and a second free both show.
#[derive(Default)]
pub(crate) struct Values {
    made: Cell<usize>,
    dropped: Arc<AtomicUsize>,
}

#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) number: u32,
    dropped: Arc<AtomicUsize>,
}

impl Values {
    pub(crate) fn make(&self, number: u32) -> Value {
        self.made.set(self.made.get() + 1);
        Value { number, dropped: Arc::clone(&self.dropped) }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// When a scenario ends, everything in it must be gone.
impl Drop for Values {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let dropped = self.dropped.load(Ordering::Relaxed);
            assert_eq!(dropped, self.made.get(), "each value is dropped once");
        }
    }
}

pub(crate) fn promise() -> (Promise<Value, Value>, ThreadFuture<Value, Value>) {
    ThreadFuture::pair()
}

/// A waker under loom: what it does is seen, so that a wake-up lost or too early is found.
pub(crate) struct Bell {
    rung: loom::sync::Mutex<bool>,
    told: Condvar,
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.told.wait(rung).unwrap();
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.told.notify_one();
    }
}

/// An executor for one task, in the calling thread.
pub(crate) fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let bell = Arc::new(Bell { rung: loom::sync::Mutex::new(false), told: Condvar::new() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future.into_future());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => bell.wait(),
        }
    }
}

/// A waker that counts, for an owner who has nothing else to do.
#[derive(Default)]
pub(crate) struct Counter(AtomicUsize);

impl Counter {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
