//! A C library that answers by a callback, in threads of its own.

use std::{
    collections::HashMap,
    ffi::{CStr, CString, c_char, c_int, c_void},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Error, Result, anyhow};
use settled::{Promise, ThreadFuture};

/// Who waits for which reply.
type Replies = Mutex<HashMap<u64, Promise<String, Error>>>;

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
    let promise = replies.lock().unwrap().remove(&id);
    if let Some(promise) = promise {
        drop(promise.settle(if status == 0 { Ok(text) } else { Err(anyhow!(text)) }));
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

    pub fn ask(&self, word: &str) -> Result<ThreadFuture<String, Error>> {
        let word = CString::new(word)?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (promise, future) = ThreadFuture::pair();
        self.replies.lock().unwrap().insert(id, promise);
        // SAFETY: it is open, and copies the word.
        unsafe { lookup_ask(self.lookup, id, word.as_ptr()) };
        Ok(future)
    }

    /// Asks for all of them at once, and waits for the replies.
    pub fn ask_all(&self, words: &[&str]) -> Result<Vec<String>> {
        let asked = words.iter().map(|word| self.ask(word)).collect::<Result<Vec<_>>>()?;
        asked.into_iter().map(|future| future.join_result()?).collect()
    }
}

/// Who still waits then is told.
impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: it is open, and replies to nobody any more when this returns.
        unsafe { lookup_close(self.lookup) };
    }
}
