//! The queue of a pool: first in, first out, but for the jobs that a worker takes because it waits for them.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    blocking::{Awaited, Cells, Looked, Wanted},
    cell::Address,
    context::Id,
    waiter::{Brings, Job},
};

/// How many jobs are looked at one after the other before an index is made.
const FEW: usize = 8;

/// Jobs, each with a number that grows and never comes again. Taking one costs the same wherever it is, and however
/// many there are.
#[derive(Default)]
pub(super) struct Jobs {
    /// In the order of their numbers. Those that were taken leave a hole.
    places: VecDeque<(u64, Option<Job>)>,
    len: usize,
    /// The number of the next.
    next: u64,
    /// The numbers of the jobs by what they bring about. Made when somebody looks for a job among many, and kept until
    /// none is left.
    index: Option<BTreeSet<(Brings, u64)>>,
}

impl Jobs {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, job: Job) {
        if let Some(index) = &mut self.index {
            index.extend(job.brings().map(|it| (it, self.next)));
        }
        self.places.push_back((self.next, Some(job)));
        self.next += 1;
        self.len += 1;
    }

    /// The number of the next job that comes.
    pub(super) const fn end(&self) -> u64 {
        self.next
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Job> {
        self.pop_before(self.next)
    }

    /// Takes the first of those whose numbers are less.
    pub(super) fn pop_before(&mut self, end: u64) -> Option<Job> {
        loop {
            let (number, job) = self.places.pop_front_if(|(number, _)| *number < end)?;
            if let Some(job) = job {
                self.is_gone(number, &job);
                return Some(job);
            }
        }
    }

    /// Takes all, in their order.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Job> + use<> {
        self.len = 0;
        self.index = None;
        std::mem::take(&mut self.places).into_iter().filter_map(|(_, job)| job)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.places.iter().filter_map(|(_, job)| job.as_ref())
    }

    /// Whether a job is there that brings this about.
    pub(super) fn has(&mut self, wanted: Brings) -> bool {
        if self.places.len() <= FEW {
            return self.iter().any(|job| job.brings().any(|it| it == wanted));
        }
        self.numbers(wanted, 0).next().is_some()
    }

    /// Whether a job is there that is a part of what is wanted of these cells.
    pub(super) fn holds(&mut self, cells: &Cells, wanted: Wanted) -> bool {
        cells.needs(wanted).any(|it| self.has(it))
    }

    /// Takes the first that is. Whoever asks again with the same notes asks for no cell besides.
    pub(super) fn take(
        &mut self,
        cells: &Cells,
        wanted: Wanted,
        looked: &mut Looked,
    ) -> Option<Job> {
        let is_wanted = |job: &Job| job.brings().any(|it| cells.need(wanted, it));
        let begin = self.places.partition_point(|(number, _)| *number < looked.until);
        // Of the jobs that it has not looked at and the cells, one after the other of those that are fewer.
        if self.places.len() - begin <= cells.len().max(FEW) {
            let new = self.places.range(begin..);
            let new = new.filter(|(_, job)| job.as_ref().is_some_and(is_wanted));
            looked.wanted.extend(new.map(|(number, _)| *number));
        } else {
            let needs = cells.needs(wanted);
            let mut new: Vec<_> = needs.flat_map(|it| self.numbers(it, looked.until)).collect();
            new.sort_unstable();
            looked.wanted.extend(new);
        }
        looked.until = self.next;
        while let Some(number) = looked.wanted.pop_front() {
            let Some(at) = self.find(number) else { continue };
            // What it was to bring about may be so by now, and is not waited for then.
            if let Some(job) = self.places[at].1.take_if(|job| is_wanted(job)) {
                self.is_gone(number, &job);
                return Some(job);
            }
        }
        None
    }

    /// What the first of those settles that are awaited on this loop, which has noted this. A job is looked at when it has
    /// come, and when somebody has begun to await what it settles.
    pub(super) fn first_awaited_on(&mut self, home: Id, awaited: &mut Awaited) -> Option<Address> {
        let begin = self.places.partition_point(|(number, _)| *number < awaited.until);
        let is_awaited = |job: &Job| job.is_awaited_on(home);
        let came = self.places.range(begin..);
        let came = came.filter(|(_, job)| job.as_ref().is_some_and(is_awaited));
        awaited.jobs.extend(came.map(|(number, _)| *number));
        for cell in std::mem::take(&mut awaited.new) {
            awaited.jobs.extend(self.numbers(Brings::Settled(cell), 0));
        }
        awaited.until = self.next;
        while let Some(number) = awaited.jobs.first() {
            let job = self.find(*number).and_then(|at| self.places[at].1.as_ref());
            if let Some(job) = job.filter(|job| is_awaited(job)) {
                return job.settles();
            }
            // It is gone, or nobody awaits it any more.
            awaited.jobs.pop_first();
        }
        None
    }

    fn find(&self, number: u64) -> Option<usize> {
        self.places.binary_search_by_key(&number, |(number, _)| *number).ok()
    }

    /// The numbers of the jobs that bring this about, from this number on.
    fn numbers(&mut self, wanted: Brings, from: u64) -> impl Iterator<Item = u64> + use<> {
        let index = self.index.get_or_insert_with(|| {
            let places =
                self.places.iter().filter_map(|(number, job)| Some((*number, job.as_ref()?)));
            places.flat_map(|(number, job)| job.brings().map(move |it| (it, number))).collect()
        });
        let numbers = index.range((wanted, from)..=(wanted, u64::MAX));
        numbers.map(|(_, number)| *number).collect::<Vec<_>>().into_iter()
    }

    /// This job was taken out of its place.
    fn is_gone(&mut self, number: u64, job: &Job) {
        self.len -= 1;
        if let Some(index) = &mut self.index {
            job.brings().for_each(|it| _ = index.remove(&(it, number)));
        }
        if self.len == 0 {
            self.places.clear();
            self.index = None;
        } else if self.places.len() > 2 * self.len + FEW {
            // As many holes as were made since it was last done.
            self.places.retain(|(_, job)| job.is_some());
        }
    }
}
