//! That each rule is needed: every case holds and ends under the rules that ship, and fails under the flipped one; and
//! no rule is without a case, nor without a test of the real crate.

use std::{collections::BTreeSet, fs, path::Path};

use settled::model::{
    Does, Program, Rules,
    check::{Kinds, states},
    property::ALWAYS,
    rules::{COARSER, FLIPS, Flip},
};
use stateright::Model;

use crate::{
    Row, Trials,
    cases::{self, Case, NEVER_ENDS},
    larger,
};

pub(crate) fn add(trials: &mut Trials) {
    for case in cases::all() {
        let Case { theme, id, flip, breaks, .. } = case;
        trials.add(format!("{theme}::{id}: {flip}: {breaks}"), move || rows(&case));
    }
    trials.add("needed::every_flip_is_caught", every_flip_is_caught);
    trials.add("needed::every_rule_has_a_test", every_rule_has_a_test);
    trials.add("needed::no_property_sees_them", no_property_sees_them);
    trials.add("needed::every_property_speaks", every_property_speaks);
    trials.add("needed::every_kind_of_step_is_taken", every_kind_of_step_is_taken);
}

fn rows(case: &Case) -> Result<Vec<Row>, String> {
    let proof = case.prove()?;
    case.counterexample()?;
    Ok(vec![
        Row {
            system: format!("{}: {}", case.theme, case.id),
            bound: case.program.names().collect::<Vec<_>>().join(", "),
            properties: proof.properties,
            states: proof.states,
            fails: None,
        },
        Row {
            system: format!("{}: {}: {}", case.theme, case.id, case.flip),
            bound: match case.breaks {
                NEVER_ENDS => "goes round for ever".to_owned(),
                breaks => format!("not so: {breaks}"),
            },
            properties: 1,
            states: 0,
            fails: Some(case.steps),
        },
    ])
}

