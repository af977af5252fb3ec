//! The programs, and the pools that are wrong on purpose.

use settled::model::check;

use super::{
    May, Pool, Wrong,
    properties::{AT_ONCE, BROKEN, DEAD, KEPT, KILLED, OFFERED, ONCE, OWN, SETTLES, TRUE, WHOLE},
};
use crate::{Trials, refuted, row};

/// A pool, what may happen to it, what was wrong, what is not so then, and after how many steps.
const WRONG: [(Wrong, May, &str, &str, usize); 15] = [
    (Wrong::BreaksAsAWhole, May::Die, "a death breaks the pool", OWN, 15),
    (Wrong::RunsAgain, May::Die, "what was lost is run again in silence", ONCE, 20),
    (Wrong::ByName, May::Die, "a worker is known by a name that is used again", DEAD, 13),
    (Wrong::TakesLate, May::Die, "a late answer of one thought dead is taken", KEPT, 16),
    (Wrong::DoesNotRead, May::Die, "a pipe is not read to its end", WHOLE, 13),
    (Wrong::IsNotTold, May::NotStart, "a start that fails is not told", SETTLES, 14),
    (
        Wrong::WaitsForReady,
        May::NotStart,
        "whoever cannot be made ready is waited for",
        SETTLES,
        16,
    ),
    (Wrong::BelievesAnybody, May::TalkNonsense, "an answer is taken of whoever gives it", TRUE, 9),
    (Wrong::DropsWhatRuns, May::EndEarly, "what runs is dropped with what is queued", TRUE, 8),
    (Wrong::LetsGo, May::EndEarly, "whoever is to be killed is taken to be dead", DEAD, 8),
    (Wrong::LosesLate, May::Die, "an end that comes late is not told", AT_ONCE, 9),
    (Wrong::OffersToTheDead, May::Die, "an end that comes first is not told", OFFERED, 7),
    (Wrong::ForgetsWhatComesBack, May::Die, "a job that comes back is forgotten", SETTLES, 17),
    (Wrong::KillsEverybody, May::Die, "a kill ends everybody", KILLED, 9),
    (
        Wrong::NeverTriesAgain,
        May::NotFork,
        "a start that failed once is never tried again",
        BROKEN,
        19,
    ),
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("processes::every_program", || {
        let pool =
            |max, jobs, each, deaths, may| Pool { max, jobs, each, deaths, may, wrong: None };
        let all = [
            pool(1, 2, 9, 2, May::Die),
            pool(2, 2, 9, 1, May::Die),
            pool(1, 1, 1, 4, May::Die),
            pool(1, 2, 9, 1, May::NotStart),
            pool(1, 1, 9, 3, May::NotStart),
            pool(2, 2, 1, 3, May::NotFork),
            pool(2, 2, 9, 1, May::TalkNonsense),
            pool(2, 2, 9, 0, May::EndEarly),
            pool(1, 2, 9, 1, May::EndEarly),
            pool(1, 2, 9, 1, May::Linger),
        ];
        let proof = check::prove_all(all).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("a pool of processes that die at every step", "10 programs", &proof, [1_573_821, 56])
            .map(|row| vec![row])
    });
    for (wrong, may, was, property, steps) in WRONG {
        trials.add(format!("processes::{was}"), move || {
            // After one job a worker ends, and the next one needs another, of which three could not be started.
            let (each, deaths) = if may == May::NotFork { (1, 3) } else { (9, 1) };
            let pool = Pool { max: 2, jobs: 2, each, deaths, may, wrong: Some(wrong) };
            let system = format!("a pool of processes: {was}");
            refuted(system, format!("not so: {property}"), pool, property, steps).map(|it| vec![it])
        });
    }
}
