//! In what arguments and values travel.

use std::{cell::Cell, mem};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    compact::{self, DEPTH},
    deep::Deep,
};

/// In what arguments and values travel between a pool and its workers. A worker of this crate answers in the format in
/// which it is asked. `[process-6]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Compact bytes, as the crate `postcard` writes them; for workers of the same program. Its tag is 1. They do not say
    /// what they are: a field that is left out, by `skip_serializing_if` for instance, makes of what follows something else.
    #[default]
    Postcard,
    /// JSON, for workers in any language. Its tag is 2. Numbers come back as they were, but for infinities and NaN,
    /// which it has not: they are null. What is null in it comes back as `None`, as do `Some(())` and `Some(f64::NAN)`.
    #[cfg(feature = "process-json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "process-json")))]
    Json,
}

impl Format {
    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::Postcard => 1,
            #[cfg(feature = "process-json")]
            Self::Json => 2,
        }
    }

    pub(super) const fn of(tag: u8) -> Option<Self> {
        match tag {
            1 => Some(Self::Postcard),
            #[cfg(feature = "process-json")]
            2 => Some(Self::Json),
            _ => None,
        }
    }

    /// Appends a value, as long as there are no more bytes than `end` then. If it is not written, neither is what was there.
    pub(super) fn write<T: Serialize>(
        self,
        value: &T,
        bytes: &mut Vec<u8>,
        end: usize,
    ) -> Result<(), Unwritten> {
        let [is_too_deep, is_full] = [const { Cell::new(false) }; 2];
        let value = Deep::new(value, &is_too_deep);
        let to = To { bytes: mem::take(bytes), end, is_full: &is_full };
        let written = match self {
            Self::Postcard => {
                postcard::serialize_with_flavor(&value, to).map_err(|it| it.to_string())
            }
            #[cfg(feature = "process-json")]
            Self::Json => {
                let mut to = to;
                let written = serde_json::to_writer(&mut to, &value);
                written.map(|()| to.bytes).map_err(|it| it.to_string())
            }
        };
        // A `Serialize` that goes on where it was told of an error has left a part out.
        if is_full.get() {
            Err(Unwritten::TooLarge)
        } else if is_too_deep.get() {
            Err(Unwritten::Why(format!("it is more than {DEPTH} levels deep")))
        } else {
            *bytes = written?;
            Ok(())
        }
    }

    /// Reads a value that all of the bytes are.
    pub(super) fn read<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Postcard => compact::read(bytes).map_err(|it| it.to_string()),
            #[cfg(feature = "process-json")]
            Self::Json => serde_json::from_slice(bytes).map_err(|it| it.to_string()),
        }
    }
}

/// Why a value is not written.
pub(super) enum Unwritten {
    TooLarge,
    Why(String),
}

impl From<String> for Unwritten {
    fn from(why: String) -> Self {
        Self::Why(why)
    }
}

/// Appends what is serialized, as long as there is room. It has the bytes, and nobody has a reference to it, so that their
/// number stays in a register.
struct To<'a> {
    bytes: Vec<u8>,
    end: usize,
    is_full: &'a Cell<bool>,
}

impl To<'_> {
    /// Whether there is room for so many more. Once there was not, that is noted.
    fn has_room(&self, count: usize) -> bool {
        let has = self.end.saturating_sub(self.bytes.len()) >= count;
        if !has {
            self.is_full.set(true);
        }
        has
    }
}

impl postcard::ser_flavors::Flavor for To<'_> {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if !self.has_room(1) {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.bytes.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if !self.has_room(bytes.len()) {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.bytes)
    }
}

#[cfg(feature = "process-json")]
impl std::io::Write for To<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.has_room(bytes.len()) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