/// The tests that fail if the crate followed a flip: the file below `tests`, and the test.
const TESTS: [(&str, &str, &str); 57] = [
    ("loop_read", "event_loop", "an_unsettled_loop_future_answers_invalid_state"),
    ("loop_may_block", "event_loop", "blocking_inside_the_loop_is_an_error"),
    ("loop_callbacks_inline", "event_loop", "callbacks_go_through_the_loop_in_order"),
    ("late_callbacks_inline", "event_loop", "a_late_callback_waits_for_its_turn"),
    (
        "loop_cancel_inline",
        "bridge",
        "a_cancel_through_the_loop_runs_thread_callbacks_in_a_later_turn",
    ),
    ("loop_reads_through", "event_loop", "nothing_flips_in_the_middle_of_a_turn"),
    ("claim_in_two_steps", "loom/race", "start_against_cancel"),
    ("set_in_two_steps", "loom/race", "cancel_against_finish_against_a_blocked_reader"),
    ("set_twice", "compile-fail/cases/finish_twice", ""),
    ("register_in_two_steps", "loom/callback", "two_registrants_against_finish"),
    ("stored_before_looked", "loom/callback", "two_registrants_against_finish"),
    ("cancel_in_two_steps", "thread", "waiting_for_a_cancelled_future_never_hangs"),
    ("cancel_running", "thread", "running_work_sees_the_request"),
    ("second_cancel_refused", "thread", "cancel_says_what_it_did"),
    ("dropped_promise_forgets", "thread", "a_dropped_promise_settles_its_future"),
    ("callbacks_under_lock", "thread", "wakers_and_callbacks_may_call_everything"),
    ("callbacks_before_waiters", "thread", "those_who_wait_are_told_before_the_callbacks_run"),
    ("panic_skips_callbacks", "thread", "a_panicking_callback_harms_nobody"),
    ("deferred_never_run", "deferred", "a_chain_of_a_million_callbacks_needs_little_stack"),
    (
        "deferred_forgotten_in_wait",
        "loom/deferred",
        "a_wait_for_a_deferred_callback_against_cancel",
    ),
    ("deferred_reversed", "deferred", "deferred_callbacks_run_in_order_when_the_others_have"),
    ("removal_overlooks_due", "event_loop", "a_callback_may_remove_a_later_one"),
    ("expiry_cancels", "thread", "a_wait_ends_at_its_deadline_and_not_before"),
    ("expiry_is_a_failure", "thread", "a_wait_ends_at_its_deadline_and_not_before"),
    ("post_does_not_wake", "event_loop", "a_sleeping_loop_is_woken_by_a_post"),
    ("closed_loop_swallows", "event_loop", "a_closed_loop_hands_everything_back"),
    (
        "closed_view_stays",
        "event_loop",
        "a_closed_loop_drops_callbacks_on_its_thread_and_its_views_read_through",
    ),
    ("close_forgets_tasks", "bridge", "a_coroutine_is_settled_when_its_loop_is_closed"),
    ("views_are_copies", "bridge", "a_cancel_through_either_view_cancels_the_one_future"),
    (
        "cancelled_before_stopped",
        "event_loop",
        "a_cancelled_task_is_stopped_and_only_then_seen_cancelled",
    ),
    (
        "cancel_is_not_forwarded",
        "event_loop",
        "an_await_by_value_is_forwarded_a_cancel_and_one_by_reference_is_not",
    ),
    ("stopped_before_owned", "tasks", "a_task_is_seen_stopped_after_the_tasks_that_it_owned"),
    ("stopping_is_forgotten", "stopping", "what_was_stopping_already_is_waited_for"),
    (
        "sent_is_forgotten",
        "stopping",
        "a_coroutine_that_was_sent_is_waited_for_before_it_is_a_task",
    ),
    ("circles_wait", "stopping", "owners_in_a_circle_end_when_all_their_coroutines_are_gone"),
    ("close_ends_owners_first", "stopping", "closing_settles_what_was_owned_first"),
    ("foreign_loop_awaits", "event_loop", "awaiting_on_another_loop_is_an_error_and_no_hang"),
    ("task_starts_at_once", "event_loop", "a_task_runs_in_steps_and_gives_its_value"),
    ("wait_on_loop", "waiting", "a_loop_thread_does_not_block_for_several"),
    ("as_completed_on_loop", "waiting", "a_loop_thread_does_not_block_for_several"),
    ("empty_wait_waits", "waiting", "nothing_is_waited_for_at_no_cost"),
    ("wait_locks_all", "waiting", "many_threads_wait_in_opposite_orders"),
    ("pool_does_not_help", "pool", "a_worker_runs_the_queued_job_that_it_waits_for_and_no_other"),
    ("pool_cycle_blocks", "pool", "a_circle_of_waits_is_refused"),
    ("pool_refuses_every_wait", "pool", "a_worker_may_wait_for_whoever_goes_on"),
    ("pool_end_blocks", "pools", "a_worker_does_not_wait_for_the_end_of_a_pool_that_waits_for_it"),
    ("pool_calls_under_lock", "pool", "a_callback_of_a_dropped_job_may_use_the_pool"),
    ("pending_taken_at_once", "pool", "a_callback_of_a_dropped_job_may_wait_for_the_next"),
    ("shutdown_forgets_queue", "pool", "shutdown_with_cancel_settles_what_is_queued"),
    ("last_handle_tells_nobody", "loom/closed", "the_last_handle_against_an_await"),
    ("callback_is_nobody", "closed", "the_work_learns_that_nobody_is_left"),
    ("listeners_stay", "loom/closed", "the_last_handle_against_an_await"),
    ("unseen_is_dropped", "closed", "what_nobody_sees_comes_back"),
    ("unseen_in_two_steps", "loom/closed", "the_last_handle_against_the_value"),
    ("closed_is_upgraded", "handles", "a_weak_handle_keeps_nobody_waiting"),
    ("interrupt_wakes_nobody", "loom/expiry", "an_interrupt_against_finish"),
    (
        "interrupt_cancels",
        "interrupt",
        "every_wait_is_interrupted_while_it_sleeps_and_what_it_waited_for_is_untouched",
    ),
];

