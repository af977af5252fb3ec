//! Workers that are other programs, and the protocol itself.

use std::{collections::BTreeMap, num::NonZero, process::Command};

use serde::{Deserialize, Serialize};
use settled::{
    DeathCause, Progress, UnsentKind,
    process::{Format, Function, ProcessPool},
};

use crate::{
    Test, close, compact,
    frame::{Call, Decoder, HEADER, KEPT, Kind, begin, end},
    functions::ECHO,
    jobs::until_it_runs,
};

pub(crate) const TESTS: &[Test] = &[
    ("foreign::a_worker_in_python_speaks_json", a_worker_in_python_speaks_json),
    (
        "foreign::a_channel_that_is_full_both_ways_blocks_nobody",
        a_channel_that_is_full_both_ways_blocks_nobody,
    ),
    ("foreign::the_decoder_takes_anything", the_decoder_takes_anything),
    ("foreign::what_postcard_writes_is_read", what_postcard_writes_is_read),
    ("foreign::messages_come_out_as_they_went_in", messages_come_out_as_they_went_in),
    ("foreign::a_large_message_leaves_little_room", a_large_message_leaves_little_room),
];

const HALF: Function<i64, i64, String> = Function::foreign("half");
const UNTIL: Function<(), (), String> = Function::foreign("until");
const ADD: Function<Vec<i64>, i64, String> = Function::foreign("add");
const UNKNOWN: Function<i64, i64, String> = Function::foreign("nobody knows it");

fn a_worker_in_python_speaks_json() {
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("SETTLED_STRICT").is_none(), "python3 is missing");
        return eprintln!("SKIPPED: python3 is missing (apt-get install python3)");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/worker.py");
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN).format(Format::Json);
    let pool = builder.program("python3", [script]).build().unwrap();
    assert_eq!(pool.submit(&HALF, &14).unwrap().join().unwrap(), 7);
    assert_eq!(pool.submit(&HALF, &7).unwrap().join_result().unwrap(), Err("7 is odd".into()));
    assert_eq!(pool.submit(&ADD, &vec![1, 2, 3]).unwrap().join().unwrap(), 6);
    let halves = pool.map(&HALF, (0..10).map(|n| 2 * n), NonZero::new(3).unwrap()).unwrap();
    assert!(halves.map(Result::unwrap).eq(0..10));
    let failure = pool.submit(&UNKNOWN, &7).unwrap().join().unwrap_err().into_failure().unwrap();
    assert_eq!(failure.unsent().unwrap().kind(), UnsentKind::UnknownFunction);
    let job = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&job);
    job.cancel();
    assert_eq!(job.join_result().unwrap(), Err("it was asked to stop".into()));
    let job = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&job);
    assert!(pool.kill(&job));
    let failure = job.exception().unwrap().unwrap();
    let death = failure.death().unwrap();
    assert_eq!(death.cause(), DeathCause::Signal(9));
    assert_ne!(death.progress(), Progress::CutShort);
    assert_eq!(pool.submit(&HALF, &2).unwrap().join().unwrap(), 1);
}

/// The pool has a job to say that the channel does not take at once, and the worker has its answer.
fn a_channel_that_is_full_both_ways_blocks_nobody() {
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let builder =
        builder.program(std::env::current_exe().unwrap(), ["role-answers-before-it-hears"]);
    let pool = builder.build().unwrap();
    let job = pool.submit(&ECHO, &vec![1; 4_000_000]).unwrap();
    assert_eq!(job.join().unwrap(), vec![7; 4_000_000]);
    pool.shutdown().unwrap();
}

