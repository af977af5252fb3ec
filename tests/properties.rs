//! Random sequences of events, over the machine alone and over a real cell beside a sequential
//! model of it.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "properties/model.rs"]
mod model;
#[path = "properties/sequence.rs"]
mod sequence;
#[path = "properties/system.rs"]
mod system;

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use quickcheck::{Arbitrary, Gen, QuickCheck, Testable};
use settled::machine::{Event, State, Step};

use crate::{
    model::Model,
    sequence::{Answer, End, Op},
    system::System,
};

/// How many cases each property is given. Fewer only under a tool that makes each one slow.
fn cases() -> u64 {
    env::var("SETTLED_CASES")
        .map_or(10_000, |cases| cases.parse().expect("SETTLED_CASES is a number"))
}

/// Checks `property` in exactly [`cases`] cases, which `ran` counts; none is discarded.
fn check(property: impl Testable, ran: &AtomicU64) {
    let cases = cases();
    match QuickCheck::new().tests(cases).max_tests(cases).quicktest(property) {
        Ok(passed) => assert_eq!((passed, ran.load(Ordering::Relaxed)), (cases, cases)),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[derive(Clone, Copy, Debug)]
struct AnyEvent(Event);

impl Arbitrary for AnyEvent {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(*g.choose(&Event::ALL).expect("there are events"))
    }
}

/// `[machine-3]` Settled is for ever, and every move leads away from where it began and never back.
#[test]
fn the_machine_alone() {
    watch!();
    static RAN: AtomicU64 = AtomicU64::new(0);
    fn property(events: Vec<AnyEvent>) {
        RAN.fetch_add(1, Ordering::Relaxed);
        let mut state = State::Pending;
        let mut visited = vec![state];
        for AnyEvent(event) in events {
            match state.on(event) {
                Step::To(next) => {
                    assert!(!state.is_settled(), "{state} is settled, and {event} moved it");
                    assert!(!visited.contains(&next), "{state} went back to {next} by {event}");
                    visited.push(next);
                    state = next;
                }
                Step::Already => assert!(state.is_settled(), "{state} is not the end of {event}"),
                Step::Refused => {}
            }
            let is_end = Event::ALL.iter().all(|event| !matches!(state.on(*event), Step::To(_)));
            assert_eq!(state.is_settled(), is_end, "settled is where nothing moves any more");
        }
    }
    check(property as fn(Vec<AnyEvent>), &RAN);
}

/// `[read-3]` Every answer of a real cell is the model's; so are the wake-ups and callbacks and their order;
/// each value is dropped once, no later than the last handle.
#[test]
fn random_programs_agree_with_the_table() {
    watch!();
    static RAN: AtomicU64 = AtomicU64::new(0);
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    fn property(owned: bool, ops: Vec<Op>) {
        RAN.fetch_add(1, Ordering::Relaxed);
        let (mut model, mut system) = (Model::new(owned), System::new(owned));
        // The promise goes last, so that every sequence settles.
        for (number, op) in (0..).zip(ops.into_iter().chain([Op::DropPromise])) {
            let expected = model.apply(op, number);
            assert_eq!(system.apply(op, number), expected, "the answer to {op:?} as {number}");
            assert_eq!(system.log(), model.log, "who was told by {op:?} as {number}");
            assert_eq!(system.values(), model.values(), "the values after {op:?} as {number}");
            SEEN.lock().unwrap().insert(format!("{op:?} {}", kind(expected)));
        }
        assert_eq!(system.drop_handles(), 0, "the values after the last handle");
    }
    check(property as fn(bool, Vec<Op>), &RAN);
    let seen = SEEN.lock().unwrap();
    for answer in ANSWERS {
        assert!(cases() < 10_000 || seen.contains(*answer), "no case had {answer}: {seen:?}");
    }
}

/// Answers that a run must have met: without them it would have shown little.
const ANSWERS: &[&str] = &[
    "Start Done",
    "Start Lost",
    "Finish Done",
    "Finish Lost",
    "Fail Done",
    "Fail Lost",
    "Panicked Done",
    "Stopped Done",
    "DropPromise Done",
    "Cancel Now",
    "Cancel Already",
    "Cancel Requested",
    "Cancel Running",
    "Cancel Finished",
    "Read Unsettled",
    "Read Value",
    "Read Error",
    "Read Panicked",
    "Read Cancelled",
    "Read Abandoned",
    "Poll Unsettled",
    "Poll Value",
    "Take Value",
    "Take Shared",
];

/// What an answer is, without its numbers.
fn kind(answer: Answer) -> String {
    let text = match answer {
        Answer::Cancel(settled::Cancel::Refused(refusal)) => format!("{refusal:?}"),
        Answer::Cancel(cancel) => format!("{cancel:?}"),
        Answer::End(End::Cancelled(_)) => "Cancelled".to_owned(),
        Answer::End(end) => format!("{end:?}"),
        other => format!("{other:?}"),
    };
    text.split('(').next().unwrap_or_default().to_owned()
}
