//! What the table must be, said a second time and differently: declarative clauses, and the proof
//! that together they leave room for no other table.
//!
//! The clauses are checked on the shipped table, and then on every mutant of it: each of the 16
//! entries, replaced by each of the 5 other answers that an entry can give. Every one of the 80
//! mutants must violate a clause; since every clause speaks of one entry at a time, a table that
//! differs in more entries violates one too. How many each clause kills alone is pinned, so that a clause that
//! became redundant is noticed.

use settled::machine::{Event, State, Step};

use crate::{Row, Trials};

/// The table as data: rows as in `State::ALL`, columns as in `Event::ALL`.
type Table = [[Step; 4]; 4];

struct Clause {
    says: &'static str,
    holds: fn(&Table) -> bool,
    /// How many of the mutants it kills, and how many no other clause kills. Two kill none alone:
    /// they follow from the others, and stay because they are what users build on.
    kills: usize,
    alone: usize,
}

const CLAUSES: [Clause; 7] = [
    Clause {
        says: "what is settled never moves",
        holds: |table| all(table, |from, _, step| !from.is_settled() || to(step).is_none()),
        kills: 32,
        alone: 0,
    },
    Clause {
        says: "a step that is taken leads to another state, and nothing leads back to Pending",
        holds: |table| {
            all(table, |from, _, step| to(step).is_none_or(|to| to != from && to != State::Pending))
        },
        kills: 28,
        alone: 2,
    },
    Clause {
        says: "Running is reached from Pending by start, and in no other way",
        holds: |table| {
            all(table, |from, event, step| {
                (step == Step::To(State::Running))
                    == (from == State::Pending && event == Event::Start)
            })
        },
        kills: 20,
        alone: 1,
    },
    Clause {
        says: "Cancelled is reached from Pending by cancel and abandon, and in no other way",
        holds: |table| {
            all(table, |from, event, step| {
                (step == Step::To(State::Cancelled))
                    == (from == State::Pending && matches!(event, Event::Cancel | Event::Abandon))
            })
        },
        kills: 24,
        alone: 3,
    },
    Clause {
        says: "Finished is reached by finish, or by abandon while running, and in no other way",
        holds: |table| {
            all(table, |from, event, step| {
                let ends = event == Event::Finish && !from.is_settled()
                    || event == Event::Abandon && from == State::Running;
                (step == Step::To(State::Finished)) == ends
            })
        },
        kills: 28,
        alone: 4,
    },
    Clause {
        says: "a promise that is dropped always leaves its future settled",
        holds: |table| {
            all(table, |from, event, step| {
                event != Event::Abandon || to(step).unwrap_or(from).is_settled()
            })
        },
        kills: 12,
        alone: 0,
    },
    Clause {
        says: "already answers whoever asks for what is: a second cancel, an abandon of what is settled",
        holds: |table| {
            all(table, |from, event, step| {
                let again = from == State::Cancelled && event == Event::Cancel
                    || from.is_settled() && event == Event::Abandon;
                (step == Step::Already) == again
            })
        },
        kills: 28,
        alone: 10,
    },
];

fn shipped() -> Table {
    State::ALL.map(|state| Event::ALL.map(|event| state.on(event)))
}

fn all(table: &Table, holds: impl Fn(State, Event, Step) -> bool) -> bool {
    let rows = State::ALL.into_iter().zip(table);
    rows.into_iter().all(|(state, row)| {
        Event::ALL.into_iter().zip(row).all(|(event, step)| holds(state, event, *step))
    })
}

fn to(step: Step) -> Option<State> {
    match step {
        Step::To(state) => Some(state),
        Step::Already | Step::Refused => None,
    }
}

/// Every table that differs from the shipped one in a single entry.
fn mutants() -> Vec<Table> {
    let steps = State::ALL.map(Step::To).into_iter().chain([Step::Already, Step::Refused]);
    let steps: Vec<Step> = steps.collect();
    let mut mutants = Vec::new();
    for row in 0..4 {
        for column in 0..4 {
            for step in &steps {
                let mut table = shipped();
                if table[row][column] != *step {
                    table[row][column] = *step;
                    mutants.push(table);
                }
            }
        }
    }
    mutants
}

pub(crate) fn add(trials: &mut Trials) {
    trials.add("table::every_mutant_is_killed", || Ok::<_, String>(vec![every_mutant_is_killed()]));
}

/// `[machine-1]` `[machine-3]` `[machine-4]` The clauses hold of the whole table, which is finite.
fn every_mutant_is_killed() -> Row {
    let mutants = mutants();
    assert_eq!(mutants.len(), 16 * 5);
    let mut kills = [(0, 0); CLAUSES.len()];
    for mutant in &mutants {
        let killers: Vec<usize> =
            (0..CLAUSES.len()).filter(|clause| !(CLAUSES[*clause].holds)(mutant)).collect();
        assert!(!killers.is_empty(), "no clause forbids this table: {mutant:?}");
        for killer in &killers {
            kills[*killer].0 += 1;
            kills[*killer].1 += usize::from(killers.len() == 1);
        }
    }
    for (clause, (all, alone)) in CLAUSES.iter().zip(kills) {
        println!("clause: {}: forbids {all} of 80 tables, {alone} alone", clause.says);
    }
    for (clause, (all, alone)) in CLAUSES.iter().zip(kills) {
        assert!((clause.holds)(&shipped()), "the shipped table violates: {}", clause.says);
        assert_eq!((all, alone), (clause.kills, clause.alone), "{}", clause.says);
    }
    Row {
        system: "table".to_owned(),
        bound: "the shipped table, 80 mutants".to_owned(),
        properties: CLAUSES.len(),
        states: State::ALL.len(),
        fails: None,
    }
}
