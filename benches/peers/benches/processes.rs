//! A pool of processes beside Python's: `cargo bench -p settled-bench --bench processes`, with `--quick` for a moment.
//!
//! Each row is in nanoseconds for one job, the best of some rounds; ours and the peers' take turns. The peers are
//! `concurrent.futures.ProcessPoolExecutor` of the `python3` that is installed, whose workers are started by *spawn*, without
//! which there is no run, and `loky`'s, where that is installed; for large values a pipe by hand, with the same encoding. What
//! nothing takes through that pipe and back is printed as a floor: where waking another CPU is dear, both sides of a row pay
//! for it several times.

use std::{
    env, fs,
    hint::black_box,
    io::{Read, Write},
    num::NonZero,
    os::unix::net::UnixStream,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use settled::{
    Executor, ThreadPool,
    process::{self, Function, ProcessPool},
};

const EMPTY: Function<(), ()> = Function::new("empty", |()| ());
const ECHO: Function<Vec<u8>, Vec<u8>> = Function::new("echo", |bytes| bytes);
const SPIN: Function<u64, u64> = Function::new("spin", spin);

/// What a peer prints, which is named by the first argument: a time for each row.
const PEER: &str = r#"
import sys, time, multiprocessing

def pool(peer, workers):
    if peer == "loky":
        from loky import ProcessPoolExecutor
        return ProcessPoolExecutor(workers)
    from concurrent.futures import ProcessPoolExecutor
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))

def empty(_=None):
    pass

