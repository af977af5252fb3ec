//! The cell's word without a thread: every word that can come up, every event on it, against plain counts.
//!
//! The word is compiled into this target, with so small counts that every word can be tried. What it says is
//! compared with [`Facts`], which know who there is and what has happened, and of the machine nothing but its table.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "../src/cell/atom.rs"]
#[expect(dead_code, reason = "of the atomic one step is tried")]
mod atom;
#[path = "../src/cell/word.rs"]
mod word;

use std::{
    collections::HashSet,
    env, fs,
    path::Path,
    process::{self, Command},
    sync::{LazyLock, atomic::Ordering},
    thread,
};

use atom::Atom;
use settled::machine::{self, Event, State, Step};
use word::{Ask, End, Settle, Take, Then, Until, Word};

/// What the word needs of the crate.
mod error {
    pub(crate) use settled::{Cancel, Cancelled, Refusal};
}
use error::{Cancel, Cancelled, Refusal};

/// What the atomic needs of it.
mod sync {
    pub(crate) use std::{sync::atomic::Ordering, thread};

    pub(crate) struct AtomicU64(std::sync::atomic::AtomicU64);

    impl AtomicU64 {
        pub(crate) fn new(value: u64) -> Self {
            Self(value.into())
        }

        pub(crate) fn load(&self, ordering: Ordering) -> u64 {
            self.0.load(ordering)
        }

        pub(crate) fn guess(&self, ordering: Ordering) -> (u64, bool) {
            (self.load(ordering), true)
        }

        pub(crate) fn compare_exchange_weak(
            &self,
            from: u64,
            to: u64,
            done: Ordering,
            failed: Ordering,
        ) -> Result<u64, u64> {
            self.0.compare_exchange_weak(from, to, done, failed)
        }
    }

    pub(crate) const fn at(_place: &str, ordering: Ordering) -> Ordering {
        ordering
    }
}

/// As many handles as can be counted here, of them lent, and holds.
const MOST_HANDLES: u64 = 4;
const MOST_LENT: u64 = 2;
const MOST_HOLDS: u64 = 3;

const UNTIL: [Until; 4] = [Until::Settled, Until::Returned, Until::Requested, Until::Closed];
const ENDS: [End; 4] = [End::Finish, End::Stop, End::Break, End::Drop];

/// What the promise is, as long as there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Pending,
    Running,
    Owned,
}

/// What is so, whatever the word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Facts {
    state: State,
    cause: Option<Cancelled>,
    promise: Option<Phase>,
    futures: u64,
    lent: u64,
    /// How many keep the memory alone.
    holds: u64,
    callbacks: bool,
    requested: bool,
    reasoned: bool,
    /// For what somebody waits who has not been told.
    waiting: [bool; 4],
    /// For what somebody has waited who was not told, and may have left.
    waited: [bool; 4],
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Start,
    Settle(End),
    /// The producer, who comes too late, gives its handle up.
    Late,
    /// With a reason or without.
    Cancel(bool),
    Register(Until),
    /// Whoever waits for this leaves.
    Deregister(Until),
    RegisterCallback,
    ClearCallbacks,
    Share,
    Upgrade,
    Hold,
    Release,
    Lend,
    GiveBack,
    Leave,
    Take,
    TakeOrLeave,
}

/// What the word says to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Start(Option<Cancelled>),
    Settle(Settle),
    Ask(Ask),
    /// Whether it is done.
    Done(bool),
    Then(Then),
    Take(Take),
}

/// One word, and one thing that happens to it.
#[derive(Debug)]
struct Case {
    word: Word,
    facts: Facts,
    act: Act,
    said: Said,
    next: Word,
    after: Facts,
}

impl Facts {
    fn new(owned: bool) -> Self {
        Self {
            state: State::Pending,
            cause: None,
            promise: Some(if owned { Phase::Owned } else { Phase::Pending }),
            futures: 1,
            lent: 0,
            holds: 0,
            callbacks: false,
            requested: false,
            reasoned: false,
            waiting: [false; 4],
            waited: [false; 4],
        }
    }

