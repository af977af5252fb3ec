//! What one thread has the loop of another do.

use std::{
    cell::Cell,
    hint::black_box,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use futures::executor::block_on;
use settled::{EventLoop, LoopHandle, bridge};
use tokio::{runtime::Handle, sync::mpsc as tokio_mpsc};

use super::{
    Job,
    loops::{a_runtime, on_local_set},
    sum_below,
};
use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
};

pub(super) fn rows() -> Vec<Row> {
    let row = |name, what, aim, cpus, sides| Row { name, what, aim, cpus, sides };
    let post = "100,000 closures from another thread, until the loop's thread has run the last; the peers are channels \
                whose receiver calls what comes, and tasks";
    let result =
        "have the loop of another thread run a coroutine, and block until its result is there";
    vec![
        row("post_1", post, 1.2, Cpus::One, posted),
        row("post_2", post, 1.0, Cpus::Two, posted),
        row("post_result_1", result, 1.0, Cpus::One, answered),
        row("post_result_2", result, 1.0, Cpus::Two, answered),
    ]
}

/// A thread with something that runs closures there, until this is dropped.
struct Running<H> {
    handle: Option<H>,
    stop: fn(H),
    thread: Option<JoinHandle<()>>,
}

impl<H: Send + 'static> Running<H> {
    /// `run` gives its handle to the channel, and runs until `stop` has been called.
    fn start(place: &Place, run: fn(mpsc::Sender<H>), stop: fn(H)) -> Self {
        let (sender, receiver) = mpsc::channel();
        let thread = place.elsewhere(|| thread::spawn(move || run(sender)));
        let handle = Some(receiver.recv().expect("it runs"));
        Self { handle, stop, thread: Some(thread) }
    }

    fn handle(&self) -> &H {
        self.handle.as_ref().expect("it is there until this is dropped")
    }
}

impl<H> Drop for Running<H> {
    fn drop(&mut self) {
        self.handle.take().into_iter().for_each(self.stop);
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    }
}

fn our_loop(place: &Place) -> Running<LoopHandle> {
    let run = |sender: mpsc::Sender<LoopHandle>| {
        let event_loop = EventLoop::new();
        sender.send(event_loop.handle()).expect("it is waited for");
        event_loop.run_forever().expect("it is stopped");
    };
    Running::start(place, run, |handle| handle.stop())
}

/// The handle of a runtime, which runs until the sender is gone.
type Tokio = (Handle, tokio::sync::oneshot::Sender<()>);

fn tokio_loop(place: &Place) -> Running<Tokio> {
    let run = |sender: mpsc::Sender<Tokio>| {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let runtime = a_runtime();
        sender.send((runtime.handle().clone(), stop)).expect("it is waited for");
        runtime.block_on(stopped).expect_err("the sender is dropped");
    };
    Running::start(place, run, drop)
}

thread_local! {
    /// What was posted to a thread, added up.
    static SUM: Cell<u64> = const { Cell::new(0) };
}

fn note(number: u64) {
    SUM.set(SUM.get() + number);
}

type End = oneshot::Sender<u64>;

fn tell(end: End) {
    end.send(SUM.take()).expect("it is waited for");
}

fn posting<H: Send + 'static>(
    place: &Place,
    name: &'static str,
    running: Running<H>,
    post: fn(&H, u64),
    post_end: fn(&H, End),
) -> Side {
    let (clock, count) = (place.clock(), place.count(100_000));
    Side::new(name, move |times| {
        let groups = times.div_ceil(count);
        let elapsed = clock.time(|| {
            for _ in 0..groups {
                (0..count as u64).for_each(|number| post(running.handle(), number));
                let (end, ended) = oneshot::channel();
                post_end(running.handle(), end);
                assert_eq!(ended.recv().ok(), Some(sum_below(count)));
            }
        });
        (elapsed, groups * count)
    })
}

fn std_channel(place: &Place) -> Running<mpsc::Sender<Job>> {
    let run = |sender: mpsc::Sender<_>| {
        let (posts, posted) = mpsc::channel::<Job>();
        sender.send(posts).expect("it is waited for");
        posted.into_iter().for_each(|job| job());
    };
    Running::start(place, run, drop)
}

fn crossbeam(place: &Place) -> Running<crossbeam_channel::Sender<Job>> {
    let run = |sender: mpsc::Sender<_>| {
        let (posts, posted) = crossbeam_channel::unbounded::<Job>();
        sender.send(posts).expect("it is waited for");
        posted.into_iter().for_each(|job| job());
    };
    Running::start(place, run, drop)
}

fn tokio_channel(place: &Place) -> Running<tokio_mpsc::UnboundedSender<Job>> {
    let run = |sender: mpsc::Sender<_>| {
        let (posts, mut posted) = tokio_mpsc::unbounded_channel::<Job>();
        sender.send(posts).expect("it is waited for");
        on_local_set(async || {
            while let Some(job) = posted.recv().await {
                job();
            }
        });
    };
    Running::start(place, run, drop)
}

fn posted(place: &Place) -> Vec<Side> {
    vec![
        posting(
            place,
            "settled",
            our_loop(place),
            |handle, number| {
                handle.call_soon_threadsafe(move || note(number)).expect("the loop runs")
            },
            |handle, end| handle.call_soon_threadsafe(move || tell(end)).expect("the loop runs"),
        ),
        posting(
            place,
            "std-mpsc",
            std_channel(place),
            |posts, number| posts.send(Box::new(move || note(number))).expect("the thread listens"),
            |posts, end| posts.send(Box::new(move || tell(end))).expect("the thread listens"),
        ),
        posting(
            place,
            "crossbeam",
            crossbeam(place),
            |posts, number| posts.send(Box::new(move || note(number))).expect("the thread listens"),
            |posts, end| posts.send(Box::new(move || tell(end))).expect("the thread listens"),
        ),
        posting(
            place,
            "tokio-mpsc",
            tokio_channel(place),
            |posts, number| assert!(posts.send(Box::new(move || note(number))).is_ok()),
            |posts, end| assert!(posts.send(Box::new(move || tell(end))).is_ok()),
        ),
        posting(
            place,
            "handle-spawn",
            tokio_loop(place),
            |(handle, _), number| drop(handle.spawn(async move { note(number) })),
            |(handle, _), end| drop(handle.spawn(async move { tell(end) })),
        ),
    ]
}

fn answering<H: Send + 'static>(
    place: &Place,
    name: &'static str,
    running: Running<H>,
    answer: fn(&H, u64) -> u64,
) -> Side {
    let clock = place.clock();
    Side::new(name, move |times| {
        let mut sum = 0;
        let elapsed = clock.time(|| {
            sum = (0..times as u64).map(|number| answer(running.handle(), number)).sum();
        });
        assert_eq!(sum, sum_below(times));
        (elapsed, times)
    })
}

fn answered(place: &Place) -> Vec<Side> {
    vec![
        answering(place, "settled", our_loop(place), |handle, number| {
            let coroutine = async move { black_box(number) };
            let future =
                bridge::run_coroutine_threadsafe(coroutine, handle).expect("the loop runs");
            let settled = future.into_settled().expect("no loop runs here");
            *settled.result().expect("it has a value")
        }),
        answering(place, "handle-spawn", tokio_loop(place), |(handle, _), number| {
            block_on(handle.spawn(async move { black_box(number) })).expect("it does not panic")
        }),
    ]
}
