//! `asyncio`'s futures, tasks and loop, and the crossings.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Future, pending, poll_fn},
    rc::Rc,
    sync::mpsc,
    task::Poll,
    time::Duration,
};

use settled::{
    Cancel, EventLoop, Executor, Failure, LoopFuture, LoopRef, Refusal, ReturnWhen, ThreadFuture,
    ThreadPool, WaitError, WouldDeadlock, bridge, tasks,
};

use super::python;

fn here() -> LoopRef {
    LoopRef::current().unwrap()
}

fn run<F: Future>(coroutine: F) -> F::Output {
    EventLoop::new().run_until_complete(coroutine).unwrap()
}

/// A turn.
async fn pass() {
    let mut first = true;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

fn reports(here: &LoopRef) -> Rc<RefCell<Vec<String>>> {
    let told = Rc::new(RefCell::new(Vec::new()));
    let write = Rc::clone(&told);
    here.set_exception_handler(move |incident| write.borrow_mut().push(incident.to_string()));
    told
}

#[test]
fn as_completed_expires_once() {
    watch!();
    run(async {
        let (_promises, futures): (Vec<_>, Vec<_>) =
            (0..2).map(|_| here().create_future::<(), ()>()).unzip();
        let mut settled = tasks::as_completed(&futures, Some(Duration::ZERO));
        assert!(settled.next().await.unwrap().is_err());
        assert!(settled.next().await.is_none());
    });
    python(
        "async def main():\n new = asyncio.get_running_loop().create_future\n \
         for it in asyncio.as_completed([new(), new()], timeout=0):\n  try: await it\n  \
         except TimeoutError: print('over', end=' ')\nasyncio.run(main())",
        "over over",
    );
}

#[test]
fn a_refused_cancel_is_no_look() {
    watch!();
    let event_loop = EventLoop::new();
    let told = reports(&event_loop);
    let (promise, future) = event_loop.create_future::<(), &str>();
    promise.fail("disk full").unwrap();
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Finished));
    drop(future);
    assert_eq!(told.borrow().len(), 1);
    python(
        "async def main():\n asyncio.get_running_loop().set_exception_handler(lambda *_: print('told'))\n \
         f = asyncio.get_running_loop().create_future(); f.set_exception(KeyError()); f.cancel()\n \
         del f; gc.collect(); print('silent')\nasyncio.run(main())",
        "silent",
    );
}

#[test]
fn nothing_of_a_callback_leaves_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let told = reports(&event_loop);
    event_loop.call_soon(|| panic!("as KeyboardInterrupt does")).unwrap();
    assert_eq!(event_loop.run_until_complete(pass()), Ok(()));
    assert_eq!(told.borrow().len(), 1);
    python(
        "loop = asyncio.new_event_loop()\ndef leave(): raise SystemExit\nloop.call_soon(leave)\n\
         try: loop.run_forever()\nexcept SystemExit: print('left')",
        "left",
    );
}

#[test]
fn a_stop_cannot_be_caught() {
    watch!();
    run(async {
        let task = here().create_task(async {
            pending::<()>().await;
            5
        });
        let task = task.unwrap();
        pass().await;
        assert_eq!(task.cancel(), Cancel::Requested);
        assert!(task.await.cancelled());
    });
    python(
        "async def stubborn():\n try: await asyncio.sleep(9)\n except asyncio.CancelledError: return 5\n\
         async def main():\n t = asyncio.create_task(stubborn()); await asyncio.sleep(0); t.cancel()\n \
         print(await t)\nasyncio.run(main())",
        "5",
    );
}

#[test]
fn a_task_that_ends_before_its_stop_has_ended() {
    watch!();
    run(async {
        let task = here().create_task(async {
            here().current_task().unwrap().cancel();
            5
        });
        assert_eq!(task.unwrap().await.result().unwrap(), &5);
    });
    python(
        "async def last(): asyncio.current_task().cancel(); return 5\n\
         async def main():\n t = asyncio.create_task(last()); await asyncio.wait([t])\n \
         print(t.cancelled())\nasyncio.run(main())",
        "True",
    );
}

#[test]
fn wait_takes_none() {
    watch!();
    let none: [&LoopFuture<(), Infallible>; 0] = [];
    let parted = run(async move { tasks::wait(none, None, ReturnWhen::AllCompleted).await });
    assert!(parted.0.is_empty() && parted.1.is_empty());
    python(
        "async def main():\n try: await asyncio.wait([])\n except ValueError: print('refused')\n\
         asyncio.run(main())",
        "refused",
    );
}

