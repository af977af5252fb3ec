//! What cannot travel, and pools that cannot begin.

use std::{
    collections::BTreeMap,
    env,
    fmt::Debug,
    fs::{self, File},
    io::{self, Write},
    num::NonZero,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{
            fs::{PermissionsExt, symlink},
            net::UnixStream,
        },
    },
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use settled::{
    Cancelled, DeathCause, ThreadFuture, Unsent, UnsentKind,
    process::{Format, Function, ProcessPool, SubmitError},
};

use crate::{
    Test, compact,
    deaths::{is_elsewhere, playing},
    frame::Call,
    functions::*,
    jobs::{Ending, pool, until_it_runs},
    raw::{NO_END, Raw, no_bottom},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "inputs::what_cannot_travel_is_told_and_the_worker_goes_on",
        what_cannot_travel_is_told_and_the_worker_goes_on,
    ),
    (
        "inputs::what_is_too_large_is_refused_on_either_side",
        what_is_too_large_is_refused_on_either_side,
    ),
    (
        "inputs::a_pool_whose_workers_die_at_their_start_breaks",
        a_pool_whose_workers_die_at_their_start_breaks,
    ),
    ("inputs::a_start_that_failed_is_tried_again", a_start_that_failed_is_tried_again),
    ("inputs::a_moment_without_descriptors_passes", a_moment_without_descriptors_passes),
    ("inputs::a_pool_without_descriptors_breaks", a_pool_without_descriptors_breaks),
    ("inputs::a_pool_that_cannot_wait_breaks", a_pool_that_cannot_wait_breaks),
    (
        "inputs::what_is_accepted_while_a_pool_breaks_is_broken_off",
        what_is_accepted_while_a_pool_breaks_is_broken_off,
    ),
    ("inputs::a_pool_whose_initializer_fails_breaks", a_pool_whose_initializer_fails_breaks),
    ("inputs::a_program_that_is_no_worker_says_so", a_program_that_is_no_worker_says_so),
    ("inputs::a_worker_says_why_it_cannot_go_on", a_worker_says_why_it_cannot_go_on),
    ("inputs::workers_have_their_own_surroundings", workers_have_their_own_surroundings),
    ("inputs::what_workers_print_is_read_apart", what_workers_print_is_read_apart),
    (
        "inputs::a_full_disk_or_a_closed_pipe_is_told_by_the_job",
        a_full_disk_or_a_closed_pipe_is_told_by_the_job,
    ),
    ("inputs::json_crosses_too", json_crosses_too),
    ("inputs::two_functions_have_two_names", two_functions_have_two_names),
    ("inputs::what_takes_no_bytes_is_bounded", what_takes_no_bytes_is_bounded),
    ("inputs::what_is_too_deep_is_told_on_every_side", what_is_too_deep_is_told_on_every_side),
    ("inputs::no_more_is_written_than_is_allowed", no_more_is_written_than_is_allowed),
    ("inputs::what_was_left_out_is_told", what_was_left_out_is_told),
    ("inputs::a_chunk_gives_a_value_for_each_item", a_chunk_gives_a_value_for_each_item),
];

const UNKNOWN: Function<u64, u64> = Function::new("nobody knows it", |n| n);
const OTHERWISE: Function<u64, u64> = Function::new("other", |n| n);

