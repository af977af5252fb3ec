//! What becomes of the jobs of workers that die.

use std::{
    env, fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
};

use settled::{
    DeathCause, Failure, Progress, Unsent, UnsentKind,
    process::{Function, ProcessPool},
};

use crate::{
    Test,
    functions::{self, *},
    jobs::{Ending, pool, until_it_runs},
    kills::open_files,
    raw::printed,
};

pub(crate) const TESTS: &[Test] = &[
    ("deaths::a_dead_worker_takes_its_own_job_alone", a_dead_worker_takes_its_own_job_alone),
    ("deaths::each_end_is_told_as_what_it_was", each_end_is_told_as_what_it_was),
    ("deaths::a_death_tells_how_far_the_work_had_come", a_death_tells_how_far_the_work_had_come),
    ("deaths::a_whole_answer_in_the_pipe_counts", a_whole_answer_in_the_pipe_counts),
    ("deaths::a_running_job_is_killed_on_request", a_running_job_is_killed_on_request),
    ("deaths::a_stopped_worker_is_killed", a_stopped_worker_is_killed),
    (
        "deaths::whoever_leaves_the_channel_to_a_child_has_died",
        whoever_leaves_the_channel_to_a_child_has_died,
    ),
    ("deaths::a_worker_that_hangs_up_is_ended", a_worker_that_hangs_up_is_ended),
    ("deaths::nonsense_ends_its_worker", nonsense_ends_its_worker),
    ("deaths::what_a_foreign_worker_cannot_is_told", what_a_foreign_worker_cannot_is_told),
    ("deaths::nothing_is_run_again", nothing_is_run_again),
    ("deaths::whoever_is_seen_running_can_be_killed", whoever_is_seen_running_can_be_killed),
    ("deaths::what_is_left_in_the_pipe_is_read", what_is_left_in_the_pipe_is_read),
    (
        "deaths::what_is_found_in_the_pipe_comes_after_what_was_ordered",
        what_is_found_in_the_pipe_comes_after_what_was_ordered,
    ),
    (
        "deaths::a_child_that_goes_on_printing_stops_nobody",
        a_child_that_goes_on_printing_stops_nobody,
    ),
    ("deaths::a_worker_that_reads_no_more_is_ended", a_worker_that_reads_no_more_is_ended),
    (
        "deaths::whoever_ends_before_a_job_is_begun_is_not_started_for_ever",
        whoever_ends_before_a_job_is_begun_is_not_started_for_ever,
    ),
    ("deaths::a_pool_may_end_in_its_own_thread", a_pool_may_end_in_its_own_thread),
    ("deaths::a_start_is_told_of_once", a_start_is_told_of_once),
    ("deaths::a_kill_ends_no_other_worker", a_kill_ends_no_other_worker),
    ("deaths::nobody_is_given_a_job_whose_end_was_seen", nobody_is_given_a_job_whose_end_was_seen),
    (
        "deaths::whoever_is_ready_and_ends_is_not_started_for_ever",
        whoever_is_ready_and_ends_is_not_started_for_ever,
    ),
    (
        "deaths::a_kill_in_the_middle_of_an_answer_cuts_it_short",
        a_kill_in_the_middle_of_an_answer_cuts_it_short,
    ),
];

/// A pool whose workers play this role.
pub(crate) fn playing(role: &str) -> Ending {
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let builder = builder.program(env::current_exe().unwrap(), [format!("role-{role}")]);
    Ending(builder.build().unwrap())
}

fn a_dead_worker_takes_its_own_job_alone() {
    let pool = pool(2);
    let other = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&other);
    let dies = pool.submit(&DIE, &functions::Death::Exit(7)).unwrap();
    let behind: Vec<_> = (0..10).map(|n| pool.submit(&SQUARE, &n).unwrap()).collect();
    let failure = dies.join().unwrap_err().into_failure().unwrap();
    let Failure::Died(death) = failure else { panic!("{failure}") };
    assert_eq!((death.cause(), death.progress()), (DeathCause::Exited(7), Progress::Begun));
    assert_eq!((death.work(), death.was_asked_for(), death.fault()), ("die", false, None));
    assert!(death.to_string().contains("it exited with status 7; the work had begun"), "{death}");
    for (n, job) in (0..).zip(behind) {
        assert_eq!(job.join().unwrap(), n * n);
    }
    assert!(other.running());
    other.cancel();
    assert!(other.join_result().unwrap().is_err());
    assert_eq!(pool.broken_reason(), None);
}

