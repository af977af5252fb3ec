//! Programs of a user, with names: who takes part, and what each of them does.
//!
//! A [`Plan`] hands out names for futures, locks, variables and channels, and takes a closure for each thread, loop,
//! callback, job and task, which writes down what that does. [`Plan::check`] explores it.
//!
//! Threads, a loop, and what both can do to a future:
//!
//! ```
//! use settled::model::{Is, Plan, plan::{Callback, Variable}};
//!
//! let mut plan = Plan::new();
//! let [early, late, work] = ["early", "late", "work"].map(|name| plan.future(name));
//! let called: Variable = plan.variable("called", 0);
//! let here = plan.event_loop("loop");
//! plan.first(here, |it| {
//!     let callback: Callback = it.view_add_done_callback(early, "never", |it| it.panics());
//!     it.view_remove_done_callback(early, callback).when(Is::Yes, |it| { it.add(called, 1); });
//!     it.view_result(early).when(Is::Unsettled, |_| ()); // never waits
//!     it.view_done(early);
//!     it.view_cancel(late);
//!     it.spawn(here, work, "task", |it| { it.awaits(late); });
//! });
//! plan.thread("worker", |it| {
//!     it.fail(early).otherwise(|it| it.assert(called, Is::Above(-1)));
//!     it.finish(late);
//! });
//! plan.thread("user", |it| {
//!     it.add_done_callback(early, "counts", |it| { it.add(called, 1); });
//!     it.done(early);
//!     it.try_result(late);
//!     it.until_done(late);
//!     it.wait_timeout(early).when(Is::Error, |it| { it.cancel(early).when(Is::Refused, |_| ()); });
//! });
//! plan.finally(called, Is::Above(0));
//! println!("{}", plan.check().unwrap());
//! ```
//!
//! A pool, a loop that is stopped, and waits for several:
//!
//! ```
//! use settled::model::{Is, Plan, plan::Pool};
//!
//! let mut plan = Plan::new();
//! let [first, second, third] = ["first", "second", "third"].map(|name| plan.future(name));
//! let (pool, here): (Pool, _) = (plan.pool("pool", 1), plan.event_loop("loop"));
//! plan.thread("main", |it| {
//!     it.submit(pool, first, "job", |_| ()).when(Is::No, |it| it.returns());
//!     it.submit(pool, second, "panics", |it| it.panics());
//!     it.wait(&[first, second]);
//!     it.as_completed(&[first, second]);
//!     it.close_pool(pool);
//!     it.shutdown(pool);
//!     it.post(here, "last", |it| it.stop());
//! });
//! plan.thread("promises", |it| { it.abandon(third); });
//! plan.thread("user", |it| {
//!     it.wait_all_timeout(&[third]).when(Is::Expired, |_| ());
//!     it.wait_first(&[second, third]);
//! });
//! println!("{}", plan.check().unwrap());
//!
//! let mut plan = Plan::new();
//! let (job, pool) = (plan.future("job"), plan.pool("pool", 1));
//! plan.thread("main", |it| {
//!     it.submit(pool, job, "job", |_| ());
//!     it.close_pool(pool);
//!     it.cancel_pending(pool); // unless the worker has begun it
//!     it.result(job);
//! });
//! let program = plan.build().unwrap();
//! program.validate().unwrap();
//! println!("{}", program.check_up_to(1_000).unwrap());
//! ```
//!
//! A promise that hears that nobody is left:
//!
//! ```
//! use settled::model::{Is, Plan};
//!
//! let mut plan = Plan::new();
//! let (job, gone) = (plan.future("job"), plan.variable("gone", 0));
//! plan.thread("worker", |it| {
//!     it.on_closed(job, "the client goes", |it| { it.add(gone, 1); });
//!     it.closed(job);
//!     it.is_closed(job).when(Is::No, |it| it.panics());
//!     it.finish_or_return(job).when(Is::Yes, |it| it.panics());
//! });
//! plan.thread("client", |it| {
//!     it.wait_all_timeout(&[job]).when(Is::Expired, |it| { it.drop(job); });
//! });
//! plan.thread("cache", |it| { it.upgrade(job); });
//! plan.finally(gone, Is::Equal(1));
//! println!("{}", plan.check().unwrap());
//! ```
//!
//! What a program has of its own, and an update that is lost between a load and a store:
//!
//! ```
//! use settled::model::{Is, Plan, Wrong, plan::{Channel, Lock}};
//!
//! let counts = |is_locked: bool| {
//!     let mut plan = Plan::new();
//!     let (total, lock): (_, Lock) = (plan.variable("total", 0), plan.lock("lock"));
//!     let done: Channel = plan.channel("done", 2);
//!     for name in ["one", "other"] {
//!         plan.thread(name, |it| {
//!             if is_locked {
//!                 it.lock(lock, |it| { it.load(total); it.store_loaded(total, 1); });
//!             } else {
//!                 it.load(total);
//!                 it.store_loaded(total, 1);
//!             }
//!             it.send(done, 1);
//!         });
//!     }
//!     plan.thread("reader", |it| {
//!         it.repeat(2, |it| { it.recv(done); });
//!         it.assert(total, Is::Equal(2));
//!         it.store(total, 0);
//!     });
//!     plan.check()
//! };
//! counts(true).unwrap();
//! let lost = counts(false).unwrap_err();
//! assert!(matches!(lost.run().unwrap().wrong(), Wrong::Assertion(_)));
//! ```