fn what_cannot_travel_is_told_and_the_worker_goes_on() {
    let pool = pool(1);
    let pid = pool.submit(&PID, &()).unwrap().join().unwrap();
    for (function, kind) in
        [(UNKNOWN, UnsentKind::UnknownFunction), (OTHERWISE, UnsentKind::OtherVersion)]
    {
        let failure =
            pool.submit(&function, &7).unwrap().join().unwrap_err().into_failure().unwrap();
        assert_eq!(failure.unsent().unwrap().kind(), kind, "{failure}");
        assert!(failure.to_string().ends_with(&format!("{:?}", function.name())), "{failure}");
    }
    let refused = pool.submit(&ODD, &Odd::Unwritten).unwrap_err();
    assert!(
        matches!(&refused, SubmitError::Unsent(it) if it.kind() == UnsentKind::Arguments),
        "{refused}"
    );
    let refused = pool.submit(&ODD, &Odd::PanicsHere).unwrap_err();
    let why = "what reads or writes it panicked: out of words";
    assert!(refused.to_string().ends_with(why), "{refused}");
    let kinds = [
        (Odd::Unread, UnsentKind::Arguments),
        (Odd::Value, UnsentKind::Value),
        (Odd::Error, UnsentKind::Error),
        (Odd::Panics, UnsentKind::Value),
        (Odd::PanicsThere, UnsentKind::Arguments),
    ];
    for (odd, kind) in kinds {
        let failure = pool.submit(&ODD, &odd).unwrap().join().unwrap_err().into_failure().unwrap();
        assert_eq!(failure.unsent().map(|it| it.kind()), Some(kind), "{odd:?}: {failure:?}");
    }
    assert_eq!(pool.submit(&ODD, &Odd::Fine).unwrap().join().unwrap(), Odd::Fine);
    assert_eq!(pool.submit(&PID, &()).unwrap().join().unwrap(), pid);
}

fn what_is_too_large_is_refused_on_either_side() {
    let pool = ProcessPool::builder().workers(NonZero::<usize>::MIN).limit(2000).build().unwrap();
    let refused = pool.submit(&ECHO, &vec![0; 3000]).unwrap_err();
    let SubmitError::Unsent(unsent) = &refused else { panic!("{refused}") };
    assert_eq!(unsent.kind(), UnsentKind::TooLarge);
    assert!(
        refused.to_string().contains("the call of \"echo\" has more than 2000 bytes"),
        "{refused}"
    );
    let name = "settled".repeat(200);
    let failure = pool.submit(&DOUBLE, &name).unwrap().join().unwrap_err().into_failure().unwrap();
    assert_eq!(failure.unsent().unwrap().kind(), UnsentKind::TooLarge, "{failure}");
    assert!(
        failure.to_string().contains("\"double\" has run, and gave more than 2000 bytes"),
        "{failure}"
    );
}

fn a_pool_whose_workers_die_at_their_start_breaks() {
    let pool = ProcessPool::builder().program("/bin/false", [""; 0]).build().unwrap();
    let jobs: Vec<_> = (0..5).map(|n| pool.submit(&SQUARE, &n)).collect();
    for job in jobs.into_iter().flatten() {
        assert_eq!(job.exception().unwrap().unwrap().cause(), Some(Cancelled::Broken));
    }
    let why = pool.broken_reason().unwrap();
    assert!(why.contains("3 workers in a row ended before they began a job; the last: "), "{why}");
    let hint = "a worker's main begins with settled::process::worker, or it speaks the protocol";
    assert!(why.ends_with(&format!("it exited with status 1; {hint}")), "{why}");
    assert!(pool.is_broken());
    let refused = pool.submit(&SQUARE, &1).unwrap_err();
    assert_eq!(refused, SubmitError::Broken(why));
    let pool = ProcessPool::builder().program("/no/such/program", [""; 0]).build().unwrap();
    assert!(pool.submit(&SQUARE, &1).unwrap().wait().unwrap().cancelled());
    assert_eq!(
        &*pool.broken_reason().unwrap(),
        "could not start /no/such/program: No such file or directory (os error 2); see program and current_dir of the pool's builder"
    );
    let pool = ProcessPool::builder().current_dir("/no/such/directory").build().unwrap();
    assert!(pool.submit(&SQUARE, &1).unwrap().wait().unwrap().cancelled());
    let why = pool.broken_reason().unwrap();
    assert!(
        why.contains(" in /no/such/directory: No such file or directory (os error 2); "),
        "{why}"
    );
    let pool = playing("another-version");
    assert!(pool.submit(&SQUARE, &1).unwrap().wait().unwrap().cancelled());
    assert!(pool.broken_reason().unwrap().contains("it speaks version 2 of the protocol"));
}

