//! Programs of calls on a queue, beside `queue.Queue` and `asyncio.Queue`.
//!
//! A program is a kind, a `maxsize`, and calls, each a letter. Each call ends when all have come or sleep.

use std::{
    cell::RefCell,
    convert::Infallible,
    rc::Rc,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use settled::{EventLoop, LoopFuture, primitives::Queue};

use crate::{
    meet,
    primitives::{LOAD, Luck},
    python::Python,
};

/// Each kind's calls: threads, and tasks of a loop.
///
/// | | |
/// |---|---|
/// | `p`, `g` | puts or gets without waiting |
/// | `P`, `G`, `J` | another client waits to put, to get, or until all is done with |
/// | `d`, `x` | one is done with; and another is put at once |
/// | `o`, `O` | gets, and puts at once; puts, and gets at once |
/// | `c`, `C`, `X` | cancels who waits longest; just after a put, or after a get |
/// | `?` | how many are in it, is it empty, is it full? |
const CALLS: [(char, &str); 2] = [('t', "ppggPPGGJdd?xoO"), ('a', "ppggPPGGJdd?xoOcCX")];

/// As many as wait at once.
const CLIENTS: usize = 3;

/// Who joins is told that all is done with, looks, and waits on.
const JOINS: &str = "D68";
/// Whoever comes takes the room that another was woken for, or the value.
const OVERTAKES: &str = "overtakes-who-was-woken";
/// A put for which there was room is cancelled before it has used it.
const TAKEN_IN: &str = "taken-in-and-cancelled";

pub(crate) const ROWS: [&str; 3] = [JOINS, OVERTAKES, TAKEN_IN];

fn by_chance(seed: u64) -> String {
    let mut luck = Luck(seed.wrapping_mul(0xD134_2543_DE82_EF95));
    let (kind, letters) = CALLS[luck.below(CALLS.len())];
    let letters = letters.as_bytes();
    let mut program = format!("{kind}{}", luck.below(3));
    for _ in 0..3 + luck.below(8) {
        program.push(char::from(letters[luck.below(letters.len())]));
    }
    program
}

/// Compares this many programs.
pub(crate) fn run(python: &mut Python, count: u64) -> Result<u64, String> {
    for begin in (0..count).step_by(LOAD as usize) {
        let programs: Vec<_> = (begin..count.min(begin + LOAD)).map(by_chance).collect();
        let mut differs = Ok(());
        python.ask_all('Q', &programs, |program, answers| {
            if differs.is_ok() {
                differs = compare(program, answers);
            }
        });
        differs?;
    }
    Ok(count)
}

/// Calls a program here, up to where a row leads elsewhere, or to what no row has.
fn compare(program: &str, answers: &str) -> Result<(), String> {
    let mut ours = Calls::new(program);
    let answers: Vec<&str> = answers.split(' ').collect();
    if answers.len() != program.len() - 2 {
        return Err(format!("{program}: Python says {answers:?}"));
    }
    for (at, (letter, theirs)) in program[2..].chars().zip(answers).enumerate() {
        // How many wait already whom this call may overtake. Nobody else calls.
        let [putting, getting, _] = ours.lines().expect("it is not locked");
        let told = ours.call(letter);
        if ours.taken_in {
            meet(TAKEN_IN);
            return Ok(());
        }
        if told == theirs {
            continue;
        }
        let is_same_token = told.split(':').next() == theirs.split(':').next();
        match (letter, ours.is_threads) {
            ('x', true) if is_same_token => meet(JOINS),
            ('o', _) if putting > 0 => meet(OVERTAKES),
            ('O', _) if getting > 0 => meet(OVERTAKES),
            _ => {
                let calls = &program[..=at + 2];
                return Err(format!("{calls}: the last call says {told}, Python says {theirs}"));
            }
        }
        return Ok(());
    }
    Ok(())
}

/// What a client has come from, and with what.
async fn client(queue: &Queue<u32>, letter: char, value: u32) -> String {
    match letter {
        'P' => queue.put_async(value).await.map(|()| String::new()).expect("it is open"),
        'G' => format!("={}", queue.get_async().await.expect("it is open")),
        _ => {
            queue.join_async().await;
            String::new()
        }
    }
}

/// The same of a thread, which is told when it is closed at the end.
fn thread(queue: &Queue<u32>, letter: char, value: u32) -> String {
    match letter {
        'P' => queue.put(value).map_or_else(|it| it.to_string(), |()| String::new()),
        'G' => queue.get().map_or_else(|it| it.to_string(), |it| format!("={it}")),
        _ => queue.join().map_or_else(|it| it.to_string(), |()| String::new()),
    }
}

type Tasks = Rc<RefCell<Vec<(usize, LoopFuture<(), Infallible>)>>>;

struct Calls {
    queue: Queue<u32>,
    is_threads: bool,
    event_loop: EventLoop,
    names: usize,
    values: u32,
    busy: usize,
    tell: Sender<String>,
    told: Receiver<String>,
    /// A put was cancelled for which there was room.
    taken_in: bool,
    /// What each client waits for, and of a loop those that have not ended.
    letters: Vec<char>,
    tasks: Tasks,
}

impl Calls {
    fn new(program: &str) -> Self {
        let is_threads = program.starts_with('t');
        let queue = match program.as_bytes()[1] - b'0' {
            0 => Queue::unbounded(),
            many => Queue::bounded(usize::from(many)),
        };
        let (tell, told) = mpsc::channel();
        let event_loop = EventLoop::new();
        let tasks = Rc::default();
        Self {
            queue,
            is_threads,
            event_loop,
            names: 0,
            values: 0,
            busy: 0,
            tell,
            told,
            taken_in: false,
            letters: Vec::new(),
            tasks,
        }
    }

    fn value(&mut self) -> u32 {
        self.values += 1;
        self.values
    }

    fn put(&mut self) -> String {
        let value = self.value();
        if self.queue.try_put(value).is_ok() { "T" } else { "F" }.to_owned()
    }

    fn get(&self) -> String {
        let got = self.queue.try_get().expect("it is open");
        got.map_or_else(|| "F".to_owned(), |it| it.to_string())
    }

    fn done(&self) -> String {
        if self.queue.task_done().is_ok() { "o" } else { "V" }.to_owned()
    }

    fn start(&mut self, letter: char) -> String {
        if self.busy == CLIENTS {
            return "n".to_owned();
        }
        let name = self.names;
        self.names += 1;
        self.busy += 1;
        self.letters.push(letter);
        let value = if letter == 'P' { self.value() } else { 0 };
        let (queue, tell) = (self.queue.clone(), self.tell.clone());
        if self.is_threads {
            thread::spawn(move || {
                let _ = tell.send(format!("{name}{}", thread(&queue, letter, value)));
            });
        } else {
            let cancelled = self.tell.clone();
            let waits = async move {
                let _ = tell.send(format!("{name}{}", client(&queue, letter, value).await));
            };
            let task = self.event_loop.create_task(waits).expect("it is open");
            let tasks = Rc::clone(&self.tasks);
            task.add_done_callback(move |settled| {
                if settled.cancelled() {
                    let _ = cancelled.send(format!("c{name}"));
                }
                tasks.borrow_mut().retain(|(other, _)| *other != name);
            });
            self.tasks.borrow_mut().push((name, task));
        }
        "o".to_owned()
    }

    fn cancel(&mut self, letter: char) -> String {
        if self.tasks.borrow().is_empty() {
            return "n".to_owned();
        }
        let told = match letter {
            'C' => self.put(),
            'X' => self.get(),
            _ => "o".to_owned(),
        };
        let tasks = self.tasks.borrow();
        let (name, task) = &tasks[0];
        task.cancel();
        self.taken_in = letter == 'X' && told != "F" && self.letters[*name] == 'P';
        told
    }

    fn act(&mut self, letter: char) -> String {
        match letter {
            'p' => self.put(),
            'g' => self.get(),
            'd' => self.done(),
            'x' => self.done() + &self.put(),
            'o' => self.get() + &self.put(),
            'O' => self.put() + &self.get(),
            '?' => {
                let truth = |is| if is { "T" } else { "F" };
                let (empty, full) = (self.queue.is_empty(), self.queue.is_full());
                format!("{}{}{}", self.queue.len(), truth(empty), truth(full))
            }
            'P' | 'G' | 'J' => self.start(letter),
            _ => self.cancel(letter),
        }
    }

    /// How many stand in each of the lines, which is what is printed of it, unless it is locked for a moment.
    fn lines(&self) -> Option<[usize; 3]> {
        let text = format!("{:?}", self.queue);
        let number = |name: &str| {
            let rest = text.split(name).nth(1)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        Some([number("putting: ")?, number("getting: ")?, number("joining: ")?])
    }

    /// How many stand in the lines. One that is locked for a moment is looked at again.
    fn waiting(&self) -> usize {
        self.lines().map_or(usize::MAX, |lines| lines.iter().sum())
    }

    /// Returns who has come when each client has come or stands in a line.
    fn settle(&mut self) -> Vec<String> {
        let mut came = Vec::new();
        loop {
            while !self.is_threads && self.event_loop.try_tick().expect("no loop runs") {}
            for one in self.told.try_iter() {
                self.busy -= 1;
                came.push(one);
            }
            if self.waiting() == self.busy {
                break;
            }
            thread::yield_now();
        }
        if self.is_threads {
            came.sort_unstable();
        }
        came
    }

    fn call(&mut self, letter: char) -> String {
        let token = self.act(letter);
        format!("{token}:{}", self.settle().join(","))
    }
}

impl Drop for Calls {
    /// Nobody is left in a wait.
    fn drop(&mut self) {
        if self.is_threads {
            self.queue.close_and_drain();
            while self.queue.task_done().is_ok() {}
            self.settle();
        }
    }
}