fn each_end_is_told_as_what_it_was() {
    use functions::Death::*;
    let pool = pool(1);
    let ends = [
        (Exit(0), DeathCause::Exited(0)),
        (Exit(3), DeathCause::Exited(3)),
        (Raise(15), DeathCause::Signal(15)),
        (Raise(9), DeathCause::Signal(9)),
        (Abort, DeathCause::Signal(6)),
        (Overflow, DeathCause::Signal(6)),
    ];
    for (end, cause) in ends {
        let failure = pool.submit(&DIE, &end).unwrap().join().unwrap_err().into_failure().unwrap();
        let death = failure.death().unwrap_or_else(|| panic!("{end:?}: {failure}"));
        assert_eq!((death.cause(), death.progress()), (cause, Progress::Begun), "{end:?}");
    }
    assert_eq!(pool.submit(&SQUARE, &2).unwrap().join().unwrap(), 4);
}

fn a_death_tells_how_far_the_work_had_come() {
    for (role, progress) in [
        ("never-begins", Progress::NotBegun),
        ("cut-short", Progress::CutShort),
        ("cut-short-without-a-word", Progress::Begun),
    ] {
        let failure =
            playing(role).submit(&SQUARE, &7).unwrap().join().unwrap_err().into_failure().unwrap();
        let death = failure.death().unwrap_or_else(|| panic!("{role}: {failure}"));
        assert_eq!((death.cause(), death.progress()), (DeathCause::Exited(0), progress), "{role}");
    }
}

fn a_whole_answer_in_the_pipe_counts() {
    for _ in 0..10 {
        // Of one pool, the next job might be given to the worker before it dies.
        assert_eq!(playing("answers-and-dies").submit(&SQUARE, &7).unwrap().join().unwrap(), 49);
    }
}

fn a_running_job_is_killed_on_request() {
    let pool = pool(1);
    let job = pool.submit(&SPIN, &()).unwrap();
    let queued = pool.submit(&SQUARE, &3).unwrap();
    assert!(!pool.kill(&queued));
    until_it_runs(&job);
    assert!(pool.kill(&job));
    let failure = job.exception().unwrap().unwrap();
    let death = failure.death().unwrap();
    assert!(death.was_asked_for());
    assert_eq!(death.cause(), DeathCause::Signal(9));
    assert!(!pool.kill(&job));
    assert_eq!(queued.join().unwrap(), 9);
}

fn a_stopped_worker_is_killed() {
    let pool = pool(1);
    let job = pool.submit(&DIE, &functions::Death::Raise(19)).unwrap();
    until_it_runs(&job);
    assert!(pool.kill(&job));
    assert_eq!(job.exception().unwrap().unwrap().death().unwrap().cause(), DeathCause::Signal(9));
}

fn whoever_leaves_the_channel_to_a_child_has_died() {
    if is_elsewhere() {
        return;
    }
    let (tell, told) = mpsc::channel();
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let builder = builder.program(env::current_exe().unwrap(), ["role-leaves-a-child"]);
    let pool =
        builder.on_output(move |_, _, text| tell.send(text.to_vec()).unwrap()).build().unwrap();
    let failure = pool.submit(&SQUARE, &7).unwrap().join().unwrap_err().into_failure().unwrap();
    assert_eq!(failure.death().unwrap().cause(), DeathCause::Exited(5));
    let child = String::from_utf8(told.recv().unwrap()).unwrap().trim().parse().unwrap();
    assert_eq!(failure.death().unwrap().last_words(), child_text(child));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
}

fn child_text(child: i32) -> String {
    child.to_string()
}

