//! The same calls on the real crate, told in Python's letters.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use settled::{
    EventLoop, Failure, LoopFuture, NoValue, Promise, Settled, ThreadFuture, Token, phase::Running,
};

use crate::meet;

enum Producer {
    Pending(Promise<u8, ()>),
    Running(Promise<u8, (), Running>),
    Gone,
}

enum Future {
    Thread(ThreadFuture<u8, ()>),
    Loop(LoopFuture<u8, ()>, EventLoop),
}

pub(crate) struct Real {
    future: Future,
    producer: Producer,
    names: usize,
    ran: Arc<Mutex<Vec<usize>>>,
    added: Vec<(usize, Token)>,
    /// Callbacks that were removed here, and that Python will run all the same.
    removed: BTreeSet<usize>,
}

impl Real {
    pub(crate) fn new(class: char) -> Self {
        let (promise, future) = if class == 'T' {
            let (promise, future) = ThreadFuture::pair();
            (promise, Future::Thread(future))
        } else {
            let event_loop = EventLoop::new();
            // Errors that nobody looks at are part of the programs.
            event_loop.set_exception_handler(|_| ());
            let (promise, future) = event_loop.create_future();
            (promise, Future::Loop(future, event_loop))
        };
        Self {
            future,
            producer: Producer::Pending(promise),
            names: 0,
            ran: Arc::default(),
            added: Vec::new(),
            removed: BTreeSet::new(),
        }
    }

    /// Makes a call, and says what Python says if they agree, or differ as a row of the table has it.
    pub(crate) fn call(&mut self, letter: char, theirs: &str) -> String {
        let mut theirs = theirs.splitn(3, ':');
        let token = theirs.next().unwrap_or_default();
        let ran = theirs.nth(1).unwrap_or_default();
        let ours = match letter {
            's' | 'r' | 'x' => self.produce(letter, token),
            'c' => self.cancel(),
            'g' => self.result(),
            'e' => self.exception(token),
            'a' => self.add(),
            'm' => self.remove(token),
            't' => self.turn(),
            _ => unreachable!("no such call"),
        };
        format!("{ours}:{}:{}", self.state(), self.callbacks(ran))
    }

    fn produce(&mut self, letter: char, token: &str) -> String {
        let lost = |is_lost: bool| if is_lost { "I" } else { "o" };
        let told = match (std::mem::replace(&mut self.producer, Producer::Gone), letter) {
            (Producer::Pending(promise), 's') => match promise.start() {
                Ok(promise) => {
                    self.producer = Producer::Running(promise);
                    "T"
                }
                Err(_) => "F",
            },
            (Producer::Pending(promise), 'r') => lost(settle::<_>(promise.finish(1))),
            (Producer::Pending(promise), 'x') => lost(settle::<_>(promise.fail(()))),
            (Producer::Running(promise), 'r') => {
                promise.finish(1);
                "o"
            }
            (Producer::Running(promise), 'x') => {
                promise.fail(());
                "o"
            }
            (producer @ Producer::Running(_), 's') => {
                // It does not compile here; Python raises, and nothing changes.
                self.producer = producer;
                meet("start-is-not-asked-twice");
                "I"
            }
            // The promise was used: neither does this compile. Python raises, or acknowledges a cancel.
            (_, _) => {
                meet("used-again");
                if token == "F" { "F" } else { "I" }
            }
        };
        told.to_owned()
    }

    fn cancel(&self) -> String {
        let changed = match &self.future {
            Future::Thread(future) => future.cancel().thread_answer(),
            Future::Loop(future, _) => future.cancel().loop_answer(),
        };
        truth(changed)
    }

    fn result(&self) -> String {
        let told = match &self.future {
            Future::Thread(future) => {
                match future.wait_timeout(Duration::ZERO).map(Settled::result) {
                    Ok(Ok(_)) => "v",
                    Ok(Err(failure)) => failed(failure),
                    Err(_) => "-",
                }
            }
            Future::Loop(future, _) => match future.result() {
                Ok(_) => "v",
                Err(NoValue::Unsettled(_)) => "I",
                Err(NoValue::Failed(failure)) => failed(failure),
            },
        };
        told.to_owned()
    }

    fn exception(&self, token: &str) -> String {
        let told = match &self.future {
            Future::Thread(future) => {
                match future.wait_timeout(Duration::ZERO).map(Settled::exception) {
                    Ok(None) => "n",
                    Ok(Some(failure)) => failed(failure),
                    Err(_) => "-",
                }
            }
            Future::Loop(future, _) => match future.exception() {
                Ok(None) => "n",
                Ok(Some(failure)) => failed(failure),
                Err(_) => "I",
            },
        };
        if told == "C" && token == "C" {
            // Here the cancellation is the answer, there it is raised.
            meet("told-not-raised");
        }
        told.to_owned()
    }

    fn add(&mut self) -> String {
        let (name, ran) = (self.names, Arc::clone(&self.ran));
        self.names += 1;
        match &self.future {
            Future::Thread(future) => {
                future.add_done_callback(move |_| ran.lock().unwrap().push(name));
            }
            Future::Loop(future, _) => {
                let token = future.add_done_callback(move |_| ran.lock().unwrap().push(name));
                self.added.push((name, token));
            }
        }
        "o".to_owned()
    }

    fn remove(&mut self, token: &str) -> String {
        let Future::Loop(future, _) = &self.future else { unreachable!("threads cannot remove") };
        let Some((name, callback)) = self.added.pop() else { return "F".to_owned() };
        let removed = future.remove_done_callback(callback);
        if removed && token == "F" {
            // Python has scheduled it already, and runs it.
            meet("removed-in-time");
            self.removed.insert(name);
            return "F".to_owned();
        }
        truth(removed)
    }

    fn turn(&self) -> String {
        let Future::Loop(_, event_loop) = &self.future else {
            unreachable!("threads have no turns")
        };
        event_loop.stop();
        event_loop.run_forever().expect("no loop runs");
        "o".to_owned()
    }

    fn state(&self) -> String {
        let bits = match &self.future {
            Future::Thread(future) => [future.done(), future.cancelled(), future.running()],
            Future::Loop(future, _) => [future.done(), future.cancelled(), false],
        };
        bits.map(|bit| if bit { '1' } else { '0' }).iter().collect()
    }

    /// The callbacks that ran, and in their places those that only Python runs.
    fn callbacks(&self, theirs: &str) -> String {
        let ours = std::mem::take(&mut *self.ran.lock().unwrap());
        let mut ours = ours.into_iter().peekable();
        let mut told = Vec::new();
        for name in theirs.split(',').filter_map(|name| name.parse().ok()) {
            if self.removed.contains(&name) || ours.next_if_eq(&name).is_some() {
                told.push(name);
            }
        }
        told.extend(ours);
        told.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

fn settle<E>(result: Result<(), E>) -> bool {
    result.is_err()
}

fn failed(failure: &Failure<()>) -> &'static str {
    match failure {
        Failure::Error(()) => "x",
        Failure::Cancelled(_) => "C",
        _ => "?",
    }
}

fn truth(is: bool) -> String {
    if is { "T" } else { "F" }.to_owned()
}
