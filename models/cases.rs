//! What ships, and what happens otherwise: a program for each rule, and for each of the differences
//! between Python's two classes that a rule is about.
//!
//! The programs are as small as the reason allows; all programs of a size are in `general`.

use settled::model::{Do, Futures, Program, property, rules};

/// A question, the program that answers it, and the rule without which it is not safe.
#[derive(Clone)]
pub(crate) struct Case {
    /// The differences, or the bug, that it is about.
    pub(crate) ids: &'static str,
    pub(crate) question: &'static str,
    /// What ships.
    pub(crate) answer: &'static str,
    pub(crate) program: Program,
    /// The flip, the property that it breaks, and in how many steps at the least.
    pub(crate) flip: &'static str,
    pub(crate) breaks: &'static str,
    pub(crate) steps: usize,
}

impl Case {
    /// The program under the flipped rule.
    pub(crate) fn flipped(&self) -> Program {
        let flip = rules::FLIPS.iter().find(|flip| flip.name == self.flip);
        let flip = flip.unwrap_or_else(|| panic!("{}: there is no rule {}", self.ids, self.flip));
        self.program.clone().under(flip.rules())
    }
}

const F: u8 = 0;
const G: u8 = 1;
const BOTH: Futures = Futures::of(&[F, G]);

pub(crate) fn all() -> Vec<Case> {
    [reading(), callbacks(), cancelling(), waiting(), loops(), tasks(), pools()].concat()
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
fn case(
    ids: &'static str,
    question: &'static str,
    answer: &'static str,
    program: Program,
    flip: &'static str,
    breaks: &'static str,
    steps: usize,
) -> Case {
    Case { ids, question, answer, program, flip, breaks, steps }
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn reading() -> Vec<Case> {
    use Do::*;
    let posts = || Program::new().call(&[Finish(F)]);
    vec![
        case(
            "D2",
            "Why does `result()` of a loop's future raise, when the thread's waits?",
            "reading an unsettled future on its loop answers InvalidState at once",
            posts().event_loop("loop", &[Post(0, 0), LoopRead(F)]),
            "loop_read: Blocks",
            property::ENDS,
            0,
        ),
        case(
            "D4",
            "Does it help that another thread settles it?",
            "no: the loop has to deliver it, so it answers at once here too",
            Program::new()
                .event_loop("loop", &[LoopRead(F), LoopRead(F)])
                .thread("worker", &[Start(F), Fail(F)]),
            "loop_read: Blocks",
            property::ENDS,
            0,
        ),
        case(
            "D12",
            "Could the loop ask `done()` until it is, instead?",
            "reading answers at once, and the turn ends",
            posts().event_loop("loop", &[Post(0, 0), LoopRead(F)]),
            "loop_read: Polls",
            "it ends",
            0,
        ),
        case(
            "D28",
            "May a callback on a loop wait for a thread's future?",
            "a wait on a loop's thread is answered WouldDeadlock",
            Program::new()
                .event_loop("loop", &[LoopAdd(G, 1), Finish(G), Post(0, 0)])
                .call(&[Finish(F)])
                .call(&[Result(F)]),
            "loop_may_block",
            property::ENDS,
            0,
        ),
        case(
            "D3",
            "Would a timeout make it safe to wait on the loop?",
            "a timed wait there is answered WouldDeadlock too",
            posts().event_loop("loop", &[Post(0, 0), ResultTimeout(F)]),
            "loop_may_block",
            property::ENDS,
            0,
        ),
        case(
            "D13",
            "Why does a loop's view lag behind the thread's?",
            "a view changes only between turns, when it is delivered",
            Program::new()
                .event_loop("loop", &[LoopDone(F), LoopDone(F)])
                .thread("worker", &[Finish(F)]),
            "loop_reads_through",
            property::TURN,
            0,
        ),
        case(
            "D18",
            "Why can only one settle a future?",
            "a finished future refuses a second outcome, and a promise is consumed",
            Program::new()
                .thread("one", &[Finish(F)])
                .thread("other", &[Finish(F)])
                .thread("reader", &[Result(F)]),
            "set_twice",
            property::AGREE,
            0,
        ),
        case(
            "bug-a1",
            "Why is delivering an outcome one step, and not a look and a set?",
            "the loser of a race with a cancel is told so, in the step that it lost",
            Program::new().thread("worker", &[Finish(F)]).thread("user", &[Cancel(F), Result(F)]),
            "set_in_two_steps",
            property::AGREE,
            0,
        ),
        case(
            "bridge-1",
            "Why is a wrapped future a second view, and not a copy?",
            "both views read the one cell",
            Program::new()
                .event_loop("loop", &[LoopCancel(F), LoopDone(F)])
                .thread("worker", &[Start(F), Finish(F)])
                .thread("user", &[Result(F)]),
            "views_are_copies",
            property::AGREE,
            0,
        ),
        case(
            "promise-3",
            "What if a promise is dropped?",
            "its future settles in the same step",
            Program::new().thread("worker", &[Start(F)]).thread("user", &[Result(F)]),
            "dropped_promise_forgets",
            property::OWNED,
            0,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn callbacks() -> Vec<Case> {
    use Do::*;
    let inline = || {
        Program::new()
            .event_loop("loop", &[LoopAdd(F, 0), LoopAdd(F, 1)])
            .thread("worker", &[Start(F), Finish(F)])
            .call(&[Done(F)])
            .call(&[Done(F)])
    };
    let late = || {
        Program::new()
            .event_loop("loop", &[LoopAdd(F, 0), Finish(F), LoopAdd(F, 1), LoopRead(F)])
            .call(&[LoopRead(F)])
            .call(&[LoopRead(F)])
    };
    vec![
        case(
            "D21",
            "Why do callbacks of a loop's future go through the loop?",
            "they run on the loop's thread, in a later turn",
            inline(),
            "loop_callbacks_inline",
            property::THREAD,
            0,
        ),
        case(
            "D21",
            "And if its callbacks may run anywhere?",
            "one callback of a loop runs at a time, so its state needs no lock",
            inline(),
            "loop_callbacks_inline",
            property::AT_ONCE,
            0,
        ),
        case(
            "D21",
            "And if it is the loop itself that settles?",
            "no callback runs inside the code that settles",
            Program::new()
                .event_loop("loop", &[LoopAdd(F, 0), Finish(F), LoopDone(F)])
                .call(&[LoopDone(F)]),
            "loop_callbacks_inline",
            property::NESTED,
            0,
        ),
        case(
            "D22",
            "Why does a late callback of a loop's future not run at once?",
            "it runs in a later turn, so that adding one never calls it",
            late(),
            "late_callbacks_inline",
            property::NESTED,
            0,
        ),
        case(
            "D23",
            "Why can a late callback not overtake on a loop?",
            "a view's callbacks run in registration order, late ones included",
            late(),
            "late_callbacks_inline",
            property::ORDER,
            0,
        ),
        case(
            "bug-c8",
            "Why are thread callbacks posted if a loop's view cancels?",
            "a cancel through a view runs no callback inside the caller's turn",
            Program::new()
                .event_loop("loop", &[Add(F, 0), LoopCancel(F), LoopDone(F)])
                .thread("worker", &[Finish(F)])
                .call(&[Done(F)]),
            "loop_cancel_inline",
            property::NESTED,
            0,
        ),
        case(
            "bug-c6",
            "Why is adding a callback one step?",
            "registering checks the state in the step in which it registers",
            Program::new()
                .thread("user", &[Add(F, 0)])
                .thread("worker", &[Finish(F)])
                .thread("other", &[Cancel(F)])
                .call(&[]),
            "register_in_two_steps",
            property::MISSED,
            0,
        ),
        case(
            "D29",
            "Why does no callback run under a lock?",
            "callbacks run with no lock held, and may call every method",
            Program::new().thread("user", &[Add(F, 0), Finish(F)]).call(&[Result(F)]),
            "callbacks_under_lock",
            property::ENDS,
            0,
        ),
        case(
            "D52",
            "And if it only prints the future?",
            "printing never waits for a lock that runs user code",
            Program::new()
                .thread("user", &[Add(F, 0), Finish(F)])
                .thread("other", &[Done(F)])
                .call(&[Done(G)]),
            "callbacks_under_lock",
            property::LOCKED,
            0,
        ),
        case(
            "D20",
            "Why are those who wait told before the callbacks run?",
            "waiters are woken first, so that a callback may wait for what they do",
            Program::new()
                .thread("worker", &[Add(F, 0), Finish(F)])
                .thread("user", &[Result(F), Finish(G)])
                .call(&[Result(G)]),
            "callbacks_before_waiters",
            property::ENDS,
            0,
        ),
        case(
            "D24",
            "What becomes of the other callbacks if one panics?",
            "a panic in a callback is isolated, and its siblings run",
            Program::new()
                .thread("worker", &[Add(F, 0), Add(F, 1), Finish(F)])
                .call(&[Panics])
                .call(&[]),
            "panic_skips_callbacks",
            property::MISSED,
            0,
        ),
        case(
            "D26",
            "When is a callback removed?",
            "removing answers true iff it has not run and never will",
            Program::new()
                .event_loop("loop", &[LoopAdd(F, 0), LoopAdd(F, 1)])
                .thread("worker", &[Finish(F)])
                .call(&[LoopRemove(F, 1)])
                .call(&[]),
            "removal_overlooks_due",
            property::REMOVED,
            0,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn cancelling() -> Vec<Case> {
    use Do::*;
    vec![
        case(
            "D8",
            "Why is claiming work one step?",
            "of a start and a cancel exactly one succeeds",
            Program::new().thread("worker", &[Start(F), Finish(F)]).thread("user", &[Cancel(F)]),
            "claim_in_two_steps",
            property::NEVER_RUNS,
            0,
        ),
        case(
            "D33",
            "Why need a cancel not be acknowledged?",
            "a cancelled future is settled for everybody in the same step",
            Program::new()
                .thread("user", &[Cancel(F), Wait(Futures::of(&[F])), Finish(G)])
                .thread("worker", &[Result(G), Finish(F)]),
            "cancel_in_two_steps",
            property::ENDS,
            0,
        ),
        case(
            "D39",
            "Is a cancelled future done?",
            "yes: there is one notion of settled, also for wait",
            Program::new()
                .thread("user", &[Cancel(F), WaitTimeout(BOTH)])
                .thread("worker", &[Finish(F), Finish(G)]),
            "cancel_in_two_steps",
            property::REPORTED,
            0,
        ),
        case(
            "D30",
            "Why does running work of a thread refuse a cancel?",
            "a cancel of running work is refused, and visible to it",
            Program::new().thread("worker", &[Start(F), Finish(F)]).thread("user", &[Cancel(F)]),
            "cancel_running",
            property::NEVER_RUNS,
            0,
        ),
        case(
            "D31",
            "Why is a second cancel no refusal?",
            "it answers Already: the future is cancelled",
            Program::new()
                .thread("one", &[Cancel(F)])
                .thread("other", &[Cancel(F), Result(F)])
                .thread("worker", &[Start(F), Finish(F)]),
            "second_cancel_refused",
            property::REFUSED,
            0,
        ),
        case(
            "D5",
            "Why does an expired wait leave the future alone?",
            "expiry ends the wait and nothing else",
            Program::new()
                .thread("one", &[ResultTimeout(F)])
                .thread("other", &[Result(F)])
                .thread("worker", &[Finish(F)]),
            "expiry_cancels",
            property::UNASKED,
            0,
        ),
        case(
            "D6",
            "Why is expiry not an error like any other?",
            "an expired wait and failed work are two outcomes",
            Program::new()
                .thread("user", &[ResultTimeout(F)])
                .thread("worker", &[Start(F), Finish(F)]),
            "expiry_is_a_failure",
            property::AGREE,
            0,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn waiting() -> Vec<Case> {
    use Do::*;
    let own = || Program::new().call(&[Finish(F)]);
    vec![
        case(
            "D37",
            "Why is there no blocking `wait` for a loop?",
            "wait on a loop's thread is refused",
            own().event_loop("loop", &[Post(0, 0), Wait(Futures::of(&[F]))]),
            "wait_on_loop",
            property::ENDS,
            0,
        ),
        case(
            "D45",
            "Not even for the first of several?",
            "wait takes no futures of a loop",
            Program::new()
                .event_loop("loop", &[Post(0, 0), Post(0, 1), WaitFirst(BOTH)])
                .call(&[Finish(F)])
                .call(&[Finish(G)]),
            "wait_on_loop",
            property::ENDS,
            0,
        ),
        case(
            "D43",
            "Why does `as_completed` not block a loop?",
            "as_completed on a loop's thread is refused",
            Program::new()
                .event_loop("loop", &[Post(0, 0), AsCompleted(BOTH)])
                .thread("worker", &[Finish(G)])
                .call(&[Finish(F)]),
            "as_completed_on_loop",
            property::ENDS,
            0,
        ),
        case(
            "D38",
            "What does `wait` of nothing do?",
            "it returns at once",
            Program::new().thread("user", &[Wait(Futures::of(&[]))]).thread("worker", &[Finish(F)]),
            "empty_wait_waits",
            property::ENDS,
            0,
        ),
        case(
            "D42",
            "Why does `wait` not lock its futures together?",
            "it registers with one future after the other, and holds one lock at a time",
            Program::new()
                .thread("one", &[Wait(BOTH)])
                .thread("other", &[Wait(Futures::of(&[G, F]))])
                .thread("worker", &[Finish(F), Finish(G)]),
            "wait_locks_all",
            property::ENDS,
            0,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn loops() -> Vec<Case> {
    use Do::*;
    vec![
        case(
            "D1",
            "Why may other threads not call a loop directly?",
            "what is posted from another thread wakes the loop",
            Program::new()
                .event_loop("loop", &[LoopAdd(F, 0)])
                .thread("worker", &[Finish(F)])
                .call(&[]),
            "post_does_not_wake",
            property::ENDS,
            0,
        ),
        case(
            "D53",
            "Why does a closed loop hand a job back?",
            "what it cannot run it does not take",
            Program::new().event_loop("loop", &[Close]).thread("worker", &[Post(0, 0)]).call(&[]),
            "closed_loop_swallows",
            property::ACCEPTED,
            0,
        ),
        case(
            "D19",
            "What does a view answer once its loop is closed?",
            "it reads through, and settling never fails",
            Program::new().event_loop("loop", &[Close, LoopDone(F)]).thread("worker", &[Finish(F)]),
            "closed_view_stays",
            property::STALE,
            0,
        ),
        case(
            "D53",
            "What becomes of a task whose loop is closed?",
            "closing stops each coroutine and settles its future",
            Program::new()
                .event_loop("loop", &[Spawn(0), Stop])
                .thread("user", &[Result(F)])
                .task(F, 0, &[Await(G)])
                .thread("worker", &[Result(F), Finish(G)]),
            "close_forgets_tasks",
            property::OWNED,
            0,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn tasks() -> Vec<Case> {
    use Do::*;
    vec![
        case(
            "D30",
            "Why is a task stopped first, and then seen cancelled?",
            "a cancel is a request; the loop stops the coroutine, and then settles",
            Program::new()
                .event_loop("loop", &[Spawn(0)])
                .thread("user", &[Cancel(F), Result(F)])
                .task(F, 0, &[Done(G), Done(G)]),
            "cancelled_before_stopped",
            property::STOPPED,
            0,
        ),
        case(
            "D34",
            "Why does the stop of a task go on to what it awaits?",
            "what is awaited by value is asked to cancel",
            Program::new()
                .event_loop("loop", &[Submit(0), Spawn(1)])
                .thread("user", &[Cancel(G)])
                .worker("worker", 0)
                .job(F, 0, &[])
                .task(G, 0, &[Await(F)]),
            "cancel_is_not_forwarded",
            property::ORPHAN,
            0,
        ),
        case(
            "D48",
            "Why is a loop's future bound to one loop?",
            "awaiting another loop's view is an error",
            Program::new()
                .event_loop("loop A", &[LoopDone(G)])
                .event_loop("loop B", &[Spawn(0)])
                .thread("worker", &[Finish(G)])
                .task(F, 1, &[AwaitOf(0, G)]),
            "foreign_loop_awaits",
            property::THREAD,
            0,
        ),
        case(
            "D51",
            "Why does a task not begin at once?",
            "its first step is taken in a later turn",
            Program::new()
                .event_loop("loop", &[Spawn(0), Cancel(F)])
                .thread("user", &[Result(F)])
                .task(F, 0, &[Done(F)]),
            "task_starts_at_once",
            property::BEGINS,
            0,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn pools() -> Vec<Case> {
    use Do::*;
    vec![
        case(
            "pool-7",
            "May a job wait for another job of its own pool?",
            "a worker that waits for a job still queued in its pool runs that job",
            Program::new()
                .thread("user", &[Submit(0), Result(F)])
                .worker("worker", 0)
                .job(F, 0, &[Submit(1), Result(G)])
                .job(G, 0, &[]),
            "pool_does_not_help",
            property::HELPED,
            0,
        ),
        case(
            "pool-8",
            "What if two workers wait for each other?",
            "the wait that would close the circle is answered WouldDeadlock",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), Result(F)])
                .worker("worker 1", 0)
                .worker("worker 2", 0)
                .job(F, 0, &[Result(G)])
                .job(G, 0, &[Result(F)]),
            "pool_cycle_blocks",
            property::ENDS,
            0,
        ),
        case(
            "bug-c3",
            "Why does shutting down not hold the pool's lock?",
            "no job, callback or drop runs under a lock of the pool",
            Program::new()
                .thread("user", &[Submit(0), Add(F, 1), ShutdownNow])
                .worker("worker", 0)
                .job(F, 0, &[])
                .call(&[Submit(2)])
                .job(G, 0, &[]),
            "pool_calls_under_lock",
            property::ENDS,
            0,
        ),
        case(
            "pool-6",
            "What becomes of queued jobs when a pool is shut down?",
            "each is run or dropped, and either settles its future",
            Program::new()
                .thread("user", &[Submit(0), ShutdownNow, Result(F)])
                .worker("worker", 0)
                .job(F, 0, &[]),
            "shutdown_forgets_queue",
            property::OWNED,
            0,
        ),
    ]
}
