//! A connected, non-blocking stream socket with plain system calls.

use std::{
    io::{self, IoSlice, Read},
    net::{Shutdown, TcpStream},
    os::fd::{AsRawFd, RawFd},
};

/// A connected socket. Closing it is dropping it.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
}

impl Socket {
    /// Takes over a connected stream that does not block, as the runtime's do.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        Ok(Socket { stream })
    }

    /// Receives into `buffer`; 0 is the end of the stream.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| (&self.stream).read(buffer))
    }

    /// Receives at most `limit` bytes into the room that `buffer` has behind its contents, without
    /// clearing that room first.
    pub fn recv_append(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        let room = buffer.spare_capacity_mut();
        let length = room.len().min(limit);
        let received = retry(|| {
            // SAFETY: the pointer and length describe memory that `buffer` owns and nobody else
            // reads; `recv` only writes to it.
            let result =
                unsafe { libc::recv(self.stream.as_raw_fd(), room.as_mut_ptr().cast(), length, 0) };
            usize::try_from(result).map_err(|_| io::Error::last_os_error())
        })?;
        // SAFETY: `recv` has initialized the first `received` bytes of the room.
        unsafe { buffer.set_len(buffer.len() + received) };
        Ok(received)
    }

    /// Sends what the kernel takes of the buffers. Never raises SIGPIPE: the host has the default
    /// action for it, and `write` and `writev` on a socket would end the host.
    pub fn send(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        // SAFETY: an all-zero `msghdr` is a valid one without address, data and control part.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = buffers.as_ptr() as *mut libc::iovec;
        message.msg_iovlen = buffers.len() as _;
        retry(|| {
            // SAFETY: `IoSlice` is guaranteed to have the layout of `iovec`, the slices live
            // until the call returns, and `sendmsg` only reads what they describe.
            let result =
                unsafe { libc::sendmsg(self.stream.as_raw_fd(), &message, libc::MSG_NOSIGNAL) };
            usize::try_from(result).map_err(|_| io::Error::last_os_error())
        })
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A child of `fork` may hold the descriptor too, and would withhold the FIN.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Repeats a call that a signal interrupted.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
