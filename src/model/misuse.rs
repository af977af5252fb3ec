//! What no program can be, and how it is told.

use super::Is;

/// Why a [`Program`](super::Program) is none that can be explored. `[program-1]`
///
/// Exploring one panics with this, in every build; what says only that no program of this crate's types could do so is
/// answered by [`Program::validate`](super::Program::validate) alone, since a what-if may need it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// More of something than a model keeps.
    #[error(
        "the program has {found} {what}, and a model keeps {most}: more would be mistaken for each other; leave out \
         what the question does not need, or make several programs"
    )]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A script that is too long to be counted.
    #[error(
        "the script of {script} has {found} operations, and a model counts {most}: leave out what the question does \
         not need, or repeat less often"
    )]
    TooLong {
        /// Whose script.
        script: String,
        /// How many operations it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// The number of something that was not declared.
    #[error(
        "{script} says `{operation}`, and the program has no such {what}: nobody could say what it is; declare it, or \
         correct the number"
    )]
    Unknown {
        /// Whose script.
        script: String,
        /// The operation, as it was written.
        operation: String,
        /// What is not there.
        what: &'static str,
    },
    /// An operation where it cannot be done.
    #[error(
        "{script} says `{operation}`, which takes {needs}: the real call does not exist here; move it there"
    )]
    Unfit {
        /// Whose script.
        script: String,
        /// The operation, as it was written.
        operation: String,
        /// What it takes.
        needs: &'static str,
    },
    /// A piece without a place where it could run.
    #[error(
        "{piece} is for {what}, and the program has none: it would never run; add {what}, or give it another"
    )]
    Nowhere {
        /// The piece.
        piece: String,
        /// Where it is to run.
        what: &'static str,
    },
    /// A channel that holds nothing.
    #[error(
        "channel {channel} holds nothing: nobody could ever send; give it room for one, as this kind hands nothing over \
         directly"
    )]
    NoRoom {
        /// Its number.
        channel: usize,
    },
    /// A branch without an answer to look at.
    #[error(
        "the script of {script} begins with a branch: there is no answer to look at; call something before it"
    )]
    NoAnswer {
        /// Whose script.
        script: String,
    },
    /// A case of an answer that the call never gives.
    #[error(
        "`{operation}` never answers `Is::{is:?}`: that case would never be taken; ask for what it answers, or leave it out"
    )]
    NeverAnswered {
        /// The call.
        operation: String,
        /// What it never answers.
        is: Is,
    },
    /// A program in which nobody does anything.
    #[error(
        "nobody in the program makes a call: there is nothing to look at; write down what somebody does"
    )]
    Idle,
    /// Two who settle one future.
    #[error(
        "{first} and {second} both settle {future}: a promise cannot be shared, nor that of a job or task be had; \
         let one of them do it, or give each a future"
    )]
    SharedPromise {
        /// The future, by its name or number.
        future: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A future that is used after its handle was dropped.
    #[error(
        "{script} says `{operation}` after it has dropped its handle of {future}: what was moved away cannot be used; drop \
         it later, or let another script have a handle"
    )]
    Dropped {
        /// Whose script.
        script: String,
        /// The operation, as it was written.
        operation: String,
        /// The future, by its name or number.
        future: String,
    },
    /// One closure that is given away twice.
    #[error("{piece} is given away {times} times: a closure can be moved once; make one for each")]
    GivenTwice {
        /// The piece.
        piece: String,
        /// How often.
        times: usize,
    },
    /// Two parts of one kind that have one name.
    #[error(
        "two parts are called `{name}`: a chart could not tell them apart; give one another name"
    )]
    SameName {
        /// The name.
        name: String,
    },
    /// A loop with two first jobs.
    #[error(
        "`{name}` has two first jobs: one of them would be lost; write both into one, or post the other"
    )]
    TwoFirst {
        /// The loop.
        name: &'static str,
    },
    /// A part of another plan.
    #[error(
        "`{name}` was given by another plan: it means something else here, or nothing; take one of this plan"
    )]
    Foreign {
        /// Its name.
        name: &'static str,
    },
    /// A pool that the model does not end.
    #[error(
        "`{name}` is shut down or joined, and is not the first pool: a model ends that one alone; make it the first, or \
         let it live"
    )]
    OtherPool {
        /// Its name.
        name: &'static str,
    },
    /// A lock that is given back by who cannot have it.
    #[error(
        "{script} gives back lock {lock} without having taken it: no guard can be dropped that there is not; lock it before"
    )]
    NotLocked {
        /// Whose script.
        script: String,
        /// The lock.
        lock: String,
    },
}
