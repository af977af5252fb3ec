//! A tree of tasks on the real crate.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::{Future, pending, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use settled::{Clock, EventLoop, Failure, LoopFuture, LoopRef, ReturnWhen, Settled, Task, tasks};

use super::{
    answer::{Answer, End},
    program::{After, Cancel, Node, Op, Program, WAYS},
};

/// All that a program does is over by then, but for what waits for ever.
const END: u32 = 100_000;

#[derive(Clone, Debug)]
enum Error {
    Work(usize),
    Timeout,
    Group(Vec<Error>),
    Panic,
}

impl Error {
    fn text(&self) -> String {
        match self {
            Self::Work(name) => format!("x{name}"),
            Self::Timeout => "t".to_owned(),
            Self::Group(errors) => {
                let errors: Vec<_> = errors.iter().map(Self::text).collect();
                format!("g({})", errors.join(","))
            }
            Self::Panic => "p".to_owned(),
        }
    }
}

type Outcome = Result<String, Error>;

struct World {
    begin: Instant,
    clock: Clock,
    here: LoopRef,
    after: Vec<After>,
    tasks: RefCell<BTreeMap<usize, Task>>,
    /// A group tells of the errors of its tasks, and their futures do not.
    errors: RefCell<BTreeMap<usize, String>>,
    answer: RefCell<Answer>,
}

/// What happens to a program, as Python tells it.
pub(crate) fn play(program: &Program) -> Answer {
    let clock = Clock::jumping();
    let event_loop = EventLoop::with_clock(&clock);
    event_loop.set_exception_handler(|_| ());
    let world = Rc::new(World {
        begin: clock.now(),
        clock,
        here: LoopRef::clone(&event_loop),
        after: program.after.clone(),
        tasks: RefCell::default(),
        errors: RefCell::default(),
        answer: RefCell::default(),
    });
    drop(world.make(&program.tree));
    for Cancel { delay, turns, target } in program.cancels.iter().cloned() {
        let cancel = {
            let world = Rc::clone(&world);
            move || world.cancel(turns, target)
        };
        if delay > 0 {
            drop(event_loop.call_later(milliseconds(delay), cancel));
        } else {
            drop(event_loop.call_soon(cancel));
        }
    }
    let stop = LoopRef::clone(&event_loop);
    drop(event_loop.call_later(milliseconds(END), move || stop.stop()));
    event_loop.run_forever().expect("no loop runs");
    let answer = world.answer.take();
    drop(event_loop);
    answer
}

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count.into())
}

impl World {
    fn now(&self) -> u32 {
        u32::try_from((self.clock.now() - self.begin).as_millis()).expect("it ends before")
    }

    fn cancel(self: &Rc<Self>, turns: u32, target: usize) {
        if turns > 0 {
            let world = Rc::clone(self);
            drop(self.here.call_soon(move || world.cancel(turns - 1, target)));
            return;
        }
        let task = self.tasks.borrow().get(&target).cloned();
        if let Some(task) = task {
            task.cancel();
        }
    }

    fn make(self: &Rc<Self>, node: &Node) -> LoopFuture<String, Error> {
        let future = self.here.create_task_result(Rc::clone(self).body(node.clone()));
        let future = future.unwrap_or_else(|_| panic!("the loop is open"));
        self.watch(node.name, &future);
        future
    }

    fn make_all(self: &Rc<Self>, nodes: &[Node]) -> Vec<LoopFuture<String, Error>> {
        nodes.iter().map(|node| self.make(node)).collect()
    }

