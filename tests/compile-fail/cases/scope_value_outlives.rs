// What a job of a scope returns lives no longer than what it borrows.
use settled::{ThreadPool, scope};

fn main() {
    let pool = ThreadPool::default();
    let text = "borrowed".to_owned();
    let part = scope(&pool, |scope| scope.submit(|| &text[1..]).unwrap().join().unwrap());
    drop(text);
    part.unwrap();
}
