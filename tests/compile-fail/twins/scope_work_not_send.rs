// A job of a scope goes to another thread, with what it borrows.
use std::cell::Cell;
use settled::{ThreadPool, scope};

fn main() {
    let (pool, cell) = (ThreadPool::default(), Cell::new(1));
    let number = cell.get();
    scope(&pool, |scope| {
        scope.submit(|| number).unwrap().join().unwrap();
    })
    .unwrap();
    assert_eq!(number, 1);
}
