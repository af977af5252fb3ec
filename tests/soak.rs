//! Eight threads, two pools and two loops, for a million calls, or with `SETTLED_FULL=1` a hundred million:
//! cancels, timeouts, panics, waits, crossings. Then as many at semaphores, a lock and an event, and as many at a queue. At the
//! end every future is settled, every callback ran once, every permit is back, what was put has come out, and nothing is left
//! in the memory.
#![expect(unsafe_code, reason = "an allocator that counts")]

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/closing.rs"]
mod closing;
#[path = "soak/permits.rs"]
mod permits;
#[path = "soak/values.rs"]
mod values;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    env,
    num::NonZero,
    panic,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use settled::{
    Cancel, EventLoop, Executor, LoopHandle, Refusal, ReturnWhen, ThreadFuture, ThreadPool,
    as_completed, bridge, wait,
};

struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(1, Relaxed);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, Relaxed);
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(memory, layout) };
    }
}

const THREADS: u64 = 8;

/// What was done, and what has to balance.
#[derive(Default)]
struct Books {
    operations: AtomicU64,
    futures: AtomicU64,
    registered: AtomicU64,
    called: AtomicU64,
    unsettled: AtomicU64,
    cancelled: AtomicU64,
    contradicted: AtomicU64,
}

type Shared = ThreadFuture<u64, u64>;

/// One thread's luck.
struct Luck(u64);

impl Luck {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

struct Soak {
    books: Arc<Books>,
    pools: [ThreadPool; 2],
    loops: [LoopHandle; 2],
}

impl Soak {
    fn did(&self, operations: u64) {
        self.books.operations.fetch_add(operations, Relaxed);
    }

    /// A callback that is counted; one of eight panics afterwards.
    fn observe(&self, future: &Shared, luck: &mut Luck) {
        self.books.registered.fetch_add(1, Relaxed);
        let (books, panics) = (Arc::clone(&self.books), luck.below(8) == 0);
        future.add_done_callback(move |settled| {
            books.called.fetch_add(1, Relaxed);
            books.cancelled.fetch_add(u64::from(settled.cancelled()), Relaxed);
            assert!(!panics, "a callback's own fault");
        });
    }

    /// A future that somebody settles, somehow, at some time.
    fn begin(&self, luck: &mut Luck) -> Shared {
        self.books.futures.fetch_add(1, Relaxed);
        let pool = &self.pools[luck.below(2) as usize];
        match luck.below(5) {
            0 => {
                let (promise, future) = Shared::pair();
                self.observe(&future, luck);
                let _ = promise.finish(1);
                future
            }
            1 => {
                let (promise, future) = Shared::pair();
                self.observe(&future, luck);
                let job = move || {
                    let _ = promise.start().map(|running| running.fail(2));
                };
                pool.submit(job).expect("the pool is open");
                future
            }
            2 => {
                let panics = luck.below(4) == 0;
                let job = move || if panics { panic!("a job's own fault") } else { Ok(3) };
                let future = pool.submit_result(job).expect("the pool is open");
                self.observe(&future, luck);
                future
            }
            3 => {
                let home = &self.loops[luck.below(2) as usize];
                let coroutine = async { Ok(4) };
                let future = bridge::run_coroutine_threadsafe_result(coroutine, home);
                let future = future.expect("the loop is open");
                self.observe(&future, luck);
                future
            }
            _ => {
                // It waits for another future, on a loop, until somebody cancels or settles.
                let (promise, inner) = Shared::pair();
                let home = &self.loops[luck.below(2) as usize];
                let coroutine = async move { inner.await.take().unwrap_or(Ok(5)).map_err(|_| 6) };
                let future = bridge::run_coroutine_threadsafe_result(coroutine, home);
                let future = future.expect("the loop is open");
                self.observe(&future, luck);
                pool.submit(move || drop(promise)).expect("the pool is open");
                future
            }
        }
    }

    /// What a cancel answers is so at once, and stays so.
    fn cancel(&self, future: &Shared) {
        let is_wrong = match future.cancel() {
            Cancel::Now | Cancel::Already => !future.cancelled(),
            Cancel::Refused(Refusal::Finished) => !future.done() || future.cancelled(),
            Cancel::Requested | Cancel::Refused(Refusal::Running) => false,
        };
        self.books.contradicted.fetch_add(is_wrong.into(), Relaxed);
    }

    fn use_some(&self, futures: &mut Vec<Shared>, luck: &mut Luck) {
        let at = luck.below(futures.len() as u64) as usize;
        match luck.below(8) {
            0 => self.cancel(&futures[at]),
            1 => drop(futures[at].wait_deadline(std::time::Instant::now()).is_ok()),
            2 => drop(futures[at].wait_timeout(Duration::from_micros(20)).is_ok()),
            3 => self.observe(&futures[at], luck),
            4 => drop(futures[at].clone()),
            5 => drop(wait(&futures[..], Some(Duration::ZERO), ReturnWhen::AllCompleted).is_ok()),
            6 => drop(as_completed(&futures[..], Some(Duration::ZERO)).next()),
            _ => {
                let future = futures.swap_remove(at);
                // Everything settles: a wait without a limit ends.
                let unsettled = future.wait().is_err();
                self.books.unsettled.fetch_add(u64::from(unsettled), Relaxed);
            }
        }
    }