    fn handles(&self) -> u64 {
        u64::from(self.promise.is_some()) + self.futures + self.lent
    }

    /// Whether there may be somebody in the list.
    fn is_listed(&self) -> bool {
        self.promise == Some(Phase::Owned) || self.callbacks || self.waited != [false; 4]
    }

    /// Whether there is anybody who keeps the memory.
    fn is_there(&self) -> bool {
        self.handles() + self.holds > 0
    }

    fn is_cancelled(&self) -> bool {
        self.state == State::Cancelled
    }

    /// Whether what is waited for is so.
    fn is_so(&self, until: Until) -> bool {
        match until {
            Until::Settled => self.state.is_settled(),
            Until::Returned => self.state.is_settled() && self.lent == 0,
            Until::Requested => self.requested || self.is_cancelled(),
            Until::Closed => {
                let anybody = self.futures + self.lent > 0 || self.callbacks;
                self.is_cancelled() || !anybody
            }
        }
    }

    /// Whether there is anybody who can do that.
    fn can(&self, act: Act) -> bool {
        use Phase::{Owned, Pending};
        let reader = self.futures > 0;
        let waits = |until: Until| self.waiting[until as usize];
        // Whoever waits has a handle.
        let last_waits = self.futures == 1 && (waits(Until::Settled) || waits(Until::Returned));
        let may_go = reader && !last_waits;
        match act {
            Act::Start => self.promise == Some(Pending),
            Act::Late => self.promise.is_some() && self.is_cancelled(),
            Act::Settle(End::Finish | End::Drop) => self.promise.is_some(),
            Act::Settle(End::Stop) => self.promise == Some(Owned),
            Act::Settle(End::Break) => self.promise == Some(Pending),
            Act::Cancel(_) => reader || self.promise == Some(Owned),
            Act::Register(Until::Requested | Until::Closed) => self.promise.is_some(),
            Act::Register(Until::Settled | Until::Returned) => reader,
            Act::RegisterCallback | Act::ClearCallbacks => reader,
            Act::Deregister(until) => waits(until),
            Act::Share | Act::Hold => reader || self.lent > 0,
            Act::Upgrade | Act::Release => self.holds > 0,
            Act::Lend => self.state.is_settled() && (reader || self.lent > 0),
            Act::GiveBack => self.lent > 0,
            Act::Leave => may_go,
            Act::Take | Act::TakeOrLeave => may_go && self.state.is_settled(),
        }
    }

    /// What is so then. The table alone says what an event does.
    fn after(mut self, act: Act) -> Self {
        match act {
            Act::Start => self.step(Event::Start, None),
            Act::Settle(end) => self.settle(end),
            Act::Late => {
                self.promise = None;
                self.holds += u64::from(self.goes_on(false));
            }
            Act::Cancel(reasoned) => {
                let was = self.state;
                self.reasoned |= reasoned && !was.is_settled();
                if self.promise == Some(Phase::Owned) || was == State::Running {
                    self.request();
                    return self;
                }
                self.step(Event::Cancel, Some(Cancelled::Requested));
                if was != self.state {
                    self.callbacks = false;
                    (self.waiting, self.waited) = ([false; 4], [false; 4]);
                }
            }
            Act::Register(until) => {
                self.waiting[until as usize] |= !self.is_so(until);
                self.waited[until as usize] |= !self.is_so(until);
            }
            Act::Deregister(until) => self.waiting[until as usize] = false,
            Act::RegisterCallback => self.callbacks |= !self.state.is_settled(),
            Act::ClearCallbacks => self.callbacks = false,
            Act::Share => self.futures += u64::from(self.handles() < MOST_HANDLES),
            Act::Upgrade => {
                self.futures += u64::from(self.is_seen() && self.handles() < MOST_HANDLES)
            }
            Act::Hold => self.holds += 1,
            Act::Release => self.holds -= 1,
            Act::Lend => self.lent += u64::from(self.may_lend()),
            Act::GiveBack => {
                self.lent -= 1;
                let tells = self.tell(Until::Returned);
                self.holds += u64::from(self.goes_on(tells));
            }
            Act::Leave => {
                self.futures -= 1;
                let tells = self.tell(Until::Closed);
                self.holds += u64::from(self.goes_on(tells));
            }
            Act::Take | Act::TakeOrLeave if self.is_cancelled() => {}
            Act::Take if self.handles() > 1 => {}
            Act::Take | Act::TakeOrLeave => {
                self.futures -= 1;
                self.holds += u64::from(self.goes_on(false));
            }
        }
        self
    }

