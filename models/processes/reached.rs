//! What the programs of a pool of processes come to, one or another.

use settled::machine::State;
use stateright::Property;

use super::{Became, Job, Now, Pool, properties::died};
use crate::books::Far;

pub(super) fn all() -> impl Iterator<Item = Property<Pool>> {
    of_one_worker().into_iter().chain(of_the_pool())
}

fn became(now: &Now, far: Far) -> bool {
    now.jobs.iter().any(|job| job.became == Some(Became::Died(far)))
}

fn of_one_worker() -> [Property<Pool>; 7] {
    [
        Property::sometimes("a job dies that had not begun", |_, now: &Now| {
            became(now, Far::NotBegun)
        }),
        Property::sometimes("a job dies that had begun", |_, now: &Now| became(now, Far::Begun)),
        Property::sometimes("an answer is cut short", |_, now: &Now| became(now, Far::CutShort)),
        Property::sometimes("an answer counts of one that is dead", |_, now: &Now| {
            let is_dead = |job: &Job| job.to.is_some_and(|it| now.processes[&it].is_told[0]);
            now.jobs.iter().any(|job| job.became == Some(Became::Value) && is_dead(job))
        }),
        Property::sometimes("a cancel wins, and the worker gets another job", |_, now: &Now| {
            now.jobs[0].cell == State::Cancelled
                && now.jobs.len() > 1
                && now.jobs[1].became == Some(Became::Value)
        }),
        Property::sometimes("one job is lost, and the other one is done", |_, now: &Now| {
            let is = |became| now.jobs.iter().any(|job| job.became == Some(became));
            is(Became::Died(Far::Begun)) && is(Became::Value)
        }),
        Property::sometimes("a process has ended whose pipe is not empty", |_, now: &Now| {
            now.processes.values().any(|it| it.is_told[0] && !it.said.is_empty())
        }),
    ]
}

fn of_the_pool() -> [Property<Pool>; 11] {
    [
        Property::sometimes("the pool is broken", |_, now: &Now| now.is_broken),
        Property::sometimes("one that was not made ready breaks the pool", |_, now: &Now| {
            now.is_broken && now.not_started == 0 && now.processes.len() == 1
        }),
        Property::sometimes("one could not be started, and another did the job", |_, now: &Now| {
            now.not_started > 0 && now.jobs.iter().any(|job| job.became == Some(Became::Value))
        }),
        Property::sometimes("three could not be started, and others did all", |_, now: &Now| {
            now.not_started > 2 && now.jobs.iter().all(|it| it.became == Some(Became::Value))
        }),
        Property::sometimes(
            "who was to have a job has ended, and another did it",
            |_, now: &Now| {
                let first = now.processes.first_key_value();
                first.is_some_and(|it| it.1.is_gone && !it.1.is_killed && !it.1.is_of_use)
                    && now.jobs.iter().all(|it| it.became == Some(Became::Value))
            },
        ),
        Property::sometimes("one that is killed answers before it falls", |_, now: &Now| {
            let is_killed = |job: &Job| job.to.is_some_and(|it| now.processes[&it].is_killed);
            now.jobs.iter().any(|job| job.became == Some(Became::Value) && is_killed(job))
                && now.has_killed.is_some()
        }),
        Property::sometimes(
            "a part of an answer comes of one that said nothing",
            |_, now: &Now| {
                now.jobs.iter().any(|job| {
                    job.became == Some(Became::Died(Far::Begun))
                        && job.has_ended
                        && job.to.is_some_and(|it| !now.processes[&it].is_of_use)
                })
            },
        ),
        Property::sometimes("one that makes no sense loses its job alone", |_, now: &Now| {
            let is = |became| now.jobs.iter().any(|job| job.became == Some(became));
            now.processes.values().any(|it| it.is_mad && it.is_gone)
                && is(Became::Died(Far::Begun))
                && is(Became::Value)
        }),
        Property::sometimes("what is queued is dropped, and what runs is done", |_, now: &Now| {
            let is = |became| now.jobs.iter().any(|job| job.became == Some(became));
            is(Became::Dropped) && is(Became::Value)
        }),
        Property::sometimes("everybody is killed at once", |_, now: &Now| {
            now.has_ended[1] && now.jobs.iter().all(died)
        }),
        Property::sometimes("nothing runs of what was cancelled, and all end", |_, now: &Now| {
            let is = |job: &Job| job.cell == State::Cancelled && job.became.is_none();
            now.jobs.iter().all(is)
                && !now.processes.is_empty()
                && now.processes.values().all(|it| it.is_gone)
        }),
    ]
}
