//! The same programs with tokio.

pub mod actor;
pub mod callbacks;
pub mod frames;
pub mod handler;
pub mod job_queue;
