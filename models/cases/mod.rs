//! What ships, and what happens otherwise: a program for each rule, and for each of the differences
//! between Python's two classes that a rule is about.
//!
//! The programs are as small as the reason allows; all programs of a size are in `families`. The programs alone:
//! `tests/replay` and `examples/why.rs` have them too.

mod bridge;
mod callbacks;
mod cancelling;
mod handles;
mod loops;
mod pools;
mod reading;
mod tasks;
mod waiting;

use settled::model::{
    Futures, Program, Rules, Step, chart,
    check::{self, Failure},
    property, rules,
};

/// A question, the program that answers it, and the rule without which it is not safe.
#[derive(Clone)]
pub(crate) struct Case {
    /// What it is about.
    pub(crate) theme: &'static str,
    /// The difference, the clause or the bug.
    pub(crate) id: &'static str,
    pub(crate) question: &'static str,
    /// What ships.
    pub(crate) answer: &'static str,
    pub(crate) program: Program,
    /// How many states the program has under the rules that ship, and how deep they are.
    pub(crate) states: usize,
    pub(crate) depth: usize,
    /// The flip, the property that it breaks, and in how many steps at the least.
    pub(crate) flip: &'static str,
    pub(crate) breaks: &'static str,
    pub(crate) steps: usize,
}

/// What [`Case::breaks`] says where nothing bad happens, and nothing good either.
pub(crate) const NEVER_ENDS: &str = "it ends";

/// What is so where a property does not hold.
const HARMS: [(&str, &str); 28] = [
    (NEVER_ENDS, "it goes round for ever"),
    (property::ENDS, "there is a deadlock, and somebody waits for ever"),
    (property::IN_VAIN, "a thread is blocked for a whole timeout, in vain"),
    (property::MISSED, "a callback is never called"),
    (property::TWICE, "something runs twice"),
    (property::EARLY, "a callback runs before its future is settled"),
    (property::ORDER, "the callbacks of a loop's view do not run in registration order"),
    (property::THREAD, "what a loop is given runs on another thread"),
    (property::AT_ONCE, "two callbacks of one loop may run at once"),
    (property::DEFERRED, "callbacks that were deferred run in another order"),
    (property::REMOVED, "a callback runs whose removal was answered with true"),
    (property::LOCKED, "somebody is kept out by a lock while a callback runs"),
    (property::NEVER_RUNS, "work runs whose cancel succeeded"),
    (property::UNASKED, "something is cancelled that nobody asked to cancel"),
    (property::AGREE, "somebody reads another end than the future has"),
    (property::ONE, "two who read a future read two ends"),
    (property::REPORTED, "wait does not report as done what its caller knows to be"),
    (property::ACCEPTED, "a job that a loop accepted never runs"),
    (property::OWNED, "a future is left unsettled, and nobody is there to settle it"),
    (property::STOPPED, "a task takes a step after it was settled"),
    (property::ORPHAN, "work begins that only a stopped task awaited"),
    (property::OUTLIVED, "a task is settled before a task that it owned was stopped"),
    (property::NEEDLESS, "a wait of a worker is refused that could have ended"),
    (property::LISTENS, "a promise is told that nobody is left, and somebody is"),
    (property::HEARS, "nobody is left, and who listens for that never hears of it"),
    (
        property::RETURNED,
        "a value is lost that nobody has seen, or comes back although somebody sees it",
    ),
    (property::RUNNING, "somebody on a loop is told that a task of it is running"),
    (property::ASSERTED, "what the program asserts is not so"),
];

impl Case {
    /// What is so under the flipped rule, where [`breaks`](Self::breaks) is not.
    pub(crate) fn harm(&self) -> &'static str {
        let (_, harm) =
            HARMS.iter().find(|(breaks, _)| *breaks == self.breaks).expect("it is told");
        harm
    }

    /// The rules that are flipped: one, or two that hide each other.
    pub(crate) fn flips(&self) -> impl Iterator<Item = &'static str> {
        self.flip.split(" + ")
    }

    /// The program under the flipped rules.
    pub(crate) fn flipped(&self) -> Program {
        let mut rules = Rules::default();
        for name in self.flips() {
            let flip = rules::FLIPS.iter().find(|flip| flip.name == name);
            let flip = flip.unwrap_or_else(|| panic!("{}: there is no rule {name}", self.id));
            (flip.flip)(&mut rules);
        }
        self.program.clone().under(rules)
    }

    /// That the program is right, and that every fair run of it ends, as it was found to be.
    pub(crate) fn prove(&self) -> Result<check::Proof, String> {
        let proof = check::prove(self.program.clone()).map_err(|failure| failure.to_string())?;
        check::ends(self.program.clone(), property::ended, &[]).map_err(|it| it.to_string())?;
        if (proof.states, proof.depth) != (self.states, self.depth) {
            return Err(format!("{} states, depth {}", proof.states, proof.depth));
        }
        Ok(proof)
    }

    /// The shortest way to where the flipped rule breaks the property, and the circle in which it
    /// then goes, if it is that it never ends.
    pub(crate) fn counterexample(&self) -> Result<[Vec<Step>; 2], String> {
        let found = if self.breaks != NEVER_ENDS {
            [check::refute(self.flipped(), self.breaks)?, Vec::new()]
        } else {
            match check::ends(self.flipped(), property::ended, &[]) {
                Err(Failure::ForEver { path, cycle }) => [path, cycle],
                Err(failure) => return Err(failure.to_string()),
                Ok(states) => return Err(format!("every fair run ends, in all {states} states")),
            }
        };
        if found[0].len() == self.steps { Ok(found) } else { Err(format!("{found:?}")) }
    }

    /// The counterexample as a chart.
    pub(crate) fn chart(&self) -> Result<String, String> {
        let [path, cycle] = self.counterexample()?;
        let mut text = chart(&self.flipped(), &[path, cycle.clone()].concat());
        if !cycle.is_empty() {
            text += &format!("and again from the last {} on, for ever\n", cycle.len());
        }
        Ok(text)
    }
}

const F: u8 = 0;
const G: u8 = 1;
const H: u8 = 2;
const BOTH: Futures = Futures::of(&[F, G]);

/// All of them, theme by theme.
pub(crate) fn all() -> Vec<Case> {
    type Theme = (&'static str, fn() -> Vec<Case>);
    let themes: [Theme; 9] = [
        ("reading", reading::all),
        ("callbacks", callbacks::all),
        ("cancelling", cancelling::all),
        ("waiting", waiting::all),
        ("loops", loops::all),
        ("tasks", tasks::all),
        ("bridge", bridge::all),
        ("pools", pools::all),
        ("handles", handles::all),
    ];
    let named = |(theme, all): Theme| all().into_iter().map(move |case| Case { theme, ..case });
    themes.into_iter().flat_map(named).collect()
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
fn case(
    id: &'static str,
    question: &'static str,
    answer: &'static str,
    program: Program,
    [states, depth]: [usize; 2],
    flip: &'static str,
    breaks: &'static str,
    steps: usize,
) -> Case {
    Case { theme: "", id, question, answer, program, states, depth, flip, breaks, steps }
}
