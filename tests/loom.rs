//! Every interleaving of small programs over the real cell, under loom's scheduler.
//!
//! ```sh
//! RUSTFLAGS="--cfg settled_loom" cargo test --profile loom --features model --test loom
//! ```
//!
//! What loom does not see: timed waits expire only where a scenario has a timer, condition variables never wake without a
//! reason, and a free is no access of the memory (`UnsafeCell::into_inner` is not watched). A use
//! after free shows only as what it breaks: a count of drops, an object of loom's that is gone, the
//! allocator's own check. `tests/sanitizer/run` looks for it properly.

#[cfg(settled_loom)]
extern crate alloc;

#[cfg(settled_loom)]
#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[cfg(settled_loom)]
#[path = "loom/apart.rs"]
mod apart;
#[cfg(settled_loom)]
#[path = "loom/callback.rs"]
mod callback;
#[cfg(settled_loom)]
#[path = "loom/closed.rs"]
mod closed;
#[cfg(settled_loom)]
#[path = "loom/coroutines.rs"]
mod coroutines;
#[cfg(settled_loom)]
#[path = "loom/deferred.rs"]
mod deferred;
#[cfg(settled_loom)]
#[path = "loom/event_loop.rs"]
mod event_loop;
#[cfg(settled_loom)]
#[path = "loom/expiry.rs"]
mod expiry;
#[cfg(settled_loom)]
#[path = "loom/explore.rs"]
mod explore;
#[cfg(settled_loom)]
#[path = "loom/fifo.rs"]
mod fifo;
#[cfg(settled_loom)]
#[path = "loom/futures.rs"]
mod futures;
#[cfg(settled_loom)]
#[path = "loom/guests.rs"]
mod guests;
#[cfg(settled_loom)]
#[path = "loom/history.rs"]
mod history;
#[cfg(settled_loom)]
#[path = "loom/jobs.rs"]
mod jobs;
#[cfg(settled_loom)]
#[path = "loom/join.rs"]
mod join;
#[cfg(settled_loom)]
#[path = "loom/lock.rs"]
mod lock;
#[cfg(settled_loom)]
#[path = "loom/many.rs"]
mod many;
#[cfg(settled_loom)]
#[path = "loom/owned.rs"]
mod owned;
#[cfg(settled_loom)]
#[path = "loom/pairs.rs"]
mod pairs;
#[cfg(settled_loom)]
#[path = "loom/party.rs"]
mod party;
#[cfg(settled_loom)]
#[path = "loom/pool.rs"]
mod pool;
#[cfg(settled_loom)]
#[path = "loom/primitives.rs"]
mod primitives;
#[cfg(settled_loom)]
#[path = "loom/programs.rs"]
mod programs;
#[cfg(settled_loom)]
#[path = "loom/queue.rs"]
mod queue;
#[cfg(settled_loom)]
#[path = "loom/queues.rs"]
mod queues;
#[cfg(settled_loom)]
#[path = "loom/race.rs"]
mod race;
#[cfg(settled_loom)]
#[path = "support/real.rs"]
mod real;
#[cfg(settled_loom)]
#[path = "loom/refine.rs"]
mod refine;
#[cfg(settled_loom)]
#[path = "loom/said.rs"]
mod said;
#[cfg(settled_loom)]
#[path = "loom/scope.rs"]
mod scope;
#[cfg(settled_loom)]
#[path = "loom/several.rs"]
mod several;
#[cfg(settled_loom)]
#[path = "loom/shown.rs"]
mod shown;
#[cfg(settled_loom)]
#[path = "loom/shows.rs"]
mod shows;
#[cfg(all(settled_loom, target_os = "linux", target_env = "gnu"))]
#[path = "loom/stacks.rs"]
mod stacks;
#[cfg(settled_loom)]
#[path = "support/told.rs"]
mod told;
#[cfg(settled_loom)]
#[path = "loom/turns.rs"]
mod turns;
#[cfg(settled_loom)]
#[path = "loom/uses.rs"]
mod uses;
#[cfg(settled_loom)]
#[path = "loom/views.rs"]
mod views;
#[cfg(settled_loom)]
#[path = "loom/wait.rs"]
mod wait;
#[cfg(settled_loom)]
#[path = "loom/weak.rs"]
mod weak;

