//! The calls on this crate's primitives, by tasks of two loops.

use std::{cell::RefCell, convert::Infallible, rc::Rc, time::Duration};

use settled::{EventLoop, LoopFuture, tasks};

use super::{
    Kind, Object, Subject,
    kind::{Held, What, truth},
};

/// As many as wait at once.
const CLIENTS: usize = 3;

#[derive(Default)]
struct World {
    held: Vec<Held>,
    came: Vec<String>,
    /// Those that have not ended.
    tasks: Vec<(usize, LoopFuture<(), Infallible>)>,
}

pub(crate) struct Loops {
    what: What,
    object: Object,
    loops: Vec<EventLoop>,
    names: usize,
    world: Rc<RefCell<World>>,
}

impl Loops {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            what: kind.what,
            object: Object::new(kind),
            loops: vec![EventLoop::new(), EventLoop::new()],
            names: 0,
            world: Rc::default(),
        }
    }
}

impl Loops {
    /// Runs one loop, and then the other, until neither has anything to run.
    fn settle(&self) {
        for event_loop in self.loops.iter().chain(&self.loops) {
            run(event_loop);
        }
    }

    /// Another client of a loop waits.
    fn start(&mut self, number: usize) -> &'static str {
        if self.waiting() == CLIENTS {
            return "n";
        }
        let name = self.names;
        self.names += 1;
        let (object, world) = (self.object.clone(), Rc::clone(&self.world));
        let client = async move {
            let held = object.wait_async().await;
            let mut world = world.borrow_mut();
            world.came.push(held.came(name));
            world.held.extend(held.is_held().then_some(held));
        };
        let task = self.loops[number].create_task(client).expect("it is open");
        let world = Rc::clone(&self.world);
        task.add_done_callback(move |settled| {
            let mut world = world.borrow_mut();
            if settled.cancelled() {
                world.came.push(format!("c{name}"));
            }
            world.tasks.retain(|(other, _)| *other != name);
        });
        self.world.borrow_mut().tasks.push((name, task));
        run(&self.loops[number]);
        "o"
    }

    /// Gives back what is held by anybody, or sets the event.
    fn release(&self) {
        let held = self.world.borrow_mut().held.pop();
        if held.is_none() || self.what == What::Event {
            self.object.give();
        }
    }

    fn attempt(&self) -> &'static str {
        let held = self.object.attempt();
        let told = truth(held.is_some());
        self.world.borrow_mut().held.extend(held);
        told
    }

    /// The task that has waited longest is cancelled.
    fn cancel(&self) {
        self.world.borrow().tasks[0].1.cancel();
    }

    fn act(&mut self, letter: char) -> String {
        match (&self.object, letter) {
            (Object::Condition(..), 'i' | 'C' | 'X' | 'o' | 'a') => {
                self.act_on_condition(letter).to_owned()
            }
            (Object::Barrier(_), 'a' | 'u') => self.object.end_round(letter == 'a').to_owned(),
            (Object::Barrier(of), 'i') => of.waiting().to_string(),
            (Object::Barrier(_), 't' | 'A' | 'Z') => {
                let Some(told) = self.object.come_last() else { return "n".to_owned() };
                if letter != 't' {
                    self.object.end_round(letter == 'A');
                }
                told
            }
            _ => self.act_on_any(letter),
        }
    }

    fn act_on_condition(&self, letter: char) -> &'static str {
        match letter {
            'o' if !self.world.borrow().held.is_empty() => return "n",
            'C' | 'X' if self.waiting() == 0 => return "n",
            'a' => return self.object.give(),
            'C' => {
                self.object.notify();
                self.cancel();
            }
            'X' => {
                self.cancel();
                self.object.notify();
            }
            _ => return self.object.notify(),
        }
        "o"
    }

    fn act_on_any(&mut self, letter: char) -> String {
        let is_event = self.what == What::Event;
        let (nothing_held, nobody) =
            (!is_event && self.world.borrow().held.is_empty(), self.waiting() == 0);
        let told = match letter {
            'r' | 'q' | 'g' | 'C' | 'X' if nothing_held => "n",
            'c' | 'C' | 'X' if nobody => "n",
            'w' => self.start(0),
            'f' => self.start(1),
            't' => self.attempt(),
            'z' => self.limited(),
            'c' => {
                self.cancel();
                "o"
            }
            'C' => {
                self.release();
                self.cancel();
                "o"
            }
            'X' => {
                self.cancel();
                self.release();
                "o"
            }
            'g' => {
                self.release();
                self.attempt()
            }
            'r' | 'q' => {
                self.release();
                "o"
            }
            'R' | 's' => self.object.give(),
            'u' => {
                self.object.clear();
                "o"
            }
            'x' => {
                self.object.give();
                self.object.clear();
                "o"
            }
            '?' => self.object.look(),
            'k' => return self.close(),
            _ => unreachable!("no such call"),
        };
        told.to_owned()
    }

    /// Here it is asked for what Python's calls have no argument for. What is had is given back.
    fn limited(&self) -> &'static str {
        let object = self.object.clone();
        let limited = tasks::timeout(async move { object.wait_async().await }, Duration::ZERO);
        truth(EventLoop::new().run_until_complete(limited).expect("no loop runs").is_ok())
    }

    /// Closes the loops; what is had before and after one is given back. Here their tasks are told to have been
    /// cancelled, there nothing is told of them.
    fn close(&mut self) -> String {
        self.world.borrow_mut().tasks.clear();
        self.loops.clear();
        self.world.borrow_mut().came.clear();
        let before = self.object.look();
        let told = match self.what {
            What::Lock | What::Barrier => "n",
            _ => self.object.give(),
        };
        format!("{before}{told}{}", self.object.look())
    }
}

fn run(event_loop: &EventLoop) {
    while event_loop.try_tick().expect("no loop runs") {}
}

impl Subject for Loops {
    fn waiting(&self) -> usize {
        self.world.borrow().tasks.len()
    }

    fn call(&mut self, letter: char) -> String {
        let token = self.act(letter);
        if letter != 'q' {
            self.settle();
        }
        let came = self.world.borrow_mut().came.drain(..).collect::<Vec<_>>().join(",");
        // The end of the loops is looked at before and after.
        let state = if letter == 'k' { "" } else { self.object.state() };
        format!("{token}{state}:{came}")
    }
}
