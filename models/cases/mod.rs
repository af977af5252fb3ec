//! What ships, and what happens otherwise: a program for each rule, and for each of the differences
//! between Python's two classes that a rule is about.
//!
//! The programs are as small as the reason allows; all programs of a size are in `general`.

mod bridge;
mod callbacks;
mod cancelling;
mod loops;
mod pools;
mod reading;
mod tasks;
mod waiting;

use settled::model::{Futures, Program, rules};

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

impl Case {
    /// The program under the flipped rule.
    pub(crate) fn flipped(&self) -> Program {
        let flip = rules::FLIPS.iter().find(|flip| flip.name == self.flip);
        let flip = flip.unwrap_or_else(|| panic!("{}: there is no rule {}", self.id, self.flip));
        self.program.clone().under(flip.rules())
    }
}

const F: u8 = 0;
const G: u8 = 1;
const BOTH: Futures = Futures::of(&[F, G]);

/// All of them, theme by theme.
pub(crate) fn all() -> Vec<Case> {
    let themes: [(&'static str, fn() -> Vec<Case>); 8] = [
        ("reading", reading::all),
        ("callbacks", callbacks::all),
        ("cancelling", cancelling::all),
        ("waiting", waiting::all),
        ("loops", loops::all),
        ("tasks", tasks::all),
        ("bridge", bridge::all),
        ("pools", pools::all),
    ];
    let named = |(theme, all): (_, fn() -> Vec<Case>)| {
        all().into_iter().map(move |case| Case { theme, ..case })
    };
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