fn a_worker_that_hangs_up_is_ended() {
    let failure = playing("hangs-up")
        .submit(&SQUARE, &7)
        .unwrap()
        .join()
        .unwrap_err()
        .into_failure()
        .unwrap();
    let death = failure.death().unwrap();
    assert_eq!((death.cause(), death.progress()), (DeathCause::Signal(9), Progress::NotBegun));
    if !is_elsewhere() {
        let fault = "it ended its channel and went on, and the pool killed it";
        assert_eq!(death.fault(), Some(fault));
    }
}

fn nonsense_ends_its_worker() {
    let faults = [
        ("garbage", "it speaks version 111 of the protocol, and not 1"),
        ("too-large", "it began a message of 4294967295 bytes, of at most 67108864"),
        ("another-job", "it told of a job that it does not have"),
        ("reserved", "it sent a message whose reserved byte is 7"),
        ("unknown-kind", "it sent a message of the unknown kind 99"),
        ("speaks-as-a-pool", "it sent what only a pool sends"),
        ("begins-twice", "it told twice that it began its job"),
    ];
    for (role, fault) in faults {
        let failure =
            playing(role).submit(&SQUARE, &7).unwrap().join().unwrap_err().into_failure().unwrap();
        let death = failure.death().unwrap_or_else(|| panic!("{role}: {failure}"));
        assert_eq!((death.fault(), death.progress()), (Some(fault), Progress::Begun), "{role}");
    }
}

fn what_a_foreign_worker_cannot_is_told() {
    use UnsentKind::*;
    let pool = playing("cannot");
    let kinds = [UnknownFunction, OtherVersion, Arguments, Value, Error, TooLarge, Value];
    for (code, kind) in (1..).zip(kinds) {
        let cannot: Function<u8, (), ()> = Function::foreign("cannot");
        let job = pool.submit(&cannot, &code).unwrap();
        let failure = job.join().unwrap_err().into_failure().unwrap();
        assert_eq!(failure.unsent(), Some(&Unsent::new(kind, "so it is")), "{code}");
    }
    pool.terminate();
}

fn nothing_is_run_again() {
    let pool = pool(1);
    let file = env::temp_dir().join(format!("settled-again-{}", std::process::id()));
    pool.submit(&NOTE_AND_DIE, &file).unwrap().wait().unwrap();
    pool.submit(&PID, &()).unwrap().wait().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "ran");
    std::fs::remove_file(&file).unwrap();
}

fn whoever_is_seen_running_can_be_killed() {
    let pool = pool(1);
    for _ in 0..200 {
        let job = pool.submit(&SPIN, &()).unwrap();
        while !job.running() {
            std::hint::spin_loop();
        }
        assert!(pool.kill(&job));
        assert!(job.exception().unwrap().unwrap().death().unwrap().was_asked_for());
    }
}

/// A pool whose thread waits, when the worker has printed its number, until that has ended.
fn late(role: &str, workers: usize, file: &Path) -> ProcessPool {
    let builder = ProcessPool::builder().workers(NonZero::new(workers).unwrap());
    let builder = builder.program(
        env::current_exe().unwrap(),
        [format!("role-{role}").into(), file.as_os_str().to_owned()],
    );
    builder.on_output(wait_for_its_end).build().unwrap()
}

/// Waits until the worker has ended that has printed its number.
pub(crate) fn wait_for_its_end(_: u64, _: bool, text: &[u8]) {
    // The end of the line may come by itself.
    let Ok(number) = String::from_utf8_lossy(text).trim().parse::<u32>() else { return };
    let lives = || {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat"));
        stat.is_ok_and(|it| !it.contains(") Z "))
    };
    while lives() {
        thread::yield_now();
    }
}

/// The pool's thread does not read, and the worker is killed when its answer has filled the pipe.
fn a_kill_in_the_middle_of_an_answer_cuts_it_short() {
    if is_elsewhere() {
        return;
    }
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let pool = Ending(builder.on_output(wait_for_its_end).build().unwrap());
    for _ in 0..10 {
        let job = pool.submit(&CUT_SHORT, &()).unwrap();
        let failure = job.join().unwrap_err().into_failure().unwrap();
        let death = failure.death().unwrap_or_else(|| panic!("{failure}"));
        assert_eq!((death.cause(), death.progress()), (DeathCause::Signal(9), Progress::CutShort));
    }
}

