//! Eight threads and the tasks of two loops at a queue: they put and get with and without limits, leave, are cancelled and
//! dropped. Whatever they do, what came out and what is still in it is what was put.

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use settled::{LoopHandle, ThreadFuture, bridge, primitives::Queue};

use super::{Luck, THREADS, on_loops};

const ROOM: usize = 3;
const LIMIT: Duration = Duration::from_micros(20);

/// How many values, and what they are together.
#[derive(Default)]
struct Sum([AtomicU64; 2]);

impl Sum {
    fn add(&self, value: u64) {
        self.0[0].fetch_add(1, Relaxed);
        self.0[1].fetch_add(value, Relaxed);
    }

    fn read(&self) -> [u64; 2] {
        self.0.each_ref().map(|it| it.load(Relaxed))
    }
}

struct Values {
    queue: Queue<u64>,
    loops: [LoopHandle; 2],
    /// The value that is put next. Each is another.
    next: AtomicU64,
    put: Sum,
    got: Sum,
    asked: AtomicU64,
}

/// How much was asked for, how many values came out, and what was wrong with it.
pub(crate) struct Balance {
    pub(crate) asked: u64,
    pub(crate) got: u64,
    pub(crate) wrong: u64,
}

impl Values {
    fn has_put(&self, value: u64, is_put: bool) {
        if is_put {
            self.put.add(value);
        }
    }

    fn has_got(&self, value: Option<u64>) {
        if let Some(value) = value {
            self.got.add(value);
            self.queue.task_done().expect("it was put");
        }
    }

    /// What a task does: it puts this value, or gets one.
    async fn visit(self: Arc<Self>, value: Option<u64>) {
        match value {
            Some(value) => self.has_put(value, self.queue.put_async(value).await.is_ok()),
            None => self.has_got(self.queue.get_async().await.ok()),
        }
    }

    /// One call, and the task that it makes, if it makes one, and whether that may be cancelled.
    fn call(self: &Arc<Self>, luck: &mut Luck) -> Option<(ThreadFuture<(), Infallible>, bool)> {
        let (queue, value) = (&self.queue, self.next.fetch_add(1, Relaxed));
        let mut cx = Context::from_waker(Waker::noop());
        self.asked.fetch_add(1, Relaxed);
        match luck.below(8) {
            0 => self.has_put(value, queue.try_put(value).is_ok()),
            1 => self.has_put(value, queue.put_timeout(value, LIMIT).is_ok()),
            2 => self.has_got(queue.try_get().expect("it is open")),
            3 => self.has_got(queue.get_timeout(LIMIT).ok()),
            4 => {
                // Dropped where it stands, or with what was promised to it.
                let gets = pin!(queue.get_async());
                if let Poll::Ready(got) = gets.poll(&mut cx) {
                    self.has_got(got.ok());
                }
            }
            5 => {
                let mut puts = queue.put_async(value);
                let is_put = Pin::new(&mut puts).poll(&mut cx).is_ready();
                self.has_put(value, is_put || puts.take_back().is_none());
            }
            what => {
                let gets = what == 7;
                let visit = Arc::clone(self).visit((!gets).then_some(value));
                let task =
                    bridge::run_coroutine_threadsafe(visit, &self.loops[luck.below(2) as usize]);
                return Some((task.expect("the loop is open"), gets));
            }
        }
        None
    }

    fn run(self: &Arc<Self>, seed: u64, operations: u64) {
        let mut luck = Luck(seed);
        let mut tasks = Vec::new();
        for _ in 0..operations {
            tasks.extend(self.call(&mut luck));
            if tasks.len() > 4 {
                self.end(&tasks.swap_remove(luck.below(4) as usize), luck.below(2) == 0);
            }
        }
        for task in &tasks {
            self.end(task, true);
        }
    }

    /// Returns when the task has ended, which may wait for a value, or for room.
    fn end(&self, (task, may_be_cancelled): &(ThreadFuture<(), Infallible>, bool), cancels: bool) {
        if *may_be_cancelled && cancels {
            task.cancel();
        }
        while task.wait_timeout(LIMIT).is_err() {
            let value = self.next.fetch_add(1, Relaxed);
            self.has_put(value, self.queue.try_put(value).is_ok());
            self.has_got(self.queue.try_get().expect("it is open"));
        }
    }
}

pub(crate) fn soak(operations: u64) -> Balance {
    on_loops(|loops| {
        let values = Arc::new(Values {
            queue: Queue::bounded(ROOM),
            loops,
            next: AtomicU64::new(0),
            put: Sum::default(),
            got: Sum::default(),
            asked: AtomicU64::new(0),
        });
        thread::scope(|scope| {
            for seed in 1..=THREADS {
                let values = &values;
                let seed = 0xA076_1D64_78BD_642F ^ seed << 32;
                scope.spawn(move || values.run(seed, operations / THREADS));
            }
        });
        let [got, _] = values.got.read();
        values.queue.close_and_drain().into_iter().for_each(|value| values.got.add(value));
        let is_joined = values.queue.join_timeout(Duration::ZERO).is_ok();
        let nobody = "putting: 0, getting: 0, joining: 0";
        let mut wrong = u64::from(!format!("{:?}", values.queue).contains(nobody));
        wrong += u64::from(!is_joined) + u64::from(values.put.read() != values.got.read());
        Balance { asked: values.asked.load(Relaxed), got, wrong }
    })
}
