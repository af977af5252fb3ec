//! Stopping: a task is seen settled only after everything that it owned, whatever is stopping already. `[await-3]`

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "stopping/forest.rs"]
mod forest;
#[path = "support/log.rs"]
mod log;

use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::Duration,
};

use log::Log;
use settled::{
    EventLoop, LoopFuture, LoopRef, Task, ThreadFuture, bridge,
    tasks::{gather_all, task_group, timeout, wait_for},
};

type Unit = LoopFuture<(), Infallible>;
type Owner = fn(Unit) -> Coroutine;
type Coroutine = Pin<Box<dyn Future<Output = ()>>>;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

fn run<F: Future>(coroutine: F) -> F::Output {
    EventLoop::new().run_until_complete(coroutine).unwrap()
}

fn here() -> LoopRef {
    LoopRef::current().unwrap()
}

/// Suspends so many times.
async fn passes(count: usize) {
    for _ in 0..count {
        let mut first = true;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}

/// Writes when it is dropped.
struct Says(Log, &'static str);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

/// A task that never ends of its own accord, and writes when it is dropped.
fn endless(log: &Log, text: &'static str) -> Unit {
    let says = Says(log.clone(), text);
    let task = here().create_task(async move {
        let _says = says;
        pending::<()>().await;
    });
    task.unwrap()
}

/// Tasks each of which awaits the next: the first, and all of them. Stopping them takes as many turns.
fn chain(length: usize) -> (Unit, Vec<Task>) {
    let mut last = here().create_task(pending::<()>()).unwrap();
    let mut all = vec![last.task().unwrap().clone()];
    for _ in 1..length {
        let inner = last;
        last = here().create_task(async { drop(inner.await) }).unwrap();
        all.push(last.task().unwrap().clone());
    }
    (last, all)
}

/// Every way in which a coroutine owns a future.
fn owners() -> Vec<(&'static str, Owner)> {
    vec![
        ("await", |it| Box::pin(async { drop(it.await) })),
        ("view", |it| {
            let view = bridge::wrap_future(&bridge::thread_future(&it), &here());
            Box::pin(async { drop(view.await) })
        }),
        ("wait_for", |it| Box::pin(async { drop(wait_for(it, LONG).await) })),
        ("timeout", |it| Box::pin(async { drop(timeout(it, LONG).await) })),
        ("gather", |it| Box::pin(async { drop(gather_all([it]).await) })),
        ("body", |it| {
            Box::pin(async {
                let group = task_group(async |_| {
                    drop(it.await);
                    Ok::<_, ()>(())
                });
                group.await.unwrap();
            })
        }),
        ("group", |it| {
            Box::pin(async {
                let group = task_group(async |group| {
                    let member = async {
                        drop(it.await);
                        Ok::<_, ()>(())
                    };
                    drop(group.create_task(member).unwrap());
                    Ok(())
                });
                group.await.unwrap();
            })
        }),
    ]
}

/// Runs a task, and asks what has ended when it is seen settled.
fn watch(coroutine: Coroutine, owned: Vec<Task>) -> (Unit, Rc<RefCell<Option<usize>>>) {
    let task = here().create_task(coroutine).unwrap();
    let left = Rc::new(RefCell::new(None));
    let seen = Rc::clone(&left);
    task.add_done_callback(move |_| {
        let left = owned.iter().filter(|task| !task.done()).count();
        seen.replace(Some(left));
    });
    (task, left)
}

#[test]
fn what_was_stopping_already_is_waited_for() {
    watch!();
    for (kind, owner) in owners() {
        run(async {
            let (first, all) = chain(9);
            let top = first.task().unwrap().clone();
            let (task, left) = watch(owner(first), all);
            passes(4).await;
            top.cancel();
            passes(2).await;
            task.cancel();
            task.await;
            assert_eq!(left.take(), Some(0), "{kind}: left when the owner is seen settled");
        });
    }
}

#[test]
fn what_a_timeout_is_stopping_is_handed_on_to_the_stop_of_its_task() {
    watch!();
    let log = Log::new();
    run(async {
        let (first, all) = chain(9);
        let says = Says(log.clone(), "expired");
        let coroutine = async move {
            let inner = async move {
                let _says = says;
                drop(first.await);
            };
            let _ = timeout(inner, Duration::ZERO).await;
        };
        let (task, left) = watch(Box::pin(coroutine), all);
        while log.entries().is_empty() {
            passes(1).await;
        }
        passes(1).await;
        task.cancel();
        task.await;
        assert_eq!(left.take(), Some(0));
    });
}

#[test]
fn what_a_group_is_stopping_is_handed_on_to_the_stop_of_its_task() {
    watch!();
    for body_ends in [false, true] {
        run(async {
            let (first, mut all) = chain(9);
            let (other, more) = chain(9);
            all.extend(more);
            let coroutine = async move {
                let group = task_group(async |group| {
                    let member = async {
                        drop(first.await);
                        Ok::<_, ()>(())
                    };
                    drop(group.create_task(member).unwrap());
                    passes(3).await;
                    if body_ends {
                        return Err(());
                    }
                    drop(group.create_task(async { Err::<(), _>(()) }));
                    drop(other.await);
                    Ok(())
                });
                drop(group.await);
            };
            let (task, left) = watch(Box::pin(coroutine), all);
            // The group has failed, and those that it stops have begun to.
            passes(8).await;
            assert!(!task.done());
            task.cancel();
            task.await;
            assert!(left.take().is_some_and(|left| left == if body_ends { 9 } else { 0 }));
        });
    }
}

#[test]
fn a_coroutine_that_was_sent_is_waited_for_before_it_is_a_task() {
    watch!();
    for closes in [false, true] {
        let log = Log::new();
        let event_loop = EventLoop::new();
        let (says, handle) = (Says(log.clone(), "sent dropped"), event_loop.handle());
        let task = event_loop.create_task(async move {
            // Its own next step is queued before the coroutines, and one that it does not own before the other.
            here().current_task().unwrap().cancel();
            drop(bridge::run_coroutine_threadsafe(pending::<()>(), &handle).unwrap());
            let sent = async move {
                let _says = says;
                pending::<()>().await;
            };
            let sent = bridge::run_coroutine_threadsafe(sent, &handle).unwrap();
            bridge::wrap_future(&sent, &here()).await;
        });
        let seen = log.clone();
        let future = bridge::thread_future(&task.unwrap());
        future.add_done_callback(move |_| seen.add("owner settled"));
        assert_eq!(event_loop.try_tick(), Ok(true));
        if !closes {
            while event_loop.try_tick().unwrap() {}
            assert!(future.done());
        }
        drop(event_loop);
        assert_eq!(log.entries(), ["sent dropped", "owner settled"], "closes: {closes}");
    }
}

/// The queue still has it, since the coroutine that sent it is stopped in the same step.
#[test]
fn a_coroutine_that_has_not_arrived_is_waited_for() {
    watch!();
    let log = Log::new();
    run(async {
        let says = Says(log.clone(), "sent dropped");
        let sender = async {
            // The third step is the first that finds the time over.
            passes(2).await;
            let sent = async move {
                let _says = says;
                pending::<()>().await;
            };
            let sent = bridge::run_coroutine_threadsafe(sent, &here().handle()).unwrap();
            log.add("sent");
            bridge::wrap_future(&sent, &here()).await
        };
        assert!(timeout(sender, Duration::ZERO).await.is_err());
        log.add("expired");
    });
    assert_eq!(log.entries(), ["sent", "sent dropped", "expired"]);
}

#[test]
fn closing_stops_a_coroutine_that_is_no_task_yet() {
    watch!();
    let log = Log::new();
    let event_loop = EventLoop::new();
    // Nothing but the close ends what the loop holds.
    let _here = LoopRef::clone(&event_loop);
    let says = Says(log.clone(), "sent dropped");
    let sent = async move {
        let _says = says;
        pending::<()>().await;
    };
    let sent = bridge::run_coroutine_threadsafe(sent, &event_loop.handle()).unwrap();
    event_loop.close();
    assert_eq!(log.entries(), ["sent dropped"]);
    assert!(sent.cancelled());
}

/// A task that awaits what it finds in its slot.
fn slotted(log: &Log, text: &'static str) -> (Unit, Rc<RefCell<Vec<Unit>>>) {
    let slot = Rc::new(RefCell::new(Vec::new()));
    let (inside, says) = (Rc::clone(&slot), Says(log.clone(), text));
    let task = here().create_task(async move {
        let _says = says;
        let owned = inside.take();
        drop(gather_all(owned).await);
        pending::<()>().await;
    });
    let task = task.unwrap();
    let seen = log.clone();
    bridge::thread_future(&task).add_done_callback(move |_| seen.add("settled"));
    (task, slot)
}

#[test]
fn owners_in_a_circle_end_when_all_their_coroutines_are_gone() {
    watch!();
    let log = Log::new();
    run(async {
        let (first, to_first) = slotted(&log, "first");
        let (second, to_second) = slotted(&log, "second");
        let (third, to_third) = slotted(&log, "third");
        let slow = chain(5).0;
        let seen = log.clone();
        slow.add_done_callback(move |_| seen.add("slow"));
        to_first.replace(vec![second.clone()]);
        to_second.replace(vec![third.clone(), slow]);
        to_third.replace(vec![first.clone()]);
        passes(3).await;
        third.cancel();
        passes(20).await;
        assert!(first.done() && second.done() && third.done());
    });
    let entries = log.entries();
    assert_eq!(entries[..3], ["third", "first", "second"]);
    assert_eq!(entries[3..], ["slow", "settled", "settled", "settled"]);
}

#[test]
fn who_owns_a_circle_waits_for_all_of_it() {
    watch!();
    let log = Log::new();
    run(async {
        let (first, to_first) = slotted(&log, "first");
        let (second, to_second) = slotted(&log, "second");
        let (owner, to_owner) = slotted(&log, "owner");
        to_first.replace(vec![second.clone()]);
        to_second.replace(vec![first.clone()]);
        to_owner.replace(vec![first.clone()]);
        let seen = log.clone();
        bridge::thread_future(&owner).add_done_callback(move |_| {
            let settled = seen.entries().iter().filter(|it| *it == "settled").count();
            seen.add(format!("{settled} with the owner"));
        });
        passes(3).await;
        first.cancel();
        owner.cancel();
        passes(9).await;
        assert!(owner.done());
    });
    assert_eq!(log.entries().last().unwrap(), "3 with the owner");
}

#[test]
fn closing_settles_what_was_owned_first() {
    watch!();
    let log = Log::new();
    let event_loop = EventLoop::new();
    event_loop
        .run_until_complete(async {
            let (outer, to_outer) = slotted(&log, "outer dropped");
            let inner = endless(&log, "inner dropped");
            for (task, text) in [(&outer, "outer seen"), (&inner, "inner seen")] {
                let seen = log.clone();
                task.add_done_callback(move |_| seen.add(text));
            }
            to_outer.replace(vec![inner]);
            passes(3).await;
        })
        .unwrap();
    drop(event_loop);
    let order = ["outer dropped", "inner dropped", "settled", "inner seen", "outer seen"];
    assert_eq!(log.entries(), order);
}

#[test]
fn a_stop_waits_for_the_tasks_of_its_own_loop_alone() {
    watch!();
    let group = async |first: Unit| {
        let member = async {
            drop(first.await);
            Ok::<_, ()>(())
        };
        drop(task_group(async |group| group.create_task(member).map(|_| ()).map_err(|_| ())).await);
    };
    let expired = async |first: Unit| drop(timeout(first, Duration::ZERO).await);
    for is_group in [true, false] {
        let (one, other) = (EventLoop::new(), EventLoop::new());
        // It begins on one loop, and is stopped on another of the thread.
        let moved = async {
            let (first, _all) = chain(50);
            let mut moved: Coroutine =
                if is_group { Box::pin(group(first)) } else { Box::pin(expired(first)) };
            let mut passes = pin!(passes(9));
            poll_fn(|cx| {
                assert!(moved.as_mut().poll(cx).is_pending());
                passes.as_mut().poll(cx)
            })
            .await;
            [moved]
        };
        let [moved] = one.run_until_complete(moved).unwrap();
        let task = other.create_task(moved).unwrap();
        while other.try_tick().unwrap() {}
        task.cancel();
        while other.try_tick().unwrap() {}
        assert!(task.cancelled(), "group: {is_group}");
        while one.try_tick().unwrap() {}
        assert_eq!(one.all_tasks(), []);
    }
}

/// `[cancel-7]` Its own reason is for what it owned, and not for what a callback lets go of meanwhile.
#[test]
fn a_guard_that_a_callback_drops_in_a_stop_has_no_reason() {
    watch!();
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    run(async move {
        let task = here().create_task(async move {
            let _promise = promise;
            pending::<()>().await;
        });
        let (task, (_never, strange)) = (task.unwrap(), ThreadFuture::<u32, ()>::pair());
        let guard = strange.clone().cancel_on_drop();
        future.add_done_callback(move |_| drop(guard));
        passes(1).await;
        task.task().unwrap().cancel_with("time is over");
        assert!(task.await.cancelled());
        let settled = strange.wait().unwrap();
        assert!(settled.cancelled() && settled.cancel_reason().is_none());
    });
}