/// Whether this system tells of the end of a process by its channel alone; then it is said that the test is left out.
pub(crate) fn is_elsewhere() -> bool {
    let is_elsewhere = !cfg!(target_os = "linux");
    if is_elsewhere {
        assert!(env::var_os("SETTLED_STRICT").is_none(), "it is for Linux");
        eprintln!("SKIPPED: only Linux has a descriptor for a process, and /proc");
    }
    is_elsewhere
}

/// More than is taken at once is there when the process has ended.
fn what_is_left_in_the_pipe_is_read() {
    if is_elsewhere() {
        return;
    }
    let pool = late("answers-much-and-dies", 1, Path::new(""));
    assert_eq!(pool.submit(&ECHO, &vec![]).unwrap().join().unwrap(), vec![7; 160_000]);
}

fn what_is_found_in_the_pipe_comes_after_what_was_ordered() {
    if is_elsewhere() {
        return;
    }
    let file = env::temp_dir().join(format!("settled-unready-{}", std::process::id()));
    let pool = late("unready-at-first", 2, &file);
    let job = pool.submit(&SQUARE, &7).unwrap();
    let failure = job.join().unwrap_err().into_failure().unwrap();
    assert_eq!(failure.cause(), Some(settled::Cancelled::Broken));
    // The worker that was started for it meanwhile is told to end.
    pool.shutdown().unwrap();
    std::fs::remove_file(&file).unwrap();
}

fn a_child_that_goes_on_printing_stops_nobody() {
    if is_elsewhere() {
        return;
    }
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let builder = builder.program(env::current_exe().unwrap(), ["role-leaves-a-printer"]);
    let seen = Mutex::new((0, 0));
    // Whenever something was read, there is more, as long as somebody reads.
    let slow = move |_, is_error, text: &[u8]| {
        let mut seen = seen.lock().unwrap();
        let (child, heard) = &mut *seen;
        if is_error {
            // The end of the line may come by itself.
            *child = String::from_utf8_lossy(text).trim().parse().unwrap_or(*child);
        } else {
            *heard += text.len() as u64;
        }
        while *child > 0 && printed(*child).is_some_and(|it| it <= *heard) {
            thread::yield_now();
        }
    };
    let pool = builder.on_output(slow).build().unwrap();
    let failure = pool.submit(&SQUARE, &7).unwrap().join().unwrap_err().into_failure().unwrap();
    assert_eq!(failure.death().unwrap().cause(), DeathCause::Exited(5));
}

fn a_worker_that_reads_no_more_is_ended() {
    let job = playing("reads-no-more").submit(&SQUARE, &7).unwrap();
    let failure = job.join().unwrap_err().into_failure().unwrap();
    let death = failure.death().unwrap();
    assert_eq!((death.cause(), death.progress()), (DeathCause::Signal(9), Progress::NotBegun));
    if !is_elsewhere() {
        let fault = death.fault().unwrap_or_default();
        assert!(fault.starts_with("it reads no more, and the pool killed it: "), "{death}");
    }
}

fn a_kill_ends_no_other_worker() {
    let pool = pool(2);
    let [other, job] = [0, 1].map(|_| pool.submit(&UNTIL, &()).unwrap());
    until_it_runs(&other);
    until_it_runs(&job);
    assert!(pool.kill(&job));
    assert!(job.exception().unwrap().unwrap().death().unwrap().was_asked_for());
    other.cancel_with("it is enough");
    assert_eq!(other.join_result().unwrap(), Err("it is enough".to_owned()));
}

/// A pool of one worker that plays this role, and whose thread waits, from the moment on at which it says that it is there,
/// until it has ended; and the directory in which the worker is told that it was heard.
fn hearing(role: &str) -> (Ending, PathBuf) {
    let told = env::temp_dir().join(format!("settled-{role}-{}", std::process::id()));
    fs::create_dir_all(&told).unwrap();
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let arguments = [format!("role-{role}").into(), told.clone().into_os_string()];
    let builder = builder.program(env::current_exe().unwrap(), arguments);
    let heard = told.clone();
    let pool = builder.on_output(move |worker, is_error, text| {
        if let Ok(number) = String::from_utf8_lossy(text).trim().parse::<u32>() {
            fs::File::create(heard.join(number.to_string())).unwrap();
            wait_for_its_end(worker, is_error, text);
        }
    });
    (Ending(pool.build().unwrap()), told)
}