def main(peer, one, many, starts):
    with pool(peer, 2) as warm:
        list(warm.map(empty, range(100)))
        begin = time.perf_counter_ns()
        for _ in range(one):
            warm.submit(empty).result()
        print((time.perf_counter_ns() - begin) // one)
        begin = time.perf_counter_ns()
        for future in [warm.submit(empty) for _ in range(many)]:
            future.result()
        print((time.perf_counter_ns() - begin) // many)
    begin = time.perf_counter_ns()
    for _ in range(starts):
        with pool(peer, 1) as cold:
            cold.submit(empty).result()
    print((time.perf_counter_ns() - begin) // starts)

if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
"#;

/// The rows that they have, and what each aims at.
const ROWS: [&str; 3] = ["one-at-a-time", "many", "start"];
const AIM: f64 = 0.2;

struct Sizes {
    one: u32,
    many: u32,
    starts: u32,
    large: u32,
    rounds: u32,
}

#[inline(never)]
fn spin(steps: u64) -> u64 {
    (0..steps).fold(7, |hash, step| black_box(hash ^ step).wrapping_mul(0x0100_0000_01b3))
}

/// Nanoseconds for each of so many.
fn each(count: u32, run: impl FnOnce()) -> u64 {
    let begin = Instant::now();
    run();
    u64::try_from(begin.elapsed().as_nanos()).unwrap() / u64::from(count)
}

fn pool(workers: usize) -> ProcessPool {
    ProcessPool::new(NonZero::new(workers).unwrap()).unwrap()
}

fn ours(sizes: &Sizes) -> [u64; 3] {
    let warm = pool(2);
    let jobs: Vec<_> = (0..100).map(|_| warm.submit(&EMPTY, &()).unwrap()).collect();
    jobs.into_iter().for_each(|job| job.join().unwrap());
    let one = each(sizes.one, || {
        (0..sizes.one).for_each(|_| warm.submit(&EMPTY, &()).unwrap().join().unwrap());
    });
    let many = each(sizes.many, || {
        let jobs: Vec<_> = (0..sizes.many).map(|_| warm.submit(&EMPTY, &()).unwrap()).collect();
        jobs.into_iter().for_each(|job| job.join().unwrap());
    });
    let starts = each(sizes.starts, || {
        (0..sizes.starts).for_each(|_| pool(1).submit(&EMPTY, &()).unwrap().join().unwrap());
    });
    [one, many, starts]
}

/// The times of a peer, or why it has none.
fn peer(name: &str, sizes: &Sizes) -> Result<[u64; 3], String> {
    let script = env::temp_dir().join(format!("settled-bench-{}.py", std::process::id()));
    fs::write(&script, PEER).map_err(|it| format!("{}: {it}", script.display()))?;
    let sizes = [sizes.one, sizes.many, sizes.starts].map(|it| it.to_string());
    let output = Command::new("python3").arg(&script).arg(name).args(sizes).output();
    let _ = fs::remove_file(&script);
    let output = output.map_err(|it| it.to_string())?;
    let said = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let times: Option<Vec<u64>> =
        said(&output.stdout).lines().map(|line| line.parse().ok()).collect();
    let times = times.filter(|_| output.status.success()).and_then(|it| it.try_into().ok());
    times.ok_or_else(|| format!("{}; it said: {}", output.status, said(&output.stderr)))
}

/// A megabyte in and out, by ours and by hand; and nothing there and back by hand, which is the floor of a job.
fn large(sizes: &Sizes) -> [u64; 3] {
    let (warm, bytes) = (pool(1), vec![7_u8; 1 << 20]);
    warm.submit(&EMPTY, &()).unwrap().join().unwrap();
    let ours = each(sizes.large, || {
        for _ in 0..sizes.large {
            assert_eq!(warm.submit(&ECHO, &bytes).unwrap().join().unwrap().len(), bytes.len());
        }
    });
    // A process that gives back what it gets, encoded and decoded on both sides.
    let (mut here, there) = UnixStream::pair().unwrap();
    let mut echo = Command::new(env::current_exe().unwrap())
        .arg("--by-hand")
        .stdin(std::os::fd::OwnedFd::from(there))
        .spawn()
        .unwrap();
    let by_hand = each(sizes.large, || {
        for _ in 0..sizes.large {
            send(&mut here, &bytes);
            assert_eq!(receive(&mut here).unwrap().len(), bytes.len());
        }
    });
    let floor = each(sizes.one, || {
        for _ in 0..sizes.one {
            send(&mut here, &Vec::new());
            assert!(receive(&mut here).unwrap().is_empty());
        }
    });
    drop(here);
    echo.wait().unwrap();
    [ours, by_hand, floor]
}

fn send(to: &mut UnixStream, bytes: &Vec<u8>) {
    let encoded = postcard::to_allocvec(bytes).unwrap();
    to.write_all(&u32::try_from(encoded.len()).unwrap().to_le_bytes()).unwrap();
    to.write_all(&encoded).unwrap();
}

fn receive(from: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes).ok()?;
    Some(postcard::from_bytes(&bytes).unwrap())
}

/// From which size of a job on two processes are at most a tenth slower than two threads.
fn pays(rounds: u32) -> Option<(u64, u64)> {
    let (processes, threads) = (pool(2), ThreadPool::new(NonZero::new(2).unwrap()));
    processes.submit(&EMPTY, &()).unwrap().join().unwrap();
    (4..24).find_map(|power| {
        let (steps, jobs) = (1_u64 << power, 64_u32);
        let mut best = [u64::MAX; 2];
        for _ in 0..rounds {
            let by_processes = each(jobs, || {
                let jobs: Vec<_> =
                    (0..jobs).map(|_| processes.submit(&SPIN, &steps).unwrap()).collect();
                jobs.into_iter().for_each(|job| assert_ne!(job.join().unwrap(), 1));
            });
            let by_threads = each(jobs, || {
                let jobs: Vec<_> =
                    (0..jobs).map(|_| threads.submit(move || spin(steps)).unwrap()).collect();
                jobs.into_iter().for_each(|job| assert_ne!(job.join().unwrap(), 1));
            });
            best = [best[0].min(by_processes), best[1].min(by_threads)];
        }
        (best[0] * 10 <= best[1] * 11).then_some((best[0], best[1]))
    })
}

fn main() -> ExitCode {
    process::worker(&[&EMPTY, &ECHO, &SPIN]);
    let arguments: Vec<_> = env::args().skip(1).collect();
    if arguments.iter().any(|it| it == "--by-hand") {
        let input = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned().unwrap();
        let mut channel = UnixStream::from(input);
        while let Some(bytes) = receive(&mut channel) {
            send(&mut channel, &bytes);
        }
        return ExitCode::SUCCESS;
    }
    match compare(arguments.iter().any(|it| it == "--quick")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare(is_quick: bool) -> Result<(), String> {
    let full = Sizes { one: 3000, many: 10_000, starts: 20, large: 60, rounds: 5 };
    let quick = Sizes { one: 50, many: 100, starts: 1, large: 3, rounds: 1 };
    let sizes = if is_quick { quick } else { full };
    let has_loky =
        Command::new("python3").args(["-c", "import loky"]).stderr(Stdio::null()).status();
    let peers = if has_loky.is_ok_and(|it| it.success()) {
        &["concurrent.futures", "loky"][..]
    } else {
        println!(
            "SKIPPED loky: python3 does not have it, install it with `python3 -m pip install loky`"
        );
        &["concurrent.futures"]
    };
    let (mut ours_best, mut large_best) = ([u64::MAX; 3], [u64::MAX; 3]);
    let mut peers_best = vec![[u64::MAX; 3]; peers.len()];
    let keep = |best: &mut [u64; 3], times: [u64; 3]| {
        best.iter_mut().zip(times).for_each(|(best, time)| *best = time.min(*best));
    };
    for _ in 0..sizes.rounds {
        keep(&mut ours_best, ours(&sizes));
        for (name, best) in peers.iter().zip(&mut peers_best) {
            let times = peer(name, &sizes).map_err(|why| {
                format!("python3 runs no {name}, so that there is nothing to compare with: {why}; install Python 3.7 or later")
            })?;
            keep(best, times);
        }
        keep(&mut large_best, large(&sizes));
    }
    let ratio = |row: &str, ours: u64, name: &str, peer: u64, aim: f64| {
        #[expect(clippy::cast_precision_loss, reason = "it is printed with two digits")]
        let ratio = ours as f64 / peer as f64;
        println!("ratio {row} {ratio:.2} aim {aim}: ours {ours} ns, {name} {peer} ns");
    };
    for (name, best) in peers.iter().zip(peers_best) {
        for (row, (ours, peer)) in ROWS.into_iter().zip(ours_best.into_iter().zip(best)) {
            ratio(row, ours, name, peer, AIM);
        }
    }
    let [large, by_hand, floor] = large_best;
    ratio("megabyte", large, "by hand", by_hand, 1.1);
    println!("floor one-at-a-time: {floor} ns, nothing through a pipe by hand and back");
    match pays(sizes.rounds) {
        Some((processes, threads)) => println!(
            "a job pays in a process from about {threads} ns on, when it takes {processes} ns there"
        ),
        None => println!("no job that was tried pays in a process"),
    }
    Ok(())
}
