//! What those who take part in a program can be told, over all of its paths.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use settled::model::{Do, Does, End, Kind, Program, Role, Step, System};
use stateright::Model;

use crate::told::{Told, expected};

/// What each was told, in its own order; the workers are not told apart, and come last.
pub(crate) type Outcome = Vec<Vec<String>>;

/// All outcomes of a program, and how many states it has.
pub(crate) fn outcomes(program: &Program) -> BTreeSet<Outcome> {
    let mut paths = Paths { program, known: HashMap::new(), events: Vec::new() };
    let begin = program.init_states().remove(0);
    let ends = paths.from(&begin);
    let read = |end: &Vec<Vec<usize>>| {
        let said = |party: &Vec<usize>| {
            party.iter().rev().map(|event| paths.events[*event].clone()).collect::<Vec<String>>()
        };
        let parties: Vec<_> = end.iter().map(said).collect();
        let roles = program.members().map(|(role, _)| role);
        sorted(parties.into_iter().zip(roles))
    };
    ends.iter().map(read).collect()
}

/// The outcome of what each was told.
pub(crate) fn sorted(parties: impl Iterator<Item = (Vec<String>, Role)>) -> Outcome {
    let worker = |party: &(Vec<String>, Role)| matches!(party.1, Role::Worker(_));
    let (workers, mut others): (Vec<_>, Vec<_>) = parties.partition(worker);
    let mut workers: Vec<_> = workers.into_iter().filter(|(said, _)| !said.is_empty()).collect();
    workers.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    others.extend(workers);
    others.into_iter().map(|(said, _)| said).collect()
}

/// What is still said, the last first, by number; for each who takes part.
type Rest = Vec<Vec<usize>>;

struct Paths<'a> {
    program: &'a Program,
    known: HashMap<System, Rc<BTreeSet<Rest>>>,
    events: Vec<String>,
}

impl Paths<'_> {
    /// What can still be said from a state on.
    fn from(&mut self, state: &System) -> Rc<BTreeSet<Rest>> {
        if let Some(known) = self.known.get(state) {
            return Rc::clone(known);
        }
        let next = self.program.next_steps(state);
        let mut rests = BTreeSet::new();
        if next.is_empty() {
            rests.insert(vec![Vec::new(); self.program.members().count()]);
        }
        for (step, after) in next {
            let said = said(self.program, [state, &after], step).map(|event| self.number(event));
            for rest in self.from(&after).iter() {
                let mut rest = rest.clone();
                rest[usize::from(step.agent)].extend(said);
                rests.insert(rest);
            }
        }
        let rests = Rc::new(rests);
        self.known.insert(state.clone(), Rc::clone(&rests));
        rests
    }

    fn number(&mut self, event: String) -> usize {
        let known = self.events.iter().position(|it| *it == event);
        known.unwrap_or_else(|| {
            self.events.push(event);
            self.events.len() - 1
        })
    }
}

/// What who takes a step is told in it.
fn said(program: &Program, states: [&System; 2], Step { agent, does }: Step) -> Option<String> {
    let [before, after] = states;
    let told = |what: Do| {
        let told = after.told(agent);
        let these = what.waits_for().into_iter().flat_map(|these| these.iter().collect::<Vec<_>>());
        let mut done: Vec<_> = these.filter(|it| told.contains(it)).collect();
        done.sort_unstable();
        done.dedup();
        done.into_iter().map(|it| (it, after.future(it).end().expect("it was told"))).collect()
    };
    match does {
        Does::Begin(piece) => {
            let kind = program.pieces().nth(usize::from(piece)).expect("it begins").0;
            let gone = |it| before.future(it).state().is_settled();
            (!matches!(kind, Kind::Job(it, _) if gone(it))).then(|| begins(piece))
        }
        Does::Part(what @ Do::AsCompleted(these)) => {
            let place = before.progress(agent).checked_sub(these.iter().count())?;
            let given = |it: &&u8| these.iter().any(|given| given == **it);
            let it = *after.told(agent).iter().filter(given).nth(place)?;
            Some(answer(what, Told::Done(vec![(it, after.future(it).end()?)])))
        }
        Does::Do(what @ Do::AsCompleted(these)) => {
            let over = before.progress(agent) == 2 * these.iter().count();
            Some(answer(what, if over { Told::Nothing } else { Told::Refused }))
        }
        Does::Do(what @ (Do::WaitFirst(_) | Do::WaitAllTimeout(_))) => {
            let known = |it: u8| before.told(agent).contains(&it);
            let mut these = what.waits_for()?.iter().collect::<Vec<_>>().into_iter();
            let returns = program.is_leaving(before, agent)
                || these.len() == 0
                || if matches!(what, Do::WaitFirst(_)) {
                    these.any(known)
                } else {
                    these.all(known)
                };
            Some(answer(what, if returns { Told::Done(told(what)) } else { Told::Refused }))
        }
        Does::Expire(what) => {
            let over = !program.is_leaving(after, agent);
            let timed = matches!(what, Do::WaitAllTimeout(_));
            let done = if timed { told(what) } else { Vec::new() };
            over.then(|| answer(what, Told::Done(done)))
        }
        Does::Do(Do::Await(it)) if !program.shows(before, agent, it) => None,
        Does::Do(what) => Some(answer(what, expected(program, states, agent, what)?)),
        _ => None,
    }
}

/// How it is said that a piece begins.
pub(crate) fn begins(piece: u8) -> String {
    format!("#{piece} begins")
}

/// How it is said what a call answers. A future has one promise, so that its values are all the same.
pub(crate) fn answer(what: Do, mut told: Told) -> String {
    use settled::model::Answer;
    if let Told::Done(done) = &mut told {
        done.iter_mut().for_each(|(_, end)| *end = value(*end));
    } else if let Told::Answer(Answer::Read(Some(end))) = &mut told {
        *end = value(*end);
    }
    format!("{what:?} = {told:?}")
}

const fn value(end: End) -> End {
    if let End::Value(_) = end { End::Value(0) } else { end }
}
