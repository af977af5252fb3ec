//! In what arguments and values travel.

use std::cell::Cell;

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

    /// Appends a value, as long as there are no more bytes than `end` then.
    pub(super) fn write<T: Serialize>(
        self,
        value: &T,
        bytes: &mut Vec<u8>,
        end: usize,
    ) -> Result<(), Unwritten> {
        let is_too_deep = Cell::new(false);
        let (value, mut to) = (Deep::new(value, &is_too_deep), To { bytes, end, is_full: false });
        let written = match self {
            Self::Postcard => {
                postcard::serialize_with_flavor(&value, &mut to).map_err(|it| it.to_string())
            }
            #[cfg(feature = "process-json")]
            Self::Json => serde_json::to_writer(&mut to, &value).map_err(|it| it.to_string()),
        };
        match written {
            Err(_) if to.is_full => Err(Unwritten::TooLarge),
            Err(_) if is_too_deep.get() => {
                Err(Unwritten::Why(format!("it is more than {DEPTH} levels deep")))
            }
            Err(why) => Err(Unwritten::Why(why)),
            Ok(()) => Ok(()),
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

/// Appends what is serialized, as long as there is room.
struct To<'a> {
    bytes: &'a mut Vec<u8>,
    end: usize,
    is_full: bool,
}

impl To<'_> {
    fn push(&mut self, bytes: &[u8]) -> bool {
        self.is_full = self.end.saturating_sub(self.bytes.len()) < bytes.len();
        if !self.is_full {
            self.bytes.extend_from_slice(bytes);
        }
        !self.is_full
    }
}

impl postcard::ser_flavors::Flavor for &mut To<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.push(bytes) { Ok(()) } else { Err(postcard::Error::SerializeBufferFull) }
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "process-json")]
impl std::io::Write for &mut To<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.push(bytes) { Ok(bytes.len()) } else { Err(std::io::ErrorKind::StorageFull.into()) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
