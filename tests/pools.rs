//! Pools that wait for each other: for a job, for the end, for the beginning of a worker.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    cell::Cell,
    convert::Infallible,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc, Barrier, Mutex, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::Duration,
};

use settled::{
    Cancel, EventLoop, Executor, Job, LoopRef, ThreadFuture, ThreadPool, WaitError, WouldDeadlock,
    bridge, tasks,
};

fn pool(workers: usize) -> ThreadPool {
    ThreadPool::named("worker", NonZero::new(workers).unwrap())
}

/// Whether somebody waits for it. A worker has registered by then.
fn is_waited_for<T: 'static, E: 'static>(future: &ThreadFuture<T, E>) -> bool {
    format!("{future:?}").contains("waiters: 1")
}

/// Runs a test of this file in a process of its own, with `SETTLED_CHILD` set.
fn in_a_child(test: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env("SETTLED_CHILD", "1");
    child.output().unwrap()
}

/// A job of one pool waits for a job of another, which does this with the first pool; what that came to.
fn waited_for_by_its_jobs<T>(ends: impl FnOnce(ThreadPool) -> T + Send + 'static) -> T
where
    T: Clone + Send + Sync + 'static,
{
    let (one, other) = (pool(1), ThreadPool::named("other", NonZero::<usize>::MIN));
    let (send, receive) = mpsc::channel::<(Arc<ThreadFuture<T, _>>, ThreadPool)>();
    let job = one.submit(move || {
        let (own, other) = receive.recv().unwrap();
        while !is_waited_for(&own) {
            thread::yield_now();
        }
        ends(other)
    });
    let job = Arc::new(job.unwrap());
    let awaited = Arc::clone(&job);
    let waits = other.submit(move || awaited.wait().is_ok()).unwrap();
    send.send((Arc::clone(&job), other)).unwrap();
    assert_eq!(waits.result().unwrap(), &true, "it was there first");
    job.result().unwrap().clone()
}

#[test]
fn a_worker_does_not_wait_for_the_end_of_a_pool_that_waits_for_it() {
    watch!();
    let told = waited_for_by_its_jobs(|pool| {
        let told = pool.shutdown();
        (told, pool.submit(|| 1).is_err())
    });
    assert_eq!(
        told,
        (Err(WaitError::WouldDeadlock(WouldDeadlock::Circle)), true),
        "it is shut down all the same"
    );
}

#[test]
fn a_job_does_not_wait_for_whoever_waits_for_the_end_of_its_pool() {
    watch!();
    for _ in 0..20 {
        let (one, other) = (Arc::new(pool(1)), Arc::new(pool(1)));
        let (back, ends) = (Arc::clone(&one), Arc::clone(&other));
        let (go, goes) = mpsc::channel::<()>();
        // It waits for a job that is queued behind one that waits for the end of its pool.
        let waits = other.submit(move || {
            goes.recv().unwrap();
            back.submit(|| ()).unwrap().wait().map(|_| ())
        });
        let job = one.submit(move || {
            go.send(()).unwrap();
            ends.shutdown()
        });
        let told = [job.unwrap(), waits.unwrap()].map(|it| *it.result().unwrap());
        // Whichever waits last is refused, and lets the other go on.
        let refused =
            told.iter().filter(|it| **it == Err(WaitError::WouldDeadlock(WouldDeadlock::Circle)));
        assert_eq!(refused.count(), 1, "{told:?}");
        one.shutdown().unwrap();
        other.shutdown().unwrap();
    }
}

#[test]
fn a_worker_may_wait_for_the_end_of_a_pool_that_goes_on() {
    watch!();
    let (one, other) = (pool(1), Arc::new(pool(1)));
    let inside = Arc::clone(&other);
    let slow = other.submit(move || {
        // Until somebody has begun to shut it down.
        while !format!("{inside:?}").contains("open: false") {
            thread::yield_now();
        }
    });
    let (slow, ends) = (Arc::new(slow.unwrap()), Arc::clone(&other));
    let awaited = Arc::clone(&slow);
    let job = one.submit(move || (ends.shutdown(), awaited.done()));
    assert_eq!(job.unwrap().result().unwrap(), &(Ok(()), true), "when its jobs have ended");
}

#[test]
fn a_pool_that_is_dropped_where_it_would_wait_for_ever_is_let_go_and_says_so() {
    watch!();
    if std::env::var_os("SETTLED_CHILD").is_some() {
        return waited_for_by_its_jobs(drop);
    }
    let child =
        in_a_child("a_pool_that_is_dropped_where_it_would_wait_for_ever_is_let_go_and_says_so");
    let told = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{told}");
    let lines: Vec<_> = told.lines().filter(|line| line.starts_with("settled: ")).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].contains("the pool other was dropped by a job"), "{told}");
}

