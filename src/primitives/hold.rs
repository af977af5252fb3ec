//! How somebody has what he uses: borrowed, or as an owner among others.

use std::{fmt, ops::Deref, sync::Arc};

/// What keeps it alive meanwhile.
pub(super) enum Hold<'a, C> {
    Borrowed(&'a Arc<C>),
    Owned(Arc<C>),
}

impl<C> Hold<'_, C> {
    pub(super) fn into_owned(self) -> Hold<'static, C> {
        Hold::Owned(match self {
            Self::Borrowed(it) => Arc::clone(it),
            Self::Owned(it) => it,
        })
    }
}

impl<C> Clone for Hold<'_, C> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(it) => Self::Borrowed(it),
            Self::Owned(it) => Self::Owned(Arc::clone(it)),
        }
    }
}

impl<C> Deref for Hold<'_, C> {
    type Target = C;

    #[inline]
    fn deref(&self) -> &C {
        match self {
            Self::Borrowed(it) => it,
            Self::Owned(it) => it,
        }
    }
}

impl<C: fmt::Debug> fmt::Debug for Hold<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
