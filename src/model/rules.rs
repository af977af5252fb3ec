//! The rules of the two flavours, as values.

/// What reading an unsettled future on its loop does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoopRead {
    /// It answers `InvalidState` at once. What ships.
    #[default]
    Answers,
    /// It blocks the loop's thread until the future is settled.
    Blocks,
    /// It asks again and again, without giving the thread back.
    Polls,
}

/// One field for each rule that concurrency makes necessary. The default is what ships; a what-if is
/// one field flipped, and each of them breaks a [property](super::property).
///
/// A field that is true says what happens otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each of them is a rule of its own")]
pub struct Rules {
    /// What reading an unsettled future on its loop does. (D2, D4, D12)
    pub loop_read: LoopRead,
    /// `result` of a thread future blocks on a loop's thread too, instead of answering `WouldDeadlock`.
    /// (D3, D28)
    pub loop_may_block: bool,
    /// `wait` takes futures on a loop's thread, and blocks it. (D37, D45)
    pub wait_on_loop: bool,
    /// `as_completed` takes futures on a loop's thread, and blocks it. (D43)
    pub as_completed_on_loop: bool,
    /// The callbacks of a loop's view run where the future settles, instead of through the loop. (D21)
    pub loop_callbacks_inline: bool,
    /// A callback that is added to a settled view runs at once, instead of in a later turn. (D22, D23)
    pub late_callbacks_inline: bool,
    /// A cancel through a loop's view runs the thread callbacks inside the caller's turn. (`bug-c8`)
    pub loop_cancel_inline: bool,
    /// A loop's view sees what other threads settle before it is delivered. (D13)
    pub loop_reads_through: bool,
    /// `start` looks and claims in two steps. (D8)
    pub claim_in_two_steps: bool,
    /// Delivering an outcome looks and sets in two steps. (`bug-a1`)
    pub set_in_two_steps: bool,
    /// Whoever delivers an outcome to a finished future replaces it. (D18)
    pub set_twice: bool,
    /// Adding a callback looks and stores in two steps. (`bug-c6`)
    pub register_in_two_steps: bool,
    /// Adding a callback stores it, and then looks and calls it, in two steps. (`bug-c6`)
    pub stored_before_looked: bool,
    /// A cancel wakes those who are in `wait` only when the promise has acknowledged it. (D33, D39)
    pub cancel_in_two_steps: bool,
    /// A cancel of running work succeeds. (D30)
    pub cancel_running: bool,
    /// A second cancel is refused, instead of answering `Already`. (D31)
    pub second_cancel_refused: bool,
    /// A promise may go without settling its future.
    pub dropped_promise_forgets: bool,
    /// Callbacks run while the future's lock is held. (D29, D52)
    pub callbacks_under_lock: bool,
    /// Callbacks run before those who wait are told. (D20)
    pub callbacks_before_waiters: bool,
    /// A panic in a callback skips the ones that are due after it. (D24)
    pub panic_skips_callbacks: bool,
    /// Callbacks that were deferred are never run. (`[callback-8]`)
    pub deferred_never_run: bool,
    /// A thread that waits leaves what it has deferred. (`[callback-8]`)
    pub deferred_forgotten_in_wait: bool,
    /// Of the callbacks that were deferred the last runs first. (`[callback-8]`)
    pub deferred_reversed: bool,
    /// Removing a callback overlooks one that is on its way. (D26)
    pub removal_overlooks_due: bool,
    /// A wait that expires cancels the future. (D5)
    pub expiry_cancels: bool,
    /// A wait that expires is told as a failure of the work. (D6)
    pub expiry_is_a_failure: bool,
    /// `wait` of nothing waits. (D38)
    pub empty_wait_waits: bool,
    /// `wait` locks all its futures, in the order in which they are given. (D42)
    pub wait_locks_all: bool,
    /// A post from another thread does not wake the loop. (D1)
    pub post_does_not_wake: bool,
    /// A closed loop takes jobs and drops them, instead of handing them back. (D53)
    pub closed_loop_swallows: bool,
    /// Once its loop is closed, a view stays as it was, instead of reading through. (D19)
    pub closed_view_stays: bool,
    /// Closing a loop leaves its tasks as they are. (D53)
    pub close_forgets_tasks: bool,
    /// The two views are two cells, between which an outcome is copied.
    pub views_are_copies: bool,
    /// A task is seen cancelled before its coroutine was stopped. (D30)
    pub cancelled_before_stopped: bool,
    /// A task that is stopped leaves what it awaits alone. (D34)
    pub cancel_is_not_forwarded: bool,
    /// A task that is stopped is seen cancelled before the tasks that it owned have stopped. (`bug-e4`)
    pub stopped_before_owned: bool,
    /// It does not wait for those of them that are stopping already. (`bug-e4`)
    pub stopping_is_forgotten: bool,
    /// It does not wait for those of them that another thread has sent and the loop has not made yet.
    pub sent_is_forgotten: bool,
    /// Stopped tasks that own each other wait for each other.
    pub circles_wait: bool,
    /// Closing a loop settles its tasks in the order in which they were made.
    pub close_ends_owners_first: bool,
    /// A task may await the view of another loop. (D48)
    pub foreign_loop_awaits: bool,
    /// A task takes its first step inside the call that makes it. (D51)
    pub task_starts_at_once: bool,
    /// A worker that waits for a job of its own pool leaves it in the queue.
    pub pool_does_not_help: bool,
    /// A worker may close a cycle of waits between workers.
    pub pool_cycle_blocks: bool,
    /// A worker's wait is refused whether or not it closes a cycle.
    pub pool_refuses_every_wait: bool,
    /// A worker that waits for the end of a pool counts as one that goes on.
    pub pool_end_blocks: bool,
    /// Cancelling what is queued calls callbacks under the pool's lock. (`bug-c3`)
    pub pool_calls_under_lock: bool,
    /// Cancelling what is queued takes all of it before any of it is dropped.
    pub pending_taken_at_once: bool,
    /// Cancelling what is queued forgets it.
    pub shutdown_forgets_queue: bool,
    /// The drop of the last handle tells nobody. (`[promise-8]`)
    pub last_handle_tells_nobody: bool,
    /// A callback counts as nobody who sees the outcome. (`[promise-8]`)
    pub callback_is_nobody: bool,
    /// Who was told that nobody is left, and listened, goes on to listen. (`[promise-8]`)
    pub listeners_stay: bool,
    /// The value that nobody can ever see is dropped, also if it is asked for. (`[promise-9]`)
    pub unseen_is_dropped: bool,
    /// Whether anybody can see the value is looked at first, and settled then, in two steps. (`[promise-9]`)
    pub unseen_in_two_steps: bool,
    /// A weak handle becomes another although nobody was left. (`[weak-1]`)
    pub closed_is_upgraded: bool,
    /// A wait that blocks is not ended by an interrupt. (`[wait-9]`)
    pub interrupt_wakes_nobody: bool,
    /// A wait that is interrupted cancels the future. (`[wait-9]`)
    pub interrupt_cancels: bool,
    /// Whoever settles a future tells everybody in the same step. Nothing goes wrong with it, but the code can do more.
    pub settled_in_one_step: bool,
}

