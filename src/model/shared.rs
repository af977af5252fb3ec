//! Parts that one state has in common with the next.

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::{Deref, DerefMut},
    sync::Arc,
};

use ahash::RandomState;

/// A part of a state, which is copied when it is changed and not before: a step changes few.
#[derive(Clone, Default)]
pub(super) struct Shared<T>(Arc<Part<T>>);

#[derive(Clone, Default)]
struct Part<T> {
    is: T,
    /// Its hash, if it was not changed since that was remembered.
    hash: Option<u64>,
}

/// What is equal has one hash, whoever asks and whenever.
static HASHER: RandomState = RandomState::with_seeds(1, 2, 3, 4);

impl<T> Shared<T> {
    pub(super) fn new(is: T) -> Self {
        Self(Arc::new(Part { is, hash: None }))
    }
}

impl<T: Hash> Shared<T> {
    /// Whether it was changed since its hash was remembered.
    pub(super) fn is_changed(&self) -> bool {
        self.0.hash.is_none()
    }

    fn fingerprint(&self) -> u64 {
        self.0.hash.unwrap_or_else(|| HASHER.hash_one(&self.0.is))
    }

    /// Remembers the hash of what was changed, which nobody has in common with this yet.
    pub(super) fn remember(&mut self) {
        if self.is_changed() {
            let hash = self.fingerprint();
            if let Some(part) = Arc::get_mut(&mut self.0) {
                part.hash = Some(hash);
            }
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.is
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        let part = Arc::make_mut(&mut self.0);
        part.hash = None;
        &mut part.is
    }
}

/// Two of one hash may differ: that they are equal is told by what they are.
impl<T: Hash + PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || self.fingerprint() == other.fingerprint() && **self == **other
    }
}

impl<T: Hash + Eq> Eq for Shared<T> {}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint());
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