struct Luck(u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

const KINDS: [Kind; 4] = [Kind::Setup, Kind::Job, Kind::Value, Kind::Unsent];

/// A stream of messages, which are changed here and there.
fn input(luck: &mut Luck) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..luck.below(4) {
        let mut message = begin(KINDS[luck.below(4)], luck.next() as u8, luck.next());
        let length = luck.below(40);
        message.extend((0..length).map(|_| luck.next() as u8));
        if luck.below(2) == 0 {
            let call = Call { signature: luck.next(), each: luck.below(2) == 0, name: "square" };
            call.write(&mut message).unwrap();
        }
        end(&mut message, u32::MAX).unwrap();
        bytes.extend(message);
    }
    match luck.below(3) {
        0 => bytes.truncate(luck.below(bytes.len() + 1)),
        1 if !bytes.is_empty() => {
            for _ in 0..=luck.below(3) {
                let at = luck.below(bytes.len());
                bytes[at] = luck.next() as u8;
            }
        }
        _ => (),
    }
    let noise = luck.below(3) * luck.below(20);
    bytes.extend((0..noise).map(|_| luck.next() as u8));
    bytes
}

/// Whatever comes, in whatever pieces: it does not panic, it keeps no more than has come, it gives no more than that.
fn the_decoder_takes_anything() {
    let full = std::env::var_os("SETTLED_FULL").is_some();
    let inputs = if full { 10_000_000 } else { 100_000 };
    let mut luck = Luck(0x2545_F491_4F6C_DD1D);
    let (mut messages, mut refused) = (0_u64, 0_u64);
    for _ in 0..inputs {
        let input = input(&mut luck);
        let limit = [16, 64, u32::MAX][luck.below(3)];
        let mut decoder = Decoder::new(limit);
        let (mut left, mut given) = (&input[..], 0);
        'all: while !left.is_empty() {
            let (piece, rest) = left.split_at(1 + luck.below(left.len()));
            left = rest;
            decoder.feed(piece);
            loop {
                match decoder.next() {
                    Ok(Some(frame)) => {
                        messages += 1;
                        given += HEADER + frame.payload.len();
                        assert!(frame.payload.len() <= limit as usize && given <= input.len());
                        if let Some((call, rest)) = Call::read(frame.payload) {
                            assert!(call.name.len() + rest.len() + 11 == frame.payload.len());
                        }
                    }
                    Ok(None) => break,
                    Err(garbage) => {
                        assert!(garbage.to_string().starts_with("it "));
                        refused += 1;
                        break 'all;
                    }
                }
            }
            assert!(decoder.kept() <= 2 * input.len() + 64, "it keeps more than has come");
        }
    }
    assert!(messages > inputs / 4 && refused > inputs / 10, "{messages} {refused}");
    close(format!("decoded: {inputs} inputs, {messages} messages in them, {refused} refused"));
}

/// Of everything that the format has something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Anything {
    Nothing,
    Small(bool, u8, i8),
    Unsigned(u16, u32, u64, u128, usize),
    Signed { a: i16, b: i32, c: i64, d: i128 },
    Floats([f32; 2], f64),
    Text(String, char),
    Maybe(Option<Option<Box<Anything>>>),
    Units((), Unit, std::marker::PhantomData<u8>),
    Wrapped(Wrapped),
    Several(Vec<Anything>),
    Mapped(BTreeMap<String, Box<Anything>>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Box<Anything>);

/// A number of any size.
fn number(luck: &mut Luck) -> u64 {
    let bits = luck.below(64);
    luck.next() >> bits
}