#[cfg(not(settled_loom))]
fn main() {
    println!("nothing is explored without RUSTFLAGS=\"--cfg settled_loom\"");
}

/// The tests of the modules, under their names. Where one is asked for by its whole name, this is its process.
#[cfg(settled_loom)]
macro_rules! trials {
    (is_alone: $is_alone:expr; $($module:ident: $($test:ident),*;)*) => {
        vec![$($(libtest_mimic::Trial::test(
            concat!(stringify!($module), "::", stringify!($test)),
            move || {
                let name = concat!(stringify!($module), "::", stringify!($test));
                if !$is_alone {
                    return apart::run(name);
                }
                watch!(Some(name.to_owned()), 2 * 60 * 60);
                $module::$test();
                Ok(())
            },
        )),*),*]
    };
}

#[cfg(settled_loom)]
fn main() -> std::process::ExitCode {
    use apart::Count;

    let arguments = libtest_mimic::Arguments::from_args();
    let is_alone = arguments.exact && arguments.filter.is_some();
    // Those that take longest come first, or one would be left at the end and have one processor to itself.
    let trials = trials! {
    is_alone: is_alone;
    refine: a_task, a_loop, two_futures, one_future, three_threads, a_handle, handles, a_pool, a_loop_and_a_pool, an_expiry, a_coarser_model_is_found, wrong_models_of_handles_are_found;
    pairs: many_triples, every_pair, some_quadruples;
    views: every_use_of_a_view, every_use_of_the_view_of_a_job;
    jobs: every_use_of_a_job, every_use_of_a_job_that_its_worker_waits_for, a_job_for_an_idle_worker, two_jobs_against_two_users;
    pool: shutdown_against_a_worker, submit_against_an_idle_worker, two_jobs_against_two_idle_workers, submit_against_shutdown, self_wait_against_cancel, two_workers_that_wait_for_each_other, a_worker_that_waits_for_the_end_of_another_pool, two_initializers_that_wait_for_their_pool, a_loop_in_the_only_worker_against_cancel, a_loop_in_a_worker_against_a_wait_for_it;
    callback: callback_against_take, two_registrants_against_finish, registrant_against_two_cancels,
        a_clear_against_a_registration_and_finish;
    closed: the_last_handle_against_an_await, the_last_of_three_handles, a_request_against_the_start, the_last_handle_against_finish,
        the_last_handle_against_the_promise, the_last_handle_against_the_value;
    coroutines: every_use_of_a_coroutine, a_coroutine_against_two_users, two_loops_await_each_other;
    deferred: a_chain_against_a_waiter, a_wait_for_a_deferred_callback_against_cancel, a_loop_for_a_deferred_callback_against_cancel, a_shutdown_for_a_deferred_callback_against_cancel;
    event_loop: post_against_sleep, posts_in_order_against_a_call_of_the_loop, post_against_close, settle_against_a_wrapped_await, settle_against_close, cancel_against_a_coroutine, a_wake_that_finds_the_step_queued, post_against_a_polled_queue, post_against_a_dropped_queue, settle_against_a_dropped_queue, shutdown_of_the_default_executor;
    expiry: a_timed_wait_against_finish, an_interrupt_against_finish, an_interrupt_against_several, an_interrupt_against_the_end_of_a_pool, a_timed_wait_against_cancel, a_settlement_before_the_deadline, a_timed_wait_without_expiry, a_timed_wait_for_all, a_timed_wait_for_the_first, as_completed_that_expires, a_sleeping_loop_against_a_post, wait_for_against_finish;
    join: join_against_a_callback, join_against_a_callback_that_is_sent, as_completed_by_value_against_a_callback, output_against_a_callback, two_joins_against_a_callback, join_against_cancel, a_timed_join_against_a_callback, a_join_against_a_late_callback;
    lock: two_threads_take_turns, three_threads_take_turns, a_try_against_a_turn;
    many: wait_for_all_against_two_settlers, wait_for_the_first_against_two_settlers, as_completed_against_two_settlers, a_dropped_iterator_against_a_settler, join_of_two_types_against_two_settlers, select_of_two_types_against_two_settlers;
    owned: requests_against_finish, request_against_stopped_against_a_blocked_reader;
    primitives: two_futures_against_a_permit, a_newcomer_against_two_futures, two_futures_against_an_event, two_threads_against_a_permit, an_expiry_against_a_grant, an_expiry_before_another_waiter, a_waiter_that_leaves_before_another, a_loop_that_closes_against_a_grant, two_loops_that_close_against_a_grant, what_is_done_with_a_permit_is_seen, what_is_given_while_another_looks_is_seen, what_is_done_before_it_is_set_is_seen, what_is_done_before_whoever_looks_is_told_is_seen, whoever_clears_sees_what_was_done, a_lock_against_itself, two_futures_against_a_notice, a_thread_against_a_notice, an_expiry_against_a_notice, an_expiry_with_a_notice_before_another, what_is_done_before_a_notice_is_seen, a_loop_that_closes_against_a_notice, a_thread_and_a_task_at_a_barrier, one_who_leaves_against_the_last, an_expiry_against_the_last;
    queue: two_getters_against_a_put, two_putters_against_a_get, a_putter_and_a_getter_against_the_end, a_thread_that_puts_and_one_that_gets, an_expiry_against_a_put, an_expiry_against_a_get, a_join_against_the_last;
    queues: two_posters_against_a_loop_that_closes, posts_against_calls_of_the_loop, posts_against_a_queue_that_is_dropped, posts_against_a_queue_that_is_polled, a_submitter_against_shutdown, two_submitters_against_shutdown, submits_against_two_workers, three_posters_against_a_loop_that_closes, two_submitters_against_two_workers;
    race: cancel_against_finish_against_a_blocked_reader, start_against_cancel, a_look_sees_what_was_done_before, a_look_sees_what_was_done_before_a_cancel, handles_against_finish, take_against_take;
    scope: a_scope_against_its_job, a_scope_against_a_cancelled_job;
    several: every_wait_for_two;
    wait: wait_then_take, await_then_take, an_await_that_leaves_against_finish, a_task_that_moves, two_waiters_against_cancel, promise_dropped_against_wait;
    weak: an_upgrade_against_the_last_handle, an_upgrade_against_the_value, a_weak_handle_against_the_last_handle_and_finish,
        two_weak_handles_against_the_last_handle, a_cancel_handle_against_finish_and_the_last_handle,
        a_cancel_handle_with_a_callback_against_the_last_handle;
    guests: three_guests_of_two_or_three, two_guests_against_an_abort_and_a_reset;
    history: a_contradiction_is_refused, a_note_outside_of_every_call_is_refused, a_jump_of_the_queue_is_refused;
    turns: a_wake_that_is_missing_is_refused;
    shown: semaphores, locks, events, conditions, barriers, queues, joins, wrong_models_are_found;
    };
    let whole = arguments.filter.is_none() && arguments.skip.is_empty();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if is_alone {
        apart::tell();
    }
    refine::report();
    let [executions, histories] = [Count::Executions, Count::Histories].map(apart::counted);
    if whole && conclusion.num_failed == 0 {
        println!(
            "explored: {} loom tests, {executions} executions, {histories} histories",
            conclusion.num_passed
        );
        // What has been explored before is explored still.
        if executions < explore::EXECUTIONS || histories < explore::HISTORIES {
            println!(
                "FAILED: there were {} executions, {} histories",
                explore::EXECUTIONS,
                explore::HISTORIES
            );
            return std::process::ExitCode::FAILURE;
        }
    }
    conclusion.exit_code()
}
