//! A model of the two flavours, which can be explored. With feature `model`.
//!
//! # Check a program of your own
//!
//! Write down who takes part and what each of them does, and [`Plan::check`] looks at every order in which their steps
//! can be taken. Two services, each of which waits for the other if a cancel comes too late:
//!
//! ```
//! use settled::model::{Is, Plan};
//!
//! let services = |mended: bool| {
//!     let mut plan = Plan::new();
//!     let (order, bill) = (plan.future("order"), plan.future("bill"));
//!     plan.thread("orders", |it| {
//!         it.start(order);
//!         it.result(bill);
//!         it.finish(order);
//!     });
//!     plan.thread("billing", |it| {
//!         let cancel = it.cancel(order);
//!         if mended {
//!             cancel.when(Is::Now, |it| { it.result(order); });
//!         } else {
//!             it.result(order);
//!         }
//!         it.finish(bill);
//!     });
//!     plan.check()
//! };
//! let wrong = services(false).unwrap_err();
//! assert_eq!(wrong.to_string(), "\
//! a deadlock: nobody can go on, and not everything has ended, after 2 steps
//!
//! orders        billing
//! ------------  -------------
//! start(order)
//!               cancel(order)
//! orders waits in result(bill)
//! billing waits in result(order)
//! ");
//! assert_eq!(services(true).unwrap().to_string(), "right in all 12 states, and every fair run ends");
//! ```
//!
//! What is found is a shortest run that goes wrong, and shows itself as its chart; `unwrap` prints it too. That is
//! a [deadlock](Wrong::Deadlock), be it for a future, a lock, a channel or the end of a pool; a run that [never
//! ends](Wrong::ForEver); an [assertion](plan::Script::assert) that fails, as after a lost update; and anything that
//! the library [promises](property::ALWAYS). What the program does with an answer is said with
//! [`when`](plan::Answer::when); a [table](plan::Script) says what each call may answer. [`Run::mermaid`] draws the
//! run, and the example `explore` shows all of them in a browser.
//!
//! A plan has up to eight futures, eight threads, loops and workers together, sixteen callbacks, jobs and tasks, and
//! 250 calls in a script; what is more is [refused](Misuse), as is what nobody could write with the types of this
//! crate. To run your own *code* under every schedule, not a plan of it, see
//! [there](crate::guide::schedules#the-code-under-every-schedule).
//!
//! # What it is made of
//!
//! [`Spec`] is one future for calls that come one after the other; it steps
//! [`State::on`](crate::machine::State::on), the table that ships, and holds no second copy of any rule
//! of it. A [`Program`] is threads, event loops and pools with scripts of operations over several
//! futures; one [`Step`] of it is one linearization point, or that one other is told of it. How operations are made of
//! steps is said by [`Rules`]: the default is what ships, and a what-if is one field flipped. A
//! [property](property::ALWAYS) is a sentence about what users see, and cannot see the rules. [`check`] explores a
//! program: all of its states, and the shortest way to one that breaks a property.
//!
//! # What is proven with it
//!
//! `cargo test --features model` explores, and its closing line counts, with every property of
//! [`ALWAYS`](property::ALWAYS):
//!
//! * *all programs of a size*: a thread with the promise and one call, a thread with any two calls, a
//!   loop with a callback, and a task with one operation, over every operation of both views (all with `SETTLED_FULL=1`,
//!   and else one in thirteen, or in seventeen);
//! * a program for each [rule](rules::FLIPS), under the rules that ship, where every property holds, and
//!   with that rule flipped, where one breaks in a number of steps that is pinned;
//! * larger programs with three threads, two loops, or two workers;
//! * most general clients, whose threads, loops, jobs, tasks and callbacks do any operation of a menu at any time and as
//!   often as they like; see [`Client`].
//!
//! The fairness under which every wait returns is the weakest: whoever can always take a step takes one
//! at some time. A timeout is never counted on. That a condition variable wakes without a reason is below
//! this level; a model of its own shows that a waiter returns if the lock is granted to whoever asks for
//! it again and again, or if such wake-ups cease. `spec/proven.md` lists the bounds, and
//! what is *not* proven: that the code does what the programs say, programs beyond these sizes, and
//! progress where tasks await each other in a circle.
//!
//! Deadlock freedom of the *library* is this, which [`check::prove`] shows and which is not what a user asks: in every
//! state in which nobody can take a step, everything has ended properly, or the program wrote a circle of waits itself,
//! of which one goes through a lock of its own or through a promise that a thread holds while it waits. See
//! [`property::ENDS`].

mod act;
mod chart;
pub mod check;
mod client;
mod fits;
mod list;
mod misuse;
mod names;
mod otherwise;
mod own;
pub mod plan;
mod program;
pub mod property;
pub mod rules;
mod shape;
mod shared;
mod spec;
mod state;
mod step;
mod waits;

pub use chart::{chart, mermaid};
pub use check::{Finding, Report, Run, Wrong};
pub use misuse::Misuse;
pub use own::Is;
pub use plan::Plan;
pub use program::Program;
pub use rules::Rules;
pub use spec::{Answer, End, Op, Ret, Spec};
pub use state::System;
use stateright::{Model, Property};
pub use step::{Does, Step};
#[doc(hidden)]
pub use {
    client::{Client, Move},
    own::{Channel, Put, Variable},
    program::{Agent, Do, Future, Futures, Kind, Lock, Piece, Role},
    shape::Shape,
    state::{Entry, Script},
};

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
        next.remember();
        Some(next)
    }

    fn format_action(&self, step: &Step) -> String {
        chart::action(self, *step)
    }

    fn format_step(&self, state: &System, step: Step) -> Option<String> {
        Some(chart::line(self, state, step))
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
            Does::Interrupt(_) => "interrupt",
            Does::Begin(_) => "begin",
            Does::End => "end",
            Does::Tell(..) | Does::Post(..) => "notice",
            Does::Return(_) => "end of a lending",
            Does::Take(entry) => property::of(entry),
            Does::Run(_) => "claim of a job",
            Does::Drop(_) => "drop of a job",
            Does::Withdraw(_) => "withdrawal of a job",
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
