//! Calling the host.

use super::{
    last_error::Last,
    text::{Text, Unit, terminated},
};
use crate::{
    encoding::{self, Encoding},
    host::HostCall,
    protocol::Kind,
    socket::{Ended, Handler, Socket, Telling, Told},
    sync::Arc,
};
#[cfg(windows)]
use libc::wchar_t;
use std::{
    cell::{Cell, RefCell},
    ffi::{c_char, c_void},
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

/// `WdSocketCallbackW` of the header.
#[cfg(windows)]
pub type WdSocketCallbackW = Option<
    unsafe extern "system" fn(
        event: i32,
        message: *const wchar_t,
        length: usize,
        name: *const wchar_t,
        user_data: *mut c_void,
    ),
>;

/// `WdSocketLogW` of the header.
#[cfg(windows)]
pub type WdSocketLogW =
    Option<unsafe extern "system" fn(level: i32, line: *const wchar_t, user_data: *mut c_void)>;

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

/// The same while callbacks run, on their caller's stack.
struct Running<'a> {
    socket: &'a Arc<Socket>,
    kind: Cell<Option<Kind>>,
    ended: RefCell<Option<Arc<Ended>>>,
}

thread_local! {
    /// What runs on this thread; NULL: nothing.
    static CURRENT: Cell<*const Running<'static>> = const { Cell::new(std::ptr::null()) };
}

/// Takes what runs out of its place, however the callbacks end.
struct Place;

impl Drop for Place {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(std::ptr::null()));
    }
}

impl Running<'_> {
    /// Puts this into its place while `callbacks` run.
    fn during(&self, callbacks: impl FnOnce()) {
        let current: *const Running<'_> = self;
        // Without a place, in a thread that is ending, nobody can ask.
        let _ = CURRENT.try_with(|place| place.set(current.cast()));
        let _place = Place;
        callbacks();
    }
}

impl Current {
    /// The event that is being delivered on this thread to the socket of this name.
    pub fn of(name: &str) -> Option<Current> {
        let current = CURRENT.try_with(Cell::get).ok()?;
        // SAFETY: NULL, or put there by `Running::during` on this thread, which has not returned: it takes it out
        // again, however it ends, and what it refers to outlives it.
        let current: &Running<'_> = unsafe { current.as_ref() }?;
        (current.socket.name() == name).then(|| Current {
            socket: current.socket.clone(),
            kind: current.kind.get(),
            ended: current.ended.borrow().clone(),
        })
    }
}

/// The host's callback of one connection, which takes text as `T`.
pub(super) struct CHandler<T: Text> {
    callback: CallbackOf<T>,
    user_data: UserData,
    /// The socket's name as the callback gets it, and the encoding that this holds for.
    name: (Vec<T::Unit>, Encoding),
}

/// A callback that takes text as `T`.
pub(super) type CallbackOf<T> = unsafe extern "system" fn(i32, T, usize, T, *mut c_void);

impl<T: Text> CHandler<T> {
    pub fn new(callback: CallbackOf<T>, user_data: *mut c_void, name: &str) -> Self {
        let encoding = encoding::DEFAULT.get();
        CHandler {
            callback,
            user_data: UserData(user_data),
            name: (terminated(name, encoding), encoding),
        }
    }
}

/// What an event says, with a NUL behind it.
enum Payload<'a, U> {
    Nothing,
    Text(Vec<U>),
    Bytes(&'a [u8]),
}

impl<'a, U: Unit> Payload<'a, U> {
    /// A message, which has a NUL behind it; text of it in this encoding.
    #[inline]
    fn message(kind: Kind, bytes: &'a [u8], encoding: Encoding) -> Self {
        if kind == Kind::Binary || U::is_utf8(encoding) {
            return Payload::Bytes(bytes);
        }
        let bytes = bytes.split_last().map_or(bytes, |(_, bytes)| bytes);
        let mut units = U::encode_message(bytes, encoding).into_owned();
        units.push(U::NUL);
        Payload::Text(units)
    }

    fn start(&self) -> *const U {
        match self {
            Payload::Nothing => U::EMPTY.as_ptr(),
            Payload::Text(units) => units.as_ptr(),
            Payload::Bytes(bytes) => bytes.as_ptr().cast(),
        }
    }

    fn length(&self) -> usize {
        let with_nul = match self {
            Payload::Nothing => 1,
            Payload::Text(units) => units.len(),
            Payload::Bytes(bytes) => bytes.len(),
        };
        with_nul - 1
    }
}

impl<T: Text> CHandler<T> {
    /// Calls the host. `running` is in its place.
    #[inline]
    fn tell(&self, running: &Running<'_>, told: Told<'_>) {
        let socket = running.socket;
        let encoding = encoding::DEFAULT.get();
        let mut kind = None;
        let (number, payload) = match told {
            Told::Opening => (super::WDSOCKET_EVENT_OPENING, Payload::Nothing),
            Told::Message(its_kind, bytes) => {
                kind = Some(its_kind);
                let payload = Payload::message(its_kind, bytes, socket.encoding());
                (super::WDSOCKET_EVENT_MESSAGE, payload)
            }
            Told::Closing(ended) => {
                let code = terminated(&ended.code().to_string(), encoding);
                running.ended.replace(Some(ended));
                (super::WDSOCKET_EVENT_CLOSING, Payload::Text(code))
            }
            Told::Error(_, ended) => {
                running.ended.replace(Some(ended));
                (super::WDSOCKET_EVENT_ERROR, Payload::Nothing)
            }
            Told::Writable => (super::WDSOCKET_EVENT_WRITABLE, Payload::Nothing),
        };
        running.kind.set(kind);
        let other_name;
        let name = match &self.name {
            (name, its_encoding) if *its_encoding == encoding => name,
            _ => {
                other_name = terminated::<T::Unit>(socket.name(), encoding);
                &other_name
            }
        };
        // SAFETY: the host gave this function for this type. The strings are NUL-terminated and
        // live until it has returned.
        unsafe {
            (self.callback)(
                number,
                T::at(payload.start()),
                payload.length(),
                T::at(name.as_ptr()),
                self.user_data.0,
            );
        }
    }
}

impl<T: Text> Handler for CHandler<T> {
    fn call(&self, socket: &Arc<Socket>, telling: &mut Telling<'_, '_>) {
        let running = Running {
            socket,
            kind: Cell::new(None),
            ended: RefCell::new(None),
        };
        // What the thread had before is put back, its message's address included.
        let mut before = None;
        let mut is_first = true;
        running.during(|| {
            while let Some(told) = telling.next() {
                let error = match &told {
                    Told::Error(cause, _) => Some(Last::new(Err(cause))),
                    _ => None,
                };
                let last = Last::exchange(error);
                if std::mem::take(&mut is_first) {
                    before = last;
                }
                self.tell(&running, told);
            }
        });
        Last::exchange(before);
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

/// The host's log function, which takes text as `T`.
pub(super) struct CLog<T: Text> {
    pub log: LogOf<T>,
    pub user_data: UserData,
}

/// A log function that takes text as `T`.
pub(super) type LogOf<T> = unsafe extern "system" fn(i32, T, *mut c_void);

impl<T: Text> HostCall<(i32, String)> for CLog<T> {
    fn call(&self, (level, line): (i32, String)) {
        let line = terminated::<T::Unit>(&line, encoding::DEFAULT.get());
        // SAFETY: the host gave this function for this type; the line lives until it has returned.
        unsafe { (self.log)(level, T::at(line.as_ptr()), self.user_data.0) }
    }
}
