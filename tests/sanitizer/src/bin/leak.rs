//! Leaks, on purpose: a tool that does not report this program would report no leak of ours.

use std::hint::black_box;

/// Apart, so that no register or stack slot of `main` still points to it at the end.
#[inline(never)]
fn leak(number: u64) {
    std::mem::forget(black_box(Box::new(number)));
}

fn main() {
    // More than one, and then other work on the stack: a stale copy of a pointer may hide one.
    (0..16).for_each(leak);
    println!("leaked {}", black_box(16));
}
