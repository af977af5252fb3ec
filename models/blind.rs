//! That no property, no twin and no goal is blind: each is switched, in the process, to always say the same, and then
//! the checks that rest on it no longer say what they did.
//!
//! A property that always says yes would let its must-fail systems pass, so that each needs one; a property that
//! always says no, and a twin that is never reached, are named by every proof.

use settled::model::{
    Program, Step, System,
    check::{self, Failure, Kinds},
    property::{self, ALWAYS},
};
use stateright::{Expectation, Model, Property};

use crate::{
    Row, Trials,
    cases::{self, Case, NEVER_ENDS},
};

pub(crate) fn add(trials: &mut Trials) {
    for name in ALWAYS.iter().map(|property| property.name).chain([property::ASSERTED]) {
        trials.add(format!("blind::says yes: {name}"), move || says_yes(name));
        trials.add(format!("blind::says no: {name}"), move || says_no(name));
    }
    for twin in twins() {
        trials.add(format!("blind::is never reached: {twin}"), move || is_never_reached(twin));
    }
    trials.add("blind::says yes: it ends", always_ends);
    trials.add("blind::says no: it ends", never_ends);
}

/// A program of whose properties one always says the same.
struct Switched {
    program: Program,
    properties: Vec<Property<Program>>,
    name: &'static str,
    says: bool,
}

impl Switched {
    fn new(program: Program, name: &'static str, says: bool) -> Self {
        let properties = program.properties();
        assert!(properties.iter().any(|it| it.name == name), "there is no \"{name}\"");
        Self { program, properties, name, says }
    }

    /// What the property with the number `N` says.
    fn said<const N: usize>(&self, state: &System) -> bool {
        let property = &self.properties[N];
        if property.name == self.name {
            self.says
        } else {
            (property.condition)(&self.program, state)
        }
    }
}

/// A condition is a function, which cannot keep its number: one for each.
macro_rules! said {
    ($($number:literal)*) => { [$(Switched::said::<$number>),*] };
}
const SAID: [fn(&Switched, &System) -> bool; 42] = said!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35
    36 37 38 39 40 41
);

impl Model for Switched {
    type State = System;
    type Action = Step;

    fn init_states(&self) -> Vec<System> {
        self.program.init_states()
    }

    fn actions(&self, state: &System, steps: &mut Vec<Step>) {
        self.program.actions(state, steps);
    }

    fn next_state(&self, state: &System, step: Step) -> Option<System> {
        self.program.next_state(state, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all = self.properties.iter().zip(SAID).map(|(it, condition)| Property {
            expectation: it.expectation.clone(),
            name: it.name,
            condition,
        });
        all.collect()
    }
}

impl Kinds for Switched {
    fn kind(step: &Step) -> &'static str {
        Program::kind(step)
    }

    fn by(&self, step: &Step) -> usize {
        self.program.by(step)
    }
}

/// The twins of all cases.
fn twins() -> Vec<&'static str> {
    let mut all: Vec<_> = cases::all()
        .into_iter()
        .flat_map(|case| case.program.properties())
        .filter(|it| it.expectation == Expectation::Sometimes)
        .map(|it| it.name)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn says_yes(name: &'static str) -> Result<Vec<Row>, String> {
    let has = |case: &Case| case.flipped().properties().iter().any(|it| it.name == name);
    let breaks = |case: &Case| has(case) && check::refute(case.flipped(), name).is_ok();
    let case = cases::all().into_iter().find(breaks);
    let case = case.ok_or(format!("no case breaks \"{name}\": it was never seen to fail"))?;
    match check::refute(Switched::new(case.flipped(), name, true), name) {
        Err(_) => Ok(Vec::new()),
        Ok(path) => Err(format!("it says yes, and was refuted: {path:?}")),
    }
}

fn says_no(name: &'static str) -> Result<Vec<Row>, String> {
    let has = |case: &Case| case.program.properties().iter().any(|it| it.name == name);
    let case = cases::all().into_iter().find(has).ok_or("no case has it")?;
    match check::prove(Switched::new(case.program, name, false)) {
        Err(Failure::Violated { property, .. }) if property == name => Ok(Vec::new()),
        other => Err(format!("it says no, and the proof says {other:?}")),
    }
}

fn is_never_reached(twin: &'static str) -> Result<Vec<Row>, String> {
    let has = |program: &Program| program.properties().iter().any(|it| it.name == twin);
    let program = cases::all().into_iter().map(|case| case.program).find(has);
    let program = program.ok_or("no case has it")?;
    match check::prove(Switched::new(program, twin, false)) {
        Err(Failure::Unreached { property }) if property == twin => Ok(Vec::new()),
        other => Err(format!("it is never reached, and the proof says {other:?}")),
    }
}

/// If whatever has not ended counted as ended, the system that goes round for ever would pass.
fn always_ends() -> Result<Vec<Row>, String> {
    let case = cases::all().into_iter().find(|case| case.breaks == NEVER_ENDS).ok_or("no case")?;
    case.counterexample()?;
    check::ends(case.flipped(), |_, _| true, &[])
        .map(|_| Vec::new())
        .map_err(|failure| failure.to_string())
}

/// If nothing counted as ended, every system would be stuck.
fn never_ends() -> Result<Vec<Row>, String> {
    let program = cases::all().remove(0).program;
    check::ends(program.clone(), property::ended, &[]).map_err(|failure| failure.to_string())?;
    match check::ends(program, |_, _| false, &[]) {
        Err(Failure::Violated { property, .. }) if property == NEVER_ENDS => Ok(Vec::new()),
        other => Err(format!("nothing ends, and the search says {other:?}")),
    }
}
