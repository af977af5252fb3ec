//! One theorem for all programs of a size, instead of examples.
//!
//! The initial states are *all* programs of: a promise that is settled in one of four ways by a thread
//! of its own; a thread of two calls and one of one call (with `SETTLED_FULL=1` two of two); and a loop
//! with one call, or with a callback, a cancel and another callback, or with a callback and its close;
//! over one future. A call is any that its view has. Every callback cancels its future, so that each
//! re-enters it. The states were counted by the checker and are pinned.
//!
//! Why this is enough: a future tells its waiters and callbacks apart by kind and order only, so that
//! what two of a kind cannot do to each other, three cannot; a second call of a thread is what can
//! come after the first was answered; and the loop's call races with all of them. Two programs that
//! differ only in which thread is which are explored once.

use stateright::{Model, Property};

use crate::{
    Proof, prove, refute,
    system::{Do, Program, Rules, Step, System, always},
};

pub(crate) fn proofs() -> Vec<Proof> {
    let full = std::env::var_os("SETTLED_FULL").is_some();
    let (bound, states, depth) = if full {
        ("1 loop, 3 threads, 9100 programs", 11_557_214, 27)
    } else {
        ("1 loop, 3 threads, 3500 programs", 1_387_954, 23)
    };
    let shipped = General::new(full, |_| {}, None);
    let mut proofs = vec![prove("every program", bound, shipped, states, depth)];
    // That a cancel need not be acknowledged shows only where nobody is left to do it; here the
    // promise always is.
    let flips: [Flip; 7] = [
        ("if start looked and then claimed", |it| it.claim_in_two_steps = true, 5, [3, 3]),
        ("if adding looked and then stored", |it| it.register_in_two_steps = true, 1, [6, 7]),
        ("if callbacks ran under the lock", |it| it.callbacks_under_lock = true, 6, [3, 3]),
        ("if a loop's ran where it settles", |it| it.loop_callbacks_inline = true, 3, [3, 3]),
        ("if a loop's late ones ran at once", |it| it.late_callbacks_inline = true, 2, [4, 4]),
        ("if reading blocked the loop", |it| it.loop_read_blocks = true, 0, [4, 5]),
        ("if a closed loop swallowed posts", |it| it.closed_loop_swallows = true, 7, [5, 6]),
    ];
    for (says, flip, property, steps) in flips {
        let says = String::leak(format!("{says}: every program"));
        proofs.push(refute(
            says,
            bound,
            General::new(full, flip, Some(property)),
            steps[usize::from(full)],
        ));
    }
    proofs
}

/// What is said of it, the rule, the number of the property that breaks, and in how many steps: with
/// the smaller bound, and with the full one, where a program that has to end takes more.
type Flip = (&'static str, fn(&mut Rules), usize, [usize; 2]);

/// All programs at once: a state is a program's number and its state.
struct General {
    programs: Vec<Program>,
    always: Vec<Property<Program>>,
    /// The one property to check, by its number; all of them without.
    only: Option<usize>,
}

impl General {
    fn new(full: bool, flip: fn(&mut Rules), only: Option<usize>) -> Self {
        let mut rules = Rules::SHIPPED;
        flip(&mut rules);
        let programs = programs(full, rules);
        assert_eq!(programs.len(), if full { 9100 } else { 3500 });
        Self { programs, always: always(), only }
    }
}

/// The scripts of the two threads that call. Each call has a callback of its own, so that what ran can
/// be told.
fn callers(full: bool) -> Vec<[Vec<Do>; 2]> {
    let call = |it, callback| match it {
        0 => Do::Cancel(0),
        1 => Do::Result(0),
        2 => Do::Wait(0),
        3 => Do::Add(0, callback),
        _ => Do::Post(callback),
    };
    let two = |it, callback| vec![call(it / 5, callback), call(it % 5, callback + 1)];
    let mut callers = Vec::new();
    for first in 0..25 {
        if full {
            callers.extend((first..25).map(|second| [two(first, 0), two(second, 2)]));
        } else {
            callers.extend((0..5).map(|second| [two(first, 0), vec![call(second, 2)]]));
        }
    }
    callers
}

fn programs(full: bool, rules: Rules) -> Vec<Program> {
    use Do::{Abandon, Cancel, Close, Finish, LoopAdd, LoopResult, Result, Start};
    let producers =
        [vec![Finish(0)], vec![Abandon(0)], vec![Start(0), Finish(0)], vec![Start(0), Abandon(0)]];
    let loops = [
        vec![LoopAdd(0, 4)],
        vec![LoopResult(0)],
        vec![Cancel(0)],
        vec![Result(0)],
        vec![Close],
        vec![LoopAdd(0, 4), Cancel(0), LoopAdd(0, 5)],
        vec![LoopAdd(0, 4), Close],
    ];
    let mut programs = Vec::new();
    for producer in &producers {
        for [first, second] in callers(full) {
            programs.extend(loops.iter().map(|here| Program {
                rules,
                futures: 1,
                has_loop: true,
                threads: vec![here.clone(), producer.clone(), first.clone(), second.clone()],
                callbacks: vec![vec![Cancel(0)]; 6],
                only: None,
            }));
        }
    }
    programs
}

/// The property with the number `N`, of the program that a state belongs to.
fn holds<const N: usize>(it: &General, (program, state): &(u16, System)) -> bool {
    (it.always[N].condition)(&it.programs[usize::from(*program)], state)
}

impl Model for General {
    type State = (u16, System);
    type Action = Step;

    fn init_states(&self) -> Vec<Self::State> {
        let states = self.programs.iter().map(|program| program.init_states().remove(0));
        (0..).zip(states).collect()
    }

    fn actions(&self, (program, state): &Self::State, actions: &mut Vec<Step>) {
        self.programs[usize::from(*program)].actions(state, actions);
    }

    fn next_state(&self, (program, state): &Self::State, step: Step) -> Option<Self::State> {
        Some((*program, self.programs[usize::from(*program)].next_state(state, step)?))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let conditions: [fn(&Self, &Self::State) -> bool; 8] = [
            holds::<0>, holds::<1>, holds::<2>, holds::<3>, holds::<4>, holds::<5>, holds::<6>,
            holds::<7>,
        ];
        assert_eq!(self.always.len(), conditions.len());
        let all = self.always.iter().zip(conditions).enumerate();
        let chosen = all.filter(|(number, _)| self.only.is_none_or(|only| only == *number));
        let mut properties: Vec<_> = chosen
            .map(|(_, (property, condition))| Property::always(property.name, condition))
            .collect();
        if self.only.is_none() {
            properties.extend(reached());
        }
        properties
    }
}

type Seen = (u16, System);

/// The twins: what the theorem is about does happen.
fn reached() -> [Property<General>; 6] {
    [
        Property::sometimes("a cancel succeeds", |_, (_, state): &Seen| state.was_cancelled()),
        Property::sometimes("work runs", |_, (_, state): &Seen| state.has_run()),
        Property::sometimes("three callbacks run", |_, (_, state): &Seen| state.callbacks() == 3),
        Property::sometimes("a loop's callback runs", |_, (_, state): &Seen| state.ran_on_loop()),
        Property::sometimes("a callback is dropped by a close", |_, (_, state): &Seen| {
            state.has_dropped()
        }),
        Property::sometimes("a job is handed back", |_, (_, state): &Seen| state.has_refused()),
    ]
}
