//! The calling thread's error.

use super::text::{Text, Unit, terminated};
use crate::{
    encoding,
    error::{Error, Result},
    sync,
};
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell, RefCell},
    ffi::c_char,
};

/// A thread's error: a code and a sentence. As the host wants it, the sentence is made when it is asked for; its
/// address then stays while the value is moved.
pub(super) struct Last {
    code: i32,
    message: Option<Cow<'static, str>>,
    narrow: OnceCell<Vec<u8>>,
    #[cfg(windows)]
    wide: OnceCell<Vec<u16>>,
}

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last::none()) };
    /// Its code, which is asked for much more often than the rest.
    static CODE: Cell<i32> = const { Cell::new(0) };
}

impl Last {
    /// No error.
    pub const fn none() -> Self {
        Last {
            code: 0,
            message: None,
            narrow: OnceCell::new(),
            #[cfg(windows)]
            wide: OnceCell::new(),
        }
    }

    pub fn new(result: Result<(), &Error>) -> Self {
        match result {
            Ok(()) => Last::none(),
            Err(error) => Last {
                code: error.code as i32,
                message: Some(error.message.clone()),
                ..Last::none()
            },
        }
    }

    /// Makes this the thread's error (`None`: no error); returns what it was before, if there was one.
    #[inline]
    pub fn exchange(new: Option<Last>) -> Option<Last> {
        // Mostly there was no error and is none.
        match new.is_none() && SocketErrorCode() == 0 {
            true => None,
            false => Self::replace(new),
        }
    }

    #[cold]
    fn replace(new: Option<Last>) -> Option<Last> {
        sync::note_thread();
        let new = new.unwrap_or(Last::none());
        let _ = CODE.try_with(|code| code.set(new.code));
        // Where the thread is ending and has no place for it any more, nobody can ask.
        let before = LAST.try_with(|last| last.replace(new)).ok()?;
        before.message.is_some().then_some(before)
    }
}

/// Sets the calling thread's error.
pub(super) fn set<T>(result: Result<T>) -> Result<T> {
    // After a success there is mostly nothing to take back.
    if result.is_err() || SocketErrorCode() != 0 {
        Last::exchange(Some(Last::new(result.as_ref().map(|_| ()))));
    }
    result
}

/// The code of the calling thread's error: how its last call of a function of this library went.
///
/// Returns: a `WDSOCKET_E_...` constant; `WDSOCKET_E_OK` (0) after a success. Inside a callback it is
/// `WDSOCKET_E_OK` to begin with, for `WDSOCKET_EVENT_ERROR` what happened to the connection.
/// Cannot fail, and leaves the error alone.
#[unsafe(no_mangle)]
pub extern "C" fn SocketErrorCode() -> isize {
    CODE.try_with(|code| code.get() as isize).unwrap_or(0)
}

/// The sentence of the calling thread's error, in English: which socket, which address, what
/// happened.
///
/// Returns: a NUL-terminated string of the library's, `""` after a success. It is valid until this
/// thread next calls any function of the library except `SocketErrorCode`, `SocketErrorMessage` and
/// `SocketVersion`; never free it. Cannot fail, and leaves the error alone.
#[unsafe(no_mangle)]
pub extern "C" fn SocketErrorMessage() -> *const c_char {
    message(|last| &last.narrow)
}

/// The sentence as the host wants it, made on the first question and kept in its place.
pub(super) fn message<T: Text>(place: impl Fn(&Last) -> &OnceCell<Vec<T::Unit>>) -> T {
    let start = LAST.try_with(|last| {
        let last = last.borrow();
        let message = last.message.as_deref()?;
        let units = place(&last).get_or_init(|| terminated(message, encoding::DEFAULT.get()));
        Some(units.as_ptr())
    });
    T::at(start.ok().flatten().unwrap_or(T::Unit::EMPTY.as_ptr()))
}

#[cfg(windows)]
pub(super) fn wide_message() -> *const u16 {
    message(|last| &last.wide)
}