#[test]
fn a_callback_is_removed_by_its_token() {
    watch!();
    let event_loop = EventLoop::new();
    let (_promise, future) = event_loop.create_future::<(), ()>();
    let twice = |_: &settled::Settled<(), ()>| ();
    let (first, second) = (future.add_done_callback(twice), future.add_done_callback(twice));
    assert!(future.remove_done_callback(first) && !future.remove_done_callback(first));
    assert!(future.remove_done_callback(second));
    python(
        "f = asyncio.Future(loop=asyncio.new_event_loop())\nf.add_done_callback(print)\n\
         f.add_done_callback(print); print(f.remove_done_callback(print))",
        "2",
    );
}

#[test]
fn a_future_of_a_closed_loop_settles_without_an_error() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, ()>();
    future.add_done_callback(|_| unreachable!("the loop is closed"));
    drop(event_loop);
    promise.finish(5).unwrap();
    assert_eq!(future.result().unwrap(), &5);
    python(
        "loop = asyncio.new_event_loop(); f = loop.create_future(); f.add_done_callback(print)\n\
         loop.close()\ntry: f.set_result(5)\nexcept RuntimeError: print('refused', f.done())",
        "refused True",
    );
}

#[test]
fn a_view_of_a_closed_loop_reads_through() {
    watch!();
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let event_loop = EventLoop::new();
    let view = bridge::wrap_future(&future, &event_loop);
    drop(event_loop);
    promise.finish(5).unwrap();
    assert_eq!(view.result().unwrap(), &5);
    python(
        "loop = asyncio.new_event_loop(); f = Future(); view = asyncio.wrap_future(f, loop=loop)\n\
         loop.close(); f.set_result(5); print(view.done())",
        "False",
    );
}

#[test]
fn running_work_refuses_a_cancel_through_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    let promise = promise.start().unwrap();
    assert_eq!(view.cancel(), Cancel::Refused(Refusal::Running));
    promise.finish(5);
    assert_eq!(event_loop.run_until_complete(view).unwrap().result().unwrap(), &5);
    python(
        "async def main():\n f = Future(); f.set_running_or_notify_cancel(); view = asyncio.wrap_future(f)\n \
         print(view.cancel(), view.cancelled())\nasyncio.run(main())",
        "True True",
    );
}

#[test]
fn a_coroutine_cancelled_before_it_arrives_never_runs() {
    watch!();
    let event_loop = EventLoop::new();
    let coroutine = async { unreachable!("it was cancelled before") };
    let future = bridge::run_coroutine_threadsafe::<_, ()>(coroutine, &event_loop.handle());
    let future = future.unwrap();
    assert_eq!(future.cancel(), Cancel::Requested);
    assert!(!future.cancelled(), "seen cancelled when it has been dropped");
    event_loop.run_until_complete(pass()).unwrap();
    assert!(future.cancelled());
    python(
        "loop = asyncio.new_event_loop()\nasync def runs(): print('runs')\n\
         f = asyncio.run_coroutine_threadsafe(runs(), loop); print(f.cancel(), f.cancelled())\n\
         loop.run_until_complete(asyncio.sleep(0.05))",
        "True True\nruns",
    );
}

#[test]
fn a_task_that_would_wait_for_itself_is_told() {
    watch!();
    let slot = Rc::new(RefCell::new(None::<LoopFuture<(), Infallible>>));
    let own = Rc::clone(&slot);
    let settled = run(async move {
        let own = async move {
            let own = own.take().unwrap();
            tasks::gather([own]).await.unwrap();
        };
        let task = LoopRef::current().unwrap().create_task(own).unwrap();
        slot.replace(Some(task.clone()));
        task.await
    });
    assert!(matches!(settled.result(), Err(Failure::Panicked(_))));
    python(
        "async def main():\n done, left = await asyncio.wait([asyncio.current_task()], timeout=0.001)\n \
         print(len(done), len(left))\nasyncio.run(main())",
        "0 1",
    );
}

#[test]
fn a_loop_that_would_wait_for_itself_is_told() {
    watch!();
    let pool = ThreadPool::default();
    let (release, waits) = mpsc::channel::<()>();
    let job = pool.submit(move || waits.recv().is_err()).unwrap();
    let answer = run(async { job.wait().err() });
    assert_eq!(answer, Some(WaitError::WouldDeadlock(WouldDeadlock::EventLoop)));
    drop(release);
}
