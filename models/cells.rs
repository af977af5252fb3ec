//! The cell's own protocol, access by access: its programs of two and three threads, whose calls are those of
//! `tests/memory/cell` with the word that ships, in every interleaving.
//!
//! One step is one access: of the word, of the slot, of the list or its lock, of who is told; or that the memory is
//! freed. What the orderings of the code add to that is `tests/memory`'s.

use settled::model::check::{self, Kinds};
use stateright::{Model, Property};

use crate::{
    Trials,
    cell::{CELL, LONG, Make, SHORT, SLOT, TOLD, WRONG, Way, calls::READS},
    program::{Ask, Next, Program},
    refuted, row,
};

const USED: &str = "nobody touches what was freed";
const FREED: &str = "the last one frees, once";
const WRITTEN: &str = "the slot is written once, and read when it is";
const ONCE: &str = "each who waits is told once";
const WAITS: &str = "nobody waits for ever";
const FINDS: &str = "each finds what it has to, and each value is somebody's";

/// What each mistake of others breaks, and in how many steps.
const BREAKS: [(&str, usize); WRONG.len()] = [
    (FINDS, 8),
    (USED, 11),
    (USED, 20),
    (WRITTEN, 6),
    (WAITS, 10),
    (USED, 15),
    (WAITS, 12),
    (WAITS, 7),
    (FREED, 25),
    (ONCE, 18),
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("cells::every_program", || {
        let all = SHORT.iter().chain(LONG).map(|make| Cell { make, way: Way::STEPS });
        let proof = check::prove_all(all).map_err(|it| format!("{}: {}", it.0.make.0, it.1))?;
        let bound = format!("{} programs", SHORT.len() + LONG.len());
        row("the cell, access by access", bound, &proof, [11440, 38]).map(|row| vec![row])
    });
    for ((twin, program, was), (property, steps)) in WRONG.into_iter().zip(BREAKS) {
        trials.add(format!("cells::{was}"), move || {
            let make = SHORT.iter().chain(LONG).find(|it| it.0 == program);
            let make = make.ok_or("there is no such program")?;
            let cell = Cell { make, way: Way::wrong(twin) };
            let system = format!("the cell: {was}");
            refuted(system, format!("not so: {property}"), cell, property, steps).map(|it| vec![it])
        });
    }
}

/// A program of the cell.
struct Cell {
    make: &'static Make,
    way: Way,
}

/// A state of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Now {
    memory: Vec<u64>,
    /// What each thread was told.
    answers: Vec<Vec<u64>>,
    freed: u8,
    /// How often a value was put into the slot.
    written: u8,
    /// How often each who waits was told.
    told: [u8; TOLD.len()],
    is_used: bool,
}

/// One access of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step(usize);

/// What a thread does next, unless it waits.
fn next(program: &Program, now: &Now, thread: usize) -> Next {
    program.run(thread, &now.answers[thread]).0
}

/// Whether it waits for what is not so.
fn waits(next: &Next, now: &Now) -> bool {
    match next {
        Next::Asks(Ask::Update { at, change, waits, .. }) => {
            *waits && change(now.memory[*at]).is_none()
        }
        _ => false,
    }
}

impl Cell {
    fn program(&self) -> Program {
        (self.make.2)(self.way)
    }

    /// What each thread has returned, where all have.
    fn returned(&self, now: &Now) -> Option<Vec<u64>> {
        let program = self.program();
        let returned = |thread| match next(&program, now, thread) {
            Next::Returned(value) => Some(value),
            Next::Asks(_) | Next::Wrong(_) => None,
        };
        (0..program.len()).map(returned).collect()
    }

    /// What a thread requires, and is not so.
    fn wrong(&self, now: &Now) -> Option<&'static str> {
        let program = self.program();
        (0..program.len()).find_map(|thread| match next(&program, now, thread) {
            Next::Wrong(what) => Some(what),
            Next::Asks(_) | Next::Returned(_) => None,
        })
    }
}

impl Model for Cell {
    type State = Now;
    type Action = Step;

    fn init_states(&self) -> Vec<Now> {
        let program = self.program();
        let memory: Vec<_> = program.places.iter().map(|it| it.1).collect();
        let (written, answers) = (u8::from(memory[SLOT] == 1), vec![Vec::new(); program.len()]);
        vec![Now { memory, answers, freed: 0, written, told: [0; TOLD.len()], is_used: false }]
    }

    fn actions(&self, now: &Now, steps: &mut Vec<Step>) {
        let program = self.program();
        let can = |thread: &usize| {
            let next = next(&program, now, *thread);
            matches!(next, Next::Asks(_)) && !waits(&next, now)
        };
        steps.extend((0..program.len()).filter(can).map(Step));
    }

    fn next_state(&self, last: &Now, Step(thread): Step) -> Option<Now> {
        let Next::Asks(ask) = next(&self.program(), last, thread) else { return None };
        let mut now = last.clone();
        let (at, answer) = match ask {
            Ask::Load { at, .. } => (Some(at), last.memory[at]),
            Ask::Store { at, value, .. } => {
                now.memory[at] = value;
                now.written += u8::from(at == SLOT && value == 1);
                (Some(at), 0)
            }
            Ask::Update { at, change, .. } => {
                let found = last.memory[at];
                now.memory[at] = change(found).unwrap_or(found);
                if let Some(who) = TOLD.iter().position(|it| *it == at) {
                    now.told[who] += u8::from(now.memory[at] > found);
                }
                (Some(at), found)
            }
            Ask::Fence(_) => (None, 0),
            Ask::Free(_) => {
                now.freed += 1;
                (None, 0)
            }
        };
        now.is_used |= last.freed > 0 && at.is_some_and(|it| CELL.contains(&it));
        now.answers[thread].push(answer);
        Some(now)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(USED, |_, now: &Now| !now.is_used),
            Property::always(FREED, |cell: &Self, now: &Now| {
                now.freed <= 1 && (now.freed == 1 || cell.returned(now).is_none())
            }),
            Property::always(WRITTEN, |cell: &Self, now: &Now| {
                now.written <= 1 && cell.wrong(now) != Some(READS)
            }),
            Property::always(ONCE, |_, now: &Now| now.told.iter().all(|it| *it <= 1)),
            Property::always(WAITS, |cell: &Self, now: &Now| {
                let mut steps = Vec::new();
                cell.actions(now, &mut steps);
                !steps.is_empty() || cell.returned(now).is_some() || cell.wrong(now).is_some()
            }),
            Property::always(FINDS, |cell: &Self, now: &Now| {
                let is_kept = |it: Vec<u64>| it.iter().sum::<u64>() == cell.make.1;
                cell.wrong(now).is_none_or(|it| it == READS)
                    && cell.returned(now).is_none_or(is_kept)
            }),
            Property::sometimes(
                "a slot is written, and emptied before it is freed",
                |_, now: &Now| now.written == 1 && now.memory[SLOT] == 0 && now.freed == 0,
            ),
            Property::sometimes("two who wait are told", |_, now: &Now| now.told == [1, 1]),
            Property::sometimes("somebody waits", |cell: &Self, now: &Now| {
                let program = cell.program();
                (0..program.len()).any(|it| waits(&next(&program, now, it), now))
            }),
        ]
    }
}

impl Kinds for Cell {
    fn kind(Step(thread): &Step) -> &'static str {
        ["first", "second", "third"][*thread]
    }

    fn by(&self, Step(thread): &Step) -> usize {
        *thread
    }
}
