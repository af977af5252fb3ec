//! The first of many, with a timeout: `cargo run --example first_of_many`.

use std::{thread, time::Duration};

use settled::{Executor, ReturnWhen, ThreadPool, wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = ThreadPool::default();
    let mirrors = ["one", "two", "three"];
    let ask = |name: &'static str| {
        pool.submit(move || {
            thread::sleep(Duration::from_millis(10 * name.len() as u64));
            format!("an answer from {name}")
        })
    };
    let answers: Vec<_> = mirrors.into_iter().map(ask).collect::<Result<_, _>>()?;
    let timeout = Some(Duration::from_secs(60));
    let (done, late) = wait(&answers, timeout, ReturnWhen::FirstCompleted)?;
    let (place, _) = *done.first().ok_or("nobody answered in time")?;
    println!("{} are cancelled, if they have not begun", late.len());
    late.iter().for_each(|(_, future)| println!("{:?}", future.cancel()));
    let first = answers.into_iter().nth(place).expect("it is one of them");
    println!("mirror {}: {}", mirrors[place], first.join()?);
    Ok(())
}