/// For a moment the program is not there, or ends at its start, while a worker lives that has a job.
fn a_start_that_failed_is_tried_again() {
    let name = |of| env::temp_dir().join(format!("settled-{of}-{}", std::process::id()));
    let [program, ends, started] = ["program", "ends", "started"].map(name);
    fs::write(&ends, format!("#!/bin/sh\necho >>{}\nexit 7\n", started.display())).unwrap();
    fs::set_permissions(&ends, fs::Permissions::from_mode(0o755)).unwrap();
    let there = || symlink(env::current_exe().unwrap(), &program).unwrap();
    there();
    let builder = ProcessPool::builder().workers(NonZero::new(2).unwrap());
    let pool = Ending(builder.program(&program, ["--settled-worker"]).build().unwrap());
    for (is_there, dies) in [(false, true), (true, true), (true, false)] {
        let first = pool.submit(&UNTIL, &()).unwrap();
        until_it_runs(&first);
        fs::remove_file(&program).unwrap();
        if is_there {
            symlink(&ends, &program).unwrap();
        }
        let queued = pool.submit(&SQUARE, &7).unwrap();
        if is_there {
            while fs::read(&started).map_or(0, |lines| lines.len()) < 3 || pool.workers() > 1 {
                thread::yield_now();
            }
            fs::remove_file(&started).unwrap();
        }
        pool.cancel_pending();
        assert_eq!(queued.exception().unwrap().unwrap().cause(), Some(Cancelled::Dropped));
        let _ = fs::remove_file(&program);
        there();
        if dies {
            assert!(pool.kill(&first));
            first.wait().unwrap();
        }
        assert_eq!(pool.submit(&SQUARE, &7).unwrap().join().unwrap(), 49);
        first.cancel();
    }
    [program, ends].iter().for_each(|it| fs::remove_file(it).unwrap());
}

/// Allows so few open files while it lives.
struct Few(Limits);

type Limits = (rlim_t, rlim_t);

impl Few {
    fn files(few: rlim_t) -> Self {
        let limits = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, few, limits.1).unwrap();
        Self(limits)
    }
}

impl Drop for Few {
    fn drop(&mut self) {
        setrlimit(Resource::RLIMIT_NOFILE, self.0.0, self.0.1).unwrap();
    }
}

/// For a moment no file can be opened, while a worker has a job or while there is none.
fn a_moment_without_descriptors_passes() {
    for has_worker in [true, false] {
        let pool = pool(2);
        let first = pool.submit(&UNTIL, &()).unwrap();
        until_it_runs(&first);
        if !has_worker {
            pool.kill(&first);
            first.wait().unwrap();
        }
        let next = File::open("/dev/null").unwrap().as_raw_fd();
        let few = Few::files(next.try_into().unwrap());
        // The pool's thread has tried to start somebody when what is queued is dropped.
        let dropped = pool.submit(&SQUARE, &7).unwrap();
        pool.cancel_pending();
        assert_eq!(dropped.exception().unwrap().unwrap().cause(), Some(Cancelled::Dropped));
        let queued = [6, 7].map(|n| pool.submit(&SQUARE, &n).unwrap());
        drop(few);
        assert_eq!(queued.map(|it| it.join().unwrap()), [36, 49]);
        first.cancel();
    }
}

/// It never passes: the pool gives up, unless a worker is left.
fn a_pool_without_descriptors_breaks() {
    let pool = pool(1);
    let next = File::open("/dev/null").unwrap().as_raw_fd();
    let few = Few::files(next.try_into().unwrap());
    let begun = Instant::now();
    let job = pool.submit(&SQUARE, &7).unwrap();
    assert_eq!(job.exception().unwrap().unwrap().cause(), Some(Cancelled::Broken));
    drop(few);
    assert!(begun.elapsed() >= Duration::from_millis(5_110));
    let why = pool.broken_reason().unwrap();
    assert!(why.contains("there is no channel for a worker: Too many open files"), "{why}");
}

