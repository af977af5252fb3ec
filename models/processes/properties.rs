//! What holds of a pool of processes, whatever happens.

use std::sync::Arc;

use settled::{
    machine::State,
    model::check::{ENVIRONMENT, Kinds},
};
use stateright::{Model, Property};

use super::{Became, Job, Now, Number, Pool, Process, Step, reached};
use crate::books::Far;

/// `[process-4]`
pub(super) const OWN: &str = "a death loses the job of its own worker alone";
/// `[process-3]`
pub(super) const DEAD: &str = "who is told to have died is dead";
/// `[process-3]`
pub(super) const AT_ONCE: &str = "a job is lost as soon as its worker's end is known";
/// `[process-3]`
pub(super) const OFFERED: &str = "no job is given to a worker whose end was told";
/// `[process-4]`
pub(super) const KILLED: &str = "nobody is killed who has given no reason";
/// `[process-4]`
pub(super) const BROKEN: &str = "a pool breaks when a start has just failed";
/// `[process-1]`
pub(super) const NEEDED: &str = "no worker is started when all that is left is cancelled";
/// `[process-4]`
pub(super) const ONCE: &str = "nothing is run twice";
/// `[process-1]`
pub(super) const KEPT: &str = "a settled job stays as it was settled";
/// `[process-3]`
pub(super) const WHOLE: &str = "a whole answer in the pipe counts";
/// `[process-3]` `[process-1]`
pub(super) const TRUE: &str = "what is told of a job is what has happened";
/// `[process-9]`
pub(super) const SETTLES: &str = "every accepted job settles, and every worker ends";

/// Whether it was told to have died.
pub(super) fn died(job: &Job) -> bool {
    matches!(job.became, Some(Became::Died(_)))
}

pub(super) fn all(pool: &Pool) -> Vec<Property<Pool>> {
    let mut properties = vec![
        Property::always(OWN, |_, now: &Now| {
            let lost =
                |it: Number| now.jobs.iter().filter(move |job| died(job) && job.to == Some(it));
            let is_dead = |job: &Job| job.to.is_some_and(|it| !now.processes[&it].is_alive);
            now.processes.keys().all(|it| lost(*it).count() <= 1)
                && now.jobs.iter().all(|job| !died(job) || is_dead(job))
        }),
        Property::always(DEAD, |_, now: &Now| {
            now.processes.values().all(|it| !it.is_gone || !it.is_alive)
        }),
        Property::always(AT_ONCE, |_, now: &Now| {
            let is_lost = |job: &Job| {
                let known = job.to.is_some_and(|it| now.processes[&it].is_told == [true; 2]);
                job.cell != State::Running || !known
            };
            !now.is_idle() || now.jobs.iter().all(is_lost)
        }),
        Property::always(OFFERED, |_, now: &Now| !now.has_erred.offered_late),
        Property::always(KILLED, |_, now: &Now| !now.has_erred.killed_another),
        Property::always(BROKEN, |_, now: &Now| !now.has_erred.broken_in_vain),
        Property::always(NEEDED, |_, now: &Now| !now.has_erred.started_in_vain),
        Property::always(ONCE, |_, now: &Now| now.jobs.iter().all(|job| job.runs <= 1)),
        Property::always(KEPT, |_, now: &Now| now.jobs.iter().all(|job| !job.has_changed)),
        Property::always(WHOLE, |_, now: &Now| {
            now.jobs.iter().all(|job| !died(job) || !job.is_answered)
        }),
        Property::always(TRUE, |_, now: &Now| {
            // One that has hung up says nothing of what it begins.
            let is_mute = |job: &Job| job.to.is_some_and(|it| now.processes[&it].has_hung_up);
            // Nobody knows what one does that makes no sense: it may have begun.
            let is_mad = |job: &Job| job.to.is_some_and(|it| now.processes[&it].is_mad);
            now.jobs.iter().all(|job| match (job.became, job.cell) {
                (Some(Became::Value), _) => job.is_answered,
                (Some(Became::Died(Far::NotBegun)), _) => job.runs == 0 || is_mute(job),
                (Some(Became::Dropped), _) => job.runs == 0 && now.has_ended[0],
                (Some(Became::Broken), _) => job.runs == 0 && now.is_broken,
                (Some(Became::Died(Far::Begun)), _) => job.runs == 1 || is_mad(job),
                (Some(Became::Died(Far::CutShort)), _) => job.has_ended,
                (None, cell) => cell != State::Cancelled || job.runs == 0,
            })
        }),
        Property::always(SETTLES, |pool: &Pool, now: &Now| {
            let mut steps = Vec::new();
            pool.actions(now, &mut steps);
            let has_ended = |it: &Arc<Process>| it.is_gone && !it.is_alive;
            // Nothing is waited for that need not happen.
            let need_not = |it: &Step| {
                let is_wish = matches!(
                    it,
                    Step::Cancel(_) | Step::Kill(_) | Step::DropQueued | Step::Terminate
                );
                is_wish || pool.by(it) == ENVIRONMENT
            };
            !steps.iter().all(need_not)
                || now.jobs.iter().all(|job| job.cell.is_settled())
                    && now.processes.values().all(has_ended)
        }),
    ];
    if pool.wrong.is_none() {
        properties.extend(reached::all());
    }
    properties
}
