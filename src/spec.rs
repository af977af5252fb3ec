#![doc = include_str!("links.md")]
#![doc = include_str!("pictures.md")]
#![doc = include_str!("../spec/README.md")]

#[doc = include_str!("links.md")]
#[doc = include_str!("pictures.md")]
#[doc = include_str!("../spec/architecture.md")]
pub mod architecture {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/accidents.md")]
pub mod accidents {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/bugs.md")]
pub mod bugs {}

// Not all of `links.md`: a clause that is told is no link to itself.
#[doc = "[bugs.md]: crate::spec::bugs"]
#[doc = "[differences.md]: crate::spec::differences"]
#[doc = "[proven.md]: crate::spec::proven"]
#[doc = include_str!("../spec/clauses.md")]
pub mod clauses {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/cost.md")]
pub mod cost {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/counterexamples.md")]
pub mod counterexamples {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/coverage.md")]
pub mod coverage {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/differences.md")]
pub mod differences {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/errors.md")]
pub mod errors {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/evidence.md")]
pub mod evidence {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/flips.md")]
pub mod flips {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/loops.md")]
pub mod loops {}

#[doc = include_str!("links.md")]
#[doc = include_str!("pictures.md")]
#[doc = include_str!("../spec/machine.md")]
pub mod machine {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/memory.md")]
pub mod memory {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/primitives.md")]
pub mod primitives {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/processes.md")]
pub mod processes {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/proven.md")]
pub mod proven {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/python.md")]
pub mod python {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/questions.md")]
pub mod questions {}

#[doc = include_str!("links.md")]
#[doc = include_str!("pictures.md")]
#[doc = include_str!("../spec/speed.md")]
pub mod speed {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/survivors.md")]
pub mod survivors {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../spec/threads.md")]
pub mod threads {}

#[doc = include_str!("links.md")]
#[doc = include_str!("pictures.md")]
#[doc = include_str!("../spec/why.md")]
pub mod why {}