mod script;

use super::{Finding, Is, Kind, Misuse, Program, Report, Role, shape::Member};

pub use self::script::{Answer, Script};

/// A name that a plan has given, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    name: &'static str,
    at: u8,
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(Part);
    )* };
}

handles! {
    /// A future, and its promise: who settles it has the promise.
    Future;
    /// A lock, as a mutex: who has it and asks for it again waits for ever.
    Lock;
    /// A variable that all may read and write, a step each.
    Variable;
    /// A channel of numbers.
    Channel;
    /// A thread that runs an event loop.
    EventLoop;
    /// A pool of workers.
    Pool;
    /// A callback of a loop's view, by which it is removed.
    Callback;
}

/// A program that is being written: two services that share a lock, say, and wait for each other. `[program-3]`
///
/// ```
/// use settled::model::Plan;
///
/// let mut plan = Plan::new();
/// let (stock, ledger) = (plan.lock("stock"), plan.lock("ledger"));
/// plan.thread("orders", |it| it.lock(stock, |it| it.lock(ledger, |_| ())));
/// plan.thread("billing", |it| it.lock(ledger, |it| it.lock(stock, |_| ())));
///
/// let wrong = plan.check().unwrap_err().to_string();
/// assert!(wrong.contains("orders waits in lock(ledger), which billing has"), "{wrong}");
/// ```
///
/// What is not clear when a part is written, as a name that another plan has given, is told by [`check`](Self::check).
#[derive(Clone, Debug, Default)]
pub struct Plan {
    program: Program,
    pools: Vec<&'static str>,
    /// What was wrong first.
    misuse: Option<Misuse>,
}

impl Plan {
    /// A plan without anybody in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A future that is not settled yet. Whoever calls `start`, `finish` and the like has its promise, and drops it
    /// when its script ends; a job or a task that is made for it settles it with a value as it ends. Up to eight.
    pub fn future(&mut self, name: &'static str) -> Future {
        Future(self.part(name, |program| &mut program.shape.names.futures))
    }

    /// A lock that nobody has.
    pub fn lock(&mut self, name: &'static str) -> Lock {
        Lock(self.part(name, |program| &mut program.shape.names.locks))
    }

    /// A variable, and what it is at the beginning.
    pub fn variable(&mut self, name: &'static str, initial: i16) -> Variable {
        self.program.shape.variables.push(initial);
        Variable(self.part(name, |program| &mut program.shape.names.variables))
    }

    /// A channel with room for as many numbers, and at least one. It stays open, whoever has gone, until somebody
    /// closes it.
    pub fn channel(&mut self, name: &'static str, room: u8) -> Channel {
        self.program.shape.channels.push(room);
        Channel(self.part(name, |program| &mut program.shape.names.channels))
    }

