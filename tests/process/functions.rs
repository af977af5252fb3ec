//! What the workers of these tests can do.

use std::{
    env, fs,
    hint::black_box,
    io::{self, Write},
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use nix::{
    sys::signal::{Signal, raise},
    unistd,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de,
    ser::{self, SerializeSeq, SerializeTuple},
};
use settled::process::{Current, Function, ProcessPool, Served};

use crate::{
    kills::{ARM, WORK},
    shapes::SHAPED,
};

pub(crate) const ALL: &[&dyn Served] = &[
    &SQUARE,
    &PARSE,
    &PANIC,
    &PID,
    &ECHO,
    &UNTIL,
    &NOTE,
    &NOTE_AND_DIE,
    &LIST,
    &LONG,
    &ENDLESS,
    &ASKED_FOR,
    &SAME,
    &MAYBE,
    &DIE,
    &PRINT,
    &LOOK,
    &FAIL,
    &TWO,
    &ODD,
    &LIST_FILES,
    &SPIN,
    &OTHER,
    &DOUBLE,
    &WORK,
    &ARM,
    &CUT_SHORT,
    &ADD_LINE,
    &GROUP,
    &HOLD,
    &NEST,
    &SHAPED,
];

pub(crate) const SQUARE: Function<u64, u64> = Function::new("square", |n| n * n);

pub(crate) const PARSE: Function<String, u64, String> =
    Function::fallible("parse", |text| text.parse().map_err(|_| format!("{text} is no number")));

pub(crate) const PANIC: Function<String, ()> = Function::new("panic", |text| panic!("{text}"));

pub(crate) const PID: Function<(), u32> = Function::new("pid", |()| process::id());

pub(crate) const ECHO: Function<Vec<u8>, Vec<u8>> = Function::new("echo", |bytes| bytes);

/// Goes on until it is asked to stop, and says why it was.
pub(crate) const UNTIL: Function<(), (), String> =
    Function::asked("until", |(), job| Err(until(job)));

/// Goes on for ever.
pub(crate) const SPIN: Function<(), ()> = Function::new("spin", |()| {
    loop {
        thread::yield_now();
    }
});

/// Writes that it ran.
pub(crate) const NOTE: Function<PathBuf, ()> =
    Function::new("note", |path| fs::write(path, "ran").unwrap());

/// Adds a line that somebody was started.
pub(crate) const ADD_LINE: Function<PathBuf, ()> = Function::new("add-line", |path| {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(b"started\n").unwrap();
});

/// Adds that it ran, and dies.
pub(crate) const NOTE_AND_DIE: Function<PathBuf, ()> = Function::new("note-and-die", |path| {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(b"ran").unwrap();
    process::abort();
});

/// Gives a list as long as that, each place inside the one before.
pub(crate) const LIST: Function<u32, List> = Function::new("list", List::of);

/// How long a list is.
pub(crate) const LONG: Function<List, u32> = Function::new("long", List::long);

pub(crate) const SAME: Function<f64, f64> = Function::new("same", |it| it);

pub(crate) const MAYBE: Function<Option<f64>, bool> = Function::new("maybe", |it| it.is_none());

pub(crate) const ENDLESS: Function<(), Endless> = Function::new("endless", |()| Endless);

/// How often an [`Endless`] of this process was asked for more.
pub(crate) const ASKED_FOR: Function<(), u64> = Function::new("asked-for", |()| asked_for());

static ASKED: AtomicU64 = AtomicU64::new(0);

pub(crate) fn asked_for() -> u64 {
    ASKED.load(Ordering::Relaxed)
}

/// A list of many millions.
#[derive(Debug)]
pub(crate) struct Endless;

impl Serialize for Endless {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let many = 50_000_000;
        let mut list = to.serialize_seq(Some(many))?;
        for _ in 0..many {
            ASKED.fetch_add(1, Ordering::Relaxed);
            list.serialize_element(&7_u8)?;
        }
        list.end()
    }
}

impl<'a> Deserialize<'a> for Endless {
    fn deserialize<D: Deserializer<'a>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// A text and a number, whose writing goes on whatever it is told of the text.
#[derive(Debug, Deserialize)]
pub(crate) struct Headstrong<T>(pub(crate) T, pub(crate) u8);

impl<T: Serialize> Serialize for Headstrong<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut both = to.serialize_tuple(2)?;
        let _ = both.serialize_element(&self.0);
        both.serialize_element(&self.1)?;
        both.end()
    }
}

/// What takes no bytes when it is written.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Nothing;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum List {
    End,
    Place(Box<List>),
}

impl List {
    pub(crate) fn of(long: u32) -> Self {
        (0..long).fold(Self::End, |rest, _| Self::Place(Box::new(rest)))
    }

    /// How long it is. It is taken apart from its beginning on, since to drop it would need much stack.
    pub(crate) fn long(mut self) -> u32 {
        let mut long = 0;
        while let Self::Place(rest) = self {
            (self, long) = (*rest, long + 1);
        }
        long
    }
}

pub(crate) const DIE: Function<Death, ()> = Function::new("die", die);

/// Is killed when it waits for room for its answer, which is the one thing that it sleeps for.
pub(crate) const CUT_SHORT: Function<(), Vec<u8>> =
    Function::new("cut-short", |()| cut_short(|| ()));

