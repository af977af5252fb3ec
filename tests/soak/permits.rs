//! Eight threads and the tasks of two loops at semaphores, a lock, an event, a condition and a barrier: they wait with and
//! without limits, leave, are cancelled and dropped. Whatever they do, there are as many permits as there were, no more go on
//! from the condition than were notified, and each round at the barrier is one of two.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    mem,
    pin::pin,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use settled::{
    LoopHandle, ThreadFuture, WaitError, bridge,
    primitives::{Barrier, Condition, Event, Lock, Permit, Semaphore},
};

use super::{Luck, THREADS, on_loops};

const PERMITS: [usize; 2] = [1, 3];
const LIMIT: Duration = Duration::from_micros(20);

struct Permits {
    semaphores: [Semaphore; 2],
    total: Lock<u64>,
    event: Event,
    condition: Condition,
    barrier: Barrier,
    loops: [LoopHandle; 2],
    /// How often somebody had the lock.
    locked: AtomicU64,
    /// How many have a permit of each.
    inside: [AtomicUsize; 2],
    /// How many calls there were, how many were given a permit, and how many limited waits for one were over too late and in time.
    asked: AtomicU64,
    given: AtomicU64,
    expired: AtomicU64,
    in_time: AtomicU64,
    /// How many notices there were for somebody, and how many have gone on for one.
    notices: AtomicU64,
    notified: AtomicU64,
    /// How many have had each number at the barrier, and how many tasks are there, or were stopped when they were.
    numbers: [AtomicU64; 2],
    there: AtomicU64,
    /// How often more had a permit than there are.
    crowded: AtomicU64,
}

/// How much was asked for, and what was wrong with it.
pub(crate) struct Balance {
    pub(crate) asked: u64,
    pub(crate) given: u64,
    pub(crate) expired: u64,
    pub(crate) in_time: u64,
    pub(crate) wrong: u64,
}

