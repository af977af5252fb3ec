#![doc = include_str!("guide.md")]

#[doc = include_str!("python.md")]
pub mod python {}

#[doc = include_str!("tokio.md")]
pub mod tokio {}

#[doc = include_str!("futures.md")]
pub mod futures {}

#[doc = include_str!("rayon.md")]
pub mod rayon {}

#[doc = include_str!("folly_and_kotlin.md")]
pub mod folly_and_kotlin {}

#[doc = include_str!("schedules.md")]
pub mod schedules {}