/// One way in which [`Rules`] can be changed.
///
/// ```
/// use settled::model::{Plan, Rules, chart, check, mermaid, property, rules::{FLIPS, Flip, LoopRead}};
///
/// let mut plan = Plan::new();
/// let (answer, here) = (plan.future("answer"), plan.event_loop("loop"));
/// plan.first(here, |it| { it.view_result(answer); });
/// plan.thread("worker", |it| { it.finish(answer); });
/// let ships = plan.build().unwrap().only(property::ENDS);
/// check::prove_all([ships.clone()]).unwrap();
///
/// // And if reading a loop's view waited?
/// let flip: &Flip = FLIPS.iter().find(|flip| flip.name == "loop_read: Blocks").unwrap();
/// assert_eq!(flip.rules(), Rules { loop_read: LoopRead::Blocks, ..Rules::default() });
/// let waits = ships.under(flip.rules());
/// let run = check::refute(waits.clone(), property::ENDS).unwrap();
/// assert!(chart(&waits, &run).ends_with("loop waits in view.result(answer)\n"));
/// assert!(mermaid(&waits, &run).starts_with("sequenceDiagram"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flip {
    /// The field, and the value it gets if that is not a `bool`.
    pub name: &'static str,
    /// Changes that field.
    pub flip: fn(&mut Rules),
}

impl Flip {
    /// Returns the rules with this one changed.
    #[must_use]
    pub fn rules(self) -> Rules {
        let mut rules = Rules::default();
        (self.flip)(&mut rules);
        rules
    }
}

const fn flip(name: &'static str, flip: fn(&mut Rules)) -> Flip {
    Flip { name, flip }
}

/// The changes that break no property, because they only take away what can happen: that the code can do more is seen
/// by running both.
pub const COARSER: [Flip; 1] = [flip("settled_in_one_step", |it| it.settled_in_one_step = true)];