/// Lets the loop run the others for a turn.
async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Permits {
    fn new(loops: [LoopHandle; 2]) -> Self {
        Self {
            semaphores: PERMITS.map(Semaphore::bounded),
            total: Lock::new(0),
            event: Event::new(),
            condition: Condition::new(),
            barrier: Barrier::new(2),
            loops,
            locked: AtomicU64::new(0),
            inside: Default::default(),
            asked: AtomicU64::new(0),
            given: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            in_time: AtomicU64::new(0),
            notices: AtomicU64::new(0),
            notified: AtomicU64::new(0),
            numbers: Default::default(),
            there: AtomicU64::new(0),
            crowded: AtomicU64::new(0),
        }
    }

    /// Free, held and on their way, at this moment. A semaphore that somebody has locked says nothing of itself. Whoever
    /// waits for a permit that is gone waits for ever, and so it ends here.
    fn look(&self, which: usize) {
        let told = format!("{:?}", self.semaphores[which]);
        if !told.contains("<locked>") && !told.contains(&format!("of: {},", PERMITS[which])) {
            eprintln!("FAILED: there are {} permits, and now {told}", PERMITS[which]);
            process::exit(1);
        }
    }

    /// Somebody has this one from now on.
    fn enters(&self, which: usize) -> Inside<'_> {
        let before = self.inside[which].fetch_add(1, Relaxed);
        self.crowded.fetch_add(u64::from(before >= PERMITS[which]), Relaxed);
        self.given.fetch_add(1, Relaxed);
        Inside(&self.inside[which])
    }

    /// What a limited wait has come to.
    fn ended<'a>(&self, end: Result<Permit<'a>, WaitError>) -> Option<Permit<'a>> {
        let to = if end.is_ok() { &self.in_time } else { &self.expired };
        to.fetch_add(1, Relaxed);
        end.ok()
    }

    fn add(&self, total: &mut u64) {
        *total += 1;
        self.locked.fetch_add(1, Relaxed);
    }

    /// With the lock, so that nobody begins to wait meanwhile: a notice is for somebody, or nobody waits.
    fn notify(&self) {
        let _total = self.total.lock().expect("no loop runs here");
        let waits = !format!("{:?}", self.condition).contains("waiting: 0");
        self.notices.fetch_add(u64::from(waits), Relaxed);
        self.condition.notify();
    }

    /// Waits for a notice, and has the lock again, whether there was one or not.
    fn listen(&self) {
        let mut total = self.total.lock().expect("no loop runs here");
        let is_notified = self.condition.wait_timeout(&mut total, LIMIT).is_ok();
        self.notified.fetch_add(u64::from(is_notified), Relaxed);
        self.add(&mut total);
    }

    /// What one is told at the barrier, which is made whole again.
    fn met<E>(&self, end: Result<usize, E>) {
        match end {
            Ok(number) => _ = self.numbers[number].fetch_add(1, Relaxed),
            Err(_) => self.barrier.reset(),
        }
    }

    /// Whoever waits for the event or at the barrier goes on.
    fn beat(&self) {
        self.event.set();
        self.event.clear();
        self.barrier.reset();
    }

    /// What a task does: it waits for something, and has it for a turn.
    async fn visit(self: Arc<Self>, what: usize) {
        if let Some(semaphore) = self.semaphores.get(what) {
            let _permit = semaphore.acquire_async().await;
            let _inside = self.enters(what);
            turn().await;
        } else if what == self.semaphores.len() {
            let mut total = self.total.lock_async().await;
            turn().await;
            self.add(&mut total);
        } else if what == 3 {
            self.event.wait_async().await;
        } else if what == 4 {
            let total = self.total.lock_async().await;
            let mut total = self.condition.wait_async(total).await;
            self.notified.fetch_add(1, Relaxed);
            self.add(&mut total);
        } else {
            self.there.fetch_add(1, Relaxed);
            self.met(self.barrier.wait_async().await);
            self.there.fetch_sub(1, Relaxed);
        }
    }

    /// One call, and the task that it makes, if it makes one.
    fn call(self: &Arc<Self>, luck: &mut Luck) -> Option<ThreadFuture<(), Infallible>> {
        let which = luck.below(2) as usize;
        let semaphore = &self.semaphores[which];
        self.asked.fetch_add(1, Relaxed);
        let has = |permit: Option<Permit>| {
            let _inside = permit.as_ref().map(|_| self.enters(which));
        };
        match luck.below(9) {
            0 => has(semaphore.try_acquire()),
            1 => has(self.ended(semaphore.acquire_timeout(LIMIT))),
            2 => has(Some(semaphore.acquire().expect("no loop runs here"))),
            3 => {
                // Dropped where it stands, or with what was granted to it.
                let waits = pin!(semaphore.acquire_async());
                drop(waits.poll(&mut Context::from_waker(Waker::noop())));
            }
            4 => drop(self.event.wait_timeout(LIMIT).is_ok()),
            5 => self.add(&mut self.total.lock().expect("no loop runs here")),
            6 => self.beat(),
            7 => self.look(which),
            // Who waits for a notice or a guest takes his time, so that few do.
            _ => match luck.below(8) {
                0 => self.notify(),
                1 => self.listen(),
                2 => self.met(self.barrier.wait_timeout(LIMIT)),
                _ => {
                    let visit = Arc::clone(self).visit(luck.below(6) as usize);
                    let task = bridge::run_coroutine_threadsafe(visit, &self.loops[which]);
                    return Some(task.expect("the loop is open"));
                }
            },
        }
        None
    }

    fn run(self: &Arc<Self>, seed: u64, operations: u64) {
        let mut luck = Luck(seed);
        let mut tasks = Vec::new();
        for _ in 0..operations {
            tasks.extend(self.call(&mut luck));
            if tasks.len() > 4 {
                self.end(&tasks.swap_remove(luck.below(4) as usize), luck.below(2) == 0);
            }
        }
        for task in &tasks {
            self.end(task, true);
        }
    }

    /// Returns when the task has ended. It may wait for the event or a notice, or at the barrier.
    fn end(&self, task: &ThreadFuture<(), Infallible>, is_cancelled: bool) {
        if is_cancelled {
            task.cancel();
        }
        while task.wait_timeout(LIMIT).is_err() {
            self.beat();
            self.notify();
        }
    }
}

/// One who has a permit, and gives it back after this.
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

pub(crate) fn soak(operations: u64) -> Balance {
    on_loops(|loops| {
        let permits = Arc::new(Permits::new(loops));
        thread::scope(|scope| {
            for seed in 1..=THREADS {
                let permits = &permits;
                let seed = 0xD134_2543_DE82_EF95 ^ seed << 32;
                scope.spawn(move || permits.run(seed, operations / THREADS));
            }
        });
        let mut wrong = 0;
        for (semaphore, count) in permits.semaphores.iter().zip(PERMITS) {
            let told = format!("Semaphore {{ available: {count}, of: {count}, waiting: 0 }}");
            wrong += u64::from(format!("{semaphore:?}") != told);
        }
        let total = permits.total.try_lock().map(|total| *total);
        wrong += u64::from(total != Some(permits.locked.load(Relaxed)));
        let told = format!("{:?} {:?} {:?}", permits.event, permits.condition, permits.barrier);
        wrong += 3 - told.matches("waiting: 0").count() as u64;
        let read = |of: &AtomicU64| of.load(Relaxed);
        let [notices, notified] = [&permits.notices, &permits.notified].map(read);
        wrong += u64::from(notified > notices || notified == 0);
        let [first, second] = permits.numbers.each_ref().map(read);
        // Who was stopped when his round was over has left his number unread.
        wrong += u64::from(first.abs_diff(second) > read(&permits.there) || first == 0);
        wrong += read(&permits.crowded);
        let [asked, given, expired, in_time] =
            [&permits.asked, &permits.given, &permits.expired, &permits.in_time].map(read);
        Balance { asked, given, expired, in_time, wrong }
    })
}