    fn settle(&mut self, end: End) {
        let (event, cause) = match end {
            End::Finish => (Event::Finish, None),
            End::Stop if self.requested => (Event::Cancel, Some(Cancelled::Requested)),
            End::Stop => (Event::Cancel, Some(Cancelled::Stopped)),
            End::Break => (Event::Abandon, Some(Cancelled::Broken)),
            End::Drop => (Event::Abandon, Some(Cancelled::Dropped)),
        };
        let (was, is_listed) = (self.state, self.is_listed());
        self.step(event, cause);
        // Who is too late gives his handle up in another step.
        if was != self.state {
            self.promise = None;
            let lends = std::mem::take(&mut self.callbacks);
            self.lent += u64::from(lends);
            self.waiting = [false, self.waiting[1] && lends, false, false];
            self.waited = [false, self.waited[1] && lends, false, false];
            self.holds += u64::from(!lends && self.goes_on(is_listed));
        }
    }

    /// Whether anybody is left who can see the outcome. Of a cancelled future that may be the promise, which has lost.
    fn is_seen(&self) -> bool {
        let somebody = self.futures + self.lent > 0 || self.callbacks;
        somebody || self.state.is_settled() && self.handles() > 0
    }

    /// Whether who has given a handle up needs a hold: to tell others, or to take the outcome out while others keep the
    /// memory.
    fn goes_on(&self, tells: bool) -> bool {
        if self.handles() == 0 { self.holds > 0 } else { tells }
    }

    fn may_lend(&self) -> bool {
        self.handles() < MOST_HANDLES && self.lent < MOST_LENT
    }

    fn request(&mut self) {
        self.requested = true;
        self.tell(Until::Requested);
    }

    /// Whoever waits for this is told, if it is so; says whether there may be anybody.
    fn tell(&mut self, until: Until) -> bool {
        let tells = self.is_so(until) && self.waited[until as usize] && self.handles() > 0;
        if tells {
            self.waiting[until as usize] = false;
            self.waited[until as usize] = false;
        }
        tells
    }

    fn step(&mut self, event: Event, cause: Option<Cancelled>) {
        if let Step::To(state) = self.state.on(event) {
            self.state = state;
            self.cause = if self.is_cancelled() { cause } else { None };
            if event == Event::Start {
                self.promise = Some(Phase::Running);
            }
        }
    }
}

fn all_acts() -> impl Iterator<Item = Act> {
    let some = [
        Act::Start,
        Act::Late,
        Act::Cancel(false),
        Act::Cancel(true),
        Act::RegisterCallback,
        Act::ClearCallbacks,
        Act::Share,
        Act::Upgrade,
        Act::Hold,
        Act::Release,
        Act::Lend,
        Act::GiveBack,
        Act::Leave,
        Act::Take,
        Act::TakeOrLeave,
    ];
    let waits = UNTIL.into_iter().flat_map(|it| [Act::Register(it), Act::Deregister(it)]);
    some.into_iter().chain(ENDS.map(Act::Settle)).chain(waits)
}