/// A pool whose workers call this once, with the pool and their number, before their first job.
fn pool_with(
    workers: usize,
    initializer: impl Fn(&ThreadPool, usize) + Send + Sync + 'static,
) -> Arc<ThreadPool> {
    let own = Arc::new(OnceLock::<Weak<ThreadPool>>::new());
    let (known, next) = (Arc::clone(&own), AtomicUsize::new(0));
    let builder = ThreadPool::builder().name("worker").workers(NonZero::new(workers).unwrap());
    let initialize = move || {
        let number = next.fetch_add(1, Relaxed);
        initializer(&known.wait().upgrade().unwrap(), number);
    };
    let pool = Arc::new(builder.initializer(initialize).build());
    own.set(Arc::downgrade(&pool)).unwrap();
    pool
}

fn name() -> String {
    thread::current().name().unwrap().to_owned()
}

#[test]
fn an_initializer_that_only_its_own_worker_could_help_is_refused() {
    watch!();
    let (tell, told) = mpsc::channel();
    let pool = pool_with(1, move |own, _| {
        let job = own.submit(name).unwrap();
        tell.send((job.wait().map(|_| ()), job)).unwrap();
    });
    let first = pool.submit(name).unwrap();
    let (refused, job) = told.recv().unwrap();
    assert_eq!(refused, Err(WaitError::WouldDeadlock(WouldDeadlock::Circle)));
    // It is initialized all the same, and then runs both.
    assert_eq!(first.result().unwrap(), "worker-0");
    assert_eq!(job.result().unwrap(), "worker-0");
    assert!(!pool.is_broken());
}

#[test]
fn an_initializer_waits_for_a_job_that_another_worker_runs() {
    watch!();
    let (tell, told) = mpsc::channel();
    let pool = pool_with(2, move |own, number| {
        if number > 0 {
            let job = Arc::new(own.submit(name).unwrap());
            tell.send(Arc::clone(&job)).unwrap();
            let _ = job.wait();
        }
    });
    let (begun, began) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let first = pool.submit(move || {
        begun.send(()).unwrap();
        released.recv().is_err()
    });
    began.recv().unwrap();
    // The other worker is started for it.
    let second = pool.submit(name).unwrap();
    let awaited = told.recv().unwrap();
    while !(is_waited_for(&awaited) || awaited.done()) {
        thread::yield_now();
    }
    drop(release);
    assert_eq!(awaited.result().unwrap(), "worker-0", "it was initialized");
    assert!(first.unwrap().result().unwrap());
    assert!(second.result().is_ok());
}

#[test]
fn a_worker_in_its_initializer_is_not_free() {
    watch!();
    let (begun, begins) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let begins = Mutex::new(begins);
    let pool = pool_with(3, move |own, number| {
        if number == 1 {
            begins.lock().unwrap().recv().unwrap();
            // The other worker waits for this one, so that a third has to run it.
            let job = own.submit(name).unwrap();
            let workers = own.workers();
            done.send((workers, (workers == 3).then(|| job.join().unwrap()))).unwrap();
        }
    });
    let (release, released) = mpsc::channel::<()>();
    let (runs, first_runs) = mpsc::channel();
    let first = pool.submit(move || {
        runs.send(()).unwrap();
        released.recv().is_err()
    });
    first_runs.recv().unwrap();
    let waits = pool.submit(move || {
        begun.send(()).unwrap();
        is_done.recv().unwrap()
    });
    drop(release);
    assert_eq!(waits.unwrap().join().unwrap(), (3, Some("worker-2".to_owned())));
    assert!(first.unwrap().join().unwrap());
}

/// What no thread's stack fits beside, when a process may have so much memory. It leaves 8 MB.
#[cfg(target_os = "linux")]
fn fill() -> Vec<Vec<u8>> {
    let mut all = Vec::with_capacity(1 << 16);
    loop {
        let mut one = Vec::new();
        if one.try_reserve_exact(1 << 20).is_err() {
            break;
        }
        all.push(one);
    }
    all.truncate(all.len() - 8);
    all
}