/// The system refuses to tell what happens with so many files as the pool has.
fn a_pool_that_cannot_wait_breaks() {
    if is_elsewhere() {
        return;
    }
    let pool = pool(2);
    let jobs = [0, 1].map(|_| pool.submit(&SPIN, &()).unwrap());
    jobs.iter().for_each(until_it_runs);
    let few = Few::files(1);
    // It looks again now, if it has not yet.
    match pool.submit(&SQUARE, &7) {
        Ok(queued) => {
            assert_eq!(queued.exception().unwrap().unwrap().cause(), Some(Cancelled::Broken));
        }
        Err(refused) => assert!(matches!(refused, SubmitError::Broken(_)), "{refused}"),
    }
    pool.shutdown().unwrap();
    drop(few);
    let fault = "the pool could not wait for it any more, and killed it";
    for job in jobs {
        let failure = job.join().unwrap_err().into_failure().unwrap();
        let death = failure.death().unwrap();
        assert_eq!((death.fault(), death.cause()), (Some(fault), DeathCause::Signal(9)), "{death}");
    }
    let why = pool.broken_reason().unwrap();
    assert!(why.contains("does not tell when a worker says something: Invalid argument"), "{why}");
}

fn what_is_accepted_while_a_pool_breaks_is_broken_off() {
    for _ in 0..30 {
        let pool = ProcessPool::builder().program("/no/such/program", [""; 0]).build().unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Ok(job) = pool.submit(&SQUARE, &1) {
                        let cause = job.exception().unwrap().unwrap().cause();
                        assert_eq!(cause, Some(Cancelled::Broken));
                    }
                });
            }
        });
    }
}

fn a_pool_whose_initializer_fails_breaks() {
    let builder = ProcessPool::builder().initializer(&PARSE, "12".to_owned());
    assert_eq!(builder.build().unwrap().submit(&SQUARE, &2).unwrap().join().unwrap(), 4);
    let pool = ProcessPool::builder().initializer(&PANIC, "no licence".to_owned()).build().unwrap();
    let job = pool.submit(&SQUARE, &2).unwrap();
    assert_eq!(job.exception().unwrap().unwrap().cause(), Some(Cancelled::Broken));
    assert!(pool.broken_reason().unwrap().starts_with("the initializer failed: no licence, at "));
    let pool = ProcessPool::builder().initializer(&FAIL, ()).build().unwrap();
    assert!(pool.submit(&SQUARE, &2).unwrap().wait().unwrap().cancelled());
    assert_eq!(
        &*pool.broken_reason().unwrap(),
        "the initializer failed: it gave an error, which reads \"no licence\""
    );
}

fn a_program_that_is_no_worker_says_so() {
    // The program whose main does not begin so, and what such a one would start.
    for arguments in [&[][..], &["--settled-worker"]] {
        let mut program = Command::new(env::current_exe().unwrap());
        let program = program.env("SETTLED_ASTRAY", "yes").args(arguments).stdin(Stdio::null());
        let said = String::from_utf8(program.output().unwrap().stderr).unwrap();
        let why = "the main of this program does not begin with settled::process::worker, so that it cannot be its own worker; make that its first line, or name another program with ProcessPoolBuilder::program";
        assert!(said.contains(why), "{said}");
    }
    // One that reads no arguments, and does what it does.
    let builder = ProcessPool::builder().program("/bin/true", [""; 0]);
    let pool = builder.build().unwrap();
    assert!(pool.submit(&SQUARE, &2).unwrap().wait().unwrap().cancelled());
    let why = pool.broken_reason().unwrap();
    assert!(why.contains("it exited with status 0; a worker's main begins with settled"), "{why}");
}

