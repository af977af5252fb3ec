//! Callbacks, posted jobs, pool jobs and tasks, made of the pieces of a program.

use std::sync::Arc;

use settled::{
    Executor, bridge,
    model::{Do, Future as It, Kind, Op, Piece},
};

use super::{World, event_loop, me, part, play, say, view, world};
use crate::{
    real::end,
    said::{answer, begins},
    told::Told,
};

/// A piece that has not begun. What its script holds goes with it.
pub(super) struct Holds(Arc<World>, Piece);

impl Holds {
    pub(super) fn new(number: Piece) -> Self {
        Self(world(), number)
    }

    pub(super) fn begin(self) -> Option<u8> {
        me(&self.0);
        let _ = say(begins(self.1));
        play(&self.0.pieces[usize::from(self.1)].1);
        Some(0)
    }
}

impl Drop for Holds {
    fn drop(&mut self) {
        self.0.abandon(&self.0.pieces[usize::from(self.1)].1);
    }
}

/// A task. It holds what is its loop's, and is made there.
async fn coroutine(holds: Holds) -> Result<u8, u8> {
    let _ = say(begins(holds.1));
    let script = holds.0.pieces[usize::from(holds.1)].1.clone();
    for what in script {
        if let Do::Await(it) = what {
            let settled = view(it).await;
            let _ = say(answer(what, Told::Done(vec![(it, end(settled.result()))])));
        } else {
            play(&[what]);
        }
    }
    Ok(0)
}

fn spawn(number: Piece, it: It) -> bool {
    let Ok(made) = event_loop().create_task_result(coroutine(Holds::new(number))) else {
        return false;
    };
    world().make(it, bridge::thread_future(&made));
    part(|part| part.views.insert(it, made));
    true
}

fn submit(number: Piece, it: It, pool: u8) -> bool {
    let (world, holds) = (world(), Holds::new(number));
    let work = move || Ok(holds.begin().unwrap_or_default());
    let Ok(future) = world.pools[usize::from(pool)].submit_result(work) else { return false };
    let home = part(|part| part.event_loop.clone()).flatten();
    if let Some(home) = home {
        let made = bridge::wrap_future(&future, &home);
        part(|part| part.views.insert(it, made));
    }
    world.make(it, future);
    true
}

pub(super) fn is_accepted(number: Piece) -> bool {
    match world().pieces[usize::from(number)].0 {
        Kind::Task(it, _) => spawn(number, it),
        Kind::Job(it, pool) => submit(number, it, pool),
        Kind::Call => unreachable!("a callback is added"),
    }
}

impl World {
    /// The promises of a script go.
    pub(super) fn abandon(&self, script: &[Do]) {
        for it in script.iter().filter_map(|what| what.promise()) {
            self.produce(it, Op::Abandon);
        }
    }
}