fn anything(luck: &mut Luck, depth: usize) -> Anything {
    let some = |luck: &mut Luck| Box::new(anything(luck, depth + 1));
    match luck.below(if depth < 4 { 11 } else { 6 }) {
        0 => Anything::Nothing,
        1 => Anything::Small(luck.below(2) == 0, luck.next() as u8, luck.next() as i8),
        2 => {
            let wide = u128::from(number(luck)) * u128::from(number(luck));
            let [a, b, c, d] = [0; 4].map(|_| number(luck));
            Anything::Unsigned(a as u16, b as u32, c, wide, d as usize)
        }
        3 => {
            let [a, b, c, d] = [0; 4].map(|_| number(luck) as i64);
            Anything::Signed { a: a as i16, b: b as i32, c: -c, d: i128::from(d) << 60 }
        }
        4 => Anything::Floats([0.0, number(luck) as f32], -(number(luck) as f64)),
        5 => Anything::Text("süß".repeat(luck.below(4)), ['a', 'ü', '\u{1F600}'][luck.below(3)]),
        6 => Anything::Maybe([None, Some(None), Some(Some(some(luck)))][luck.below(3)].clone()),
        7 => Anything::Units((), Unit, std::marker::PhantomData),
        8 => Anything::Wrapped(Wrapped(some(luck))),
        9 => Anything::Several((0..luck.below(4)).map(|_| *some(luck)).collect()),
        _ => Anything::Mapped((0..luck.below(4)).map(|at| (at.to_string(), some(luck))).collect()),
    }
}

/// Of bytes that `postcard` wrote, and of those that were changed here and there, it reads what `postcard` reads, and
/// nothing where that reads nothing.
fn what_postcard_writes_is_read() {
    let full = std::env::var_os("SETTLED_FULL").is_some();
    let inputs = if full { 10_000_000 } else { 100_000 };
    let mut luck = Luck(0x1234_5678_9ABC_DEF1);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..inputs {
        let value = anything(&mut luck, 0);
        let mut bytes = postcard::to_allocvec(&value).unwrap();
        assert_eq!(compact::read::<Anything>(&bytes).unwrap(), value);
        for _ in 0..luck.below(3) {
            let at = luck.below(bytes.len());
            bytes[at] = luck.next() as u8;
        }
        bytes.truncate(bytes.len() - luck.below(2) * luck.below(bytes.len()));
        let theirs = match postcard::take_from_bytes::<Anything>(&bytes) {
            Ok((value, [])) => Some(value),
            _ => None,
        };
        let ours = compact::read::<Anything>(&bytes).ok();
        // Nothing is equal to itself of which a float is no number.
        let text = |it: &Option<Anything>| format!("{it:?}");
        assert!(ours == theirs || text(&ours) == text(&theirs), "{bytes:?}: {ours:?}, {theirs:?}");
        *if ours.is_some() { &mut read } else { &mut refused } += 1;
    }
    assert!(read > inputs / 10 && refused > inputs / 10, "{read} {refused}");
}

fn messages_come_out_as_they_went_in() {
    let mut luck = Luck(7);
    for _ in 0..1000 {
        let sent: Vec<_> = (0..1 + luck.below(5))
            .map(|_| {
                let payload: Vec<_> = (0..luck.below(300)).map(|_| luck.next() as u8).collect();
                (KINDS[luck.below(4)], luck.next() as u8, luck.next(), payload)
            })
            .collect();
        let mut stream = Vec::new();
        for (kind, format, token, payload) in &sent {
            let mut message = begin(*kind, *format, *token);
            message.extend(payload);
            end(&mut message, u32::MAX).unwrap();
            stream.extend(message);
        }
        let (mut decoder, mut came) = (Decoder::new(u32::MAX), Vec::new());
        while !stream.is_empty() {
            let piece: Vec<_> = stream.drain(..1 + luck.below(stream.len())).collect();
            decoder.feed(&piece);
            while let Some(it) = decoder.next().unwrap() {
                came.push((it.kind, it.format, it.token, it.payload.to_vec()));
            }
        }
        assert!(came == sent && !decoder.is_inside());
    }
}

fn a_large_message_leaves_little_room() {
    let mut decoder = Decoder::new(u32::MAX);
    let mut message = begin(Kind::Value, 1, 7);
    message.resize(10 * KEPT, 7);
    end(&mut message, u32::MAX).unwrap();
    decoder.feed(&message);
    assert!(decoder.next().unwrap().is_some());
    assert!(decoder.next().unwrap().is_none());
    assert!(decoder.kept() <= KEPT, "{}", decoder.kept());
}