fn a_worker_says_why_it_cannot_go_on() {
    let says = |stdin: Stdio| {
        let mut worker = Command::new(env::current_exe().unwrap());
        let worker = worker.arg("--settled-worker").stdin(stdin).stderr(Stdio::piped());
        let worker = worker.spawn().unwrap();
        String::from_utf8(worker.wait_with_output().unwrap().stderr).unwrap()
    };
    let why =
        "settled: this worker ends: it cannot read what its pool says, which starts it by itself: ";
    let said = says(Stdio::null());
    assert!(said.starts_with(why), "{said}");
    let messages: [(&[u8], &str); 3] = [
        (&[0, 0, 0, 0, 2, 1, 0, 0], "it speaks version 2 of the protocol, and not 1"),
        (&[0, 0, 0, 0, 1, 16, 0, 0], "the pool said what only workers say"),
        (&[0, 0, 0, 0, 1, 1, 0, 0], "the pool has not said what is too large"),
    ];
    for (head, why) in messages {
        let (mut pool, theirs) = UnixStream::pair().unwrap();
        pool.write_all(&[head, &[0; 8]].concat()).unwrap();
        let said = says(Stdio::from(OwnedFd::from(theirs)));
        assert_eq!(said, format!("settled: this worker ends: {why}\n"));
    }
}

fn workers_have_their_own_surroundings() {
    let builder =
        ProcessPool::builder().env("SETTLED_TOLD", "yes").env_remove("PATH").current_dir("/");
    let pool = builder.build().unwrap();
    let (told, directory, input) =
        pool.submit(&LOOK, &"SETTLED_TOLD".to_owned()).unwrap().join().unwrap();
    assert_eq!((told.as_deref(), &*directory, &*input), (Some("yes"), "/".as_ref(), ""));
    assert_eq!(pool.submit(&LOOK, &"PATH".to_owned()).unwrap().join().unwrap().0, None);
}

fn what_workers_print_is_read_apart() {
    let (tell, told) = std::sync::mpsc::channel();
    let listen = move |_, is_error, text: &[u8]| {
        tell.send((is_error, String::from_utf8_lossy(text).into_owned())).unwrap()
    };
    let pool =
        ProcessPool::builder().workers(NonZero::<usize>::MIN).on_output(listen).build().unwrap();
    pool.submit(&PRINT, &()).unwrap().wait().unwrap();
    drop(pool);
    let mut texts = [String::new(), String::new()];
    told.into_iter().for_each(|(is_error, text)| texts[usize::from(is_error)] += &text);
    assert_eq!(texts, ["to the output\n", "to the error\n"]);
}

/// The workers have the output of the program, which is full or which nobody reads.
fn a_full_disk_or_a_closed_pipe_is_told_by_the_job() {
    if is_elsewhere() {
        return;
    }
    let full = File::create("/dev/full").unwrap();
    let (_, closed) = io::pipe().unwrap();
    for (output, why) in
        [(Stdio::from(full), "No space left on device"), (Stdio::from(closed), "Broken pipe")]
    {
        let mut program = Command::new(env::current_exe().unwrap());
        let program = program.arg("role-prints").stdin(Stdio::null()).stdout(output);
        let said = program.stderr(Stdio::piped()).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(
            said.status.success()
                && text.contains(&format!("told: failed printing to stdout: {why}")),
            "{text}"
        );
    }
}

fn two_functions_have_two_names() {
    let other: Function<String, u64> = Function::new("square", |text| text.len() as u64);
    let served = std::panic::catch_unwind(|| settled::process::worker(&[&SQUARE, &PID, &other]));
    let text = *served.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(text, "two functions of a worker have the name \"square\"; rename one");
}

fn json_crosses_too() {
    let pool = ProcessPool::builder().format(Format::Json).build().unwrap();
    assert_eq!(pool.submit(&SQUARE, &9).unwrap().join().unwrap(), 81);
    assert_eq!(
        pool.submit(&PARSE, &"x".to_owned()).unwrap().join_result().unwrap(),
        Err("x is no number".into())
    );
    for number in [31.245270191439438, f64::MIN_POSITIVE, 1e300 / 3.0] {
        assert_eq!(pool.submit(&SAME, &number).unwrap().join().unwrap(), number);
    }
    assert!(pool.submit(&MAYBE, &Some(f64::NAN)).unwrap().join().unwrap());
}

