//! A reader that waits for an event, with a timeout and until Ctrl-C.

use std::{error::Error, thread, time::Duration};

use settled::{Interrupt, WaitError, primitives::Event};

fn main() -> Result<(), Box<dyn Error>> {
    let (ready, interrupt) = (Event::new(), Interrupt::new());
    let handler = interrupt.clone();
    ctrlc::set_handler(move || handler.interrupt())?;

    let writer = ready.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        writer.set();
    });

    let _entered = interrupt.enter();
    loop {
        match ready.wait_timeout(Duration::from_millis(20)) {
            Ok(()) => break println!("there is something to read"),
            Err(WaitError::Expired(_)) => println!("nothing yet"),
            Err(WaitError::Interrupted) => break println!("interrupted"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
