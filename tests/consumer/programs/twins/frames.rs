//! The same with tokio's oneshot channel.

use std::sync::mpsc::{Receiver, Sender};

use anyhow::Result;
use tokio::{
    runtime::Runtime,
    sync::oneshot::{self, error::TryRecvError},
    task::spawn_blocking,
};

use crate::programs::toolkit::Event;

/// Runs until the window is closed. Each page has its line, in the order in which they were opened.
pub fn run(
    events: Receiver<Event>,
    proxy: Sender<Event>,
    load: fn(&str) -> Result<String>,
    draw: &mut dyn FnMut(&[String]),
) -> Result<()> {
    let runtime = Runtime::new()?;
    let (mut lines, mut loading) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Open(name) => {
                let (place, proxy) = (lines.len(), proxy.clone());
                lines.push(format!("{name}: loading"));
                let (sender, receiver) = oneshot::channel();
                loading.push((place, receiver));
                runtime.spawn(async move {
                    // Of a task of its own, so that a panic is seen.
                    let page = spawn_blocking(move || load(&name)).await;
                    let _ = sender.send(page);
                    let _ = proxy.send(Event::Wake);
                });
            }
            Event::Wake => loading.retain_mut(|(place, receiver)| {
                lines[*place] = match receiver.try_recv() {
                    Ok(Ok(Ok(text))) => text,
                    Ok(Ok(Err(error))) => format!("{error:#}"),
                    Ok(Err(panic)) => format!("{panic:#}"),
                    Err(TryRecvError::Closed) => "lost".to_owned(),
                    Err(TryRecvError::Empty) => return true,
                };
                false
            }),
            Event::Close => break,
        }
        draw(&lines);
    }
    Ok(())
}
