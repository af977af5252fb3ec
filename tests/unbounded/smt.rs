//! SMT-LIB: what is asked, and the solver that is asked.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    io::Write as _,
    num::NonZero,
    process::{Command, Stdio},
    thread,
};

use settled::machine::{self, Event, State};

use crate::system::{Lemma, Step, System};

/// What whoever takes a step is called: a waiter, a callback, a future, or a permit.
const NAMES: [&str; 4] = ["w", "c", "f", "p"];

/// What a solver may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is such a state, or such a run.
    Sat,
    /// There is none, of whatever size.
    Unsat,
}

/// Questions about one path, each by its name and with what is said beside, and the answer that is right.
pub(crate) struct Question {
    text: String,
    asks: Vec<(String, String)>,
    wants: Answer,
}

/// What is asked about: a state, the steps from there on, and sentences about the states on the way.
pub(crate) struct Path<'a> {
    system: &'a System,
    text: String,
    /// How often each part of the state has changed.
    versions: BTreeMap<&'static str, usize>,
    steps: usize,
}

impl<'a> Path<'a> {
    /// From the beginning on.
    pub(crate) fn from_the_beginning(system: &'a System) -> Self {
        Self::new(system, true)
    }

    /// From any state.
    pub(crate) fn from_anywhere(system: &'a System) -> Self {
        Self::new(system, false)
    }

    fn new(system: &'a System, begins: bool) -> Self {
        let mut text = prelude(system);
        for var in system.vars {
            let name = format!("{}.0", var.name);
            match var.first.filter(|_| begins) {
                Some(first) => define(&mut text, &name, var.of, var.is, first),
                None => {
                    let of = var.of.join(" ");
                    writeln!(text, "(declare-fun {name} ({of}) {})", var.is).expect("a string");
                }
            }
        }
        let versions = system.vars.iter().map(|var| (var.name, 0)).collect();
        Self { system, text, versions, steps: 0 }
    }

    /// With the parts of the state as they are now, and whoever takes the last step.
    fn render(&self, text: &str) -> String {
        words(text, |word| match self.versions.get(word) {
            Some(version) => format!("{word}.{version}"),
            None if NAMES.contains(&word) => format!("{word}.{}", self.steps),
            None => word.to_owned(),
        })
    }

    /// What is said holds here.
    pub(crate) fn says(mut self, text: &str) -> Self {
        let text = self.render(&self.resolve(text));
        writeln!(self.text, "(assert {text})").expect("a string");
        self
    }

    /// All of the invariant holds here.
    pub(crate) fn where_all_hold(self, lemmas: &[Lemma]) -> Self {
        let inductive = lemmas.iter().filter(|it| it.is_inductive);
        inductive.fold(self, |path, lemma| path.says(lemma.holds))
    }

    /// The step is taken, by anybody who can take it.
    pub(crate) fn takes(mut self, step: &Step) -> Self {
        self.steps += 1;
        if let Some(sort) = step.by {
            let who = sort.to_lowercase();
            writeln!(self.text, "(declare-const {who}.{} {sort})", self.steps).expect("a string");
        }
        self = self.says(&step.guard);
        let mut changed = self.versions.clone();
        for (name, value) in &step.does {
            let var =
                self.system.vars.iter().find(|var| var.name == *name).expect("a part of the state");
            let version = self.versions[name] + 1;
            changed.insert(name, version);
            let value = self.render(value);
            define(&mut self.text, &format!("{name}.{version}"), var.of, var.is, &value);
        }
        self.versions = changed;
        self
    }

    /// The steps of these names are taken, one after the other.
    pub(crate) fn runs(self, names: &str) -> Self {
        let system = self.system;
        names.split_whitespace().fold(self, |path, name| path.takes(system.find(name)))
    }

    /// Asks whether there is such a path.
    pub(crate) fn asks(self, name: String, wants: Answer) -> Question {
        Question { text: self.text, asks: vec![(name, String::new())], wants }
    }

    /// Asks of each sentence whether there is such a path at whose end it does not hold.
    pub(crate) fn asks_whether_not(self, lemmas: &[&Lemma], name: &str, wants: Answer) -> Question {
        let ask = |Lemma { says, holds, .. }: &Lemma| {
            let not = self.render(&self.resolve(holds));
            (format!("{name}: {says}"), format!("(assert (not {not}))"))
        };
        Question { asks: lemmas.iter().copied().map(ask).collect(), text: self.text, wants }
    }

    /// Says of `(can step)` what it means.
    fn resolve(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for step in &self.system.steps {
            let anybody = |word: &str| if NAMES.contains(&word) { "v" } else { word }.to_owned();
            let can = match step.by {
                Some(sort) => format!("(exists ((v {sort})) {})", words(&step.guard, anybody)),
                None => step.guard.clone(),
            };
            text = text.replace(&format!("(can {})", step.name), &can);
        }
        text
    }
}