/// Every way to change one field that breaks a property.
pub const FLIPS: [Flip; 58] = [
    flip("loop_read: Blocks", |it| it.loop_read = LoopRead::Blocks),
    flip("loop_read: Polls", |it| it.loop_read = LoopRead::Polls),
    flip("loop_may_block", |it| it.loop_may_block = true),
    flip("wait_on_loop", |it| it.wait_on_loop = true),
    flip("as_completed_on_loop", |it| it.as_completed_on_loop = true),
    flip("loop_callbacks_inline", |it| it.loop_callbacks_inline = true),
    flip("late_callbacks_inline", |it| it.late_callbacks_inline = true),
    flip("loop_cancel_inline", |it| it.loop_cancel_inline = true),
    flip("loop_reads_through", |it| it.loop_reads_through = true),
    flip("claim_in_two_steps", |it| it.claim_in_two_steps = true),
    flip("set_in_two_steps", |it| it.set_in_two_steps = true),
    flip("set_twice", |it| it.set_twice = true),
    flip("register_in_two_steps", |it| it.register_in_two_steps = true),
    flip("stored_before_looked", |it| it.stored_before_looked = true),
    flip("cancel_in_two_steps", |it| it.cancel_in_two_steps = true),
    flip("cancel_running", |it| it.cancel_running = true),
    flip("second_cancel_refused", |it| it.second_cancel_refused = true),
    flip("dropped_promise_forgets", |it| it.dropped_promise_forgets = true),
    flip("callbacks_under_lock", |it| it.callbacks_under_lock = true),
    flip("callbacks_before_waiters", |it| it.callbacks_before_waiters = true),
    flip("panic_skips_callbacks", |it| it.panic_skips_callbacks = true),
    flip("deferred_never_run", |it| it.deferred_never_run = true),
    flip("deferred_forgotten_in_wait", |it| it.deferred_forgotten_in_wait = true),
    flip("deferred_reversed", |it| it.deferred_reversed = true),
    flip("removal_overlooks_due", |it| it.removal_overlooks_due = true),
    flip("expiry_cancels", |it| it.expiry_cancels = true),
    flip("expiry_is_a_failure", |it| it.expiry_is_a_failure = true),
    flip("empty_wait_waits", |it| it.empty_wait_waits = true),
    flip("wait_locks_all", |it| it.wait_locks_all = true),
    flip("post_does_not_wake", |it| it.post_does_not_wake = true),
    flip("closed_loop_swallows", |it| it.closed_loop_swallows = true),
    flip("closed_view_stays", |it| it.closed_view_stays = true),
    flip("close_forgets_tasks", |it| it.close_forgets_tasks = true),
    flip("views_are_copies", |it| it.views_are_copies = true),
    flip("cancelled_before_stopped", |it| it.cancelled_before_stopped = true),
    flip("cancel_is_not_forwarded", |it| it.cancel_is_not_forwarded = true),
    flip("stopped_before_owned", |it| it.stopped_before_owned = true),
    flip("stopping_is_forgotten", |it| it.stopping_is_forgotten = true),
    flip("sent_is_forgotten", |it| it.sent_is_forgotten = true),
    flip("circles_wait", |it| it.circles_wait = true),
    flip("close_ends_owners_first", |it| it.close_ends_owners_first = true),
    flip("foreign_loop_awaits", |it| it.foreign_loop_awaits = true),
    flip("task_starts_at_once", |it| it.task_starts_at_once = true),
    flip("pool_does_not_help", |it| it.pool_does_not_help = true),
    flip("pool_cycle_blocks", |it| it.pool_cycle_blocks = true),
    flip("pool_refuses_every_wait", |it| it.pool_refuses_every_wait = true),
    flip("pool_end_blocks", |it| it.pool_end_blocks = true),
    flip("pool_calls_under_lock", |it| it.pool_calls_under_lock = true),
    flip("pending_taken_at_once", |it| it.pending_taken_at_once = true),
    flip("shutdown_forgets_queue", |it| it.shutdown_forgets_queue = true),
    flip("last_handle_tells_nobody", |it| it.last_handle_tells_nobody = true),
    flip("callback_is_nobody", |it| it.callback_is_nobody = true),
    flip("listeners_stay", |it| it.listeners_stay = true),
    flip("unseen_is_dropped", |it| it.unseen_is_dropped = true),
    flip("unseen_in_two_steps", |it| it.unseen_in_two_steps = true),
    flip("closed_is_upgraded", |it| it.closed_is_upgraded = true),
    flip("interrupt_wakes_nobody", |it| it.interrupt_wakes_nobody = true),
    flip("interrupt_cancels", |it| it.interrupt_cancels = true),
];