/// What the word says, and becomes.
fn say(word: Word, act: Act) -> (Said, Word) {
    let done = |next: Option<Word>| (Said::Done(next.is_some()), next.unwrap_or(word));
    match act {
        Act::Start => match word.start() {
            Ok(next) => (Said::Start(None), next),
            Err(cause) => (Said::Start(Some(cause)), word),
        },
        Act::Settle(end) => {
            let (next, settle) = word.settle(end);
            (Said::Settle(settle), next)
        }
        Act::Late => {
            let (next, then) = word.leave();
            (Said::Then(then), next)
        }
        Act::Cancel(reasoned) => {
            let (next, ask) = word.cancel(reasoned);
            (Said::Ask(ask), next)
        }
        Act::Register(until) => done(word.register(until)),
        Act::Deregister(_) => done(Some(word)),
        Act::RegisterCallback => done(word.register_callback()),
        Act::ClearCallbacks => done(word.clear_callbacks()),
        Act::Share => done(word.share()),
        Act::Upgrade => done(word.upgrade()),
        Act::Hold => done(Some(word.hold())),
        Act::Release => done(word.release()),
        Act::Lend => done(word.lend()),
        Act::GiveBack => {
            let (next, then) = word.give_back();
            (Said::Then(then), next)
        }
        Act::Leave => {
            let (next, then) = word.leave();
            (Said::Then(then), next)
        }
        Act::Take => {
            let (next, take) = word.take();
            (Said::Take(take), next)
        }
        Act::TakeOrLeave => {
            let (next, take) = word.take_or_leave();
            (Said::Take(take), next)
        }
    }
}

/// Whether the word says what is so.
fn agree(word: Word, facts: &Facts) -> bool {
    // Who waits for the others to go is the producer.
    let asked = |until: &Until| *until != Until::Closed || facts.promise.is_some();
    word.state() == facts.state
        && word.is_only() == (facts.handles() == 1)
        && word.has_ended() == (facts.handles() == 0)
        && word.is_listed() == facts.is_listed()
        && word.is_reasoned() == facts.reasoned
        && UNTIL.into_iter().filter(asked).all(|it| word.is_over(it) == facts.is_so(it))
}

/// Every word, with everything that can happen to it.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut cases = Vec::new();
    let mut open: Vec<_> = [false, true].map(|it| (Word::new(it), Facts::new(it))).into();
    let mut seen: HashSet<_> = open.iter().copied().collect();
    while let Some((word, facts)) = open.pop() {
        for act in all_acts().filter(|act| facts.can(*act)) {
            let after = facts.after(act);
            if after.holds > MOST_HOLDS {
                continue;
            }
            let (said, next) = say(word, act);
            // A word that is wrong is seen, and not followed.
            if after.is_there() && agree(next, &after) && seen.insert((next, after)) {
                open.push((next, after));
            }
            cases.push(Case { word, facts, act, said, next, after });
        }
    }
    cases
});

/// The cases in which that happens, of which there has to be one.
fn cases(such: impl Fn(Act) -> bool) -> Vec<&'static Case> {
    let cases: Vec<_> = CASES.iter().filter(|it| such(it.act)).collect();
    assert!(!cases.is_empty(), "it never happens");
    cases
}

/// Of all words: nothing but the table says what an event does. `[machine-2]` `[machine-4]`
#[test]
fn the_state_is_what_the_table_says() {
    watch!();
    for case in cases(|_| true) {
        assert_eq!(case.next.state(), case.after.state, "{case:?}");
        if let Act::Start = case.act {
            let lost = if case.facts.is_cancelled() { case.facts.cause } else { None };
            assert_eq!(case.said, Said::Start(lost), "{case:?}");
        }
    }
}

/// Whatever is asked is answered as it is so. `[read-3]`
#[test]
fn what_is_asked_is_so() {
    watch!();
    for case in cases(|_| true).into_iter().filter(|it| it.after.is_there()) {
        let (word, facts) = (case.next, case.after);
        assert!(agree(word, &facts), "{case:?}");
        let last = facts.handles() == 1 && facts.state.is_settled();
        assert_eq!([false, true].map(|it| word.is_unread(it)), [last, false], "{case:?}");
    }
}

