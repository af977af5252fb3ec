//! The programs that the guide tells of beside their twins: both do what they say, and none is longer than its twin.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

#[path = "../programs/mod.rs"]
mod programs;

use std::{
    collections::HashMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    num::NonZero,
    path::Path,
    process::{self, Command},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use anyhow::{Result, anyhow, bail};
use axum::Router;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

use programs::{actor, callbacks, frames, handler, job_queue, toolkit::Event, twins};

type Queue = fn(
    Vec<String>,
    NonZero<usize>,
    u32,
    job_queue::Work,
    &mut dyn FnMut(usize, usize),
) -> Result<Vec<u64>>;

/// Fails at the first two attempts of `flaky`, and at every attempt of `bad`.
fn check_job_queue(run: Queue) {
    let attempts = Arc::<Mutex<HashMap<String, u32>>>::default();
    let counted = Arc::clone(&attempts);
    let work: job_queue::Work = Arc::new(move |name| {
        let mut attempts = counted.lock().unwrap();
        let attempt = attempts.entry(name.to_owned()).or_default();
        *attempt += 1;
        if name == "bad" || (name == "flaky" && *attempt < 3) {
            bail!("no route");
        }
        Ok(name.len() as u64)
    });
    let names = |names: [&str; 3]| names.map(str::to_owned).to_vec();
    let workers = NonZero::new(2).unwrap();

    let mut told = Vec::new();
    let sizes = run(names(["one", "flaky", "last"]), workers, 3, work.clone(), &mut |done, of| {
        told.push((done, of));
    });
    assert_eq!(sizes.unwrap(), [3, 5, 4]);
    assert_eq!(told, [(1, 3), (2, 3), (3, 3)]);
    assert_eq!(attempts.lock().unwrap()["flaky"], 3);

    let failed = run(names(["good", "bad", "more"]), workers, 3, work, &mut |done, _| {
        assert!(done < 3, "one of them has failed");
    });
    assert_eq!(format!("{:#}", failed.unwrap_err()), "bad: gave up after 3 attempts: no route");
    assert_eq!(attempts.lock().unwrap()["bad"], 3);
}

#[test]
fn a_job_queue() {
    watch!();
    check_job_queue(job_queue::run);
    check_job_queue(twins::job_queue::run);
}

/// Asks, and hangs up only when it is dropped.
fn request(server: SocketAddr, question: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).unwrap();
    let length = question.len();
    write!(stream, "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{question}")
        .unwrap();
    stream
}

