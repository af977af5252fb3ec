//! A window that loads pages, and sleeps while nothing happens, as one of winit does with `ControlFlow::Wait`.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
};

use anyhow::Result;
use settled::{
    Executor, ThreadPool,
    host::{Host, job_queue},
};

use super::toolkit::Event;

/// Runs until the window is closed. Each page has its line, in the order in which they were opened.
pub fn run(
    events: Receiver<Event>,
    proxy: Sender<Event>,
    load: fn(&str) -> Result<String>,
    draw: &mut dyn FnMut(&[String]),
) -> Result<()> {
    let pool = ThreadPool::default();
    let (sender, mut queue) = job_queue();
    queue.set_wake_hook(move || drop(proxy.send(Event::Wake)));
    let host = Host::new(Arc::new(sender));
    let lines = Rc::new(RefCell::new(Vec::new()));
    for event in events {
        match event {
            Event::Open(name) => {
                let place = lines.borrow().len();
                lines.borrow_mut().push(format!("{name}: loading"));
                let (page, lines) = (pool.submit_result(move || load(&name))?, Rc::clone(&lines));
                host.wrap_future(&page).add_done_callback(move |page| {
                    lines.borrow_mut()[place] = match page.result() {
                        Ok(text) => text.clone(),
                        Err(failure) => format!("{failure:#}"),
                    };
                });
            }
            Event::Wake => drop(queue.run_pending()),
            Event::Close => break,
        }
        draw(&lines.borrow());
    }
    Ok(())
}
