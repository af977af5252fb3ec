#![cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#![doc = include_str!("guide.md")]

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("threads.md")]
pub mod threads {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("loops.md")]
pub mod loops {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("processes.md")]
pub mod processes {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("python.md")]
pub mod python {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("tokio.md")]
pub mod tokio {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("futures.md")]
pub mod futures {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("rayon.md")]
pub mod rayon {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("folly_and_kotlin.md")]
pub mod folly_and_kotlin {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("schedules.md")]
pub mod schedules {}

#[cfg_attr(not(doctest), doc = include_str!("../links.md"))]
#[doc = include_str!("tracing.md")]
pub mod tracing {}
