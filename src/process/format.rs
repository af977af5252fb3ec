//! In what arguments and values travel.

use serde::{Serialize, de::DeserializeOwned};

/// In what arguments and values travel between a pool and its workers. A worker of this crate answers in the format in
/// which it is asked. `[process-6]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Compact bytes, as the crate `postcard` writes them; for workers of the same program. Its tag is 1.
    #[default]
    Postcard,
    /// JSON, for workers in any language. Its tag is 2.
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

    /// Appends a value.
    pub(super) fn write<T: Serialize>(self, value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Postcard => {
                postcard::serialize_with_flavor(value, To(bytes)).map_err(|it| it.to_string())
            }
            #[cfg(feature = "process-json")]
            Self::Json => serde_json::to_writer(bytes, value).map_err(|it| it.to_string()),
        }
    }

    /// Refuses a list of another length than is wanted before it is read, where its length comes first: values that take no
    /// bytes may be any number.
    pub(super) fn check(self, bytes: &[u8], many: Option<usize>) -> Result<(), String> {
        let (Self::Postcard, Some(many)) = (self, many) else { return Ok(()) };
        let (given, _) = postcard::take_from_bytes::<u64>(bytes).map_err(|it| it.to_string())?;
        if given == many as u64 { Ok(()) } else { Err(another_number(given, many)) }
    }

    /// Reads a value that all of the bytes are.
    pub(super) fn read<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((value, [])) => Ok(value),
                Ok((_, rest)) => Err(format!("{} bytes are left over", rest.len())),
                Err(error) => Err(error.to_string()),
            },
            #[cfg(feature = "process-json")]
            Self::Json => serde_json::from_slice(bytes).map_err(|it| it.to_string()),
        }
    }
}

/// What is wrong with a list of another length than is wanted.
pub(super) fn another_number(given: impl std::fmt::Display, many: usize) -> String {
    format!("it gave {given} values for {many} items")
}

/// Appends what is serialized.
struct To<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for To<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
