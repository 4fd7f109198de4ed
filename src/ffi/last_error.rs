//! The calling thread's error.

use crate::error::{Error, Result};
use std::{
    cell::RefCell,
    ffi::{CStr, CString, c_char},
};

/// A thread's error: a code and a sentence whose address stays while the value is moved.
#[derive(Default)]
pub(super) struct Last {
    code: i32,
    message: Option<CString>,
}

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last { code: 0, message: None }) };
}

impl Last {
    pub fn new(result: Result<(), &Error>) -> Self {
        match result {
            Ok(()) => Last::default(),
            Err(error) => Last {
                code: error.code as i32,
                message: CString::new(error.message.replace('\0', " ")).ok(),
            },
        }
    }

    /// Makes this the thread's error; returns what it was before.
    pub fn exchange(self) -> Last {
        // Where the thread is ending and has no place for it any more, nobody can ask.
        LAST.try_with(|last| last.replace(self)).unwrap_or_default()
    }
}

/// Sets the calling thread's error.
pub(super) fn set<T>(result: Result<T>) -> Result<T> {
    Last::new(result.as_ref().map(|_| ())).exchange();
    result
}

/// The code of the calling thread's error: how its last call of a function of this library went.
///
/// Returns: a `WDSOCKET_E_...` constant; `WDSOCKET_E_OK` (0) after a success. Inside a callback it is
/// `WDSOCKET_E_OK` to begin with, for `WDSOCKET_EVENT_ERROR` what happened to the connection.
/// Cannot fail, and leaves the error alone.
#[unsafe(no_mangle)]
pub extern "C" fn SocketErrorCode() -> isize {
    LAST.try_with(|last| last.borrow().code as isize)
        .unwrap_or(0)
}

/// The sentence of the calling thread's error, in English: which socket, which address, what
/// happened.
///
/// Returns: a NUL-terminated string of the library's, `""` after a success. It is valid until this
/// thread next calls any function of the library except `SocketErrorCode`, `SocketErrorMessage` and
/// `SocketVersion`; never free it. Cannot fail, and leaves the error alone.
#[unsafe(no_mangle)]
pub extern "C" fn SocketErrorMessage() -> *const c_char {
    const EMPTY: &CStr = c"";
    LAST.try_with(|last| match &last.borrow().message {
        Some(message) => message.as_ptr(),
        None => EMPTY.as_ptr(),
    })
    .unwrap_or(EMPTY.as_ptr())
}
