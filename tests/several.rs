//! `join` and `select` of futures of different types, in threads and in tasks, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    cell::Cell,
    convert::Infallible,
    future::IntoFuture,
    num::NonZero,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use settled::{
    Cancelled, EventLoop, Executor, Expired, First, JoinError, LoopRef, ThreadFuture, ThreadPool,
    WaitError, WouldDeadlock, context, join, select, tasks,
};

type Number = ThreadFuture<u32, &'static str>;
type Text = ThreadFuture<String, Infallible>;

/// More than any test takes; a wait that needs it has failed.
const LONG: Option<Duration> = Some(Duration::from_secs(600));
const ZERO: Option<Duration> = Some(Duration::ZERO);
const EXPIRED: WaitError = WaitError::Expired(Expired);

#[test]
fn futures_of_different_types_are_joined() {
    watch!();
    let ((number, a), (text, b)) = (Number::pair(), Text::pair());
    let settler = thread::spawn(move || {
        text.finish("seven".to_owned()).unwrap();
        number.fail("disk full").unwrap();
    });
    let (one, other) = join((&a, &b), LONG).unwrap();
    assert_eq!(one.result().unwrap_err().error(), Some(&"disk full"), "it waits for all");
    assert_eq!(other.result().unwrap(), "seven");
    settler.join().unwrap();
    // Some by value, and some not; one that cannot be shared.
    let (promise, c) = ThreadFuture::<Cell<u8>, ()>::pair();
    promise.finish(Cell::new(3)).unwrap();
    let (again, text, cell) = join((&a, b, c), None).unwrap();
    assert!(again.exception().is_some());
    assert_eq!((text.unwrap().as_str(), cell.unwrap().get()), ("seven", 3));
    let (promise, d) = Number::pair();
    drop(promise);
    let (dropped, ..) = join((d.clone(), &a, &d, d.clone()), None).unwrap();
    assert_eq!(dropped, Err(JoinError::Failed(Cancelled::Dropped.into())));
}

#[test]
fn the_first_of_different_types_is_told_and_the_others_stay() {
    watch!();
    let ((number, a), (text, b)) = (Number::pair(), Text::pair());
    let settler = thread::spawn(move || text.finish("seven".to_owned()));
    match select((&a, &b), LONG).unwrap() {
        First::A(_) => panic!("nobody has settled it"),
        First::B(text) => assert_eq!(text.result().unwrap(), "seven"),
    }
    settler.join().unwrap().unwrap();
    assert!(!a.done(), "nothing is cancelled");
    assert_eq!(format!("{a:?}"), "ThreadFuture { state: Pending, waiters: 0, callbacks: 0 }");
    number.finish(7).unwrap();
    let both = select((&a, &b), ZERO).unwrap();
    assert!(matches!(both, First::A(_)), "of several the first in the tuple");
    assert!(matches!(select((&b, &a, &b, &a), None).unwrap(), First::A(_)));
    assert_eq!(b.join().unwrap(), "seven", "nothing is consumed");
}

#[test]
fn they_wait_as_every_other_wait_does() {
    watch!();
    let ((number, a), (text, b)) = (Number::pair(), Text::pair());
    assert_eq!(select((&a, &b), ZERO).unwrap_err(), EXPIRED);
    assert_eq!(select((&a, &b), Some(Duration::from_millis(1))).unwrap_err(), EXPIRED);
    let back = join((a, b), Some(Duration::from_millis(1))).unwrap_err();
    assert_eq!(back.why(), EXPIRED);
    let (a, b) = back.into_future();
    let guard = context::enter_loop();
    let refused = WaitError::WouldDeadlock(WouldDeadlock::EventLoop);
    assert_eq!(select((&a, &b), None).unwrap_err(), refused);
    assert_eq!(select((&a, &b), ZERO).unwrap_err(), EXPIRED);
    number.finish(1).unwrap();
    assert!(matches!(select((&a, &b), None).unwrap(), First::A(_)), "what is there is answered");
    let back = join((a, b), None).unwrap_err();
    assert_eq!(back.why(), refused, "the other is not");
    let (a, b) = back.into_future();
    text.finish("one".to_owned()).unwrap();
    let (a, b) = join((a, b), None).unwrap();
    assert_eq!((a.unwrap(), b.unwrap().as_str()), (1, "one"));
    drop(guard);
}

