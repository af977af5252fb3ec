//! The calls on this crate's primitives, by threads.

use std::{
    sync::{
        atomic::{AtomicU8, Ordering::Relaxed},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use settled::{
    WaitError, context,
    primitives::{Condition, Lock},
};

use super::{
    Kind, Object, Subject,
    kind::{Held, What, in_line, truth},
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
    came: Vec<String>,
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
                self.came.push(held.came(name));
                self.free.push(place);
                self.held.extend(held.is_held().then_some(held));
            }
            // Whoever waits for a condition stands in its line before he gives the lock up.
            let is_locked = matches!(self.what, What::Condition) && self.object.look() == "T";
            let all_stand = self.object.waiting() == self.busy();
            if all_stand && (!is_locked || !self.held.is_empty()) {
                return;
            }
            thread::yield_now();
        }
    }

    /// Another client waits.
    fn start(&mut self) -> &'static str {
        let Some(place) = self.free.pop() else { return "n" };
        let job = (self.names, self.object.clone(), self.tell.clone());
        self.clients.0[place].send(job).expect("it waits for jobs");
        self.names += 1;
        "o"
    }

    fn act(&mut self, letter: char) -> String {
        match (&self.object, letter) {
            (Object::Condition(lock, of), 'z' | 'b') => {
                let (lock, of) = (lock.clone(), of.clone());
                self.wait_with_the_lock(&lock, &of, letter == 'b')
            }
            (Object::Condition(..), 'w' | 'o') if !self.held.is_empty() => "n".to_owned(),
            (Object::Condition(..), 'a') => self.object.give().to_owned(),
            (Object::Condition(..), 'i' | 'o') => self.object.notify().to_owned(),
            (Object::Barrier(_), 'a' | 'u') => self.object.end_round(letter == 'a').to_owned(),
            (Object::Barrier(of), 'i') => of.waiting().to_string(),
            (Object::Barrier(_), 'z') => self.come(),
            (Object::Barrier(_), 'A' | 'Z') => {
                let told = self.come();
                self.object.end_round(letter == 'A');
                told
            }
            _ => self.act_on_any(letter).to_owned(),
        }
    }

    /// Comes to a barrier without waiting. Python has one error for one who has left and for those whom he leaves.
    fn come(&self) -> String {
        match self.object.wait_timeout(Duration::ZERO) {
            Ok(Held::Told(told)) => told,
            _ => "B".to_owned(),
        }
    }

    /// Waits for a condition with the lock that is held, or is taken for it; without time, and how often somebody had the
    /// lock meanwhile who stood in its line, or on the thread of a loop.
    fn wait_with_the_lock(&mut self, lock: &Lock<()>, of: &Condition, on_loop: bool) -> String {
        if in_line(lock) > 0 {
            return "n".to_owned();
        }
        let held = self.held.pop();
        let was_held = held.is_some();
        let mut guard = match held {
            Some(Held::Guard(guard)) => guard,
            _ => lock.try_lock().expect("nobody has it").into_owned(),
        };
        let told = |end: Result<(), WaitError>| match end {
            Ok(()) => "T",
            Err(WaitError::WouldDeadlock(_)) => "D",
            Err(_) => "F",
        };
        let told = if on_loop {
            let _loop = context::enter_loop();
            let told = told(of.wait_timeout(&mut guard, MOMENT)).to_owned();
            drop(guard);
            told
        } else {
            let had = AtomicU8::new(0);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _guard = lock.lock().expect("no loop runs here");
                    had.fetch_add(1, Relaxed);
                });
                while in_line(lock) != 1 {
                    thread::yield_now();
                }
                let told = told(of.wait_timeout(&mut guard, Duration::ZERO));
                let had = had.load(Relaxed);
                drop(guard);
                format!("{told}{had}")
            })
        };
        let again = was_held.then(|| lock.try_lock().expect("nobody else waits for it"));
        self.held.extend(again.map(Held::from));
        told
    }

    fn act_on_any(&mut self, letter: char) -> &'static str {
        let is_event = self.what == What::Event;
        match letter {
            'w' if self.what == What::Lock && self.busy() > 0 => return "n",
            'w' => return self.start(),
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
        let came = self.came.drain(..).collect::<Vec<_>>().join(",");
        format!("{token}{}:{came}", self.object.state())
    }
}

impl Drop for Threads<'_> {
    /// Nobody is left in a wait for the next program.
    fn drop(&mut self) {
        while self.busy() > 0 {
            self.held.clear();
            match self.what {
                What::Lock => {}
                What::Barrier => _ = self.object.end_round(true),
                _ => _ = self.object.give(),
            }
            self.settle();
        }
    }
}