/// An answer that does not go into the pipe, of a worker that is killed when it waits there. It prints its number before.
pub(crate) fn cut_short(before: impl FnOnce() + Send + 'static) -> Vec<u8> {
    eprintln!("{}", process::id());
    let stat = format!("/proc/self/task/{}/stat", unistd::gettid());
    thread::spawn(move || {
        let sleeps = || fs::read_to_string(&stat).unwrap().contains(") S ");
        while !(0..100).all(|_| sleeps()) {
            thread::yield_now();
        }
        before();
        raise(Signal::SIGKILL).unwrap();
    });
    vec![7; 2_000_000]
}

pub(crate) const PRINT: Function<(), ()> = Function::new("print", |()| {
    println!("to the output");
    io::stdout().flush().unwrap();
    eprintln!("to the error");
});

/// What a worker sees of where it is.
pub(crate) const LOOK: Function<String, (Option<String>, PathBuf, String)> =
    Function::new("look", |name| {
        let mut input = String::new();
        io::stdin().read_line(&mut input).unwrap();
        (env::var(name).ok(), env::current_dir().unwrap(), input)
    });

pub(crate) const FAIL: Function<(), (), String> =
    Function::fallible("fail", |()| Err("no licence".into()));

/// Makes a pool of its own.
pub(crate) const TWO: Function<u64, u64> = Function::new("two", |n| {
    let pool = ProcessPool::new(std::num::NonZero::<usize>::MIN).unwrap();
    pool.submit(&SQUARE, &n).unwrap().join().unwrap()
});

/// Goes on for ever with the locks of its output.
pub(crate) const HOLD: Function<(), ()> = Function::new("hold", |()| {
    let _locks = (io::stdout().lock(), io::stderr().lock());
    loop {
        thread::yield_now();
    }
});

/// Which group of processes the worker is in.
pub(crate) const GROUP: Function<(), (u32, i32)> =
    Function::new("group", |()| (process::id(), unistd::getpgrp().as_raw()));

/// Makes a pool of its own, whose worker goes on for ever, and says who that is.
pub(crate) const NEST: Function<(), ()> = Function::new("nest", |()| {
    let pool = ProcessPool::new(std::num::NonZero::<usize>::MIN).unwrap();
    println!("{}", pool.submit(&PID, &()).unwrap().join().unwrap());
    pool.submit(&SPIN, &()).unwrap().join().unwrap();
});

/// Takes and gives what cannot travel, if it is asked to.
pub(crate) const ODD: Function<Odd, Odd, Odd> =
    Function::fallible("odd", |odd| if odd == Odd::Error { Err(Odd::Unwritten) } else { Ok(odd) });

/// Which descriptors a child of the worker has.
pub(crate) const LIST_FILES: Function<(), String> = Function::new("list-files", |()| list_files());

pub(crate) const DOUBLE: Function<String, String> = Function::new("double", |text| text.repeat(2));

/// In the worker it is a function of other types.
pub(crate) const OTHER: Function<u8, u8> = Function::new("other", |n| n);

/// Which descriptors a child of this process has.
pub(crate) fn list_files() -> String {
    let child = process::Command::new("ls").arg("/proc/self/fd").output().unwrap();
    String::from_utf8(child.stdout).unwrap()
}

fn until(job: &Current) -> String {
    loop {
        if let Some(reason) = job.cancel_reason() {
            return reason.to_owned();
        }
        thread::yield_now();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Death {
    Exit(i32),
    Raise(i32),
    Abort,
    Overflow,
}

fn die(death: Death) {
    match death {
        Death::Exit(status) => process::exit(status),
        Death::Raise(signal) => {
            raise(Signal::try_from(signal).unwrap()).unwrap();
            unistd::pause();
        }
        Death::Abort => process::abort(),
        Death::Overflow => drop(black_box(overflow(1))),
    }
}

#[expect(unconditional_recursion, reason = "it is what is wanted")]
pub(crate) fn overflow(depth: u64) -> u64 {
    let room = black_box([depth; 1000]);
    black_box(overflow(depth + 1)) + room[0]
}

/// What some can write, and some can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    Fine,
    /// Is written, and not read by anybody.
    Unread,
    /// Is written as an argument, and its value is not written.
    Value,
    /// Is answered with an error that is not written.
    Error,
    Unwritten,
    /// Whoever writes it panics.
    PanicsHere,
    /// Whoever reads it panics.
    Panics,
    /// The worker panics when it reads it.
    PanicsThere,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unwritten => Err(ser::Error::custom("it cannot be written")),
            Self::PanicsHere => panic!("out of words"),
            Self::Value if env::args().nth(1).is_some_and(|it| it == "--settled-worker") => {
                Err(ser::Error::custom("it cannot be written here"))
            }
            other => (*other as u8).serialize(to),
        }
    }
}

impl<'a> Deserialize<'a> for Odd {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        let is_worker = env::args().nth(1).is_some_and(|it| it == "--settled-worker");
        match u8::deserialize(from)? {
            0 => Ok(Self::Fine),
            1 => Err(de::Error::custom("it cannot be read")),
            2 => Ok(Self::Value),
            3 => Ok(Self::Error),
            6 if is_worker => Ok(Self::Panics),
            7 if is_worker => panic!("out of paper"),
            6 => panic!("out of ink"),
            other => panic!("{other}"),
        }
    }
}