    fn run(&self, seed: u64, operations: u64) {
        let mut luck = Luck(seed);
        let mut futures = Vec::new();
        for _ in 0..operations {
            if futures.is_empty() || luck.below(4) == 0 && futures.len() < 32 {
                futures.push(self.begin(&mut luck));
            } else {
                self.use_some(&mut futures, &mut luck);
            }
            self.did(1);
        }
        for future in futures {
            self.books.unsettled.fetch_add(u64::from(future.wait().is_err()), Relaxed);
        }
    }
}

/// Two loops, each in its thread, for as long as it takes.
fn on_loops<R>(f: impl FnOnce([LoopHandle; 2]) -> R) -> R {
    let homes = [(); 2].map(|()| {
        let (tell, told) = std::sync::mpsc::channel();
        let home = thread::spawn(move || {
            let event_loop = EventLoop::new();
            event_loop.set_exception_handler(|_| ());
            tell.send(event_loop.handle()).unwrap();
            event_loop.run_forever().unwrap();
        });
        (home, told.recv().unwrap())
    });
    let result = f(homes.each_ref().map(|(_, handle)| handle.clone()));
    for (home, handle) in homes {
        handle.stop();
        home.join().unwrap();
    }
    result
}

/// All of it, from nothing to nothing.
fn soak(operations: u64) -> Arc<Books> {
    let books = Arc::new(Books::default());
    on_loops(|loops| {
        let workers = NonZero::new(2).unwrap();
        let soak = Arc::new(Soak {
            books: Arc::clone(&books),
            pools: [ThreadPool::new(workers), ThreadPool::new(workers)],
            loops,
        });
        let users: Vec<_> = (1..=THREADS)
            .map(|seed| {
                let soak = Arc::clone(&soak);
                thread::spawn(move || {
                    soak.run(0x9E37_79B9_7F4A_7C15 ^ seed << 32, operations / THREADS)
                })
            })
            .collect();
        for user in users {
            user.join().unwrap();
        }
        for pool in &soak.pools {
            pool.shutdown().unwrap();
        }
    });
    books
}

fn balance() -> Result<String, String> {
    let full = env::var_os("SETTLED_FULL").is_some();
    let operations = if full { 100_000_000 } else { 1_000_000 };
    let panics = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&panics);
    // They are part of the program, and there are many.
    panic::set_hook(Box::new(move |info| {
        if info.payload_as_str().is_some_and(|text| text.ends_with("own fault")) {
            count.fetch_add(1, Relaxed);
        } else {
            eprintln!("{info}");
        }
    }));
    // Each in a thread of its own, with which what is allocated once in a thread goes; what is allocated once in a
    // process is allocated now.
    let soak = |operations| {
        let all = move || (soak(operations), permits::soak(operations), values::soak(operations));
        thread::spawn(all).join().unwrap()
    };
    drop(soak(10_000));
    let before = LIVE.load(Relaxed);
    let (books, permits, values) = soak(operations);
    let read = |of: &AtomicU64| of.load(Relaxed);
    let (registered, called) = (read(&books.registered), read(&books.called));
    let (done, futures) = (read(&books.operations), read(&books.futures));
    let (unsettled, cancelled) = (read(&books.unsettled), read(&books.cancelled));
    let contradicted = read(&books.contradicted);
    drop(books);
    let left = LIVE.load(Relaxed) - before;
    println!(
        "soak: {registered} callbacks, {called} called, of cancelled futures {cancelled}; {} panics; {left} \
         allocations left",
        read(&panics)
    );
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    check(registered == called, "not each callback was called once");
    check(unsettled == 0, "not each wait saw its future settled");
    check(contradicted == 0, "a cancel answered what was not so");
    check(left == 0, "something is left in the memory");
    check(permits.wrong == 0, "there were other permits than there are, or somebody waits still");
    check(values.wrong == 0, "other values came out than were put, or somebody waits still");
    let asked = permits.asked.min(values.asked);
    check(done >= operations && asked >= operations, "it ended early");
    check(values.got * 4 > values.asked, "few values came out");
    check(permits.given * 4 > permits.asked, "few were given what they asked for");
    check(permits.expired > 0 && permits.in_time > 0, "each limited wait ended in one way");
    check(cancelled > 0 && read(&panics) > 0, "nothing was cancelled, or nothing panicked");
    let lost = registered.abs_diff(called) + unsettled + permits.wrong + values.wrong;
    let done = done + permits.asked + values.asked;
    let line = format!("soak: {done} operations, {futures} futures, {lost} lost");
    if wrong.is_empty() { Ok(line) } else { Err(format!("{wrong:?}; {line}")) }
}

fn main() -> ExitCode {
    closing::main(Some(1), [("the_books_balance", balance)])
}
