//! Semaphores, locks, events, conditions, barriers and queues do the same as their model: what those who take part in a
//! program are told, in all interleavings of the real crate, is what they can be told on all paths of [`shows`](crate::shows),
//! and the other way round.
//!
//! Programs of two threads are explored without a bound; those of three and four, a timer among them, with so many preemptions
//! as the histories of [`primitives`](crate::primitives), for the same reason. What the code does beyond such a bound is not
//! seen, but all that the model can show is required to be seen within it.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{self, Context, Wake, Waker},
    time::{Duration, Instant},
};

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use settled::{
    BarrierError, EventLoop, QueueError, Timer, TryPutError, WaitError,
    primitives::{self, Barrier, Condition, LockGuard, Queue, Semaphore},
};

use crate::{
    explore::{bound, check},
    refine::count_program,
    shows::{self, Do, Do::*, Of, Of::*, Outcome, Party, Program, Told, Wrong},
};

/// What one has of a permit or a lock.
enum Has {
    Permit(primitives::Permit<'static>),
    Guard(LockGuard<'static, u8>),
}

/// What a program is played on.
struct World {
    semaphore: Semaphore,
    lock: primitives::Lock<u8>,
    event: primitives::Event,
    condition: Condition,
    barrier: Barrier,
    queue: Queue<u8>,
    /// An age after the beginning, which has passed when the timer has gone off.
    deadline: Instant,
    said: Mutex<Outcome>,
}

type Answer = (Told, Option<Has>);

/// A waker that shows whether it was woken.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // loom would take a store for one that may come before a look.
        self.0.fetch_or(true, Ordering::Relaxed);
    }
}

impl Bell {
    /// As it is now, whatever is seen of others.
    fn has_rung(&self) -> bool {
        self.0.fetch_or(false, Ordering::Relaxed)
    }
}

/// One more has the value of a lock.
fn guarded(mut guard: LockGuard<'_, u8>) -> Answer {
    *guard += 1;
    (Told::Has(*guard - 1), Some(Has::Guard(guard.into_owned())))
}

fn permitted(permit: primitives::Permit<'_>) -> Answer {
    (Told::Has(0), Some(Has::Permit(permit.into_owned())))
}

fn ended<T>(end: Result<T, WaitError>, has: impl FnOnce(T) -> Answer) -> Answer {
    end.map_or((Told::Expired, None), has)
}

fn met(end: Result<usize, BarrierError>) -> Told {
    match end {
        Ok(number) => Told::Number(number),
        Err(BarrierError::Broken(_)) => Told::Broken,
        Err(_) => Told::Expired,
    }
}

fn of_queue<T>(end: Result<T, QueueError>, told: impl FnOnce(T) -> Told) -> Told {
    match end {
        Ok(it) => told(it),
        Err(QueueError::Closed(_)) => Told::Closed,
        Err(_) => Told::Expired,
    }
}

impl World {
    fn new(program: &Program) -> Self {
        Self {
            semaphore: Semaphore::new(program.permits),
            lock: primitives::Lock::new(0),
            event: primitives::Event::new(),
            condition: Condition::new(),
            barrier: Barrier::new(program.meets),
            queue: Queue::bounded(program.room),
            deadline: Instant::now() + Duration::from_secs(60 * 60),
            said: Mutex::new(vec![Vec::new(); program.parties.len()]),
        }
    }

    /// Blocks this thread until it has it.
    fn block(&self, of: Of) -> Answer {
        let told = match of {
            Permit => return ended(self.semaphore.acquire(), permitted),
            Lock => return ended(self.lock.lock(), guarded),
            Event => return ended(self.event.wait(), |()| (Told::Has(0), None)),
            Others => met(self.barrier.wait()),
            Value => of_queue(self.queue.get(), Told::Has),
            Room(it) => of_queue(self.queue.put(it).map_err(|it| it.cause), |()| Told::Done),
            End => self.queue.join().map_or(Told::Expired, |()| Told::Done),
            Notice => unreachable!("it has a lock besides"),
        };
        (told, None)
    }

    /// The same until the timer has gone off.
    fn block_in_time(&self, of: Of) -> Answer {
        let until = self.deadline;
        let told = match of {
            Permit => return ended(self.semaphore.acquire_deadline(until), permitted),
            Lock => return ended(self.lock.lock_deadline(until), guarded),
            Event => return ended(self.event.wait_deadline(until), |()| (Told::Has(0), None)),
            Others => met(self.barrier.wait_deadline(until)),
            Value => of_queue(self.queue.get_deadline(until), Told::Has),
            Room(it) => {
                let end = self.queue.put_deadline(it, until).map_err(|it| it.cause);
                of_queue(end, |()| Told::Done)
            }
            End => self.queue.join_deadline(until).map_or(Told::Expired, |()| Told::Done),
            Notice => unreachable!("it has a lock besides"),
        };
        (told, None)
    }

