//! Programs as users write them, and beside each a twin with tokio that does the same.

pub mod actor;
pub mod callbacks;
pub mod frames;
pub mod handler;
pub mod job_queue;
pub mod toolkit;
pub mod twins;