#[test]
fn a_worker_that_joins_or_selects_helps_and_closes_no_circle() {
    watch!();
    let pool = Arc::new(ThreadPool::new(NonZero::<usize>::MIN));
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let (a, b) = (inner.submit(|| 1).unwrap(), inner.submit(|| "one").unwrap());
        let (c, d) = (inner.submit(|| 2).unwrap(), inner.submit(|| "two").unwrap());
        let first = select((&c, &d), None).unwrap();
        assert!(matches!(first, First::A(_)) && !d.done(), "it runs one job");
        let (a, b) = join((a, b), None).unwrap();
        (a.unwrap(), b.unwrap())
    });
    assert_eq!(outer.unwrap().join().unwrap(), (1, "one"));
    // Its own outcome, beside one that nobody settles.
    let (give, given) = mpsc::channel::<ThreadFuture<(), Infallible>>();
    let own = pool.submit(move || {
        let (own, (promise, other)) = (given.recv().unwrap(), Number::pair());
        let circle = WaitError::WouldDeadlock(WouldDeadlock::Circle);
        let back = join((&own, &other), None).unwrap_err();
        assert_eq!(back.why(), circle, "it can never have both");
        promise.finish(1).unwrap();
        let back = join((own, other), None).unwrap_err();
        assert_eq!(back.why(), circle);
        assert_eq!(select((&back.into_future().0, &given_never()), ZERO).unwrap_err(), EXPIRED);
    });
    let own = own.unwrap();
    give.send(own.clone()).unwrap();
    own.wait().unwrap();
    assert_eq!(own.exception().unwrap(), None);
}

#[test]
fn a_worker_that_joins_runs_the_callback_that_is_lent_an_outcome_anew() {
    watch!();
    let pool = Arc::new(ThreadPool::new(NonZero::<usize>::MIN));
    let ((number, a), (text, b)) = (Number::pair(), Text::pair());
    number.finish(1).unwrap();
    let (late, b) = (a.clone(), Arc::new(b));
    let other = Arc::clone(&b);
    let outer = pool.submit(move || {
        let (a, b) = join((a, &*other), None).unwrap();
        (a.unwrap(), b.cancelled())
    });
    while !format!("{b:?}").contains("waiters: 1") {
        thread::yield_now();
    }
    // It was told of this one before, and alone can run what is lent the outcome now.
    late.add_done_callback_on(Arc::clone(&pool), |settled| assert_eq!(settled.result(), Ok(&1)));
    drop(late);
    text.finish("one".to_owned()).unwrap();
    assert_eq!(outer.unwrap().join().unwrap(), (1, false));
}

#[test]
fn what_is_joined_by_reference_is_not_waited_for_by_its_callbacks() {
    watch!();
    let pool = Arc::new(ThreadPool::new(NonZero::<usize>::new(2).unwrap()));
    let ((number, a), (text, b)) = (Number::pair(), Text::pair());
    let (a, b) = (Arc::new(a), Arc::new(b));
    let (by_reference, by_value) = (Arc::clone(&a), (*b).clone());
    let outer = pool.submit(move || join((&*by_reference, by_value), None).is_ok()).unwrap();
    while !format!("{b:?}").contains("waiters: 1") {
        thread::yield_now();
    }
    // A callback of the one by reference waits for the job that joins, and that only for the other.
    let ((tell, told), joins) = (mpsc::channel(), outer.clone());
    a.add_done_callback(move |_| tell.send(joins.wait().map(drop)).unwrap());
    pool.submit(move || number.finish(1).unwrap()).unwrap();
    let early = loop {
        if let Ok(early) = told.try_recv() {
            break Some(early);
        }
        if format!("{outer:?}").contains("waiters: 1") {
            break None;
        }
        thread::yield_now();
    };
    assert_eq!(early, None, "it may wait");
    text.finish("one".to_owned()).unwrap();
    assert_eq!((told.recv().unwrap(), outer.result()), (Ok(()), Ok(&true)));
}

fn given_never() -> Text {
    let (promise, future) = Text::pair();
    std::mem::forget(promise);
    future
}

