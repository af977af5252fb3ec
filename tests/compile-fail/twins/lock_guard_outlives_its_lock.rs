// A guard borrows its lock, and goes before it; `into_owned` makes one that does not.
use settled::primitives::{Lock, LockGuard};

fn locked<'a>() -> LockGuard<'a, u32> {
    let lock = Lock::new(1);
    lock.try_lock().unwrap().into_owned()
}

fn main() {
    drop(locked());
}
