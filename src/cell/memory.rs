//! The memory of cells: what a thread frees, it keeps for the next cells that it makes.
//!
//! ```text
//! who                        what                                           when
//! whoever makes a cell       takes memory of its size from his thread's     if there is some, or else from the allocator
//!                            shelf
//! whoever frees a cell       puts it on his thread's shelf                  if there is room, or else gives it back
//! a thread that ends         gives all of it back                           with its last thread-locals; who frees later gives back
//! ```
//!
//! A shelf is one thread's: nothing here is locked, and nothing is looked for. Memory that travels with a cell stays where the
//! cell ends. With `--cfg settled_allocates`, and under loom and shuttle, there are no shelves: whoever watches the allocator
//! sees every cell. `[cell-4]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    ptr::NonNull,
};

/// Puts this in memory of its own.
#[inline(always)]
pub(super) fn make<C>(value: C) -> NonNull<C> {
    let memory = shelf::take::<C>().unwrap_or_else(fresh);
    // SAFETY: it is memory for one of these, and nobody else has it.
    unsafe { memory.write(value) };
    memory
}

/// Frees the memory.
///
/// # Safety
///
/// It was [made](make), what was there is out, nobody else has it, and it is not used again.
#[inline(always)]
pub(super) unsafe fn free<C>(memory: NonNull<C>) {
    // SAFETY: by the contract.
    if !unsafe { shelf::put(memory) } {
        // SAFETY: as above.
        unsafe { give_back(memory.cast(), Layout::new::<C>()) };
    }
}

#[inline(never)]
fn fresh<C>() -> NonNull<C> {
    let layout = Layout::new::<C>();
    // SAFETY: a cell has a size.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// # Safety
///
/// It came from the allocator, for this layout, and is not used again.
#[inline(never)]
unsafe fn give_back(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: by the contract.
    unsafe { dealloc(memory.as_ptr(), layout) };
}

#[cfg(not(any(settled_allocates, settled_loom, settled_shuttle)))]
mod shelf {
    use std::{alloc::Layout, cell::Cell, ptr::NonNull};

    use super::give_back;

    /// As many pieces of each size as a thread keeps.
    const MOST: usize = 1_024;
    /// In bytes, the size that is kept up to, and the step from one size to the next, which all are aligned to.
    const LARGEST: usize = 128;
    const STEP: usize = 8;

    /// A piece that is kept: where the next is.
    struct Piece(Option<NonNull<Piece>>);

    /// The first piece of a size, and how many there are.
    struct Pieces {
        first: Cell<Option<NonNull<Piece>>>,
        count: Cell<usize>,
    }

    impl Pieces {
        const fn none() -> Self {
            Self { first: Cell::new(None), count: Cell::new(0) }
        }
    }

    /// The pieces of each size.
    struct Shelf([Pieces; LARGEST / STEP + 1]);

    thread_local! {
        static SHELF: Shelf = const { Shelf([const { Pieces::none() }; LARGEST / STEP + 1]) };
    }

    /// Where pieces for one of these are, if they are kept.
    const fn place(layout: Layout) -> Option<usize> {
        let fits = layout.align() == STEP && layout.size() <= LARGEST;
        if fits && layout.size() >= size_of::<Piece>() { Some(layout.size() / STEP) } else { None }
    }

    /// Memory for one of these.
    #[inline(always)]
    pub(super) fn take<C>() -> Option<NonNull<C>> {
        let place = const { place(Layout::new::<C>()) }?;
        let taken = SHELF.try_with(|shelf| {
            let Pieces { first, count } = &shelf.0[place];
            let piece = first.get()?;
            // SAFETY: what is on the shelf is the shelf's, and was written when it was put there.
            first.set(unsafe { piece.as_ref() }.0);
            count.set(count.get() - 1);
            Some(piece.cast())
        });
        taken.ok().flatten()
    }

    /// Keeps it, if there is room.
    ///
    /// # Safety
    ///
    /// It came from the allocator, for one of these, which is out. If it is kept, it is not used again.
    #[inline(always)]
    pub(super) unsafe fn put<C>(memory: NonNull<C>) -> bool {
        let Some(place) = (const { place(Layout::new::<C>()) }) else { return false };
        let keep = |shelf: &Shelf| {
            let Pieces { first, count } = &shelf.0[place];
            if count.get() == MOST {
                return false;
            }
            let piece = memory.cast::<Piece>();
            // SAFETY: by the contract it is nobody's, and it is as large and aligned as that.
            unsafe { piece.write(Piece(first.get())) };
            first.set(Some(piece));
            count.set(count.get() + 1);
            true
        };
        SHELF.try_with(keep).unwrap_or(false)
    }

    impl Drop for Shelf {
        fn drop(&mut self) {
            for (place, pieces) in self.0.iter().enumerate() {
                let layout = Layout::from_size_align(place * STEP, STEP);
                let layout = layout.expect("the sizes are small");
                let mut next = pieces.first.take();
                while let Some(piece) = next {
                    // SAFETY: what is on the shelf is the shelf's, and was written when it was put there.
                    next = unsafe { piece.as_ref() }.0;
                    // SAFETY: it came from the allocator for a cell of this size, and is on the shelf no more.
                    unsafe { give_back(piece.cast(), layout) };
                }
            }
        }
    }
}

#[cfg(any(settled_allocates, settled_loom, settled_shuttle))]
mod shelf {
    use std::ptr::NonNull;

    pub(super) const fn take<C>() -> Option<NonNull<C>> {
        None
    }

    pub(super) const unsafe fn put<C>(_memory: NonNull<C>) -> bool {
        false
    }
}
