//! Lists that are short, and mostly empty.

use std::{
    hash::{Hash, Hasher},
    ops::{Deref, DerefMut},
    slice,
};

use smallvec::{IntoIter, SmallVec};

/// A list that costs nothing where it is empty, and no memory elsewhere where it is short. A vector is compared by
/// `memcmp` if its items are bytes or numbers, which of two empty ones took longer than all the rest of a state: it looks
/// where they have nothing.
#[derive(Debug, Eq)]
pub(super) struct List<T>(Short<T>);

type Short<T> = SmallVec<[T; 4]>;

impl<T> List<T> {
    pub(super) const fn new() -> Self {
        Self(SmallVec::new_const())
    }
}

impl<T: Clone> Clone for List<T> {
    fn clone(&self) -> Self {
        if self.is_empty() { Self::new() } else { Self(self.0.clone()) }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(&other.0).all(|(one, other)| one == other)
    }
}

impl<T: Hash> Hash for List<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        if !self.is_empty() {
            T::hash_slice(&self.0, state);
        }
    }
}

impl<T> Deref for List<T> {
    type Target = Short<T>;

    fn deref(&self) -> &Short<T> {
        &self.0
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Short<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items.into())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = IntoIter<[T; 4]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
