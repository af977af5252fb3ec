//! The same with tokio's oneshot channel.

use std::{
    collections::HashMap,
    ffi::{CStr, CString, c_char, c_int, c_void},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Result, anyhow};
use tokio::sync::oneshot::{self, Receiver, Sender};

/// Who waits for which reply.
type Replies = Mutex<HashMap<u64, Sender<Result<String>>>>;

unsafe extern "C" {
    fn lookup_open(reply: Reply, user: *const c_void) -> *mut c_void;
    fn lookup_ask(lookup: *mut c_void, id: u64, word: *const c_char);
    fn lookup_close(lookup: *mut c_void);
}

type Reply = unsafe extern "C" fn(*const c_void, u64, c_int, *const c_char);

/// # Safety
///
/// As the library calls it: with the replies, and a text that ends with a null byte.
unsafe extern "C" fn reply(user: *const c_void, id: u64, status: c_int, text: *const c_char) {
    // SAFETY: as above.
    let (replies, text) = unsafe { (&*user.cast::<Replies>(), CStr::from_ptr(text)) };
    let text = text.to_string_lossy().into_owned();
    let sender = replies.lock().unwrap().remove(&id);
    if let Some(sender) = sender {
        drop(sender.send(if status == 0 { Ok(text) } else { Err(anyhow!(text)) }));
    }
}

pub struct Dictionary {
    lookup: *mut c_void,
    next: AtomicU64,
    replies: Box<Replies>,
}

impl Dictionary {
    pub fn open() -> Self {
        let replies = Box::<Replies>::default();
        // SAFETY: the replies stay where they are until it is closed.
        let lookup = unsafe { lookup_open(reply, (&raw const *replies).cast()) };
        Self { lookup, next: AtomicU64::new(0), replies }
    }

    pub fn ask(&self, word: &str) -> Result<Receiver<Result<String>>> {
        let word = CString::new(word)?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.replies.lock().unwrap().insert(id, sender);
        // SAFETY: it is open, and copies the word.
        unsafe { lookup_ask(self.lookup, id, word.as_ptr()) };
        Ok(receiver)
    }

    /// Asks for all of them at once, and waits for the replies.
    pub fn ask_all(&self, words: &[&str]) -> Result<Vec<String>> {
        let asked = words.iter().map(|word| self.ask(word)).collect::<Result<Vec<_>>>()?;
        asked.into_iter().map(|receiver| receiver.blocking_recv()?).collect()
    }
}

/// Who still waits then is told.
impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: it is open, and replies to nobody any more when this returns.
        unsafe { lookup_close(self.lookup) };
    }
}
