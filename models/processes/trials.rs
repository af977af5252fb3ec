//! The programs, and the pools that are wrong on purpose.

use settled::model::check;

use super::{
    May, Pool, Wrong,
    properties::{
        AT_ONCE, BROKEN, DEAD, KEPT, KILLED, NEEDED, OFFERED, ONCE, OWN, SETTLES, TRUE, WHOLE,
    },
};
use crate::{Trials, books::TRIES, refuted, row};

/// A pool, what may happen to it, what was wrong, what is not so then, and after how many steps.
const WRONG: [(Wrong, May, &str, &str, usize); 17] = [
    (Wrong::BreaksAsAWhole, May::Die, "a death breaks the pool", OWN, 15),
    (Wrong::RunsAgain, May::Die, "what was lost is run again in silence", ONCE, 20),
    (Wrong::ByName, May::Die, "a worker is known by a name that is used again", DEAD, 13),
    (Wrong::TakesLate, May::Die, "a late answer of one thought dead is taken", KEPT, 16),
    (Wrong::DoesNotRead, May::Die, "a pipe is not read to its end", WHOLE, 13),
    (Wrong::IsNotTold, May::NotStart, "a start that fails is not told", SETTLES, 6),
    (Wrong::WaitsForReady, May::NotStart, "whoever cannot be made ready is waited for", SETTLES, 8),
    (Wrong::BelievesAnybody, May::TalkNonsense, "an answer is taken of whoever gives it", TRUE, 9),
    (Wrong::DropsWhatRuns, May::EndEarly, "what runs is dropped with what is queued", TRUE, 8),
    (Wrong::LetsGo, May::EndEarly, "whoever is to be killed is taken to be dead", DEAD, 8),
    (Wrong::LosesLate, May::Die, "an end that comes late is not told", AT_ONCE, 9),
    (Wrong::OffersToTheDead, May::Die, "an end that comes first is not told", OFFERED, 7),
    (Wrong::ForgetsWhatComesBack, May::Die, "a job that comes back is forgotten", SETTLES, 16),
    (Wrong::KeepsWhatIsCancelled, May::Die, "what is cancelled stays in the queue", NEEDED, 6),
    (Wrong::KillsEverybody, May::Die, "a kill ends everybody", KILLED, 9),
    (
        Wrong::NeverTriesAgain,
        May::NotFork,
        "a start that was refused once is never tried again",
        SETTLES,
        5,
    ),
    (
        Wrong::TriesAtOnce,
        May::NotFork,
        "a start that was refused is tried again at once, and given up",
        BROKEN,
        39,
    ),
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("processes::every_program", || {
        let pool =
            |max, jobs, each, deaths, may| Pool { max, jobs, each, deaths, may, wrong: None };
        let tries = u8::try_from(TRIES).expect("there are few");
        let all = [
            pool(1, 2, 9, 2, May::Die),
            pool(2, 2, 9, 1, May::Die),
            pool(1, 1, 1, 4, May::Die),
            pool(1, 2, 9, 1, May::NotStart),
            pool(1, 1, 9, 3, May::NotStart),
            pool(1, 2, 1, 3, May::NotFork),
            pool(1, 1, 9, tries, May::NotFork),
            pool(2, 2, 9, 1, May::TalkNonsense),
            pool(2, 2, 9, 0, May::EndEarly),
            pool(1, 2, 9, 1, May::EndEarly),
            pool(1, 2, 9, 1, May::Linger),
        ];
        let proof = check::prove_all(all).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("a pool of processes that die at every step", "11 programs", &proof, [4_872_109, 72])
            .map(|row| vec![row])
    });
    for (wrong, may, was, property, steps) in WRONG {
        trials.add(format!("processes::{was}"), move || {
            let tries = u8::try_from(TRIES).expect("there are few");
            let (max, jobs, deaths) = if may == May::NotFork { (1, 1, tries) } else { (2, 2, 1) };
            let pool = Pool { max, jobs, each: 9, deaths, may, wrong: Some(wrong) };
            let system = format!("a pool of processes: {was}");
            refuted(system, format!("not so: {property}"), pool, property, steps).map(|it| vec![it])
        });
    }
}