/// The answer and the end are seen in one look; the answer is read first, and another job is queued.
fn nobody_is_given_a_job_whose_end_was_seen() {
    if is_elsewhere() {
        return;
    }
    let (pool, told) = hearing("answers-when-heard");
    let order = Arc::new(Mutex::new(Vec::new()));
    let jobs = [0, 1, 2, 3, 4].map(|at| {
        let job = pool.submit(&SQUARE, &7).unwrap();
        let order = Arc::clone(&order);
        job.add_done_callback(move |_| order.lock().unwrap().push(at));
        job
    });
    for job in jobs {
        assert_eq!(job.join().unwrap(), 49);
    }
    pool.shutdown().unwrap();
    assert_eq!(fs::read_dir(&told).unwrap().count(), 5, "each job had a worker of its own");
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4], "what comes back is the next again");
    fs::remove_dir_all(told).unwrap();
}

fn whoever_is_ready_and_ends_is_not_started_for_ever() {
    if is_elsewhere() {
        return;
    }
    let (pool, told) = hearing("ready-when-heard");
    let failure = pool.submit(&SQUARE, &7).unwrap().join().unwrap_err().into_failure().unwrap();
    assert_eq!(failure.cause(), Some(settled::Cancelled::Broken));
    let why = pool.broken_reason().unwrap();
    assert!(why.contains("ended before it began a job: it exited with status 7"), "{why}");
    assert_eq!(fs::read_dir(&told).unwrap().count(), 3);
    fs::remove_dir_all(told).unwrap();
}

fn whoever_ends_before_a_job_is_begun_is_not_started_for_ever() {
    let pool = playing("never-begins");
    let jobs = [0; 6].map(|_| pool.submit(&SQUARE, &7).unwrap());
    for (at, job) in jobs.into_iter().enumerate() {
        let failure = job.join().unwrap_err().into_failure().unwrap();
        if at < 3 {
            assert_eq!(failure.death().unwrap().progress(), Progress::NotBegun, "{at}");
        } else {
            assert_eq!(failure.cause(), Some(settled::Cancelled::Broken), "{at}");
        }
    }
    let why = pool.broken_reason().unwrap();
    assert!(why.contains("ended before it began a job: it exited with status 0"), "{why}");
}

/// Is dropped when it may be.
struct Gate(Mutex<mpsc::Receiver<()>>);

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.0.lock().unwrap().recv();
    }
}

/// The listener has the last handle, and goes with the pool's thread.
fn a_pool_may_end_in_its_own_thread() {
    let files = open_files();
    let (tell, told) = mpsc::channel::<()>();
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Gate(Mutex::new(gate));
    let place = Arc::new(OnceLock::<Arc<ProcessPool>>::new());
    let own = Arc::clone(&place);
    let listener = move |_, _, _: &[u8]| {
        let (_, _, _) = (&gate, &own, &tell);
    };
    let pool = Arc::new(ProcessPool::builder().on_output(listener).build().unwrap());
    place.set(Arc::clone(&pool)).unwrap();
    drop(place);
    pool.shutdown().unwrap();
    let panicked = Arc::new(Mutex::new(false));
    let theirs = Arc::clone(&panicked);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |_| *theirs.lock().unwrap() = true));
    drop(pool);
    go_on.send(()).unwrap();
    told.recv().unwrap_err();
    std::panic::set_hook(hook);
    assert!(!*panicked.lock().unwrap());
    // Nobody has waited for its thread.
    while open_files() != files {
        thread::yield_now();
    }
}

fn a_start_is_told_of_once() {
    let pool = playing("unready-later");
    let jobs = [1, 2].map(|n| pool.submit(&SQUARE, &n).unwrap());
    for job in jobs {
        let failure = job.join().unwrap_err().into_failure().unwrap();
        let death = failure.death().unwrap();
        assert_eq!(death.fault(), Some("it told again how its start went"));
    }
    assert_eq!(pool.broken_reason(), None);
}