    /// A thread that does what `script` writes.
    pub fn thread(&mut self, name: &'static str, script: impl FnOnce(&mut Script<'_>)) {
        self.member(name.to_owned(), Role::Thread);
        let at = self.program.shape.members.len() - 1;
        self.program.shape.members[at].script = Script::write(self, script);
    }

    /// A thread that runs an event loop, until it is told to stop.
    pub fn event_loop(&mut self, name: &'static str) -> EventLoop {
        EventLoop(Part { name, at: self.member(name.to_owned(), Role::Loop) })
    }

    /// Writes the first job of a loop, which runs on its thread: one for each loop.
    pub fn first(&mut self, on: EventLoop, script: impl FnOnce(&mut Script<'_>)) {
        let at = usize::from(self.place(on));
        let script = Script::write(self, script);
        let Some(member) = self.program.shape.members.get_mut(at) else { return };
        if !std::mem::replace(&mut member.script, script).is_empty() {
            self.refuse(Misuse::TwoFirst { name: on.0.name });
        }
    }

    /// Adds a pool of `workers` workers. In charts they are called as the pool, and numbered if there are more than
    /// one: `pool 1`, `pool 2`. Of the pools of a plan only the first can be shut down or joined.
    pub fn pool(&mut self, name: &'static str, workers: u8) -> Pool {
        let at = self.pools.len() as u8;
        self.pools.push(name);
        for number in 1..=workers {
            let alone = workers == 1;
            let called = if alone { name.to_owned() } else { format!("{name} {number}") };
            self.member(called, Role::Worker(at));
        }
        self.program.shape.pools = at + 1;
        Pool(Part { name, at })
    }

    /// When everything has ended, the variable is so: `Is::Equal(2)`.
    pub fn finally(&mut self, variable: Variable, is: Is) {
        let at = self.known(variable.0, |program| &program.shape.names.variables);
        self.program.shape.finally.push((at, is));
    }

    /// Returns the program, for what explores programs.
    ///
    /// # Errors
    ///
    /// What makes it none.
    pub fn build(&self) -> Result<Program, Misuse> {
        if let Some(misuse) = &self.misuse {
            return Err(misuse.clone());
        }
        let mut program = self.program.clone();
        program.shape.count();
        program.validate()?;
        Ok(program)
    }

    /// Explores the program: see [`Program::check`]. One with more than four million states is explored with
    /// `plan.build()?.check_up_to(states)`.
    ///
    /// # Errors
    ///
    /// A shortest run that goes wrong, whose `Display` is its chart; or why it could not be explored.
    pub fn check(&self) -> Result<Report, Finding> {
        self.build()?.check()
    }

    /// A new part of some kind.
    fn part(
        &mut self,
        name: &'static str,
        names: impl FnOnce(&mut Program) -> &mut Vec<&'static str>,
    ) -> Part {
        let names = names(&mut self.program);
        let at = names.len();
        let again = names.contains(&name);
        names.push(name);
        if again {
            self.refuse(Misuse::SameName { name: name.to_owned() });
        }
        // A plan with more of them than a model keeps is none.
        Part { name, at: u8::try_from(at).unwrap_or(u8::MAX) }
    }

    /// The number of a new one who takes part.
    fn member(&mut self, name: String, role: Role) -> u8 {
        let members = &mut self.program.shape.members;
        let at = u8::try_from(members.len()).unwrap_or(u8::MAX);
        if members.iter().any(|member| member.name == name) {
            self.misuse.get_or_insert(Misuse::SameName { name: name.clone() });
        }
        members.push(Member { name, role, script: Vec::new() });
        at
    }

    /// A new piece, whose script is written now.
    fn piece(
        &mut self,
        name: &'static str,
        kind: Kind,
        script: impl FnOnce(&mut Script<'_>),
    ) -> u8 {
        // Its number is less than those of the pieces that it makes.
        let at = self.program.shape.pieces.len();
        self.program.shape.pieces.push((kind, Vec::new()));
        self.program.shape.names.pieces.push(name);
        self.program.shape.pieces[at].1 = Script::write(self, script);
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    /// The number of a loop, if this plan has given it.
    fn place(&mut self, on: EventLoop) -> u8 {
        let members = &self.program.shape.members;
        let here = members.get(usize::from(on.0.at)).is_some_and(|it| it.name == on.0.name);
        self.here(on.0, here)
    }

    /// The number of a part, if this plan has given it.
    fn known(&mut self, part: Part, names: fn(&Program) -> &Vec<&'static str>) -> u8 {
        let here = names(&self.program).get(usize::from(part.at)) == Some(&part.name);
        self.here(part, here)
    }

    fn here(&mut self, part: Part, here: bool) -> u8 {
        if !here {
            self.refuse(Misuse::Foreign { name: part.name });
        }
        part.at
    }

    fn refuse(&mut self, misuse: Misuse) {
        self.misuse.get_or_insert(misuse);
    }
}
