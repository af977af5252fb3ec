//! `Executor` and `ThreadPoolExecutor`.

use std::{
    cell::Cell,
    env,
    num::NonZero,
    process::{self, Command, Stdio},
    sync::{Arc, Barrier, mpsc},
    thread,
};

use settled::{Cancelled, Executor, Failure, ThreadFuture, ThreadPool, WaitError, WouldDeadlock};

use super::python;

fn pool() -> Arc<ThreadPool> {
    Arc::new(ThreadPool::new(NonZero::<usize>::MIN))
}

fn cause<T, E>(future: &ThreadFuture<T, E>) -> Option<Cancelled> {
    match future.exception().unwrap() {
        Some(Failure::Cancelled(it)) => Some(it.cause()),
        _ => None,
    }
}

#[test]
fn map_is_lazy() {
    watch!();
    let (pool, taken) = (pool(), Cell::new(0));
    let items = (0..3).inspect(|_| taken.set(taken.get() + 1));
    let mut map = pool.map(items, |it| it + 1);
    assert_eq!(taken.get(), 0);
    assert_eq!(map.next().unwrap().unwrap(), 1);
    drop(map);
    python(
        "taken = []\ndef items():\n for it in range(3): taken.append(it); yield it\n\
         with ThreadPoolExecutor(1) as p: p.map(str, items()); print(len(taken))",
        "3",
    );
}

#[test]
fn workers_are_named_without_a_number_of_their_pool() {
    watch!();
    let name = |pool: &ThreadPool| {
        let name = pool.submit(|| thread::current().name().unwrap().to_owned());
        name.unwrap().result().unwrap().clone()
    };
    assert_eq!(name(&pool()), "settled-0");
    assert_eq!(name(&ThreadPool::named("io", NonZero::<usize>::MIN)), "io-0");
    python(
        "p = ThreadPoolExecutor(1); name = lambda: threading.current_thread().name\n\
         print(p.submit(name).result(), ThreadPoolExecutor(1, 'io').submit(name).result())",
        "ThreadPoolExecutor-0_0 io_0",
    );
}

#[test]
fn the_end_of_the_process_waits_for_nobody() {
    watch!();
    const CHILD: &str = "SETTLED_TEST_LEAVES";
    if env::var_os(CHILD).is_some() {
        let (begun, began) = mpsc::channel();
        let (_kept, waits) = mpsc::channel::<()>();
        let pool = pool();
        let _job = pool.submit(move || {
            begun.send(()).unwrap();
            let _ = waits.recv();
            println!("the job has ended");
        });
        began.recv().unwrap();
        process::exit(5);
    }
    let test = "pools::the_end_of_the_process_waits_for_nobody";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").stderr(Stdio::null());
    let output = child.output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("the job has ended"));
    python(
        "go = threading.Event()\np = ThreadPoolExecutor(1)\n\
         p.submit(lambda: go.wait() and print('the job has ended'))\n\
         p.shutdown(wait=False); threading.Timer(0.1, go.set).start()",
        "the job has ended",
    );
}

#[test]
fn a_broken_pool_cancels_what_is_queued() {
    watch!();
    let gate = Arc::new(Barrier::new(2));
    let begin = Arc::clone(&gate);
    let initializer = move || {
        begin.wait();
        panic!("no licence");
    };
    let pool = ThreadPool::builder().workers(NonZero::<usize>::MIN).initializer(initializer);
    let pool = pool.build();
    let job = pool.submit(|| ()).unwrap();
    gate.wait();
    assert_eq!(cause(&job), Some(Cancelled::Broken));
    python(
        "import logging; logging.disable()\ngo = threading.Event()\ndef fails(): go.wait(); raise KeyError\n\
         p = ThreadPoolExecutor(1, initializer=fails); f = p.submit(print); go.set()\n\
         print(type(f.exception()).__name__, f.cancelled())",
        "BrokenThreadPool False",
    );
}

#[test]
fn shutdown_with_cancel_may_come_before_every_job() {
    watch!();
    let (release, waits) = mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    // A worker that is slow to come, as any may be.
    let initializer = move || {
        let _ = waits.lock().unwrap().recv();
    };
    let pool = ThreadPool::builder().workers(NonZero::<usize>::MIN).initializer(initializer);
    let pool = pool.build();
    let job = pool.submit(|| ()).unwrap();
    pool.close();
    pool.cancel_pending();
    assert_eq!(cause(&job), Some(Cancelled::Dropped));
    drop(release);
}

#[test]
fn a_dropped_pool_waits() {
    watch!();
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    let jobs: Vec<_> = (0..3).map(|it| pool.submit(move || it).unwrap()).collect();
    drop(pool);
    assert!(jobs.iter().all(ThreadFuture::done), "and runs what is queued");
    python(
        "go = threading.Event(); p = ThreadPoolExecutor(1); f = p.submit(go.wait)\n\
         del p; print(f.done()); go.set()",
        "False",
    );
}

#[test]
fn a_worker_helps_its_own_pool() {
    watch!();
    let pool = pool();
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || *inner.submit(|| 41).unwrap().result().unwrap() + 1).unwrap();
    assert_eq!(outer.result().unwrap(), &42);
    python(
        "p = ThreadPoolExecutor(1)\ndef outer():\n try: p.submit(int).result(0.1)\n \
         except TimeoutError: print('it would hang')\np.submit(outer).result()",
        "it would hang",
    );
}

#[test]
fn a_worker_that_would_wait_for_itself_is_told() {
    watch!();
    let pool = pool();
    let (gives, given) =
        mpsc::channel::<ThreadFuture<Option<WaitError>, std::convert::Infallible>>();
    let job = pool.submit(move || given.recv().unwrap().wait().err()).unwrap();
    gives.send(job.clone()).unwrap();
    assert_eq!(job.result().unwrap(), &Some(WaitError::WouldDeadlock(WouldDeadlock::Circle)));
    let itself = Arc::clone(&pool);
    let job = pool.submit(move || itself.shutdown());
    assert_eq!(
        job.unwrap().result().unwrap(),
        &Err(WaitError::WouldDeadlock(WouldDeadlock::OwnWorker))
    );
    python(
        "p = ThreadPoolExecutor(1); got = []; go = threading.Event()\ndef job():\n go.wait()\n \
         try: got[0].result(0.1)\n except TimeoutError: print('it would hang')\n\
         got.append(p.submit(job)); go.set()",
        "it would hang",
    );
}
