//! Messages in a stream of bytes: the protocol in which a worker and its pool speak.
//!
//! A message is a header of sixteen bytes and a payload: the length of the payload in four bytes, the lowest first; the
//! version of the protocol, what the message is, the format of what is in it, and a zero, a byte each; and in eight
//! bytes, the lowest first, the number of the job that it is about. The decoder keeps what has come, and no more.
//! `[process-6]`

/// Of this protocol.
pub(crate) const VERSION: u8 = 1;

/// How many bytes a header has.
pub(crate) const HEADER: usize = 16;

/// For how many bytes there is room at the most, once nothing is left of what has come.
pub(crate) const KEPT: usize = 1 << 20;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To a worker, first of all: what is too large, and how to begin.
    Setup = 1,
    /// To a worker: a job.
    Job = 2,
    /// To a worker: somebody asks to cancel what it does. The reason, as a text.
    Cancel = 3,
    /// To a worker: there is nothing left to do.
    Leave = 4,
    /// From a worker: it can do jobs.
    Ready = 16,
    /// From a worker: it cannot, and why, as a text.
    Unready = 17,
    /// From a worker: it begins the job.
    Began = 18,
    /// From a worker: the value.
    Value = 19,
    /// From a worker: the work's own error.
    Error = 20,
    /// From a worker: the work panicked; its message, as a text.
    Panic = 21,
    /// From a worker: something could not travel; what, in one byte, and why, as a text.
    Unsent = 22,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Setup,
        Self::Job,
        Self::Cancel,
        Self::Leave,
        Self::Ready,
        Self::Unready,
        Self::Began,
        Self::Value,
        Self::Error,
        Self::Panic,
        Self::Unsent,
    ];
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) format: u8,
    pub(crate) token: u64,
    pub(crate) payload: &'a [u8],
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Garbage {
    Version(u8),
    Kind(u8),
    Reserved(u8),
    TooLarge(u32, u32),
}

impl std::fmt::Display for Garbage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(it) => {
                write!(f, "it speaks version {it} of the protocol, and not {VERSION}")
            }
            Self::Kind(it) => write!(f, "it sent a message of the unknown kind {it}"),
            Self::Reserved(it) => write!(f, "it sent a message whose reserved byte is {it}"),
            Self::TooLarge(it, limit) => {
                write!(f, "it began a message of {it} bytes, of at most {limit}")
            }
        }
    }
}

/// Begins a message; [`end`] ends it.
pub(crate) fn begin(kind: Kind, format: u8, token: u64) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, VERSION, kind as u8, format, 0];
    bytes.extend(token.to_le_bytes());
    bytes
}

/// Says about which job a message is that was begun.
pub(crate) fn number(bytes: &mut [u8], token: u64) {
    bytes[8..HEADER].copy_from_slice(&token.to_le_bytes());
}

/// How many bytes a message may have whose payload may have so many.
pub(crate) fn room(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(HEADER)
}

/// Ends a message whose payload is there: says how long it is, if it is no longer than this.
pub(crate) fn end(bytes: &mut [u8], limit: u32) -> Result<(), usize> {
    let length = bytes.len() - HEADER;
    let fits = u32::try_from(length).ok().filter(|it| *it <= limit).ok_or(length)?;
    bytes[..4].copy_from_slice(&fits.to_le_bytes());
    Ok(())
}

/// A whole message with a text, of which what is too long is left out.
pub(crate) fn text(kind: Kind, token: u64, head: &[u8], text: &str, limit: u32) -> Vec<u8> {
    let mut bytes = begin(kind, 0, token);
    bytes.extend(head);
    let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(head.len());
    bytes.extend(&text.as_bytes()[..text.floor_char_boundary(room)]);
    let length = u32::try_from(bytes.len() - HEADER).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// Finds messages in what comes.
#[derive(Debug)]
pub(crate) struct Decoder {
    bytes: Vec<u8>,
    /// Where the next message begins.
    at: usize,
    limit: u32,
}

impl Decoder {
    /// That takes no message whose payload is longer.
    pub(crate) const fn new(limit: u32) -> Self {
        Self { bytes: Vec::new(), at: 0, limit }
    }

    /// Takes what has come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a part of a message is there, and no whole one.
    pub(crate) fn is_inside(&self) -> bool {
        self.at < self.bytes.len()
    }

    /// How many bytes it keeps room for.
    #[allow(dead_code, clippy::allow_attributes, reason = "a test asks, which has this file too")]
    pub(crate) fn kept(&self) -> usize {
        self.bytes.capacity()
    }

    /// The next message, if all of it has come.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, Garbage> {
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.at = 0;
        }
        let Some((head, rest)) = self.bytes[self.at..].split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [a, b, c, d, version, kind, format, reserved, token @ ..] = *head;
        if version != VERSION {
            return Err(Garbage::Version(version));
        }
        if reserved != 0 {
            return Err(Garbage::Reserved(reserved));
        }
        let kind = Kind::ALL.into_iter().find(|it| *it as u8 == kind).ok_or(Garbage::Kind(kind))?;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length > self.limit {
            return Err(Garbage::TooLarge(length, self.limit));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        self.at += HEADER + length;
        Ok(Some(Frame { kind, format, token: u64::from_le_bytes(token), payload }))
    }
}

/// What a job's payload begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call<'a> {
    /// The types that the caller takes it to have, as a number; 0 says nothing.
    pub(crate) signature: u64,
    /// Whether it is to be called for each of several.
    pub(crate) each: bool,
    pub(crate) name: &'a str,
}

impl<'a> Call<'a> {
    /// Appends it: the signature in eight bytes, the lowest first; 1 or 0; the length of the name in two; the name.
    pub(crate) fn write(self, bytes: &mut Vec<u8>) -> Result<(), usize> {
        let length = u16::try_from(self.name.len()).map_err(|_| self.name.len())?;
        bytes.extend(self.signature.to_le_bytes());
        bytes.push(self.each.into());
        bytes.extend(length.to_le_bytes());
        bytes.extend(self.name.as_bytes());
        Ok(())
    }

    /// Reads it, and returns what comes after it.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_first_chunk::<11>()?;
        let [signature @ .., each, low, high] = *head;
        let (name, rest) = rest.split_at_checked(u16::from_le_bytes([low, high]).into())?;
        let name = str::from_utf8(name).ok()?;
        let signature = u64::from_le_bytes(signature);
        (each <= 1).then_some((Self { signature, each: each == 1, name }, rest))
    }
}