    fn try_it(&self, of: Of) -> Answer {
        let none = (Told::Is(false), None);
        let told = match of {
            Permit => return self.semaphore.try_acquire().map_or(none, permitted),
            Lock => return self.lock.try_lock().map_or(none, guarded),
            Value => match self.queue.try_get() {
                Ok(value) => value.map_or(Told::Is(false), Told::Has),
                Err(_) => Told::Closed,
            },
            Room(value) => match self.queue.try_put(value).map_err(|it| it.cause) {
                Ok(()) => Told::Done,
                Err(TryPutError::Full) => Told::Is(false),
                Err(_) => Told::Closed,
            },
            of => unreachable!("{of:?} is not tried"),
        };
        (told, None)
    }

    /// Awaits it, in a future that is made when it is polled first.
    async fn wait(&self, of: Of) -> Answer {
        let told = match of {
            Permit => return permitted(self.semaphore.acquire_async().await),
            Lock => return guarded(self.lock.lock_async().await),
            Event => {
                self.event.wait_async().await;
                Told::Has(0)
            }
            Others => self.barrier.wait_async().await.map_or(Told::Broken, Told::Number),
            Value => self.queue.get_async().await.map_or(Told::Closed, Told::Has),
            Room(it) => self.queue.put_async(it).await.map_or(Told::Closed, |()| Told::Done),
            End => {
                self.queue.join_async().await;
                Told::Done
            }
            Notice => unreachable!("no task waits for one"),
        };
        (told, None)
    }

    /// What is one call, and waits for nothing.
    fn call(&self, does: Do) -> Told {
        match does {
            Add(many) => self.semaphore.release(many).map(|()| Told::Done).expect("it has room"),
            Free => Told::Number(self.semaphore.available()),
            Set => {
                self.event.set();
                Told::Done
            }
            Clear => {
                self.event.clear();
                Told::Done
            }
            IsSet => Told::Is(self.event.is_set()),
            Notify(many) => {
                self.condition.notify_n(many);
                Told::Done
            }
            Abort => {
                self.barrier.abort();
                Told::Done
            }
            Reset => {
                self.barrier.reset();
                Told::Done
            }
            Shut => {
                self.queue.close();
                Told::Done
            }
            TaskDone => Told::Is(self.queue.task_done().is_ok()),
            does => unreachable!("{does:?} is more than that"),
        }
    }
}

/// A loop with a task, and what that has said.
struct Home {
    event_loop: EventLoop,
    told: Arc<Mutex<Option<Told>>>,
}

impl Home {
    fn new(world: &Arc<World>, of: Of) -> Self {
        let (event_loop, told) = (EventLoop::new(), Arc::<Mutex<_>>::default());
        let task = {
            let (world, told) = (Arc::clone(world), Arc::clone(&told));
            async move {
                let (it, has) = world.wait(of).await;
                drop(has);
                *told.lock().unwrap() = Some(it);
            }
        };
        drop(event_loop.create_task(task).unwrap());
        Self { event_loop, told }
    }
}

/// One who takes part, while he does.
struct Player<'a> {
    world: &'a World,
    who: usize,
    home: Option<Home>,
    future: Option<Pin<Box<dyn Future<Output = Answer> + 'a>>>,
    bell: Arc<Bell>,
    has: Vec<Has>,
}

impl<'a> Player<'a> {
    fn new(world: &'a Arc<World>, who: usize, (task, script): &Party) -> Self {
        let home = task.map(|of| Home::new(world, of));
        let polls = script.iter().find_map(|it| if let Poll(of) = it { Some(*of) } else { None });
        let world: &World = world;
        let future = polls.map(|of| Box::pin(world.wait(of)) as Pin<Box<dyn Future<Output = _>>>);
        Self { world, who, home, future, bell: Arc::default(), has: Vec::new() }
    }

    fn play(&mut self, script: &[Do]) {
        for does in script {
            if let Poll(_) = does {
                self.says(*does, Told::Woken(self.bell.has_rung()));
            }
            let told = self.does(*does);
            self.says(*does, told);
        }
    }

