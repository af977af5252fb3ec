//! The reference loop against other threads: posts, deliveries, requests, and its end.
#![expect(unsafe_code, reason = "a plain field that only the flag of a task orders")]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use loom::{
    cell::UnsafeCell,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use settled::{
    Cancel, EventLoop, Job, Schedule, bridge,
    host::{Host, JobSender, job_queue},
};

use crate::explore::{Value, Values, explore, explore_bounded, explore_deeply, promise, saw};

/// `[schedule-2]` A post against a loop that is about to sleep: it is woken.
pub(crate) fn post_against_sleep() {
    explore("loop_post", &["ran"], |seen| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let poster = thread::spawn(move || {
            let stop = handle.clone();
            handle.call_soon_threadsafe(move || stop.stop()).unwrap();
        });
        event_loop.run_forever().unwrap();
        poster.join().unwrap();
        saw(seen, "ran");
    });
}

/// `[schedule-2]` Two posts that happen one after the other, against one of the loop's own.
pub(crate) fn posts_in_order_against_a_call_of_the_loop() {
    explore("loop_order", &["first", "last", "middle"], |seen| {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let order = Arc::new(Mutex::new(Vec::new()));
        let push = |entry: u8| {
            let order = Arc::clone(&order);
            move || order.lock().unwrap().push(entry)
        };
        let (one, two) = (push(1), push(2));
        let poster = thread::spawn(move || {
            handle.call_soon_threadsafe(one).unwrap();
            let stop = handle.clone();
            handle
                .call_soon_threadsafe(move || {
                    two();
                    stop.stop();
                })
                .unwrap();
        });
        event_loop.call_soon(push(0)).unwrap();
        event_loop.run_forever().unwrap();
        poster.join().unwrap();
        let order = order.lock().unwrap().clone();
        match order[..] {
            [0, 1, 2] => saw(seen, "first"),
            [1, 0, 2] => saw(seen, "middle"),
            [1, 2, 0] => saw(seen, "last"),
            _ => panic!("{order:?}"),
        }
    });
}

/// `[schedule-3]` `[schedule-4]` `[loop-5]` A post against close: it is run, or handed back, and its future settled.
pub(crate) fn post_against_close() {
    explore("loop_close", &["handed back", "ran"], |seen| {
        let values = Values::default();
        let (promise, future) = promise();
        let value = values.make(1);
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let poster = thread::spawn(move || {
            handle.call_soon_threadsafe(move || drop(promise.finish(value))).map_err(drop)
        });
        drop(event_loop);
        let posted = poster.join().unwrap();
        let settled = future.wait().unwrap();
        match posted {
            Ok(()) => assert_eq!(settled.result().unwrap().number, 1),
            Err(()) => assert!(settled.cancelled()),
        }
        saw(seen, if posted.is_ok() { "ran" } else { "handed back" });
    });
}

/// `[loop-1]` `[bridge-1]` A settlement against registering and awaiting through the loop's view: it is delivered.
pub(crate) fn settle_against_a_wrapped_await() {
    explore("loop_wrap", &["delivered"], |seen| {
        let values = Values::default();
        let (promise, future) = promise();
        let value = values.make(1);
        let event_loop = EventLoop::new();
        let settler = thread::spawn(move || promise.finish(value).unwrap());
        let view = bridge::wrap_future(&future, &event_loop);
        let called = Rc::new(Cell::new(0));
        let call = Rc::clone(&called);
        view.add_done_callback(move |settled| call.set(settled.result().unwrap().number));
        let settled = event_loop.run_until_complete(view).unwrap();
        assert_eq!((settled.result().unwrap().number, called.get()), (1, 1));
        settler.join().unwrap();
        saw(seen, "delivered");
    });
}

/// `[loop-5]` A settlement against close: the callback runs or is dropped, and the view reads through.
pub(crate) fn settle_against_close() {
    explore("loop_settle_close", &["called", "dropped"], |seen| {
        let values = Values::default();
        let (promise, future) = promise();
        let value = values.make(1);
        let event_loop = EventLoop::new();
        let view = bridge::wrap_future(&future, &event_loop);
        let called = Rc::new(Cell::new(false));
        let call = Rc::clone(&called);
        view.add_done_callback(move |_| call.set(true));
        let settler = thread::spawn(move || promise.finish(value).unwrap());
        drop(event_loop);
        settler.join().unwrap();
        assert_eq!(view.result().unwrap().number, 1);
        assert_eq!(Rc::strong_count(&called), 1, "the callback is gone, run or not");
        saw(seen, if called.get() { "called" } else { "dropped" });
    });
}

/// `[cancel-4]` `[loop-7]` `[bridge-3]` A cancel from the thread that sent the coroutine, against its steps: it is stopped,
/// or was faster; seen settled only when it is gone.
pub(crate) fn cancel_against_a_coroutine() {
    explore_deeply("loop_cancel", &["finished", "stopped"], |seen| {
        let values = Values::default();
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let value = values.make(1);
        let gone = Arc::new(AtomicBool::new(false));
        let held = Held(Arc::clone(&gone));
        let sender = thread::spawn(move || {
            let coroutine = async move {
                let _held = held;
                std::future::ready(()).await;
                value
            };
            let future = bridge::run_coroutine_threadsafe(coroutine, &handle).unwrap();
            let answer = future.cancel();
            let settled = future.wait().unwrap();
            assert!(gone.load(Ordering::Acquire), "settled before the coroutine was gone");
            let stopped = settled.cancelled();
            handle.stop();
            (answer, stopped)
        });
        event_loop.run_forever().unwrap();
        match sender.join().unwrap() {
            (Cancel::Requested, true) => saw(seen, "stopped"),
            (Cancel::Requested | Cancel::Refused(_), false) => saw(seen, "finished"),
            other => panic!("{other:?}"),
        }
    });
}

