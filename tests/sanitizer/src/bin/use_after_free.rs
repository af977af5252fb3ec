//! Reads freed memory, on purpose: a tool that does not report this program would report no use
//! after free of ours.
#![expect(unsafe_code, reason = "the error is what it is there for")]

use std::hint::black_box;

fn main() {
    let boxed = black_box(Box::into_raw(Box::new(42_u64)));
    // SAFETY: it came from `Box::into_raw` and is freed once.
    drop(unsafe { Box::from_raw(boxed) });
    // SAFETY: none. This is the seeded error.
    println!("read {}", unsafe { boxed.read_volatile() });
}