/// The producer settles, or comes too late and is told why. `[promise-2]`
#[test]
fn the_producer_settles_or_is_late() {
    watch!();
    for case in cases(|act| matches!(act, Act::Settle(_))) {
        let late = case.facts.state.is_settled();
        match case.said {
            Said::Settle(Settle::Settle(_)) => assert!(!late, "{case:?}"),
            Said::Settle(Settle::Late(cause)) => {
                assert!(late, "{case:?}");
                assert_eq!(Some(cause), case.facts.cause, "{case:?}");
            }
            _ => unreachable!("{case:?}"),
        }
    }
}

/// An outcome is written where the step leads to Finished, and nowhere else. `[cell-1]`
#[test]
fn an_outcome_is_written_where_it_is_read() {
    watch!();
    for case in cases(|act| matches!(act, Act::Settle(_))) {
        let Act::Settle(end) = case.act else { unreachable!() };
        let is_finished = case.said != Said::Settle(Settle::Late(case.word.cause()))
            && case.after.state == State::Finished;
        assert_eq!(case.word.finishes(end), is_finished, "{case:?}");
    }
}

/// A word is what an atomic holds.
#[test]
fn a_word_is_its_bits() {
    watch!();
    for case in cases(|_| true) {
        assert_eq!(Word::from_bits(case.next.bits()), case.next, "{case:?}");
    }
}

/// A cancellation has one cause, and keeps it. `[cancel-6]`
#[test]
fn a_cancellation_knows_its_cause() {
    watch!();
    for case in cases(|_| true).into_iter().filter(|it| it.after.is_cancelled()) {
        assert_eq!(Some(case.next.cause()), case.after.cause, "{case:?}");
    }
}

/// A cancel settles, asks or is refused; the producer is told of the first that asks. `[cancel-1]` `[cancel-3]` `[cancel-4]`
#[test]
fn a_cancel_settles_or_asks() {
    watch!();
    for case in cases(|act| matches!(act, Act::Cancel(_))) {
        let Facts { state, promise, requested, .. } = case.facts;
        let ask = |answer| if requested { Ask::Answer(answer) } else { Ask::Tell(answer) };
        let expected = match state {
            State::Pending if promise == Some(Phase::Owned) => ask(Cancel::Requested),
            State::Pending => Ask::Settle,
            State::Running => ask(Cancel::Refused(Refusal::Running)),
            State::Cancelled => Ask::Answer(Cancel::Already),
            State::Finished => Ask::Answer(Cancel::Refused(Refusal::Finished)),
        };
        assert_eq!(case.said, Said::Ask(expected), "{case:?}");
    }
}

/// Who registers is told at once of what is so already. `[cell-1]`
#[test]
fn nobody_registers_for_what_is_so() {
    watch!();
    for case in cases(|act| matches!(act, Act::Register(_) | Act::RegisterCallback)) {
        let is_so = match case.act {
            Act::Register(until) => case.facts.is_so(until),
            _ => case.facts.state.is_settled(),
        };
        assert_eq!(case.said, Said::Done(!is_so), "{case:?}");
    }
}

/// Callbacks that the settler has, nobody else takes out. `[callback-9]`
#[test]
fn callbacks_are_cleared_before_the_end() {
    watch!();
    for case in cases(|act| act == Act::ClearCallbacks) {
        assert_eq!(case.said, Said::Done(!case.facts.state.is_settled()), "{case:?}");
    }
}

/// The first reason to cancel what is not settled is noted, and stays. `[cancel-7]`
#[test]
fn a_reason_stays() {
    watch!();
    for case in cases(|_| true) {
        let gives = case.act == Act::Cancel(true) && !case.facts.state.is_settled();
        assert_eq!(case.next.is_reasoned(), case.word.is_reasoned() || gives, "{case:?}");
    }
}