/// `[loop-6]` A wake that finds the step queued already posts nothing, and what was written before it is seen by that
/// step all the same: the two swaps of the flag are all that orders them.
#[expect(clippy::arc_with_non_send_sync, reason = "loom lends it to its threads, and watches it")]
pub(crate) fn a_wake_that_finds_the_step_queued() {
    explore("loop_wake", &["seen"], |seen| {
        let event_loop = EventLoop::new();
        let data = Arc::new(UnsafeCell::new(0));
        let (told, woken) = (Arc::new(AtomicBool::new(false)), Rc::new(RefCell::new(None)));
        let task = event_loop.create_task({
            let (data, woken) = (Arc::clone(&data), Rc::clone(&woken));
            std::future::poll_fn(move |cx| {
                if woken.borrow_mut().replace(cx.waker().clone()).is_none() {
                    return Poll::Pending;
                }
                // SAFETY: whoever writes has done so before it woke this task, if the flag orders them.
                Poll::Ready(data.with(|data| unsafe { *data }))
            })
        });
        let turn = || {
            event_loop.stop();
            event_loop.run_forever().unwrap();
        };
        turn();
        let waker = woken.borrow().clone().unwrap();
        // The step is queued from here on.
        waker.wake_by_ref();
        let other = thread::spawn({
            let told = Arc::clone(&told);
            move || {
                // SAFETY: the task reads after the wake, if the flag orders them.
                data.with_mut(|data| unsafe { *data = 5 });
                waker.wake();
                told.store(true, Ordering::Relaxed);
            }
        });
        while !told.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        turn();
        assert_eq!(task.unwrap().result().unwrap(), &5);
        other.join().unwrap();
        saw(seen, "seen");
    });
}

/// What a coroutine holds: its drop can be interrupted.
struct Held(Arc<AtomicBool>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// `[host-2]` A post against a poll of a job queue: the waker that it left is woken.
pub(crate) fn post_against_a_polled_queue() {
    explore("queue_post", &["ran"], |seen| {
        let (sender, queue) = job_queue();
        let (tell, told) = (Arc::new(Mutex::new(false)), sender.clone());
        let told = thread::spawn({
            let tell = Arc::clone(&tell);
            move || post(&told, move || *tell.lock().unwrap() = true)
        });
        // Ends when a poll has seen that the job ran: a lost wake-up is a deadlock.
        let mut queue = Box::pin(queue);
        crate::explore::block_on(std::future::poll_fn(|cx| {
            let polled = queue.as_mut().poll(cx);
            assert!(polled.is_pending());
            if *tell.lock().unwrap() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }));
        told.join().unwrap();
        saw(seen, "ran");
    });
}

fn post(sender: &JobSender, job: impl FnOnce() + Send + 'static) {
    sender.call_soon_threadsafe(Job::new(job)).unwrap();
}

/// `[host-2]` `[schedule-4]` A post against the drop of a job queue: dropped or handed back, and settled.
pub(crate) fn post_against_a_dropped_queue() {
    explore("queue_drop", &["dropped", "handed back"], |seen| {
        let (sender, queue) = job_queue();
        let (promise, future) = promise();
        // It outlives the queue, and with it what both share.
        let other = sender.clone();
        let poster = thread::spawn(move || {
            let job = Job::new(move || drop::<settled::Promise<Value, Value>>(promise));
            other.call_soon_threadsafe(job).is_ok()
        });
        drop(queue);
        let accepted = poster.join().unwrap();
        assert!(future.cancelled());
        saw(seen, if accepted { "dropped" } else { "handed back" });
        drop(sender);
    });
}

/// `[host-1]` A settlement against a turn and the drop of a host's queue: the callback runs or is dropped, and the view
/// reads through.
pub(crate) fn settle_against_a_dropped_queue() {
    explore("host_queue_drop", &["called", "dropped"], |seen| {
        let values = Values::default();
        let (promise, future) = promise();
        let value = values.make(1);
        let (sender, mut queue) = job_queue();
        let host = Host::new(Arc::new(sender));
        let view = host.wrap_future(&future);
        let called = Rc::new(Cell::new(false));
        let call = Rc::clone(&called);
        view.add_done_callback(move |_| call.set(true));
        let settler = thread::spawn(move || promise.finish(value).unwrap());
        queue.run_pending();
        drop(queue);
        settler.join().unwrap();
        assert_eq!(view.result().unwrap().number, 1);
        drop(host);
        assert_eq!(Rc::strong_count(&called), 1, "the callback is gone, run or not");
        saw(seen, if called.get() { "called" } else { "dropped" });
    });
}

/// `[bridge-4]` The default executor is shut down while its one job is settled: the loop waits without blocking.
/// Three preemptions: three threads take turns over two locks.
pub(crate) fn shutdown_of_the_default_executor() {
    explore_bounded("default_executor", &["ended"], |seen| {
        let event_loop = EventLoop::new();
        let pool = settled::ThreadPool::new(std::num::NonZero::<usize>::MIN);
        bridge::set_default_executor(&event_loop, Arc::new(pool));
        let value = event_loop.run_until_complete(async {
            let job = bridge::to_thread(|| 5).unwrap();
            bridge::shutdown_default_executor(&settled::LoopRef::current().unwrap()).await;
            job.await.take().unwrap().unwrap()
        });
        assert_eq!(value, Ok(5));
        saw(seen, "ended");
    });
}