fn every_flip_is_caught() -> Result<Vec<Row>, String> {
    let text = format!("{:?}", Rules::default());
    let fields: Vec<&str> = text
        .trim_start_matches("Rules {")
        .split(',')
        .filter_map(|field| Some(field.split_once(':')?.0.trim()))
        .collect();
    for field in &fields {
        if !FLIPS.iter().chain(&COARSER).any(|flip| name(flip) == *field) {
            return Err(format!("nothing flips {field}"));
        }
    }
    for flip in FLIPS {
        if flip.rules() == Rules::default() {
            return Err(format!("{} changes nothing", flip.name));
        }
        // That the case fails under it is a test of its own.
        if !cases::all().iter().any(|case| case.flips().any(|it| it == flip.name)) {
            return Err(format!("no case is about {}", flip.name));
        }
    }
    println!("flips: {}, of all {} rules; each breaks a property", FLIPS.len(), fields.len());
    Ok(Vec::new())
}

/// The field that a flip changes.
fn name(flip: &Flip) -> &'static str {
    flip.name.split(':').next().unwrap_or_default()
}

fn every_rule_has_a_test() -> Result<Vec<Row>, String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut without = Vec::new();
    for flip in FLIPS {
        let Some((_, file, test)) = TESTS.iter().find(|(rule, ..)| *rule == name(&flip)) else {
            without.push(flip.name);
            continue;
        };
        let path = tests.join(file).with_extension("rs");
        let code = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if !test.is_empty() && !code.contains(&format!("fn {test}(")) {
            return Err(format!("{}: there is no test {file}: {test}", flip.name));
        }
    }
    println!("rules without a test of the crate: {without:?}");
    if without.is_empty() { Ok(Vec::new()) } else { Err(format!("{without:?}")) }
}

/// A property that could read the rules would say otherwise of the same state under others. That nobody waits, for
/// ever or in vain, is left out: whether there is a step is up to the rules.
fn no_property_sees_them() -> Result<Vec<Row>, String> {
    let mut judged = 0;
    for case in cases::all() {
        for flip in FLIPS {
            let other = case.program.clone().under(flip.rules());
            for state in states(&case.program) {
                for property in &ALWAYS[2..] {
                    judged += 1;
                    let holds = property.holds(&case.program, &state);
                    if holds != property.holds(&other, &state) {
                        return Err(format!("\"{}\" sees {}", property.name, flip.name));
                    }
                }
            }
        }
    }
    println!("properties: {judged} judgements, none of which depends on a rule");
    Ok(Vec::new())
}

/// The twins: for each property there are states of which it says something.
fn every_property_speaks() -> Result<Vec<Row>, String> {
    let mut spoken = [0_usize; ALWAYS.len()];
    for program in cases::all().into_iter().map(|case| case.program).chain(larger::programs()) {
        for state in states(&program) {
            for (property, times) in ALWAYS.iter().zip(&mut spoken) {
                *times += usize::from(property.speaks(&program, &state));
            }
        }
    }
    for (property, times) in ALWAYS.iter().zip(spoken) {
        println!("\"{}\" [{}] speaks of {times} states", property.name, property.clause);
        if times == 0 {
            return Err(format!("\"{}\" says nothing", property.name));
        }
    }
    Ok(Vec::new())
}

/// Every kind of step, and every operation, is taken in some program under the rules that ship.
fn every_kind_of_step_is_taken() -> Result<Vec<Row>, String> {
    let (mut kinds, mut operations) = (BTreeSet::new(), BTreeSet::new());
    for program in cases::all().into_iter().map(|case| case.program).chain(larger::programs()) {
        for (step, _) in states(&program).iter().flat_map(|state| program.next_steps(state)) {
            kinds.insert(Program::kind(&step));
            if let Does::Do(operation) = step.does {
                let text = format!("{operation:?}");
                operations.insert(text.split('(').next().unwrap_or_default().to_owned());
            }
        }
    }
    println!("steps: {kinds:?}, operations: {operations:?}");
    // A copy between two cells is nothing that ships.
    if (kinds.len(), operations.len()) != (KINDS, OPERATIONS) {
        return Err(format!("{} kinds, {} operations", kinds.len(), operations.len()));
    }
    Ok(Vec::new())
}

/// How many kinds of steps there are, and how many operations.
const KINDS: usize = 17;
const OPERATIONS: usize = 47;
