//! The stacks of loom's threads, kept for the next execution.
//!
//! Each execution maps a stack for each of its threads, guards its end, and unmaps it: six calls of the system for two threads, and
//! a fault for each page that they touch, which took half the time of a small scenario. loom has no room for what it might keep.
//! So these two functions stand before those of the C library, whose names the linker finds here first. They keep a stack that
//! is unmapped, and give it out again: guarded as it was, and with what was in it.
#![expect(unsafe_code, reason = "functions of the system, under their names")]

use std::{
    ffi::c_void,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nix::libc::{self, c_int, off_t, size_t};

/// How large a stack is, with the page that guards it.
const SIZE: size_t = 0x9000;

/// More are there only if one execution has more threads.
const MOST: usize = 16;

/// Where those are that were mapped here, and those of them that are kept.
struct Stacks {
    all: Vec<usize>,
    kept: Vec<usize>,
}

static STACKS: Mutex<Stacks> = Mutex::new(Stacks { all: Vec::new(), kept: Vec::new() });

fn stacks() -> MutexGuard<'static, Stacks> {
    STACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
///
/// That of the function of the system.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    at: *mut c_void,
    size: size_t,
    access: c_int,
    flags: c_int,
    file: c_int,
    offset: off_t,
) -> *mut c_void {
    let is_stack = at.is_null() && size == SIZE && flags & libc::MAP_STACK != 0;
    if let Some(stack) = is_stack.then(|| stacks().kept.pop()).flatten() {
        return ptr::with_exposed_provenance_mut(stack);
    }
    // SAFETY: the caller's.
    let mapped = unsafe { libc::syscall(libc::SYS_mmap, at, size, access, flags, file, offset) };
    let mapped = ptr::with_exposed_provenance_mut(mapped as usize);
    if is_stack && mapped != libc::MAP_FAILED {
        let all = &mut stacks().all;
        if all.len() < MOST {
            all.push(mapped.expose_provenance());
        }
    }
    mapped
}

/// # Safety
///
/// That of the function of the system.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(at: *mut c_void, size: size_t) -> c_int {
    let (mut stacks, place) = (stacks(), at.expose_provenance());
    if size == SIZE && stacks.all.contains(&place) {
        stacks.kept.push(place);
        return 0;
    }
    drop(stacks);
    // SAFETY: the caller's.
    unsafe { libc::syscall(libc::SYS_munmap, at, size) as c_int }
}