    fn says(&self, does: Do, told: Told) {
        self.world.said.lock().unwrap()[self.who].push((does, told));
    }

    fn does(&mut self, does: Do) -> Told {
        let world = self.world;
        let (told, has) = match does {
            Block(Notice) | Timed(Notice) => return self.wait_for_a_notice(does),
            Block(of) => world.block(of),
            Timed(of) => world.block_in_time(of),
            Try(of) => world.try_it(of),
            Poll(_) => self.poll(),
            Leave => {
                self.future = None;
                (Told::Done, None)
            }
            Tick => {
                let home = self.home.as_ref().expect("it has a loop");
                home.event_loop.try_tick().unwrap();
                (home.told.lock().unwrap().take().unwrap_or(Told::Waits), None)
            }
            Close => {
                self.home.take().expect("it has a loop").event_loop.close();
                (Told::Done, None)
            }
            Give => (Told::Is(self.has.pop().is_some()), None),
            Forget => match self.has.pop() {
                Some(Has::Permit(permit)) => {
                    permit.forget();
                    (Told::Is(true), None)
                }
                _ => (Told::Is(false), None),
            },
            does => (world.call(does), None),
        };
        self.has.extend(has);
        told
    }

    fn poll(&mut self) -> Answer {
        let Some(future) = &mut self.future else { return (Told::Done, None) };
        let waker = Waker::from(Arc::clone(&self.bell));
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            task::Poll::Ready(answer) => {
                self.future = None;
                answer
            }
            task::Poll::Pending => (Told::Waits, None),
        }
    }

    fn wait_for_a_notice(&mut self, does: Do) -> Told {
        let Some(Has::Guard(guard)) = self.has.last_mut() else { unreachable!("it has the lock") };
        let condition = &self.world.condition;
        let end = match does {
            Timed(_) => condition.wait_deadline(guard, self.world.deadline),
            _ => condition.wait(guard),
        };
        **guard += 1;
        end.map_or(Told::Expired, |()| Told::Has(**guard - 1))
    }
}

/// Plays a program once.
fn once(program: &Program) -> Outcome {
    let timer = program.is_timed().then(Timer::new);
    let world = Arc::new(World::new(program));
    let ticking = timer.as_ref().map(|timer| thread::spawn(timer.alarm()));
    let (mine, others) = program.parties.split_first().expect("there is one");
    let mut player = Player::new(&world, 0, mine);
    let (alone, rest) = mine.1.split_at(program.alone);
    player.play(alone);
    let others: Vec<_> = (1..)
        .zip(others.to_vec())
        .map(|(who, party)| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let mut player = Player::new(&world, who, &party);
                player.play(&party.1);
                let Player { bell, .. } = player;
                bell
            })
        })
        .collect();
    player.play(rest);
    let others: Vec<_> = others.into_iter().map(|it| it.join().unwrap()).collect();
    let bells = std::iter::once(player.bell).chain(others);
    ticking.into_iter().for_each(|it| it.join().unwrap());
    let mut said = world.said.lock().unwrap().clone();
    for ((said, bell), (_, script)) in said.iter_mut().zip(bells).zip(&program.parties) {
        if let Some(poll) = script.iter().find(|it| matches!(it, Poll(_))) {
            said.push((*poll, Told::Woken(bell.has_rung())));
        }
    }
    said
}

/// What was told in all executions of a program, and how many there were.
fn outcomes(program: &Program, bound: Option<usize>) -> (BTreeSet<Outcome>, usize) {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let executions = check(bound, {
        let (seen, program) = (Arc::clone(&seen), program.clone());
        move || {
            let outcome = once(&program);
            seen.lock().unwrap().insert(outcome);
        }
    });
    let seen = seen.lock().unwrap().clone();
    (seen, executions)
}

/// How many preemptions a program may have.
fn bound_of(program: &Program) -> Option<usize> {
    let threads = program.parties.len() + usize::from(program.is_timed());
    if threads > 2 { bound() } else { None }
}

fn compare(program: &Program, wrong: Option<Wrong>) -> Result<[usize; 2], String> {
    let (code, executions) = outcomes(program, bound_of(program));
    let model = shows::outcomes(program, wrong);
    for (one, other, whose) in [(&code, &model, "code"), (&model, &code, "model")] {
        let alone: Vec<_> = one.difference(other).collect();
        if let Some(first) = alone.first() {
            let more = alone.len() - 1;
            return Err(format!(
                "the {whose} alone can show, and {more} more: {first:?}\nof {program:?}"
            ));
        }
    }
    Ok([executions, code.len()])
}