/// The text with each word changed.
fn words(text: &str, change: impl Fn(&str) -> String) -> String {
    let is_mark = |c: char| "() \n".contains(c);
    let (mut changed, mut from) = (String::new(), 0);
    for (at, mark) in text.match_indices(is_mark) {
        changed += &change(&text[from..at]);
        changed += mark;
        from = at + mark.len();
    }
    changed + &change(&text[from..])
}

/// The sorts, and the table as [`State::on`] has it.
fn prelude(system: &System) -> String {
    let names = |names: [String; 4]| names.map(|name| format!("({name})")).join(" ");
    let mut table = "Refused".to_owned();
    for state in State::ALL {
        for event in Event::ALL {
            let step = match (system.table)(state, event) {
                machine::Step::To(to) => format!("(To {to:?})"),
                step => format!("{step:?}"),
            };
            table = format!("(ite (and (= s {state:?}) (= e {event:?})) {step}\n  {table})");
        }
    }
    let settled = State::ALL.into_iter().filter(|it| it.is_settled());
    let settled: Vec<_> = settled.map(|it| format!("(= s {it:?})")).collect();
    format!(
        "(declare-sort W 0)
(declare-sort C 0)
(declare-sort F 0)
(declare-datatypes ((State 0)) (({})))
(declare-datatypes ((Event 0)) (({})))
(declare-datatypes ((Step 0)) (((To (to State)) (Already) (Refused))))
(declare-datatypes ((Phase 0)) (({})))
(define-fun on ((s State) (e Event)) Step {table})
(define-fun settled ((s State)) Bool (or {}))
{}
",
        names(State::ALL.map(|it| format!("{it:?}"))),
        names(Event::ALL.map(|it| format!("{it:?}"))),
        system.phases,
        settled.join(" "),
        system.words,
    )
}

fn define(text: &mut String, name: &str, of: &[&str], is: &str, value: &str) {
    let arguments: Vec<_> = of.iter().zip(["x", "y"]).map(|(s, x)| format!("({x} {s})")).collect();
    writeln!(text, "(define-fun {name} ({}) {is} {value})", arguments.join(" ")).expect("a string");
}

/// Whether there is a solver; fails if there is none and one is asked for.
pub(crate) fn is_there() -> Result<bool, String> {
    if Command::new("z3").arg("--version").stdout(Stdio::null()).status().is_ok() {
        return Ok(true);
    }
    println!("SKIPPED unbounded: z3, install with apt-get install -y z3");
    if env::var("SETTLED_STRICT").is_ok_and(|strict| strict == "1") {
        return Err("SETTLED_STRICT is set, and there is no z3 to ask".to_owned());
    }
    Ok(false)
}

/// Asks all, and fails with those that are answered otherwise.
pub(crate) fn ask(questions: &[Question]) -> Result<(), String> {
    if questions.is_empty() {
        return Err("nothing is asked".to_owned());
    }
    let solvers = thread::available_parallelism().map_or(1, NonZero::get).min(questions.len());
    let share = |of: usize| questions.iter().skip(of).step_by(solvers).collect::<Vec<_>>();
    let answers: Vec<_> = thread::scope(|scope| {
        let asked = |of| scope.spawn(move || ask_one(&share(of)));
        let asked: Vec<_> = (0..solvers).map(asked).collect();
        asked.into_iter().map(|it| it.join().expect("it does not panic")).collect()
    });
    let wrong: String = answers.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Asks one solver.
fn ask_one(questions: &[&Question]) -> Result<(), String> {
    let mut script = String::new();
    for Question { text, asks, .. } in questions {
        write!(script, "(reset)\n{text}").expect("a string");
        for (_, beside) in asks {
            write!(script, "(push)\n{beside}(check-sat)\n(pop)\n").expect("a string");
        }
    }
    let asked = questions.iter().flat_map(|it| it.asks.iter().map(|(name, _)| (name, it.wants)));
    let asked: Vec<_> = asked.collect();
    let printed = z3(&script)?;
    let answers: Vec<&str> = printed.lines().collect();
    if answers.len() != asked.len() {
        return Err(format!("{} questions, and z3 says: {printed}", asked.len()));
    }
    let mut wrong = String::new();
    for ((name, wants), answer) in asked.into_iter().zip(answers) {
        if answer != format!("{wants:?}").to_lowercase() {
            writeln!(wrong, "{name}: {answer}, not {wants:?}").expect("a string");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn z3(script: &str) -> Result<String, String> {
    let failed = |why: std::io::Error| format!("z3: {why}");
    let mut child = Command::new("z3")
        .arg("-in")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    child.stdin.take().expect("it is piped").write_all(script.as_bytes()).map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    String::from_utf8(output.stdout).map_err(|why| format!("z3: {why}"))
}
