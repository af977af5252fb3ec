// Nothing is submitted to a scope that is over.
use settled::{ThreadPool, scope};

fn main() {
    let pool = ThreadPool::default();
    let kept = scope(&pool, |scope| {
        scope.submit(|| 1).unwrap();
        scope
    });
    kept.unwrap();
}