fn a_chunk_gives_a_value_for_each_item() {
    let three = NonZero::new(3).unwrap();
    for role in ["one-too-many", "one-too-many-in-json"] {
        let pool = playing(role);
        let why = pool.map(&SQUARE, 0..3, three).unwrap().next().unwrap().unwrap_err();
        assert!(why.to_string().contains("it gave 4 values for 3 items"), "{role}: {why}");
        pool.terminate();
    }
}

const NOTHINGS: Function<(), Vec<Nothing>, ()> = Function::foreign("nothings");
const NOTHING_IN_NOTHING: Function<(), BTreeMap<Nothing, Nothing>, ()> = Function::foreign("in");

/// What a future that has no value says of it.
fn untold<T: Debug, E: Debug>(job: ThreadFuture<T, E>) -> (UnsentKind, String) {
    let failure = job.join().unwrap_err().into_failure().unwrap();
    let unsent = failure.unsent().unwrap_or_else(|| panic!("{failure:?}"));
    (unsent.kind(), unsent.why().to_owned())
}

/// A worker that hears a pool by hand.
pub(crate) fn by_hand() -> (Child, Raw) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut worker = Command::new(env::current_exe().unwrap());
    let worker = worker.arg("--settled-worker").stdin(OwnedFd::from(theirs)).spawn().unwrap();
    let mut pool = Raw(ours);
    pool.say(1, 0, &(64_u32 << 20).to_le_bytes());
    assert_eq!(pool.hear(), (16, 0, vec![]));
    (worker, pool)
}

/// A call of a function whose types are not told.
pub(crate) fn call(name: &str, each: bool, arguments: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Call { signature: 0, each, name }.write(&mut bytes).unwrap();
    bytes.extend(arguments);
    bytes
}

fn what_takes_no_bytes_is_bounded() {
    let why = "more than 1048576 elements in it take no bytes";
    let pool = playing("no-end-of-nothing");
    let told = untold(pool.submit(&NOTHINGS, &()).unwrap());
    assert_eq!(told, (UnsentKind::Value, why.to_owned()));
    pool.terminate();
    let pool = playing("no-end-of-nothing");
    let told = untold(pool.submit(&NOTHING_IN_NOTHING, &()).unwrap());
    assert_eq!(told, (UnsentKind::Value, why.to_owned()));
    pool.terminate();
    let pool = playing("no-end-of-nothing");
    let three = NonZero::new(3).unwrap();
    let told = pool.map(&SPIN, [(); 3], three).unwrap().next().unwrap().unwrap_err();
    assert!(told.to_string().ends_with(why), "{told}");
    pool.terminate();
    // Also where there are bytes enough for them, which are others'.
    let lists = |count| {
        let mut bytes = postcard::to_allocvec(&20_000_u32).unwrap();
        (0..20_000).for_each(|at| bytes.extend(if at < count { [0x80, 0x7D] } else { [0x80, 0] }));
        bytes
    };
    let lengths = |it: Vec<Vec<Nothing>>| -> Vec<_> {
        it.iter().map(Vec::len).filter(|it| *it > 0).collect()
    };
    let read = |count| compact::read(&lists(count)).map(lengths);
    assert_eq!(read(65).unwrap(), vec![16_000; 65]);
    assert_eq!(read(66).unwrap_err().to_string(), why);
    let several = |it: BTreeMap<u8, BTreeMap<Nothing, Nothing>>| it.len();
    let maps: Vec<u8> = (0..=70_u8).flat_map(|at| [at, 0x80, 0x7D]).collect();
    let maps = |count| [&[count], &maps[..3 * usize::from(count)], &[0; 20_000]].concat();
    let told = |count| compact::read(&maps(count)).map(several).unwrap_err().to_string();
    assert_eq!([told(65), told(66)], ["20000 bytes are left over", why]);
    // The worker goes on.
    let (mut worker, mut pool) = by_hand();
    pool.say(2, 7, &call("pid", true, &NO_END));
    assert_eq!(pool.hear(), (18, 7, vec![]));
    assert_eq!(pool.hear(), (22, 7, [&[3], why.as_bytes()].concat()));
    pool.say(2, 8, &call("square", false, &[7]));
    assert_eq!([pool.hear(), pool.hear()], [(18, 8, vec![]), (19, 8, vec![49])]);
    pool.say(4, 0, &[]);
    assert!(worker.wait().unwrap().success());
}

