//! How a host's thread sleeps until a socket or another thread has something for it.

use super::Socket;
use crate::sys::{Instant, Interest, milliseconds_until};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
};

/// The wake-up descriptor of one thread. Ringing is remembered until the thread next waits.
#[derive(Debug)]
pub(crate) struct Bell {
    file: File,
}

impl Bell {
    /// A bell that nobody has rung.
    pub(in crate::sys) fn new() -> io::Result<Self> {
        Ok(Bell {
            file: new_eventfd()?.into(),
        })
    }

    /// Wakes the thread, now or when it next waits.
    pub fn ring(&self) {
        // Fails only if the counter is full, and then the bell has rung.
        let _ = (&self.file).write(&1u64.to_ne_bytes());
    }

    fn silence(&self) {
        let _ = (&self.file).read(&mut [0; 8]);
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// A non-blocking eventfd, closed in programs that this process starts.
pub(super) fn new_eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers; the result is checked.
    let fd: RawFd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, so that nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Waits until the socket is ready, the bell rings, or the time has come (`None`: no limit).
/// May return early: the caller looks for itself.
pub(crate) fn wait(
    socket: Option<&Socket>,
    interest: Interest,
    bell: &Bell,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let entry = |fd, events| libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    let mut entries = [
        entry(bell.file.as_raw_fd(), libc::POLLIN),
        // poll(2) ignores an entry whose descriptor is negative.
        entry(-1, libc::POLLIN),
    ];
    if let (Some(socket), Interest::Read) = (socket, interest) {
        entries[1].fd = socket.as_raw_fd();
    }
    poll(&mut entries, bell, deadline)
}

/// Waits for the entries, of which the first is the bell's, as [`wait`] does; what each is ready for stands in it.
pub(super) fn poll(
    entries: &mut [libc::pollfd],
    bell: &Bell,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let timeout = milliseconds_until(deadline);
    // SAFETY: the pointer and count describe `entries`, which outlives the call.
    let result = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, timeout) };
    if result < 0 {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::Interrupted => Ok(()),
            _ => Err(error),
        };
    }
    if entries[0].revents != 0 {
        bell.silence();
    }
    Ok(())
}