#[test]
fn by_value_they_wait_for_the_callbacks() {
    watch!();
    let ((number, a), (text, b)) = (Number::pair(), Text::pair());
    let ((tell, told), (give, given)) = (mpsc::channel(), mpsc::channel::<()>());
    let inside = a.clone();
    b.add_done_callback(move |_| {
        tell.send(()).unwrap();
        given.recv().unwrap();
        drop(inside);
    });
    number.finish(1).unwrap();
    let settler = thread::spawn(move || text.finish("one".to_owned()));
    told.recv().unwrap();
    assert!(join((&a, &b), None).is_ok(), "by reference it does not");
    let back = join((&a, b), Some(Duration::from_millis(1))).unwrap_err();
    assert_eq!(back.why(), EXPIRED, "the callback has not returned");
    let (_, b) = back.into_future();
    let joiner = thread::spawn(move || join((a, b), LONG).unwrap());
    give.send(()).unwrap();
    let (a, b) = joiner.join().unwrap();
    settler.join().unwrap().unwrap();
    assert_eq!((a.unwrap(), b.unwrap().as_str()), (1, "one"));
    // Inside a callback that is lent one of them.
    let (number, a) = Number::pair();
    let (tell, told) = mpsc::channel();
    let own = a.clone();
    a.add_done_callback(move |_| {
        let back = join((own, given_never()), ZERO).unwrap_err();
        let why = join(back.into_future(), None).unwrap_err().why();
        tell.send(why).unwrap();
    });
    number.finish(1).unwrap();
    assert_eq!(told.recv().unwrap(), WaitError::WouldDeadlock(WouldDeadlock::Lent));
}

fn here() -> LoopRef {
    LoopRef::current().unwrap()
}

#[test]
fn a_task_joins_what_it_can_await() {
    watch!();
    let (promise, job) = Number::pair();
    let settler = thread::spawn(move || promise.finish(7));
    let outputs = EventLoop::new().run_until_complete(async {
        let task = here().create_task_result(async { Err::<(), _>("full") }).unwrap();
        let text = async { "text".to_owned() };
        tasks::join((job.output(), &task, text, std::future::ready(1)))
            .await
            .1
            .exception()
            .is_some()
    });
    assert!(outputs.unwrap(), "it waits for all, and answers each in its place");
    settler.join().unwrap().unwrap();
}

#[test]
fn a_task_selects_the_first_and_the_others_stay() {
    watch!();
    EventLoop::new()
        .run_until_complete(async {
            let (promise, slow) = here().create_future::<u32, ()>();
            let quick = here().create_task(async { "quick" }).unwrap();
            match tasks::select((&slow, &quick)).await {
                First::A(_) => panic!("nobody has settled it"),
                First::B(quick) => assert_eq!(quick.result().unwrap(), &"quick"),
            }
            assert!(!slow.done(), "nothing is cancelled");
            // By value the one that loses is dropped, which cancels nothing.
            let view = slow.clone();
            let first = tasks::select((view, std::future::ready(1))).await;
            assert!(matches!(first, First::B(1)) && !slow.done());
            promise.finish(5).unwrap();
            assert!(matches!(tasks::select((&slow, &quick)).await, First::A(_)), "the first in it");
        })
        .unwrap();
}

#[test]
fn a_stopped_join_stops_what_it_took_by_value_and_nothing_else() {
    watch!();
    let event_loop = EventLoop::new();
    event_loop
        .run_until_complete(async {
            let endless = || here().create_task(std::future::pending::<()>()).unwrap();
            let (kept, (_promise, job)) = (endless(), Number::pair());
            for select in [false, true] {
                let (one, two, kept, job) = (endless(), endless(), kept.clone(), job.clone());
                let (first, second) = (one.clone(), two.clone());
                assert!(!job.done(), "a join by reference has left it");
                let task = here().create_task(async move {
                    if select {
                        tasks::select((one, &kept, two, job)).await;
                    } else {
                        tasks::join((one, &kept, two, &job)).await;
                    }
                });
                let task = task.unwrap();
                tasks::sleep(Duration::ZERO).await;
                task.cancel();
                (&task).into_future().await;
                assert!(first.cancelled() && second.cancelled(), "before the task is");
            }
            assert!(!kept.done());
            assert!(job.cancelled(), "it was selected by value");
            kept.cancel();
        })
        .unwrap();
}
