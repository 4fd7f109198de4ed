//! Calling the host.

use super::last_error::Last;
use crate::{
    host::HostCall,
    protocol::Kind,
    socket::{Ended, Event, Handler, Socket},
    sync::{Arc, with_local},
};
use std::{
    cell::RefCell,
    ffi::{CString, c_char, c_void},
};

/// `WdSocketCallback` of the header: what happens to a callback socket. `extern "system"` is
/// `__stdcall` on 32-bit Windows and C's convention elsewhere.
pub type WdSocketCallback = Option<
    unsafe extern "system" fn(
        event: i32,
        message: *const c_char,
        length: usize,
        name: *const c_char,
        user_data: *mut c_void,
    ),
>;

/// `WdSocketWakeup` of the header.
pub type WdSocketWakeup = Option<unsafe extern "system" fn(user_data: *mut c_void)>;

/// `WdSocketLog` of the header.
pub type WdSocketLog =
    Option<unsafe extern "system" fn(level: i32, line: *const c_char, user_data: *mut c_void)>;

/// A pointer of the host's that is only handed back to it.
#[derive(Clone, Copy)]
pub(super) struct UserData(pub *mut c_void);

// SAFETY: the library never follows the pointer. On which threads the host gets it back stands in
// the documentation of each function that takes one.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

/// The event that a callback on this thread is about.
#[derive(Clone)]
pub(super) struct Current {
    pub socket: Arc<Socket>,
    /// The kind of the message that is being delivered.
    pub kind: Option<Kind>,
    /// The end that ERROR and CLOSING are about.
    pub ended: Option<Arc<Ended>>,
}

impl Current {
    /// The event that is being delivered on this thread to the socket of this name.
    pub fn of(name: &str) -> Option<Current> {
        with_local(&CURRENT, |current: &mut Option<Current>| {
            current
                .as_ref()
                .filter(|current| current.socket.name() == name)
                .cloned()
        })
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// The host's callback of one connection.
pub(super) struct CHandler {
    pub callback: unsafe extern "system" fn(i32, *const c_char, usize, *const c_char, *mut c_void),
    pub user_data: UserData,
    /// The socket's name as C wants it.
    pub name: CString,
}

impl Handler for CHandler {
    fn call(&self, socket: &Arc<Socket>, event: Event) {
        let mut error = Last::default();
        let mut kind = None;
        let mut about = None;
        let (number, mut bytes) = match event {
            Event::Opening => (super::WDSOCKET_EVENT_OPENING, Vec::new()),
            Event::Message(message) => {
                kind = Some(message.kind);
                (super::WDSOCKET_EVENT_MESSAGE, message.data)
            }
            Event::Closing(ended) => {
                let code = ended.code().to_string();
                about = Some(ended);
                (super::WDSOCKET_EVENT_CLOSING, code.into_bytes())
            }
            Event::Error(cause, ended) => {
                error = Last::new(Err(&cause));
                about = Some(ended);
                (super::WDSOCKET_EVENT_ERROR, Vec::new())
            }
            Event::Writable => (super::WDSOCKET_EVENT_WRITABLE, Vec::new()),
        };
        let length = bytes.len();
        bytes.push(0);

        // What the thread had before is put back, its message's address included.
        let before = error.exchange();
        let current = Current {
            socket: socket.clone(),
            kind,
            ended: about,
        };
        with_local(&CURRENT, |slot| *slot = Some(current));
        // SAFETY: the host gave this function for this type. The strings are NUL-terminated and
        // live until it has returned.
        unsafe {
            (self.callback)(
                number,
                bytes.as_ptr().cast(),
                length,
                self.name.as_ptr(),
                self.user_data.0,
            );
        }
        drop(with_local(&CURRENT, Option::take));
        before.exchange();
    }
}

/// The host's wake-up function.
pub(super) struct CWakeup {
    pub wakeup: unsafe extern "system" fn(*mut c_void),
    pub user_data: UserData,
}

impl HostCall for CWakeup {
    fn call(&self, (): ()) {
        // SAFETY: the host gave this function for this type.
        unsafe { (self.wakeup)(self.user_data.0) }
    }
}

/// The host's log function.
pub(super) struct CLog {
    pub log: unsafe extern "system" fn(i32, *const c_char, *mut c_void),
    pub user_data: UserData,
}

impl HostCall<(i32, String)> for CLog {
    fn call(&self, (level, line): (i32, String)) {
        // The logger lets no NUL through.
        let line = CString::new(line).unwrap_or_default();
        // SAFETY: the host gave this function for this type; the line lives until it has returned.
        unsafe { (self.log)(level, line.as_ptr(), self.user_data.0) }
    }
}