fn what_is_too_deep_is_told_on_every_side() {
    let why = "it is more than 256 levels deep";
    let other = playing("no-end-of-depth");
    let told = untold(other.submit(&LIST, &7).unwrap());
    assert_eq!(told, (UnsentKind::Value, why.to_owned()));
    other.terminate();
    let (mut worker, mut hand) = by_hand();
    hand.say(2, 7, &call("long", false, &no_bottom()));
    assert_eq!(hand.hear(), (18, 7, vec![]));
    assert_eq!(hand.hear(), (22, 7, [&[3], why.as_bytes()].concat()));
    hand.say(4, 0, &[]);
    assert!(worker.wait().unwrap().success());
    let pool = pool(1);
    assert_eq!(pool.submit(&LIST, &256).unwrap().join().unwrap().long(), 256);
    assert_eq!(pool.submit(&LONG, &List::of(256)).unwrap().join().unwrap(), 256);
    let told = untold(pool.submit(&LIST, &257).unwrap());
    assert_eq!(told, (UnsentKind::Value, why.to_owned()));
    let list = List::of(100_000);
    let refused = pool.submit(&LONG, &list).unwrap_err();
    list.long();
    let unsent = Unsent::new(UnsentKind::Arguments, format!("\"long\": {why}"));
    assert_eq!(refused, SubmitError::Unsent(unsent));
    // In JSON a hundred and some are the limit.
    let pool = ProcessPool::builder().format(Format::Json).build().unwrap();
    let (kind, told) = untold(pool.submit(&LIST, &200).unwrap());
    assert_eq!(kind, UnsentKind::Value);
    assert!(told.starts_with("recursion limit exceeded"), "{told}");
}

fn no_more_is_written_than_is_allowed() {
    for format in [Format::Postcard, Format::Json] {
        let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN).format(format);
        let pool = builder.limit(2000).build().unwrap();
        let before = asked_for();
        let refused = pool.submit(&Function::new("no", |Endless| 0), &Endless).unwrap_err();
        let SubmitError::Unsent(unsent) = &refused else { panic!("{refused}") };
        assert_eq!(unsent.kind(), UnsentKind::TooLarge);
        assert!(asked_for() - before <= 2000, "{}", asked_for());
        let told = untold(pool.submit(&ENDLESS, &()).unwrap());
        let why = "\"endless\" has run, and gave more than 2000 bytes";
        assert_eq!(told, (UnsentKind::TooLarge, why.to_owned()));
        let asked = pool.submit(&ASKED_FOR, &()).unwrap().join().unwrap();
        assert!((1..=2000).contains(&asked), "{asked}");
    }
}

/// Also by what writes itself and does not hear that a part of it was not written.
fn what_was_left_out_is_told() {
    for format in [Format::Postcard, Format::Json] {
        let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN).format(format);
        let pool = builder.limit(9000).build().unwrap();
        let long = Headstrong("x".repeat(9000), 7);
        let refused = pool.submit(&Function::new("no", |Headstrong::<String>(..)| 0), &long);
        let SubmitError::Unsent(unsent) = refused.unwrap_err() else { panic!("it was submitted") };
        assert_eq!(unsent.kind(), UnsentKind::TooLarge);
        let deep = Headstrong(List::of(300), 7);
        let refused = pool.submit(&Function::new("no", |Headstrong::<List>(..)| 0), &deep);
        let why = "\"no\": it is more than 256 levels deep".to_owned();
        assert_eq!(
            refused.unwrap_err(),
            SubmitError::Unsent(Unsent::new(UnsentKind::Arguments, why))
        );
    }
}
