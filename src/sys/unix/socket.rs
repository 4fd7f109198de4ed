//! A connected, non-blocking stream socket with plain system calls.

use socket2::{Domain, SockAddr, Type};
use std::{
    io::{self, IoSlice},
    net::{Shutdown, SocketAddr, TcpStream},
    os::fd::{AsRawFd, RawFd},
    time::Duration,
};

/// How long a thread stays in the system's receive or send call (the system rounds it up, to 20 ms at most).
const MOMENT: Duration = Duration::from_millis(10);

/// A socket that is connected, or about to be. Closing it is dropping it. No call waits but those whose names say so,
/// whatever the descriptor's own mode is: each call says it for itself.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
}

impl Socket {
    /// Begins to connect. Once the socket is ready to send, [`Socket::connected`] says how it went.
    pub fn connecting(address: &SockAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(address.domain(), Type::STREAM.nonblocking(), None)?;
        if address.domain() != Domain::UNIX {
            // Messages are to leave when they are written.
            let _ = socket.set_tcp_nodelay(true);
        }
        match socket.connect(address) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => Ok(Socket {
                stream: socket.into(),
            }),
        }
    }

    /// How connecting went.
    pub fn connected(&self) -> io::Result<()> {
        self.stream.take_error()?.map_or(Ok(()), Err)
    }

    /// The address that it is connected to.
    pub fn remote(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// Takes over a connected stream.
    #[cfg(test)]
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        Ok(Socket { stream })
    }

    /// A thread can wait in a receive call.
    pub const CAN_WAIT: bool = true;

    /// To be called once before [`Socket::recv_waiting`] and [`Socket::send_waiting`].
    pub fn prepare_to_wait(&self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(MOMENT))?;
        self.stream.set_write_timeout(Some(MOMENT))?;
        self.stream.set_nonblocking(false)
    }

    /// Receives into `buffer`, and waits for a moment if nothing is there: `WouldBlock` says that it has passed,
    /// `Interrupted` that a signal came.
    pub fn recv_waiting(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the pointer and length describe `buffer`, which `recv` only writes to.
        let result = unsafe {
            libc::recv(
                self.stream.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                0,
            )
        };
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }

    /// Sends what the kernel takes of the bytes, waiting for that as [`Socket::recv_waiting`] does. `more`: as for
    /// [`Socket::send_one`].
    pub fn send_waiting(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        self.send_with(bytes, if more { libc::MSG_MORE } else { 0 })
    }

    /// Sends what the kernel takes of the bytes. `more`: the rest of the frame follows at once, so that the kernel need
    /// not send the last few of these in a packet of their own.
    pub fn send_one(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        let more = if more { libc::MSG_MORE } else { 0 };
        retry(|| self.send_with(bytes, libc::MSG_DONTWAIT | more))
    }

    /// Never raises SIGPIPE: the host has the default action for it, and `write` and `writev` on a socket would end the
    /// host.
    fn send_with(&self, bytes: &[u8], flags: i32) -> io::Result<usize> {
        // SAFETY: the pointer and length describe `bytes`, which `send` only reads.
        let result = unsafe {
            libc::send(
                self.stream.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_NOSIGNAL | flags,
            )
        };
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }

    /// Receives into `buffer`; 0 is the end of the stream.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| {
            // SAFETY: as above.
            let result = unsafe {
                libc::recv(
                    self.stream.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            usize::try_from(result).map_err(|_| io::Error::last_os_error())
        })
    }

    /// Receives at most `limit` bytes into the room that `buffer` has behind its contents, without
    /// clearing that room first.
    pub fn recv_append(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        retry(|| self.append_with(buffer, limit, libc::MSG_DONTWAIT))
    }

    /// The same, waiting as [`Socket::recv_waiting`] does.
    pub fn recv_append_waiting(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        self.append_with(buffer, limit, 0)
    }

    fn append_with(&self, buffer: &mut Vec<u8>, limit: usize, flags: i32) -> io::Result<usize> {
        let room = buffer.spare_capacity_mut();
        let length = room.len().min(limit);
        // SAFETY: the pointer and length describe memory that `buffer` owns and nobody else
        // reads; `recv` only writes to it.
        let result = unsafe {
            libc::recv(
                self.stream.as_raw_fd(),
                room.as_mut_ptr().cast(),
                length,
                flags,
            )
        };
        let received = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: `recv` has initialized the first `received` bytes of the room.
        unsafe { buffer.set_len(buffer.len() + received) };
        Ok(received)
    }

    /// Sends what the kernel takes of the buffers.
    pub fn send(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        const FLAGS: i32 = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;

        if let [buffer] = buffers {
            return self.send_one(buffer, false);
        }
        // SAFETY: an all-zero `msghdr` is a valid one without address, data and control part.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = buffers.as_ptr() as *mut libc::iovec;
        message.msg_iovlen = buffers.len() as _;
        retry(|| {
            // SAFETY: `IoSlice` is guaranteed to have the layout of `iovec`, the slices live
            // until the call returns, and `sendmsg` only reads what they describe.
            let result = unsafe { libc::sendmsg(self.stream.as_raw_fd(), &message, FLAGS) };
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
