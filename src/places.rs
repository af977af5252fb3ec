//! The places of those who are served in order, and leave from any of them.

use alloc::{collections::VecDeque, vec::Vec};
use core::hash::{Hash, Hasher};

/// What has a number each, in their order, which is that in which they came. Who is alone needs no memory of his own;
/// who leaves is found by halving, and leaves a hole.
#[derive(Clone, Debug)]
pub(crate) struct Places<T, N = u64> {
    /// One who came when there was nobody, so that he is before all others.
    first: Option<(N, T)>,
    others: VecDeque<(N, Option<T>)>,
    /// How many of the others are holes. The front is none.
    holes: usize,
}

impl<T, N> Default for Places<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, N> Places<T, N> {
    pub(crate) const fn new() -> Self {
        Self { first: None, others: VecDeque::new(), holes: 0 }
    }
}

/// How many places are kept when nobody stands there any more.
const KEPT: usize = 32;

impl<T, N: Ord + Copy> Places<T, N> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len() - self.holes
    }

    /// The number of the first.
    pub(crate) fn first(&self) -> Option<N> {
        let first = self.first.as_ref().map(|(number, _)| *number);
        first.or_else(|| self.others.front().map(|(number, _)| *number))
    }

    /// The number is greater than those before.
    pub(crate) fn push(&mut self, number: N, it: T) {
        if self.is_empty() {
            self.first = Some((number, it));
        } else {
            self.others.push_back((number, Some(it)));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    /// Takes the first of them out, if its number is below `end`.
    pub(crate) fn pop_below(&mut self, end: N) -> Option<T> {
        self.first().filter(|first| *first < end)?;
        self.pop()
    }

    /// Takes the first of them out.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if let Some((_, first)) = self.first.take() {
            return Some(first);
        }
        let (_, it) = self.others.pop_front()?;
        self.close_front();
        it
    }

    /// Takes all out, in their order.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = T> + use<T, N> {
        self.holes = 0;
        let first = self.first.take().map(|(_, it)| it);
        let others = core::mem::take(&mut self.others);
        first.into_iter().chain(others.into_iter().filter_map(|(_, it)| it))
    }

    /// Takes one out, if it is still there.
    pub(crate) fn remove(&mut self, number: N) -> Option<T> {
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

    pub(crate) fn get_mut(&mut self, number: N) -> Option<&mut T> {
        if self.first.as_ref().is_some_and(|(first, _)| *first == number) {
            return self.first.as_mut().map(|(_, it)| it);
        }
        let at = self.find(number)?;
        self.others[at].1.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.numbered().map(|(_, it)| it)
    }

    fn numbered(&self) -> impl Iterator<Item = (N, &T)> {
        let first = self.first.iter().map(|(number, it)| (*number, it));
        first.chain(self.others.iter().filter_map(|(number, it)| Some((*number, it.as_ref()?))))
    }

    /// Takes those out that are not to stay, in their order.
    pub(crate) fn extract(&mut self, stays: impl Fn(&T) -> bool) -> Vec<T> {
        let first = self.first.take_if(|(_, it)| !stays(it)).map(|(_, it)| it);
        let mut taken = Vec::from_iter(first);
        for (number, place) in core::mem::take(&mut self.others) {
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

    /// The front is no hole; what many have needed goes with the last of them.
    fn close_front(&mut self) {
        while let Some((_, None)) = self.others.front() {
            self.others.pop_front();
            self.holes -= 1;
        }
        if self.others.is_empty() && self.others.capacity() > KEPT {
            self.others = VecDeque::new();
        }
    }
}

/// Two are the same in which the same stand: where others have left does not count.
impl<T: PartialEq, N: Ord + Copy> PartialEq for Places<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self.numbered().eq(other.numbered())
    }
}

impl<T: Eq, N: Ord + Copy> Eq for Places<T, N> {}

impl<T: Hash, N: Ord + Copy + Hash> Hash for Places<T, N> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.numbered().for_each(|place| place.hash(hasher));
    }
}