fn all(programs: Vec<Program>) {
    for program in &programs {
        let seen = compare(program, None).unwrap_or_else(|why| panic!("{why}"));
        count_program(bound_of(program).is_some(), seen);
    }
    crate::refine::is_through();
}

fn thread_of(script: &[Do]) -> Party {
    (None, script.to_vec())
}

/// A loop whose task waits for this, and which is closed in the end.
fn loop_of(of: Of, ticks: usize) -> Party {
    (Some(of), [vec![Tick; ticks], vec![Close]].concat())
}

/// Those of which each pair is with the first; two who are alike are one. A deadline, which is a thread more, is in none.
fn with_pairs(first: &Program, others: &[Party]) -> Vec<Program> {
    let others: Vec<_> =
        others.iter().filter(|it| !it.1.iter().any(|it| matches!(it, Timed(_)))).collect();
    let mut programs = Vec::new();
    for (at, one) in others.iter().enumerate() {
        for other in &others[at..] {
            let mut program = first.clone();
            program.parties.extend([(*one).clone(), (*other).clone()]);
            programs.push(program);
        }
    }
    programs
}

fn with_each(first: &Program, others: &[Party]) -> Vec<Program> {
    let with = |other: &Party| {
        let mut program = first.clone();
        program.parties.push(other.clone());
        program
    };
    others.iter().map(with).collect()
}

/// One begins with a permit, and gives it back.
fn holder(rest: &[Do]) -> Program {
    let script = [&[Try(Permit)], rest].concat();
    Program { permits: 1, alone: 1, parties: vec![(None, script)], ..Program::default() }
}

/// `[semaphore-1]` `[semaphore-2]` `[semaphore-3]` `[semaphore-5]` One permit, who gives it back, and who waits for it in a
/// thread, until a deadline, by hand and on a loop that is closed.
pub(crate) fn semaphores() {
    let waiters = [
        thread_of(&[Block(Permit), Give]),
        thread_of(&[Timed(Permit), Give]),
        thread_of(&[Poll(Permit), Poll(Permit), Leave, Give]),
        thread_of(&[Poll(Permit), Leave, Give]),
        loop_of(Permit, 2),
        thread_of(&[Try(Permit), Free, Give]),
    ];
    let mut programs = Vec::new();
    for rest in [
        &[Give][..],
        &[Give, Try(Permit), Give],
        &[Add(1), Free, Give],
        &[Forget, Add(1), Free],
        &[Give, Free],
    ] {
        programs.extend(with_each(&holder(rest), &waiters));
    }
    programs.extend(with_pairs(&holder(&[Give]), &waiters));
    let mut late = holder(&[Give]);
    late.parties.extend([waiters[1].clone(), waiters[3].clone()]);
    programs.push(late);
    all(programs);
}

/// `[lock-1]` The same of a lock, each with what those before made of its value.
pub(crate) fn locks() {
    let first =
        Program { alone: 1, parties: vec![thread_of(&[Try(Lock), Give])], ..Program::default() };
    let waiters = [
        thread_of(&[Block(Lock), Give]),
        thread_of(&[Timed(Lock), Give]),
        thread_of(&[Poll(Lock), Poll(Lock), Leave, Give]),
        loop_of(Lock, 2),
        thread_of(&[Try(Lock), Give]),
    ];
    let mut programs = with_each(&first, &waiters);
    programs.extend(with_pairs(&first, &waiters));
    all(programs);
}

/// `[event-1]` `[event-2]` `[event-3]` An event that is set, cleared and set, and who waits for it.
pub(crate) fn events() {
    let waiters = [
        thread_of(&[Timed(Event)]),
        thread_of(&[Poll(Event), Poll(Event), Leave]),
        loop_of(Event, 2),
        thread_of(&[IsSet, IsSet]),
        thread_of(&[Block(Event)]),
    ];
    let sets = |script: &[Do]| Program { parties: vec![thread_of(script)], ..Program::default() };
    // Who blocks may come when it is cleared, and then waits for ever.
    let mut programs = with_each(&sets(&[Set, Clear]), &waiters[..4]);
    programs.extend(with_each(&sets(&[Set, Clear, Set]), &waiters));
    programs.extend(with_pairs(&sets(&[Set, Clear]), &waiters[..3]));
    programs.extend(with_pairs(&sets(&[Set]), &waiters));
    all(programs);
}

