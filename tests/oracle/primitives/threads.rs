//! The calls on this crate's primitives, by threads.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use settled::{WaitError, context};

use super::{
    Kind, Object, Subject,
    kind::{Held, What, truth},
};

/// How long something is waited for that cannot come.
const MOMENT: Duration = Duration::from_micros(100);

type Came = (usize, usize, Held);
type Job = (usize, Object, Sender<Came>);

/// Threads that wait when they are told to. They end when this is dropped.
pub(crate) struct Clients(Vec<Sender<Job>>);

impl Clients {
    pub(crate) fn new() -> Self {
        let client = |place| {
            let (tell, told) = mpsc::channel::<Job>();
            thread::spawn(move || {
                for (name, object, came) in told {
                    let held = object.wait().expect("no loop runs here");
                    drop(object);
                    let _ = came.send((name, place, held));
                }
            });
            tell
        };
        Self((0..3).map(client).collect())
    }
}

pub(crate) struct Threads<'a> {
    what: What,
    object: Object,
    clients: &'a Clients,
    free: Vec<usize>,
    names: usize,
    held: Vec<Held>,
    tell: Sender<Came>,
    told: Receiver<Came>,
    came: Vec<usize>,
}

impl<'a> Threads<'a> {
    pub(crate) fn new(kind: Kind, clients: &'a Clients) -> Self {
        let (tell, told) = mpsc::channel();
        Self {
            what: kind.what,
            object: Object::new(kind),
            clients,
            free: (0..clients.0.len()).collect(),
            names: 0,
            held: Vec::new(),
            tell,
            told,
            came: Vec::new(),
        }
    }

    fn busy(&self) -> usize {
        self.clients.0.len() - self.free.len()
    }

    /// Returns when each client has come or stands in the line.
    fn settle(&mut self) {
        loop {
            while let Ok((name, place, held)) = self.told.try_recv() {
                self.came.push(name);
                self.free.push(place);
                self.held.push(held);
            }
            if self.object.waiting() == self.busy() {
                return;
            }
            thread::yield_now();
        }
    }

    fn act(&mut self, letter: char) -> &'static str {
        let is_event = self.what == What::Event;
        match letter {
            'w' if self.what == What::Lock && self.busy() > 0 => return "n",
            'w' => {
                let Some(place) = self.free.pop() else { return "n" };
                let job = (self.names, self.object.clone(), self.tell.clone());
                self.clients.0[place].send(job).expect("it waits for jobs");
                self.names += 1;
            }
            't' => return self.attempt(),
            'z' => return self.limited(Duration::ZERO),
            'b' => {
                let _loop = context::enter_loop();
                return self.limited(MOMENT);
            }
            'r' | 'q' if !is_event => return if self.release() { "o" } else { "n" },
            'g' => return if self.release() { self.attempt() } else { "n" },
            'R' | 's' | 'q' => return self.object.give(),
            'u' => self.object.clear(),
            'x' => {
                self.object.give();
                self.object.clear();
            }
            '?' => return self.object.look(),
            _ => unreachable!("no such call"),
        }
        "o"
    }

    /// Gives back what is held by anybody. Of an event nothing is.
    fn release(&mut self) -> bool {
        self.held.pop().is_some()
    }

    fn attempt(&mut self) -> &'static str {
        let held = self.object.attempt();
        let told = truth(held.is_some());
        self.held.extend(held);
        told
    }

    fn limited(&mut self, timeout: Duration) -> &'static str {
        match self.object.wait_timeout(timeout) {
            Ok(held) => {
                self.held.push(held);
                "T"
            }
            Err(WaitError::WouldDeadlock(_)) => "D",
            Err(_) => "F",
        }
    }
}

impl Subject for Threads<'_> {
    fn waiting(&self) -> usize {
        self.busy()
    }

    fn call(&mut self, letter: char) -> String {
        let token = self.act(letter);
        self.settle();
        self.came.sort_unstable();
        let came: Vec<_> = self.came.drain(..).map(|name| name.to_string()).collect();
        format!("{token}:{}", came.join(","))
    }
}

impl Drop for Threads<'_> {
    /// Nobody is left in a wait for the next program.
    fn drop(&mut self) {
        while self.busy() > 0 {
            self.held.clear();
            if self.what != What::Lock {
                self.object.give();
            }
            self.settle();
        }
    }
}
