//! Tasks that own each other by chance, cancelled by chance.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use settled::{EventLoop, bridge, tasks::gather_all};

use super::{Coroutine, Unit, here, owners, passes};

/// The same numbers for the same seed.
struct Chance(u64);

impl Chance {
    /// One of the numbers below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Who owns whom, whose coroutine is gone, and who is settled.
struct Seen {
    owns: Vec<Vec<usize>>,
    dropped: Vec<AtomicBool>,
    settled: Vec<AtomicBool>,
    wrong: Mutex<Vec<String>>,
}

impl Seen {
    fn new(owns: Vec<Vec<usize>>) -> Arc<Self> {
        let none = || owns.iter().map(|_| AtomicBool::new(false)).collect();
        let (dropped, settled) = (none(), none());
        Arc::new(Self { owns, dropped, settled, wrong: Mutex::default() })
    }

    /// All that a task owns, and what that owns, and so on.
    fn owned_by(&self, task: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut left = self.owns[task].clone();
        while let Some(next) = left.pop() {
            if !found.contains(&next) {
                found.push(next);
                left.extend(&self.owns[next]);
            }
        }
        found
    }

    /// A task is settled: is everything that it owned, but for the circle that it is in, of which no coroutine is
    /// left?
    fn settles(&self, task: usize) {
        self.settled[task].store(true, Ordering::Relaxed);
        let is = |flags: &[AtomicBool], it: usize| flags[it].load(Ordering::Relaxed);
        if !is(&self.dropped, task) {
            self.wrong.lock().unwrap().push(format!("{task} still runs"));
        }
        for other in self.owned_by(task) {
            let circle = self.owned_by(other).contains(&task) && is(&self.dropped, other);
            if !circle && !is(&self.settled, other) {
                self.wrong.lock().unwrap().push(format!("{task} before {other}"));
            }
        }
    }
}

/// Says that a coroutine is gone.
struct Goes(Arc<Seen>, usize);

impl Drop for Goes {
    fn drop(&mut self) {
        self.0.dropped[self.1].store(true, Ordering::Relaxed);
    }
}

/// Who owns whom: each task some of those with a greater number, and now and then one with a lesser.
fn forest(chance: &mut Chance) -> Vec<Vec<usize>> {
    let count = 2 + chance.below(9);
    let mut owns = vec![Vec::new(); count];
    for child in 1..count {
        let owner = chance.below(child);
        owns[owner].push(child);
    }
    for _ in 0..chance.below(3) {
        let (from, to) = (chance.below(count), chance.below(count));
        if from != to && !owns[from].contains(&to) {
            owns[from].push(to);
        }
    }
    owns
}

/// Makes the tasks, in an order that chance picks.
fn plant(chance: &mut Chance, seen: &Arc<Seen>) -> Vec<Unit> {
    let count = seen.owns.len();
    let slots: Vec<_> =
        (0..count).map(|_| Rc::new(RefCell::new(Vec::<Coroutine>::new()))).collect();
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        order.swap(at, chance.below(at + 1));
    }
    let mut tasks: Vec<Option<Unit>> = (0..count).map(|_| None).collect();
    for it in order {
        let (slot, goes) = (Rc::clone(&slots[it]), Goes(Arc::clone(seen), it));
        let task = here().create_task(async move {
            let _goes = goes;
            let mut owned = slot.take();
            std::future::poll_fn(|cx| {
                owned.retain_mut(|it| it.as_mut().poll(cx).is_pending());
                std::task::Poll::<()>::Pending
            })
            .await;
        });
        let task = task.unwrap();
        let seen = Arc::clone(seen);
        bridge::thread_future(&task).add_done_callback(move |_| seen.settles(it));
        tasks[it] = Some(task);
    }
    let tasks: Vec<Unit> = tasks.into_iter().flatten().collect();
    for (owned, slot) in seen.owns.iter().zip(slots) {
        let futures: Vec<Unit> = owned.iter().map(|it| tasks[*it].clone()).collect();
        let together = chance.below(2) == 0;
        let coroutines: Vec<Coroutine> = if together {
            vec![Box::pin(async { drop(gather_all(futures).await) })]
        } else {
            let kinds = owners();
            futures.into_iter().map(|it| kinds[chance.below(kinds.len())].1(it)).collect()
        };
        slot.replace(coroutines);
    }
    tasks
}

/// How many forests are tried, and how many tasks at least are asked to stop while they own one that is not settled.
const FORESTS: u64 = 3000;
const AT_LEAST: usize = 3000;

#[test]
fn whoever_is_settled_owns_nothing_any_more_in_any_forest() {
    watch!();
    let mut told = 0;
    let mut stop = |seen: &Seen, tasks: &[Unit], it: usize| {
        let is_owner = |it: &usize| !seen.settled[*it].load(Ordering::Relaxed);
        told += usize::from(!tasks[it].done() && seen.owns[it].iter().any(is_owner));
        tasks[it].cancel();
    };
    for seed in 0..FORESTS {
        let mut chance = Chance(seed);
        let seen = Seen::new(forest(&mut chance));
        let event_loop = EventLoop::new();
        let closes = chance.below(3) == 0;
        let run = event_loop.run_until_complete(async {
            let tasks = plant(&mut chance, &seen);
            passes(4).await;
            for _ in 0..1 + chance.below(2 * tasks.len()) {
                stop(&seen, &tasks, chance.below(tasks.len()));
                passes(chance.below(3)).await;
            }
            if !closes {
                (0..tasks.len()).for_each(|it| stop(&seen, &tasks, it));
                passes(20 * tasks.len()).await;
                assert!(tasks.iter().all(Unit::done), "seed {seed}: {:?}", seen.owns);
            }
        });
        run.unwrap();
        drop(event_loop);
        let wrong = seen.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "seed {seed}: {:?}: {wrong:?}", seen.owns);
        assert!(seen.settled.iter().all(|it| it.load(Ordering::Relaxed)), "seed {seed}");
    }
    assert!(told >= AT_LEAST, "{told}");
}
