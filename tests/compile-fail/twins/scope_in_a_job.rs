// A scope stays in the thread that made it.
use settled::{ThreadPool, scope};

fn main() {
    let pool = ThreadPool::default();
    scope(&pool, |scope| {
        scope.submit(|| true).unwrap().join().unwrap();
    })
    .unwrap();
}
