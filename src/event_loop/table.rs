//! The tasks of a loop.

use std::{cell::RefCell, collections::HashMap};

use super::{ids::ById, task::Task};
use crate::{cell::Address, context::Id};

/// How many that have ended are kept in an index of few.
const FEW: usize = 8;

/// Those that have not ended.
#[derive(Default)]
pub(super) struct Tasks {
    all: RefCell<ById<Task>>,
    /// Which of them settles what, and which did that have ended; made when that is asked, and kept until none is left.
    settles: RefCell<Option<HashMap<Address, Id>>>,
}

impl Tasks {
    pub(super) fn enter(&self, task: Task) {
        let mut all = self.all.borrow_mut();
        let mut settles = self.settles.borrow_mut();
        // It is made anew when most of those have ended.
        settles.take_if(|known| known.len() > 2 * all.len() + FEW);
        if let Some(known) = &mut *settles {
            known.extend(task.settles().map(|cell| (cell, task.id())));
        }
        all.insert(task.id(), task);
    }

    pub(super) fn leave(&self, id: Id) {
        let mut all = self.all.borrow_mut();
        let ended = all.remove(&id);
        if all.is_empty() {
            self.settles.take();
        }
        drop(all);
        drop(ended);
    }

    pub(super) fn get(&self, id: Id) -> Option<Task> {
        self.all.borrow().get(&id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.all.borrow().len()
    }

    /// All, in the order in which they were made.
    pub(super) fn in_order(&self) -> Vec<Task> {
        let mut all: Vec<_> = self.all.borrow().values().cloned().collect();
        all.sort_by_key(Task::id);
        all
    }

    pub(super) fn that_settles(&self, cell: Address) -> Option<Id> {
        let all = self.all.borrow();
        let mut settles = self.settles.borrow_mut();
        let settles = settles.get_or_insert_with(|| {
            all.values().filter_map(|task| Some((task.settles()?, task.id()))).collect()
        });
        let settles_it = |id: &Id| all.get(id).is_some_and(|task| task.settles() == Some(cell));
        settles.get(&cell).copied().filter(settles_it)
    }
}