/// Whom the steps tell of.
fn told(case: &Case) -> [bool; 4] {
    let tell = |until: Until| UNTIL.map(|it| it == until);
    match case.said {
        // The producer has nothing to be told.
        Said::Settle(Settle::Settle(then)) => [true, then != Then::Lend, false, false],
        Said::Ask(Ask::Settle) => [true; 4],
        Said::Ask(Ask::Tell(_)) => tell(Until::Requested),
        Said::Then(Then::Tell(until)) => tell(until),
        _ => [false; 4],
    }
}

/// The step after which something is so tells whoever waits for it, and no other step does. `[cancel-8]` `[promise-8]`
#[test]
fn whoever_waits_is_told_when_it_is_so() {
    watch!();
    for case in cases(|_| true) {
        let told = told(case);
        for until in UNTIL {
            let at = until as usize;
            if !case.facts.waiting[at] || case.act == Act::Deregister(until) {
                continue;
            }
            let gone = case.after.promise.is_none();
            let dropped = matches!(until, Until::Requested | Until::Closed) && gone;
            let is_so = case.after.is_so(until) && !dropped;
            assert_eq!(told[at], is_so, "{until:?}: {case:?}");
        }
    }
}

/// Nobody looks for those who wait where there has been none.
#[test]
fn nobody_is_looked_for_in_vain() {
    watch!();
    for case in cases(|_| true) {
        if let Said::Then(Then::Tell(until)) = case.said {
            assert!(case.facts.waited[until as usize], "{case:?}");
        }
    }
}

/// The cell is freed by the step after which there is no handle, and by no other. `[cell-4]`
#[test]
fn the_last_handle_frees() {
    watch!();
    for case in cases(|_| true) {
        let frees = match case.said {
            Said::Settle(Settle::Settle(then))
            | Said::Then(then)
            | Said::Take(Take::Outcome(then)) => [then == Then::Free, then == Then::End],
            _ => [false; 2],
        };
        let ends = case.facts.handles() > 0 && case.after.handles() == 0;
        let is_kept = case.facts.holds > 0;
        assert_eq!(frees, [ends && !is_kept, ends && is_kept], "{case:?}");
    }
}

/// The memory goes with the last hold, if there is no handle. `[weak-2]`
#[test]
fn the_last_hold_frees_the_memory() {
    watch!();
    for case in cases(|act| act == Act::Release) {
        assert_eq!(case.said, Said::Done(case.after.is_there()), "{case:?}");
    }
}

/// Whoever gives a handle up and goes on keeps the memory until he says so, and nobody else does. `[cell-4]`
#[test]
fn whoever_goes_on_keeps_the_memory() {
    watch!();
    for case in cases(|_| true).into_iter().filter(|it| it.after.is_there()) {
        let goes_on = match case.said {
            Said::Settle(Settle::Settle(then))
            | Said::Then(then)
            | Said::Take(Take::Outcome(then)) => matches!(then, Then::Tell(_) | Then::End),
            _ => case.act == Act::Hold,
        };
        let before = case.facts.holds - u64::from(case.act == Act::Release);
        assert_eq!(case.after.holds, before + u64::from(goes_on), "{case:?}");
        let mut word = case.next;
        for _ in 0..case.after.holds - u64::from(case.after.handles() == 0) {
            word = word.release().unwrap_or_else(|| panic!("freed too early: {case:?}"));
        }
        let last = (case.after.handles() == 0).then(|| word.release());
        assert!(matches!(last, None | Some(None)), "not freed: {case:?}");
    }
}

/// One hold more than can be counted is known as that: whoever wants it has to wait.
#[test]
fn no_more_holds_than_can_be_counted() {
    watch!();
    let mut word = Word::new(false);
    for _ in 0..MOST_HOLDS {
        word = word.hold();
        assert!(!word.is_crowded());
    }
    assert!(word.hold().is_crowded());
}

/// In the words of the library there is room for it: it is no handle that is lent, and no other.
#[test]
fn a_hold_too_many_is_no_handle() {
    watch!();
    let text = fs::read_to_string(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("src/cell/mod.rs"),
    );
    assert!(text.unwrap().contains("const MOST_HOLDS: u64 = (1 << 7) - 1;"));
    let word = (0..1 << 7).fold(Word::new(false), |word, _| word.hold());
    assert_eq!(word.bits(), Word::new(false).bits() + (1 << 19));
    let lent = Word::new(false).lend().unwrap().bits() - Word::new(false).share().unwrap().bits();
    assert_eq!(lent, 1 << 20);
}