/// A job of a pool of two, which has one worker, waits for a job of another pool that waits for one that is queued
/// behind it; what came of it. `before_it_waits` is done when all are queued.
#[cfg(target_os = "linux")]
fn behind_each_other(
    one: &Arc<ThreadPool>,
    other: &Arc<ThreadPool>,
    before_it_waits: impl FnOnce() + Send + 'static,
) -> Result<u8, WaitError> {
    let (back, there) = (Arc::clone(one), Arc::clone(other));
    let outer = one.submit(move || {
        let inner = there.submit(move || {
            let last = back.submit(|| 1).unwrap();
            before_it_waits();
            last.wait().map(|settled| *settled.result().unwrap())
        });
        *inner.unwrap().wait()?.result().unwrap()
    });
    *outer.unwrap().result().unwrap()
}

/// What the pool prints; a worker may hold its lock for a moment.
#[cfg(target_os = "linux")]
fn shown(pool: &ThreadPool) -> String {
    let mut texts = std::iter::repeat_with(|| format!("{pool:?}"));
    texts.find(|text| !text.contains("<locked>")).unwrap()
}

#[cfg(target_os = "linux")]
fn without_room_for_threads() {
    let (one, other) = (Arc::new(pool(2)), Arc::new(pool(1)));
    for pool in [&one, &other] {
        pool.submit(|| ()).unwrap().wait().unwrap();
        while !format!("{pool:?}").contains("idle: 1") {
            thread::yield_now();
        }
    }
    let full = fill();
    let refused = pool(1).submit(|| ()).unwrap_err().to_string();
    assert!(refused.starts_with("the system has no thread "), "{refused}");
    assert_eq!(
        behind_each_other(&one, &other, || ()),
        Err(WaitError::WouldDeadlock(WouldDeadlock::Circle))
    );
    assert!(shown(&one).contains("live: 1"), "{one:?}");
    // A wait tries again to start the other worker, which has room now.
    assert_eq!(behind_each_other(&one, &other, || drop(full)), Ok(1));
    assert!(shown(&one).contains("live: 2"), "{one:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_could_not_be_started_does_not_count() {
    watch!();
    if std::env::var_os("SETTLED_CHILD").is_some() {
        return without_room_for_threads();
    }
    let mut child = Command::new("sh");
    child
        .args(["-c", "ulimit -v 1000000 && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap());
    child.args(["--exact", "a_worker_that_could_not_be_started_does_not_count", "--nocapture"]);
    let child = child.env("SETTLED_CHILD", "1").output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
}

#[test]
fn a_loop_in_the_only_worker_runs_the_job_that_it_awaits() {
    watch!();
    let pool = Arc::new(pool(1));
    let inside = Arc::clone(&pool);
    let job = pool.submit(move || {
        let event_loop = EventLoop::new();
        event_loop.run_until_complete(async {
            // One that settles nothing, and one that nobody awaits, stay where they are.
            inside.execute(Job::new(|| ())).unwrap();
            let other = inside.submit(name).unwrap();
            let by_value = inside.submit(name).unwrap().await.result().unwrap().clone();
            let here = LoopRef::current().unwrap();
            let view = bridge::run_in_executor(&here, &inside, name).unwrap();
            let by_view = view.await.result().unwrap().clone();
            // A wait inside it is one of a thread that runs a loop.
            let again = Arc::clone(&inside);
            let waits = inside.submit(move || again.submit(|| 1).unwrap().wait().map(|_| ()));
            let told = *waits.unwrap().await.result().unwrap();
            (by_value, by_view, told, other.done())
        })
    });
    let told = job.unwrap().into_settled().unwrap().take().unwrap().unwrap().unwrap();
    let name = "worker-0".to_owned();
    assert_eq!(
        told,
        (name.clone(), name, Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop)), false)
    );
}

#[test]
fn a_loop_in_the_only_worker_runs_what_it_awaits_after_it_has_slept() {
    watch!();
    let pool = Arc::new(pool(1));
    let inside = Arc::clone(&pool);
    let job = pool.submit(move || {
        let sleeps_and_awaits = async {
            let [awaited, viewed] = [(); 2].map(|()| inside.submit(name).unwrap());
            tasks::sleep(Duration::from_millis(1)).await;
            let done = [&awaited, &viewed].map(|job| job.done());
            let by_reference = (&awaited).await.result().unwrap().clone();
            tasks::sleep(Duration::from_millis(1)).await;
            let view = bridge::wrap_future(&viewed, &LoopRef::current().unwrap());
            (done, by_reference, view.await.result().unwrap().clone())
        };
        EventLoop::new().run_until_complete(sleeps_and_awaits).unwrap()
    });
    let name = "worker-0".to_owned();
    assert_eq!(job.unwrap().result().unwrap(), &([false; 2], name.clone(), name));
}

#[test]
fn a_loop_in_a_worker_leaves_a_job_to_whoever_else_can_run_it() {
    watch!();
    let pool = Arc::new(pool(2));
    let inside = Arc::clone(&pool);
    let (release, released) = mpsc::channel::<()>();
    let (begun, began) = mpsc::channel();
    let busy = pool.submit(move || {
        begun.send(()).unwrap();
        released.recv().is_err()
    });
    began.recv().unwrap();
    let job = pool.submit(move || {
        let event_loop = EventLoop::new();
        event_loop.run_until_complete(async move {
            let awaited = inside.submit(name).unwrap();
            let release = Cell::new(Some(release));
            let here = LoopRef::current().unwrap();
            // It has slept when this comes: the job was not taken.
            let soon = move || drop(release.take());
            here.call_later(Duration::from_millis(1), soon).unwrap();
            awaited.await.result().unwrap().clone()
        })
    });
    assert_eq!(job.unwrap().result().unwrap(), &Ok("worker-0".to_owned()));
    assert!(busy.unwrap().result().unwrap());
}

#[test]
fn a_loop_in_the_only_worker_helps_only_when_it_would_sleep() {
    watch!();
    let pool = Arc::new(pool(1));
    let inside = Arc::clone(&pool);
    let job = pool.submit(move || {
        let event_loop = EventLoop::new();
        let view = bridge::run_in_executor(&event_loop, &inside, name).unwrap();
        let cancel = event_loop.run_until_complete(async { view.cancel() }).unwrap();
        let view = bridge::run_in_executor(&event_loop, &inside, name).unwrap();
        let late = event_loop.run_until_complete(tasks::wait_for(view, Duration::ZERO)).unwrap();
        (cancel, late.unwrap_err().future.cancelled())
    });
    assert_eq!(job.unwrap().result().unwrap(), &(Cancel::Now, true));
}

#[test]
fn a_loop_does_what_a_job_asks_of_it_that_it_has_run() {
    watch!();
    let pool = Arc::new(pool(1));
    let inside = Arc::clone(&pool);
    let job = pool.submit(move || {
        let event_loop = EventLoop::new();
        let here = || LoopRef::current().unwrap();
        let stops = move || drop(here().call_soon(move || here().stop()));
        let _view = bridge::run_in_executor(&event_loop, &inside, stops).unwrap();
        event_loop.run_forever()
    });
    assert_eq!(job.unwrap().result().unwrap(), &Ok(()));
}

type Named = Arc<ThreadFuture<String, Infallible>>;

/// A loop in a worker sleeps, and awaits a job that is queued behind one which then does this with the loop's job; who
/// ran what it awaits.
fn awaited_by_a_sleeping_loop(waits: impl FnOnce(&Named) -> bool + Send + 'static) -> String {
    let pool = Arc::new(pool(2));
    let inside = Arc::clone(&pool);
    let (go, goes) = mpsc::channel::<Named>();
    let (begun, began) = mpsc::channel();
    let other = pool.submit(move || {
        begun.send(()).unwrap();
        waits(&goes.recv().unwrap())
    });
    began.recv().unwrap();
    let (slept, sleeps) = mpsc::channel();
    let job = pool.submit(move || {
        let awaits = async move {
            let awaited = inside.submit(name).unwrap();
            let here = LoopRef::current().unwrap();
            // It has slept when this comes, and sleeps again.
            here.call_later(Duration::from_millis(1), move || slept.send(()).unwrap()).unwrap();
            awaited.await.result().unwrap().clone()
        };
        EventLoop::new().run_until_complete(awaits).unwrap()
    });
    let job = Arc::new(job.unwrap());
    sleeps.recv().unwrap();
    go.send(Arc::clone(&job)).unwrap();
    assert_eq!(other.unwrap().result().unwrap(), &true, "it is not refused");
    job.result().unwrap().clone()
}

#[test]
fn a_sleeping_loop_in_a_worker_runs_what_it_awaits_when_nobody_else_can_any_more() {
    watch!();
    let ran = awaited_by_a_sleeping_loop(|job| job.wait().is_ok());
    assert_eq!(ran, "worker-1");
}

#[test]
fn a_sleeping_loop_is_told_of_a_wait_in_another_pool() {
    watch!();
    let ran = awaited_by_a_sleeping_loop(|job| {
        let (other, job) = (pool(1), Arc::clone(job));
        let (send, receive) = mpsc::channel::<Arc<ThreadFuture<bool, Infallible>>>();
        let between = other.submit(move || {
            let own = receive.recv().unwrap();
            while !is_waited_for(&own) {
                thread::yield_now();
            }
            job.wait().is_ok()
        });
        let between = Arc::new(between.unwrap());
        send.send(Arc::clone(&between)).unwrap();
        between.wait().is_ok_and(|settled| *settled.result().unwrap())
    });
    assert_eq!(ran, "worker-1");
}

#[test]
fn loops_in_all_workers_of_a_pool_that_await_its_jobs_go_on() {
    watch!();
    let pool = Arc::new(pool(2));
    let both = Arc::new(Barrier::new(2));
    let jobs = [(); 2].map(|()| {
        let (inside, both) = (Arc::clone(&pool), Arc::clone(&both));
        pool.submit(move || {
            both.wait();
            let awaits = async move { inside.submit(|| 1).unwrap().await.result().is_ok() };
            EventLoop::new().run_until_complete(awaits)
        })
    });
    for job in jobs {
        assert_eq!(job.unwrap().result().unwrap(), &Ok(true));
    }
}

#[test]
fn a_wait_for_a_job_whose_loop_somebody_else_wakes_is_not_refused() {
    watch!();
    let pool = pool(2);
    let (promise, future) = ThreadFuture::<u8, Infallible>::pair();
    let job = pool.submit(move || {
        EventLoop::new().run_until_complete(async { *future.await.result().unwrap() }).unwrap()
    });
    let job = Arc::new(job.unwrap());
    let awaited = Arc::clone(&job);
    let waits = pool.submit(move || awaited.wait().map(|settled| *settled.result().unwrap()));
    let waits = waits.unwrap();
    while !(is_waited_for(&job) || waits.done()) {
        thread::yield_now();
    }
    promise.finish(1).unwrap();
    assert_eq!(waits.result().unwrap(), &Ok(1));
}

#[test]
fn a_loop_in_an_initializer_is_nobody_whom_a_sleeping_loop_counts_on() {
    watch!();
    let pool = pool_with(2, |own, number| {
        if number > 0 {
            let job = own.submit(name).unwrap();
            let told = EventLoop::new().run_until_complete(job).unwrap();
            assert_eq!(told.result().unwrap(), "worker-0", "it runs none itself");
        }
    });
    let inside = Arc::clone(&pool);
    let job = pool.submit(move || {
        // The other worker is started for it.
        let awaited = inside.submit(name).unwrap();
        EventLoop::new().run_until_complete(awaited).unwrap().result().unwrap().clone()
    });
    assert_eq!(job.unwrap().result().unwrap(), "worker-0");
    pool.shutdown().unwrap();
    assert!(!pool.is_broken());
}

/// Shuts its pool down when its thread drops it, and sends which thread that is, and what came of it.
#[cfg(target_os = "linux")]
struct AtExit(Arc<ThreadPool>, mpsc::Sender<PathBuf>, mpsc::Sender<Result<(), WaitError>>);

#[cfg(target_os = "linux")]
impl Drop for AtExit {
    fn drop(&mut self) {
        self.1.send(fs::read_link("/proc/thread-self").unwrap()).unwrap();
        self.2.send(self.0.shutdown()).unwrap();
    }
}

#[cfg(target_os = "linux")]
/// `[settled-5]` `[pool-8]`
#[test]
fn a_worker_that_takes_by_value_waits_for_who_settles() {
    watch!();
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let pool = pool(1);
    let job = pool.submit(move || future.join().map_err(|error| format!("{error:?}"))).unwrap();
    // It waits, or was refused.
    while !format!("{promise:?}").contains("waiters: 1") && !job.done() {
        thread::yield_now();
    }
    promise.finish(7).unwrap();
    assert_eq!(job.join().unwrap(), Ok(7));
}

#[test]
fn a_worker_that_has_ended_is_none_any_more() {
    watch!();
    thread_local! {
        static AT_EXIT: Cell<Option<AtExit>> = const { Cell::new(None) };
    }
    let pool = Arc::new(pool(2));
    let (tell, exits) = mpsc::channel();
    let (answer, answered) = mpsc::channel();
    let (both, there) = (Arc::new(Barrier::new(2)), Arc::clone(&pool));
    let other = Arc::clone(&both);
    let first = pool.submit(move || {
        other.wait();
        AT_EXIT.set(Some(AtExit(there, tell, answer)));
    });
    let second = pool.submit(move || {
        both.wait();
        let stat = Path::new("/proc").join(exits.recv().unwrap()).join("stat");
        // The other asks, and waits for this one: it sleeps, or has been refused and is gone.
        while fs::read_to_string(&stat).is_ok_and(|it| !it.contains(") S ")) {
            thread::yield_now();
        }
    });
    pool.close();
    assert_eq!(answered.recv().unwrap(), Ok(()));
    assert!(first.unwrap().done() && second.unwrap().done());
}
