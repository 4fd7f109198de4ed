//! The event that a host's own loop waits on.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    ptr::null,
};
use windows_sys::Win32::System::Threading::{CreateEventW, ResetEvent, SetEvent};

/// A level-triggered flag: its manual-reset event is signalled while it is raised.
#[derive(Debug)]
pub(crate) struct Flag {
    event: OwnedHandle,
}

impl Flag {
    /// A lowered flag.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no security attributes, manual reset, not signalled, no name; the result is checked.
        let event = unsafe { CreateEventW(null(), 1, 0, null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, so that nobody else owns it.
        let event = unsafe { OwnedHandle::from_raw_handle(event) };
        Ok(Flag { event })
    }

    /// The number that the host waits on. Handles have 32 significant bits, on 64-bit systems too, so that it is
    /// never negative in a way that could be taken for an error.
    pub fn handle(&self) -> isize {
        self.event.as_raw_handle() as isize
    }

    /// Signals it.
    pub fn raise(&self) {
        // SAFETY: the handle is open as long as `self`.
        unsafe { SetEvent(self.event.as_raw_handle()) };
    }

    /// Ends the signal.
    pub fn lower(&self) {
        // SAFETY: as above.
        unsafe { ResetEvent(self.event.as_raw_handle()) };
    }
}
