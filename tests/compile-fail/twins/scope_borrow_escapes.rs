// A job of a scope borrows only what lives longer than the scope.
use settled::{ThreadPool, scope};

fn main() {
    let pool = ThreadPool::default();
    scope(&pool, |scope| {
        let inside = 1;
        scope.submit(move || inside + 1).unwrap().join().unwrap();
    })
    .unwrap();
}