    fn watch<E: 'static>(self: &Rc<Self>, name: usize, future: &LoopFuture<String, E>) {
        let task = future.task().expect("it was made as a task");
        self.tasks.borrow_mut().insert(name, task.clone());
        let world = Rc::clone(self);
        future.add_done_callback(move |settled| world.ended(name, settled));
    }

    fn ended<E>(self: &Rc<Self>, name: usize, settled: &Settled<String, E>) {
        let outcome = match settled.result() {
            Ok(value) => value.clone(),
            Err(Failure::Error(_)) => self.errors.borrow()[&name].clone(),
            Err(Failure::Cancelled(_)) => "c".to_owned(),
            Err(_) => Error::Panic.text(),
        };
        self.answer.borrow_mut().ends.push(End { name, time: self.now(), outcome });
        for after in self.after.iter().filter(|it| it.cause == name) {
            self.cancel(after.turns, after.target);
        }
    }

    fn body(self: Rc<Self>, node: Node) -> Pin<Box<dyn Future<Output = Outcome>>> {
        Box::pin(async move {
            let _left = Left(Rc::clone(&self), node.name);
            if node.delay > 0 {
                tasks::sleep(milliseconds(node.delay)).await;
            }
            for _ in 0..node.turns {
                pass().await;
            }
            let outcome = self.act(&node).await;
            if let Err(error) = &outcome {
                self.errors.borrow_mut().insert(node.name, error.text());
            }
            outcome
        })
    }

    async fn act(self: &Rc<Self>, node: &Node) -> Outcome {
        let children = &node.children;
        match node.op {
            Op::Give => Ok(format!("v{}", node.name)),
            Op::Fail => Err(Error::Work(node.name)),
            Op::Forever => pending().await,
            Op::WaitOne => told(&self.make(&children[0]).await).await,
            Op::Series => {
                let mut values = Vec::new();
                for child in children {
                    values.push(told(&self.make(child).await).await?);
                }
                Ok(values.join("+"))
            }
            Op::Gather => match tasks::gather(self.make_all(children)).await {
                Ok(all) => Ok(all.iter().map(text).collect::<Vec<_>>().join("+")),
                Err(first) => told(&first).await,
            },
            Op::GatherAll => {
                let all = tasks::gather_all(self.make_all(children)).await;
                Ok(all.iter().map(text).collect::<Vec<_>>().join("+"))
            }
            Op::Shield => told(&tasks::shield(self.make(&children[0])).await).await,
            Op::Wait => Ok(self.wait(node).await),
            Op::AsCompleted => self.as_completed(node).await,
            Op::WaitFor => {
                let waits = tasks::wait_for(self.make(&children[0]), milliseconds(node.timeout()));
                match waits.await {
                    Ok(settled) => told(&settled).await,
                    Err(_) => Err(Error::Timeout),
                }
            }
            Op::Timeout => {
                let one = async { told(&self.make(&children[0]).await).await };
                let ends = tasks::timeout(one, milliseconds(node.timeout())).await;
                ends.unwrap_or(Err(Error::Timeout))
            }
            Op::Group | Op::GroupFails => self.group(node).await,
        }
    }

    async fn wait(self: &Rc<Self>, node: &Node) -> String {
        let ways =
            [ReturnWhen::FirstCompleted, ReturnWhen::FirstException, ReturnWhen::AllCompleted];
        let futures = self.make_all(&node.children);
        let when = ways[(node.argument / WAYS) as usize];
        let (done, _) = tasks::wait(&futures, limit(node), when).await;
        done.iter().fold("d".to_owned(), |text, (place, _)| text + &place.to_string())
    }

    async fn as_completed(self: &Rc<Self>, node: &Node) -> Outcome {
        let futures = self.make_all(&node.children);
        let mut each = tasks::as_completed(&futures, limit(node));
        let mut order = Vec::new();
        while let Some(next) = each.next().await {
            let (_, settled) = next.map_err(|_| Error::Timeout)?;
            order.push(told(settled).await?);
        }
        Ok(order.join(">"))
    }

    async fn group(self: &Rc<Self>, node: &Node) -> Outcome {
        let ends = tasks::task_group(async |group| {
            for child in &node.children {
                let future = group.create_task(Rc::clone(self).body(child.clone()));
                let future = future.unwrap_or_else(|_| panic!("the group is open"));
                self.watch(child.name, &future);
            }
            if let Some(time) = limit(node) {
                tasks::sleep(time).await;
            }
            if node.op == Op::GroupFails { Err(Error::Work(node.name)) } else { Ok(()) }
        });
        match ends.await {
            Ok(()) => Ok("g".to_owned()),
            Err(error) => Err(Error::Group(error.errors)),
        }
    }
}

fn limit(node: &Node) -> Option<Duration> {
    (node.timeout() > 0).then(|| milliseconds(node.timeout()))
}

fn text(settled: &Settled<String, Error>) -> String {
    match settled.result() {
        Ok(value) => value.clone(),
        Err(Failure::Error(error)) => error.text(),
        Err(Failure::Cancelled(_)) => "c".to_owned(),
        Err(_) => Error::Panic.text(),
    }
}

/// The outcome as that of the task that asks. In Python a cancellation is raised, and ends it; here it asks itself.
async fn told(settled: &Settled<String, Error>) -> Outcome {
    match settled.result() {
        Ok(value) => Ok(value.clone()),
        Err(Failure::Error(error)) => Err(error.clone()),
        Err(Failure::Cancelled(_)) => {
            let task = LoopRef::current().and_then(|here| here.current_task());
            task.expect("it is a task").cancel();
            pending().await
        }
        Err(_) => Err(Error::Panic),
    }
}

/// Suspends for a turn.
async fn pass() {
    let mut first = true;
    poll_fn(|cx| {
        if !std::mem::take(&mut first) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Writes down that a body was left.
struct Left(Rc<World>, usize);

impl Drop for Left {
    fn drop(&mut self) {
        let left = (self.1, self.0.now());
        self.0.answer.borrow_mut().left.push(left);
    }
}