/// Whoever has to wait for one hold less waits for those who release theirs, and these wait for nobody.
#[test]
fn a_hold_is_released_where_no_other_can_be_counted() {
    watch!();
    let full = Atom::new((0..MOST_HOLDS).fold(Word::new(false), |word, _| word.hold()));
    thread::scope(|scope| {
        let waits = scope.spawn(|| full.apply(Ordering::Relaxed, |word| Some(word.hold())));
        assert!(full.release());
        assert!(waits.join().unwrap());
    });
    assert!(!full.look().is_crowded() && full.look().hold().is_crowded());
}

/// A weak handle becomes another as long as somebody is left who sees the outcome. `[weak-1]`
#[test]
fn a_weak_handle_finds_whom_somebody_sees() {
    watch!();
    for case in cases(|act| act == Act::Upgrade) {
        let finds = case.facts.is_seen() && case.facts.handles() < MOST_HANDLES;
        assert_eq!(case.said, Said::Done(finds), "{case:?}");
    }
}

/// Its cancel is anybody's, with a handle more if it settles and there are callbacks; where all handles are gone it changes nothing. `[cancel-10]`
#[test]
fn a_weak_handle_cancels_as_anybody() {
    watch!();
    let mut refused = 0;
    for case in cases(|act| matches!(act, Act::Cancel(_))) {
        let (Said::Ask(ask), Act::Cancel(reasoned)) = (case.said, case.act) else {
            unreachable!("{case:?}")
        };
        let shares = ask == Ask::Settle && case.facts.callbacks;
        let counted = if shares { case.next.share() } else { Some(case.next) };
        let cancelled = case.word.cancel_weakly(reasoned);
        assert_eq!(cancelled, counted.map(|word| (word, ask)), "{case:?}");
        refused += u32::from(counted.is_none());
    }
    assert!(refused > 0, "the count is never full");
    for case in cases(|_| true).into_iter().filter(|it| it.next.has_ended()) {
        let Some((word, Ask::Answer(_))) = case.next.cancel_weakly(true) else {
            panic!("{case:?}")
        };
        assert_eq!(word, case.next);
    }
}

/// A promise that was told that nobody is left finds it so for ever. `[promise-8]` `[weak-1]`
#[test]
fn what_is_closed_stays_closed() {
    watch!();
    for case in cases(|_| true) {
        if case.facts.promise.is_some() && case.after.promise.is_some() {
            let closed = [case.facts, case.after].map(|it| it.is_so(Until::Closed));
            assert!(closed[1] || !closed[0], "{case:?}");
        }
    }
}

/// The value comes back in the step that settles if nobody can see it, and in no other. `[promise-9]`
#[test]
fn what_nobody_sees_comes_back() {
    watch!();
    for case in cases(|act| matches!(act, Act::Settle(_))) {
        if let Said::Settle(Settle::Settle(then)) = case.said {
            let is_back = matches!(then, Then::Free | Then::End);
            assert_eq!(is_back, case.facts.is_so(Until::Closed), "{case:?}");
        }
    }
}

/// The settler's handle is lent to the callbacks, if there are any, and otherwise given up in the step. `[cell-3]`
#[test]
fn the_settlers_handle_is_lent_or_given_up() {
    watch!();
    for case in cases(|act| matches!(act, Act::Settle(_))) {
        let Said::Settle(Settle::Settle(then)) = case.said else { continue };
        assert_eq!(then == Then::Lend, case.facts.callbacks, "{case:?}");
        let stays = u64::from(then == Then::Lend);
        assert_eq!(case.after.handles(), case.facts.handles() - 1 + stays, "{case:?}");
    }
}

