//! How a stop goes down a tree of tasks, as a real loop does it.

use std::{
    convert::Infallible,
    future::{Future, pending},
    sync::{Arc, Mutex},
};

use settled::{
    Cancel, EventLoop, LoopFuture, ThreadFuture,
    bridge::{thread_future, wrap_future},
    tasks::gather_all,
};

use crate::svg::{At, Picture};

/// Who did what, one after the other.
type Log = Arc<Mutex<Vec<(&'static str, &'static str)>>>;

const DROPPED: &str = "coroutine dropped";
const SETTLED: &str = "settled as cancelled";
const TOLD: &str = "its promise is told";

/// Tells that a coroutine is gone.
struct Goes(Log, &'static str);

impl Drop for Goes {
    fn drop(&mut self) {
        self.0.lock().unwrap().push((self.1, DROPPED));
    }
}

/// A task that tells when its coroutine is dropped, and when it is settled.
fn task(
    log: &Log,
    event_loop: &EventLoop,
    name: &'static str,
    coroutine: impl Future<Output = ()> + 'static,
) -> LoopFuture<(), Infallible> {
    let (goes, log) = (Goes(Arc::clone(log), name), Arc::clone(log));
    let wrapped = async move {
        let _goes = goes;
        coroutine.await;
    };
    let task = event_loop.create_task(wrapped).unwrap();
    thread_future(&task).add_done_callback(move |_| log.lock().unwrap().push((name, SETTLED)));
    task
}

/// All that happens when the first task is cancelled.
fn run() -> Vec<(&'static str, &'static str)> {
    let (log, event_loop) = (Log::default(), EventLoop::new());
    let (promise, job) = ThreadFuture::<(), Infallible>::pair();
    let promise = promise.start().unwrap();
    let theirs = Arc::clone(&log);
    promise.on_cancel_request(move || theirs.lock().unwrap().push(("job", TOLD)));
    let task = |name, coroutine| task(&log, &event_loop, name, coroutine);

    type Coroutine = std::pin::Pin<Box<dyn Future<Output = ()>>>;
    let stock = task("stock", Box::pin(pending()) as Coroutine);
    let order = task("order", Box::pin(async { drop(stock.await) }));
    let view = wrap_future(&job, &event_loop);
    let bill = task("bill", Box::pin(async { drop(view.await) }));
    let shop = task("shop", Box::pin(async { drop(gather_all([order, bill]).await) }));
    while event_loop.try_tick().unwrap() {}
    assert!(log.lock().unwrap().is_empty(), "something ended of its own accord");
    assert_eq!(shop.cancel(), Cancel::Requested);
    while event_loop.try_tick().unwrap() {}
    assert!(shop.cancelled() && !job.done());
    log.lock().unwrap().clone()
}

/// Each, where it is drawn, who awaits it, and how; nobody awaits the first.
const TREE: [(&str, At, &str, &str); 5] = [
    ("shop", (290, 60), "", ""),
    ("order", (110, 210), "shop", "gather_all"),
    ("bill", (470, 210), "shop", "gather_all"),
    ("stock", (110, 360), "order", "await"),
    ("job", (470, 360), "bill", "await"),
];
const BOX: At = (220, 78);

pub(crate) fn draw() -> String {
    let run = run();
    let when = |it: (&str, &str)| run.iter().position(|other| *other == it).map(|at| at + 1);
    let place = |name: &str| TREE.iter().find(|(other, ..)| *other == name).unwrap().1;
    let told: Vec<_> = run.iter().map(|(who, what)| format!("{who}: {what}.")).collect();
    let mut picture = Picture::new((800, 490), "A stop goes down a tree of tasks", &told.join(" "));
    picture.arrow("stop", &[(400, 22), (400, 58)]);
    picture.text("code", (412, 40), "shop.cancel(), a request");
    for (name, (x, y), owner, how) in TREE {
        let is_task = when((name, SETTLED)).is_some();
        let class = if is_task { "loop" } else { "thread" };
        picture.rect(class, (x, y), BOX);
        let head = if is_task { format!("task {name}") } else { format!("{name} of a thread") };
        picture.text("big mid", (x + BOX.0 / 2, y + 24), &head);
        let lines: Vec<_> = [DROPPED, SETTLED, TOLD]
            .into_iter()
            .filter_map(|what| Some(format!("{}. {what}", when((name, what))?)))
            .collect();
        picture.lines("", (x + 30, y + 46), &lines);
        if !is_task {
            picture.text("soft", (x + 30, y + 64), "runs on: nobody can stop it");
        }
        if owner.is_empty() {
            continue;
        }
        // Down goes the request, and up that it is done, if the owner waits for that.
        let (above, middle) = (place(owner), x + BOX.0 / 2);
        let (low, high) = (y - 2, above.1 + BOX.1 + 2);
        let of_owner = above.0 + BOX.0 / 2 + (x - above.0).signum() * 50;
        picture.arrow("stop", &[(of_owner - 10, high), (middle - 10, low)]);
        if is_task {
            picture.arrow("loop dash", &[(middle + 10, low), (of_owner + 10, high)]);
        }
        let beside = i32::midpoint(of_owner, middle) + if x < above.0 { -38 } else { 38 };
        let class = if x < above.0 { "code end" } else { "code" };
        picture.text(class, (beside, i32::midpoint(low, high) + 4), how);
    }
    let legend = [
        ("stop", 60, "asks, and drops"),
        ("loop dash", 300, "has ended, which its owner waits for"),
    ];
    for (class, x, text) in legend {
        picture.arrow(class, &[(x, 464), (x + 40, 464)]);
        picture.text("soft", (x + 50, 468), text);
    }
    picture.finish()
}
