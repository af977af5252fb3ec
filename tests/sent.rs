//! Which task of a loop settles a cell, or which one a coroutine will be that was sent to it: what is found, beside a
//! search from the beginning, and how much is looked at for it.
//!
//! The table of the tasks and the line of the loop are those of the crate, in the test itself.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/dice.rs"]
mod dice;

mod cell {
    pub(crate) type Address = std::num::NonZero<usize>;
}

mod context {
    pub(crate) type Id = u64;

    pub(crate) struct Guard;

    impl Drop for Guard {
        fn drop(&mut self) {}
    }
}

mod task {
    use std::{cell::Cell, rc::Rc};

    use crate::{LOOKED, cell::Address, context::Id};

    /// A task with its number, and what it settles until it ends.
    #[derive(Clone)]
    pub(crate) struct Task(pub(crate) Id, pub(crate) Rc<Cell<Option<Address>>>);

    impl Task {
        pub(crate) fn id(&self) -> Id {
            self.0
        }

        pub(crate) fn settles(&self) -> Option<Address> {
            LOOKED.set(LOOKED.get() + 1);
            self.1.get()
        }
    }
}

mod queue {
    use std::{
        collections::VecDeque,
        mem,
        sync::{Arc, Mutex},
        time::Instant,
    };

    use crate::{LOOKED, cell::Address, context::Id};

    /// A coroutine that was sent: its task, and what that will settle.
    pub(crate) struct Job(Address, Id);

    impl Job {
        pub(crate) fn task(&self) -> Option<Id> {
            Some(self.1)
        }
    }

    pub(crate) enum Post {
        Job(Job),
        Step,
    }

    impl Post {
        pub(crate) fn of(cell: Address, task: Id) -> Self {
            Self::Job(Job(cell, task))
        }

        pub(crate) fn sends(&self) -> Option<(Address, Id)> {
            LOOKED.set(LOOKED.get() + 1);
            match self {
                Self::Job(Job(cell, task)) => Some((*cell, *task)),
                Self::Step => None,
            }
        }
    }

    #[derive(Default)]
    pub(crate) struct Queue(Mutex<VecDeque<Post>>);

    impl Queue {
        pub(crate) fn new() -> Arc<Self> {
            Arc::default()
        }

        pub(crate) fn post(&self, post: Post) {
            self.0.lock().unwrap().push_back(post);
        }

        pub(crate) fn holds_posts(&self) -> bool {
            !self.0.lock().unwrap().is_empty()
        }

        pub(crate) fn has_posts(&self) -> bool {
            self.holds_posts()
        }

        pub(crate) fn take(&self, posts: &mut VecDeque<Post>) {
            mem::swap(&mut *self.0.lock().unwrap(), posts);
        }

        pub(crate) fn take_and_rest(&self, posts: &mut VecDeque<Post>) {
            self.take(posts);
        }

        pub(crate) fn take_or_sleep(&self, posts: &mut VecDeque<Post>, _: Option<Instant>) {
            self.take(posts);
        }

        pub(crate) fn ring(&self) {}

        pub(crate) fn set_hook(&self, _: impl Fn() + Send + Sync + 'static, _: bool) {}
    }
}

#[path = "../src/event_loop/ids.rs"]
mod ids;
#[path = "../src/event_loop/ready.rs"]
#[expect(dead_code, reason = "what is found is counted here, and not all else that it does")]
mod ready;
#[path = "../src/event_loop/table.rs"]
#[expect(dead_code, reason = "what is found is counted here, and not all else that it does")]
mod table;

use std::{cell::Cell, collections::VecDeque, rc::Rc};

use cell::Address;
use dice::Dice;
use queue::Post;
use ready::{Call, Ready};
use table::Tasks;
use task::Task;

thread_local! {
    /// How often somebody was asked what he settles.
    static LOOKED: Cell<usize> = const { Cell::new(0) };
}

/// How often somebody is asked for it.
fn looks(of: impl FnOnce()) -> usize {
    let before = LOOKED.get();
    of();
    LOOKED.get() - before
}

fn address(number: usize) -> Address {
    Address::new(number + 1).unwrap()
}

#[test]
fn what_is_found_in_a_line_is_what_a_search_finds() {
    watch!();
    let mut found = 0;
    for seed in 0..500 {
        let (mut dice, ready) = (Dice(seed), Ready::new());
        let mut plain = VecDeque::<Option<Address>>::new();
        for _ in 0..300 {
            // An address comes again when the one who had it is gone.
            let cell = address(dice.below(30));
            let there = plain.contains(&Some(cell));
            match dice.below(6) {
                0 | 1 if !there => {
                    ready.queue().post(Post::of(cell, cell.get() as u64));
                    plain.push_back(Some(cell));
                }
                2 => {
                    ready.push(Call::Posted(Post::Step));
                    plain.push_back(None);
                }
                3 => {
                    ready.begin_turn();
                    assert_eq!(ready.pop().is_some(), plain.pop_front().is_some());
                }
                _ => {
                    assert_eq!(ready.sent(cell).is_some(), there, "seed {seed}");
                    found += usize::from(there);
                }
            }
        }
    }
    assert!(found > 1_000, "{found}");
}

/// So many coroutines are sent, and it is asked as often for each, and for what nobody will settle, while the line goes on.
fn looks_in_a_line(many: usize) -> usize {
    let ready = Ready::new();
    (0..many).for_each(|number| ready.queue().post(Post::of(address(number), number as u64)));
    looks(|| {
        for number in 0..many {
            assert_eq!(ready.sent(address(number)), Some(number as u64));
            assert_eq!(ready.sent(address(many + number)), None);
            assert!(ready.pop().is_some());
            ready.push(Call::Posted(Post::Step));
        }
    })
}

/// So many tasks are asked for, each time with one more that comes, and one that ends.
fn looks_in_the_table(many: usize) -> usize {
    let tasks = Tasks::default();
    let begin = |number: usize| {
        let settles = Rc::new(Cell::new(Some(address(number))));
        tasks.enter(Task(number as u64, Rc::clone(&settles)));
        settles
    };
    let mut all: VecDeque<_> = (0..many).map(begin).collect();
    looks(|| {
        for number in 0..many {
            assert_eq!(tasks.that_settles(address(number)), Some(number as u64));
            assert_eq!(tasks.that_settles(address(3 * many)), None);
            all.pop_front().unwrap().take();
            tasks.leave(number as u64);
            assert_eq!(tasks.that_settles(address(number)), None);
            all.push_back(begin(many + number));
        }
    })
}

#[test]
fn what_is_looked_at_grows_as_those_who_are_there() {
    watch!();
    for looks in [looks_in_a_line, looks_in_the_table] {
        let (few, many) = (looks(100), looks(1000));
        assert!(few > 0 && many <= 11 * few, "{few}, {many}");
    }
}