/// Of several who take by value the last gets the outcome, and each a cancellation. `[settled-3]` `[settled-5]`
#[test]
fn one_takes_the_outcome() {
    watch!();
    for case in cases(|act| matches!(act, Act::Take | Act::TakeOrLeave)) {
        let (is_only, cause) = (case.facts.handles() == 1, case.facts.cause);
        let end = if case.facts.holds > 0 { Then::End } else { Then::Free };
        let expected = match cause {
            Some(cause) => Take::Cancelled(cause),
            None if is_only => Take::Outcome(end),
            None => Take::Shared,
        };
        assert_eq!(case.said, Said::Take(expected), "{case:?}");
    }
}

/// One handle more is made as long as it can be counted.
#[test]
fn no_more_handles_than_can_be_counted() {
    watch!();
    let mut refused = 0_u8;
    for case in cases(|act| matches!(act, Act::Share | Act::Lend)) {
        let is_lent = case.act == Act::Lend && case.facts.lent == MOST_LENT;
        let is_full = [case.facts.handles() == MOST_HANDLES, is_lent];
        assert_eq!(case.said, Said::Done(is_full == [false; 2]), "{case:?}");
        refused |= 1 << (2 * u8::from(is_full[0]) + u8::from(is_full[1]));
    }
    assert_eq!(refused, 0b1111, "each count is full once, both are, and none is");
}

/// What is settled is so for ever, and for the reason that it was. `[machine-3]`
#[test]
fn a_settled_word_stays_as_it_is() {
    watch!();
    let settled = |word: Word| (word.state(), word.cause());
    for case in cases(|_| true).into_iter().filter(|it| it.next.state().is_settled()) {
        let word = case.next;
        let cause = case.after.cause;
        assert!(word.start().is_err(), "{case:?}");
        for reasoned in [false, true] {
            let (next, ask) = word.cancel(reasoned);
            assert_eq!(next, word, "{case:?}");
            assert!(matches!(ask, Ask::Answer(_)), "{case:?}");
        }
        if case.after.handles() > 0 {
            for end in ENDS {
                let (next, settle) = word.settle(end);
                assert_eq!(settled(next), settled(word), "{end:?}: {case:?}");
                let Settle::Late(why) = settle else { panic!("{end:?}: {case:?}") };
                assert!(cause.is_none_or(|it| it == why), "{end:?}: {case:?}");
            }
        }
    }
}

/// The word needs no allocation, no standard library, and of the crate two modules of plain enums.
#[test]
fn the_word_alone_without_std() {
    watch!();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("word-{}", process::id()));
    fs::create_dir_all(&scratch).unwrap();
    let (library, out) = (scratch.join("lib.rs"), scratch.join("out"));
    let source = format!(
        "#![no_std]\n#![allow(dead_code)]\nconst MOST_HANDLES: u64 = 2;\nconst MOST_LENT: u64 = 1;\n\
         const MOST_HOLDS: u64 = 2;\n#[path = {:?}]\npub mod machine;\n\
         #[path = {:?}]\nmod word;\nmod error {{\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n\
         pub enum Cancelled {{ Requested, Dropped, Broken, Stopped }}\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum Refusal {{ Running, Finished }}\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq)]\n\
         pub enum Cancel {{ Now, Already, Requested, Refused(Refusal) }}\n}}\n",
        root.join("src/machine.rs"),
        root.join("src/cell/word.rs"),
    );
    fs::write(&library, source).unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let arguments =
        ["--crate-type", "lib", "--edition", "2024", "--emit", "metadata", "-D", "warnings"];
    let output = Command::new(rustc).args(arguments).arg("-o").arg(out).arg(&library).output();
    fs::remove_dir_all(&scratch).unwrap();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// How many words there are, and how many cases: fewer would be seen.
#[test]
fn every_word_is_tried() {
    watch!();
    let words: HashSet<_> = CASES.iter().map(|it| it.word).collect();
    assert_eq!((words.len(), CASES.len()), (3_336, 155_565));
}
