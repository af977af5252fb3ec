//! A line of those who are served in order, and leave it from any place.

use std::collections::VecDeque;

/// What has a number each, in their order, which is that in which they came. Who is alone needs no memory of his own;
/// who leaves is found by halving, and leaves a hole.
pub(super) struct Line<T, N = u64> {
    /// One who came when there was nobody, so that he is before all others.
    first: Option<(N, T)>,
    others: VecDeque<(N, Option<T>)>,
    /// How many of the others are holes. The front is none.
    holes: usize,
}

impl<T, N> Default for Line<T, N> {
    fn default() -> Self {
        Self { first: None, others: VecDeque::new(), holes: 0 }
    }
}

impl<T, N: Ord + Copy> Line<T, N> {
    /// The number is greater than those before.
    pub(super) fn push(&mut self, number: N, it: T) {
        if self.is_empty() {
            self.first = Some((number, it));
        } else {
            self.others.push_back((number, Some(it)));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    /// Takes the first of them out, if its number is below `end`.
    pub(super) fn pop_below(&mut self, end: N) -> Option<T> {
        if let Some((number, _)) = self.first {
            return self.first.take_if(|_| number < end).map(|(_, it)| it);
        }
        if self.others.front()?.0 >= end {
            return None;
        }
        let (_, it) = self.others.pop_front()?;
        self.close_front();
        it
    }

    /// Takes one out, if it is still there.
    pub(super) fn remove(&mut self, number: N) -> Option<T> {
        if let Some((_, first)) = self.first.take_if(|(first, _)| *first == number) {
            return Some(first);
        }
        let at = self.find(number)?;
        let it = self.others[at].1.take();
        self.holes += usize::from(it.is_some());
        self.close_front();
        // As many as have left, so that each pays for one.
        if 2 * self.holes > self.others.len() {
            self.others.retain(|(_, it)| it.is_some());
            self.holes = 0;
        }
        it
    }

    pub(super) fn get_mut(&mut self, number: N) -> Option<&mut T> {
        if self.first.as_ref().is_some_and(|(first, _)| *first == number) {
            return self.first.as_mut().map(|(_, it)| it);
        }
        let at = self.find(number)?;
        self.others[at].1.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let first = self.first.iter().map(|(_, it)| it);
        first.chain(self.others.iter().filter_map(|(_, it)| it.as_ref()))
    }

    /// Takes those out that are not to stay, in their order.
    pub(super) fn extract(&mut self, stays: impl Fn(&T) -> bool) -> Vec<T> {
        let first = self.first.take_if(|(_, it)| !stays(it)).map(|(_, it)| it);
        let mut taken = Vec::from_iter(first);
        for (number, place) in std::mem::take(&mut self.others) {
            let Some(it) = place else { continue };
            if stays(&it) {
                self.others.push_back((number, Some(it)));
            } else {
                taken.push(it);
            }
        }
        self.holes = 0;
        taken
    }

    fn find(&self, number: N) -> Option<usize> {
        self.others.binary_search_by_key(&number, |place| place.0).ok()
    }

    fn close_front(&mut self) {
        while let Some((_, None)) = self.others.front() {
            self.others.pop_front();
            self.holes -= 1;
        }
    }
}