fn reply(mut stream: TcpStream) -> String {
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// Serves as long as the client is there.
fn serve(app: Router, client: impl FnOnce(SocketAddr)) {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    let server = runtime.spawn(async { server.await });
    client(address);
    drop(stop);
    runtime.block_on(server).unwrap().unwrap();
}

fn check_handler(app: fn(Arc<rayon::ThreadPool>, handler::Work) -> Router) {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    let (tell, told) = mpsc::channel();
    let work: handler::Work = Arc::new(move |question, is_to_stop| match question.as_str() {
        "endless" => {
            tell.send("begun").unwrap();
            while !is_to_stop() {
                thread::yield_now();
            }
            tell.send("stopped").unwrap();
            Ok(question)
        }
        "wrong" => Err(anyhow!("no such thing").context("looking it up")),
        "mad" => panic!("as it is to be"),
        _ => Ok(question.to_uppercase()),
    });
    serve(app(pool, work), |server| {
        let client = request(server, "endless");
        assert_eq!(told.recv().unwrap(), "begun");
        drop(client);
        assert_eq!(told.recv().unwrap(), "stopped");

        let answer = reply(request(server, "word"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("WORD"), "{answer}");
        let wrong = reply(request(server, "wrong"));
        assert!(wrong.starts_with("HTTP/1.1 500"), "{wrong}");
        assert!(wrong.ends_with("looking it up: no such thing"), "{wrong}");
        let mad = reply(request(server, "mad"));
        assert!(mad.starts_with("HTTP/1.1 500") && mad.contains("panicked"), "{mad}");
    });
}

#[test]
fn a_handler_whose_client_goes() {
    watch!();
    check_handler(handler::app);
    check_handler(twins::handler::app);
}

type Window = fn(
    mpsc::Receiver<Event>,
    mpsc::Sender<Event>,
    fn(&str) -> Result<String>,
    &mut dyn FnMut(&[String]),
) -> Result<()>;

fn load(name: &str) -> Result<String> {
    match name {
        "wrong" => Err(anyhow!("no such page")),
        "mad" => panic!("as it is to be"),
        _ => Ok(format!("{name}: its text")),
    }
}

fn check_frames(run: Window) {
    let (proxy, events) = mpsc::channel();
    for name in ["first", "wrong", "mad"] {
        proxy.send(Event::Open(name.to_owned())).unwrap();
    }
    let (mut frames, mut last) = (0, Vec::new());
    run(events, proxy.clone(), load, &mut |lines| {
        frames += 1;
        last = lines.to_vec();
        if lines.len() == 3 && lines.iter().all(|line| !line.ends_with("loading")) {
            proxy.send(Event::Close).unwrap();
        }
    })
    .unwrap();
    assert_eq!(last[0], "first: its text");
    assert!(last[1].contains("no such page"), "{last:?}");
    assert!(last[2].contains("panicked"), "{last:?}");
    assert!(frames <= 6, "it slept between the three that were opened and the three that came");
}

#[test]
fn a_frame_loop_that_sleeps() {
    watch!();
    check_frames(frames::run);
    check_frames(twins::frames::run);
}

fn check_callbacks(
    ask_all: fn(&[&str]) -> Result<Vec<String>>,
    ask_and_close: fn(&str) -> Result<String>,
) {
    assert_eq!(ask_all(&["one", "two", "three"]).unwrap(), ["ONE", "TWO", "THREE"]);
    assert_eq!(ask_all(&["one", "?"]).unwrap_err().to_string(), "no such word");
    assert!(ask_all(&["with a \0"]).is_err());
    assert_eq!(ask_and_close("late").unwrap(), "LATE");
    assert!(ask_and_close(".").is_err(), "nobody replies, and nobody waits for ever");
}

#[test]
fn callbacks_of_c() {
    watch!();
    check_callbacks(
        |words| callbacks::Dictionary::open().ask_all(words),
        |word| {
            let dictionary = callbacks::Dictionary::open();
            let asked = dictionary.ask(word)?;
            drop(dictionary);
            asked.join_result()?
        },
    );
    check_callbacks(
        |words| twins::callbacks::Dictionary::open().ask_all(words),
        |word| {
            let dictionary = twins::callbacks::Dictionary::open();
            let asked = dictionary.ask(word)?;
            drop(dictionary);
            asked.blocking_recv()?
        },
    );
}

/// What a client does to add to an account.
type Add<'a> = &'a dyn Fn(&str, i64) -> Result<i64>;

/// What a client is answered before it presses Ctrl-C.
fn use_accounts(add: Add<'_>) -> [Result<i64>; 3] {
    let answers = [add("cash", 5), add("cash", -9), add("bank", 7)];
    let kill = Command::new("kill").args(["-INT", &process::id().to_string()]).status();
    assert!(kill.unwrap().success());
    answers
}

/// What the actor has when it has ended.
fn check_actor(answers: [Result<i64>; 3], balances: &HashMap<String, i64>, add: Add<'_>) {
    let [cash, too_much, bank] = answers;
    assert_eq!((cash.unwrap(), bank.unwrap()), (5, 7));
    assert_eq!(too_much.unwrap_err().to_string(), "only 5 left");
    assert_eq!(*balances, HashMap::from([("cash".to_owned(), 5), ("bank".to_owned(), 7)]));
    assert!(add("cash", 1).is_err(), "it is told, and does not wait for ever");
}

#[test]
fn an_actor_until_ctrl_c() {
    watch!();
    let (client, actor) = actor::Actor::new();
    let clients = client.clone();
    let other =
        thread::spawn(move || use_accounts(&|account, amount| clients.add(account, amount)));
    let balances = actor.run().unwrap();
    check_actor(other.join().unwrap(), &balances, &|account, amount| client.add(account, amount));

    let (client, actor) = twins::actor::Actor::new();
    let clients = client.clone();
    let other =
        thread::spawn(move || use_accounts(&|account, amount| clients.add(account, amount)));
    let balances = actor.run().unwrap();
    check_actor(other.join().unwrap(), &balances, &|account, amount| client.add(account, amount));
}

/// Lines of code: without those that are blank, comments and imports.
fn lines_of_code(path: &str) -> usize {
    let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut importing = false;
    let is_code = |line: &&str| {
        importing |= line.starts_with("use ");
        let counts = !importing && !line.is_empty() && !line.starts_with("//");
        importing &= !line.ends_with(';');
        counts
    };
    code.lines().map(str::trim).filter(is_code).count()
}

#[test]
fn no_program_is_longer_than_its_twin() {
    watch!();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/guide/guide.md");
    let guide = fs::read_to_string(guide).unwrap();
    let told = guide.split("<!-- programs -->").nth(1).unwrap_or_default();
    let told = told.split("<!-- /programs -->").next().unwrap_or_default();
    let mut table = String::from("\n| program | file | lines | with tokio |\n|---|---|---|---|\n");
    for (what, name) in [
        ("a job queue with retries and progress", "job_queue"),
        ("an axum handler over a rayon pool, whose work stops when the client goes", "handler"),
        ("a frame loop that sleeps", "frames"),
        ("callbacks of a C library, with promises in a `HashMap`", "callbacks"),
        ("an actor on the loop, with Ctrl-C", "actor"),
    ] {
        let (ours, twin) = (format!("programs/{name}.rs"), format!("programs/twins/{name}.rs"));
        let (lines, of_twin) = (lines_of_code(&ours), lines_of_code(&twin));
        table += &format!("| {what} | `{name}.rs` | {lines} | {of_twin} |\n");
        assert!(lines <= of_twin, "{name} has {lines} lines, and its twin {of_twin}");
    }
    println!("{table}");
    assert_eq!(
        told.trim(),
        table.trim(),
        "between the marks `programs` of src/guide/guide.md belongs what is right:\n{table}"
    );
}