/// `[condition-1]` `[condition-2]` `[condition-3]` Threads that wait for a notice, until a deadline too, with the lock that
/// whoever notifies has.
pub(crate) fn conditions() {
    let waits = |wait: Do| Program {
        alone: 1,
        parties: vec![thread_of(&[Try(Lock), wait, Give])],
        ..Program::default()
    };
    let notifies = |many| thread_of(&[Block(Lock), Notify(many), Give]);
    let [block, timed] = [Block(Notice), Timed(Notice)].map(waits);
    let mut programs = with_each(&block, &[notifies(1), notifies(2)]);
    let others = [notifies(1), thread_of(&[Notify(1)]), thread_of(&[Block(Lock), Give])];
    programs.extend(with_each(&timed, &others));
    // One more who has the lock, before or after the notice.
    let mut contended = block;
    contended.parties.extend([notifies(1), thread_of(&[Try(Lock), Give])]);
    programs.push(contended);
    all(programs);
}

/// `[barrier-1]` `[barrier-2]` `[barrier-3]` `[barrier-4]` Two that meet at a barrier, one of whom may leave.
pub(crate) fn barriers() {
    let guests = [
        thread_of(&[Block(Others)]),
        thread_of(&[Timed(Others)]),
        thread_of(&[Poll(Others), Poll(Others), Leave]),
        thread_of(&[Poll(Others), Leave]),
        loop_of(Others, 2),
        thread_of(&[Abort]),
    ];
    let first =
        |guest: &Party| Program { meets: 2, parties: vec![guest.clone()], ..Program::default() };
    // One who blocks needs another who comes, or breaks it.
    let mut programs = with_each(&first(&guests[0]), &guests);
    for guest in &guests[1..4] {
        programs.extend(with_each(&first(guest), &guests[1..]));
        programs.extend(with_each(&first(guest), &[thread_of(&[Reset])]));
    }
    all(programs);
}

/// `[queue-1]` `[queue-2]` `[queue-3]` `[queue-4]` `[queue-7]` A queue with room for one or none, into which one puts and which he
/// closes, and who gets or puts besides.
pub(crate) fn queues() {
    let others = [
        thread_of(&[Block(Value)]),
        thread_of(&[Timed(Value)]),
        thread_of(&[Poll(Value), Poll(Value), Leave]),
        loop_of(Value, 2),
        thread_of(&[Try(Value), Try(Value)]),
        thread_of(&[Poll(Room(3)), Poll(Room(3)), Leave]),
        loop_of(Room(3), 2),
        thread_of(&[Block(Room(3))]),
    ];
    let mut programs = Vec::new();
    for room in [0, 1] {
        for script in
            [&[Try(Room(1)), Try(Room(2)), Shut][..], &[Timed(Room(1)), Shut], &[Try(Value), Shut]]
        {
            let first = Program { room, parties: vec![thread_of(script)], ..Program::default() };
            programs.extend(with_each(&first, &others));
        }
    }
    all(programs);
}

/// `[queue-8]` Who joins, and who is done with the last value.
pub(crate) fn joins() {
    let done = thread_of(&[Try(Room(1)), Try(Value), TaskDone, TaskDone]);
    let first = Program { alone: 1, room: 2, parties: vec![done], ..Program::default() };
    let joins = [
        thread_of(&[Block(End)]),
        thread_of(&[Timed(End)]),
        thread_of(&[Poll(End), Poll(End), Leave]),
        loop_of(End, 2),
    ];
    all(with_each(&first, &joins));
}

/// Models in which whoever leaves keeps what was granted to him, in which what is given back is free for all, and in which
/// whoever was told looks again.
pub(crate) fn wrong_models_are_found() {
    let polls = |of| thread_of(&[Poll(of), Leave]);
    let two = |first: &Program, other| with_each(first, &[other]).remove(0);
    let comes_and_says_so = thread_of(&[Poll(Permit), Set, Poll(Permit), Leave, Give]);
    let set = Program { parties: vec![thread_of(&[Set, Clear])], ..Program::default() };
    for (program, wrong, whose) in [
        (two(&holder(&[Give, Free]), polls(Permit)), Wrong::Keeps, "code"),
        (
            two(&holder(&[Block(Event), Give, Try(Permit), Give]), comes_and_says_so),
            Wrong::Barges,
            "code",
        ),
        (two(&set, thread_of(&[Poll(Event), Poll(Event), Leave])), Wrong::LooksAgain, "model"),
    ] {
        let found = compare(&program, Some(wrong)).unwrap_err();
        assert!(found.starts_with(&format!("the {whose} alone")), "{found}");
    }
}
