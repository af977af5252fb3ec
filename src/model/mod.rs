//! What the two flavours are, as something that can be explored. With feature `model`.
//!
//! [`Spec`] is one future for calls that come one after the other; it steps
//! [`State::on`](crate::machine::State::on), the table that ships, and holds no second copy of any rule
//! of it. A [`Program`] is threads, event loops and pools with scripts of operations over several
//! futures; one [`Step`] of it is one linearization point, or that one other is told of it. How operations are made of steps is said by
//! [`Rules`]: the default is what ships, and a what-if is one field flipped. A
//! [property](property::ALWAYS) is a sentence about what users see, and cannot see the rules.
//! [`check`] explores a program: all of its states, and the shortest way to one that breaks a property.
//!
//! # What is proven with it
//!
//! `cargo test --features model` explores, and its closing line counts, with every property of
//! [`ALWAYS`](property::ALWAYS):
//!
//! * *all programs of a size*: a thread with the promise and one call, a thread with any two calls, a
//!   loop with a callback, and a task with one operation, over every operation of both views;
//! * a program for each [rule](rules::FLIPS), under the rules that ship, where every property holds, and
//!   with that rule flipped, where one breaks in a number of steps that is pinned;
//! * larger programs with three threads, two loops, or two workers.
//!
//! The fairness under which every wait returns is the weakest: whoever can always take a step takes one
//! at some time. A timeout is never counted on. That a condition variable wakes without a reason is below
//! this level; a model of its own shows that a waiter returns if the lock is granted to whoever asks for
//! it again and again, or if such wake-ups cease. `spec/proven.md` lists the bounds, and
//! what is *not* proven: that the code does what the programs say, programs beyond these sizes, and
//! progress where tasks await each other in a circle.
//!
//! Deadlock freedom is this: in every state in which nobody can take a step, everything has ended
//! properly, or the program wrote a circle of waits itself, of which one goes through a lock of its own
//! or through a promise that a thread holds while it waits. See [`property::ENDS`].

mod act;
mod chart;
pub mod check;
mod misuse;
mod otherwise;
mod own;
mod program;
pub mod property;
pub mod rules;
mod spec;
mod state;
mod step;
mod waits;

pub use chart::{chart, mermaid};
pub use misuse::Misuse;
pub use own::{Channel, Is, Put, Variable};
pub use program::{Agent, Do, Future, Futures, Kind, Lock, Piece, Program, Role, Shape};
pub use rules::Rules;
pub use spec::{Answer, End, Op, Ret, Spec};
pub use state::{Entry, Script, System};
use stateright::{Model, Property};
pub use step::{Does, Step};

impl Model for Program {
    type State = System;
    type Action = Step;

    fn init_states(&self) -> Vec<System> {
        vec![self.begin()]
    }

    fn actions(&self, state: &System, steps: &mut Vec<Step>) {
        let choices = (0..self.agents()).map(|agent| (agent, self.choice(state, agent)));
        steps.extend(choices.filter_map(|(agent, does)| Some(Step { agent, does: does? })));
    }

    fn next_state(&self, state: &System, step: Step) -> Option<System> {
        let mut next = state.clone();
        self.act(&mut next, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = property::all::<Self>();
        if self.shape.asserts() {
            all.push(Property::always(property::ASSERTED, Self::asserted));
        }
        match self.only {
            Some(only) => all.retain(|it| it.name == only),
            None => all.extend(
                property::twins(&self.shape)
                    .into_iter()
                    .map(|(name, reached)| Property::sometimes(name, reached)),
            ),
        }
        all
    }
}

impl check::Kinds for Program {
    fn kind(step: &Step) -> &'static str {
        match step.does {
            Does::Do(_) => "operation",
            Does::Part(_) => "part of an operation",
            Does::Expire(_) => "expiry",
            Does::Begin(_) => "begin",
            Does::End => "end",
            Does::Tell(..) | Does::Post(..) => "notice",
            Does::Take(entry) => property::of(entry),
            Does::Run(_) => "claim of a job",
            Does::Close | Does::Sweep => "close",
            Does::Exit => "end of a worker",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step.does {
            Does::Expire(_) => usize::MAX,
            _ => usize::from(step.agent),
        }
    }
}
