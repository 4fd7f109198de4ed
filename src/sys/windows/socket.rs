//! A connected, non-blocking stream socket with plain system calls.

use socket2::{SockAddr, Type};
use std::{
    io::{self, IoSlice, Read},
    net::{Shutdown, SocketAddr, TcpStream},
    os::windows::io::{AsRawSocket, RawSocket},
    ptr::null_mut,
};
use windows_sys::Win32::Networking::WinSock::{
    SOCKET, SOCKET_ERROR, WSABUF, WSAESHUTDOWN, WSAGetLastError, WSASend, recv,
};

/// So many buffers at most in one call; the rest is for the next one.
const MOST_BUFFERS: usize = 1024;

/// A socket that is connected, or about to be. Closing it is dropping it.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
}

impl Socket {
    /// Begins to connect. Once the socket is ready to send, [`Socket::connected`] says how it went.
    pub fn connecting(address: &SockAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(address.domain(), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // Messages are to leave when they are written.
        let _ = socket.set_tcp_nodelay(true);
        match socket.connect(address) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
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
        stream.set_nonblocking(true)?;
        Ok(Socket { stream })
    }

    /// A receive call that waits would need a socket whose send calls wait, too.
    pub const CAN_WAIT: bool = false;

    /// Nothing to do.
    pub fn prepare_to_wait(&self) -> io::Result<()> {
        Ok(())
    }

    /// Does not wait: see [`Socket::CAN_WAIT`].
    pub fn recv_waiting(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv(buffer)
    }

    /// Does not wait either.
    pub fn recv_append_waiting(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        self.recv_append(buffer, limit)
    }

    /// Does not wait either.
    pub fn send_waiting(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        self.send_one(bytes, more)
    }

    /// Sends what the system takes of the bytes. It has no use for knowing that more follow.
    pub fn send_one(&self, bytes: &[u8], _more: bool) -> io::Result<usize> {
        self.send(&[IoSlice::new(bytes)])
    }

    /// Another handle of the same socket.
    pub(super) fn duplicate(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    /// Receives into `buffer`; 0 is the end of the stream.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }

    /// Receives at most `limit` bytes into the room that `buffer` has behind its contents, without
    /// clearing that room first.
    pub fn recv_append(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        let room = buffer.spare_capacity_mut();
        let length = room.len().min(limit).min(i32::MAX as usize);
        // SAFETY: the pointer and length describe memory that `buffer` owns and nobody else reads; `recv` only
        // writes to it.
        let result = unsafe {
            recv(
                self.stream.as_raw_socket() as SOCKET,
                room.as_mut_ptr().cast(),
                length as i32,
                0,
            )
        };
        let received = match usize::try_from(result) {
            Ok(received) => received,
            Err(_) => match last_error() {
                // What std's own read does, too: this end was shut down.
                error if error.raw_os_error() == Some(WSAESHUTDOWN) => 0,
                error => return Err(error),
            },
        };
        // SAFETY: `recv` has initialized the first `received` bytes of the room.
        unsafe { buffer.set_len(buffer.len() + received) };
        Ok(received)
    }

    /// Sends what the system takes of the buffers.
    pub fn send(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers = &buffers[..buffers.len().min(MOST_BUFFERS)];
        let mut sent = 0;
        // SAFETY: `IoSlice` is guaranteed to have the layout of `WSABUF`, the slices live until the call returns,
        // which is at once, since it is not overlapped, and it only reads what they describe.
        let result = unsafe {
            WSASend(
                self.stream.as_raw_socket() as SOCKET,
                buffers.as_ptr().cast::<WSABUF>(),
                buffers.len() as u32,
                &mut sent,
                0,
                null_mut(),
                None,
            )
        };
        match result {
            SOCKET_ERROR => Err(last_error()),
            _ => Ok(sent as usize),
        }
    }
}

impl AsRawSocket for Socket {
    fn as_raw_socket(&self) -> RawSocket {
        self.stream.as_raw_socket()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The registration may have a second handle for a moment longer.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn last_error() -> io::Error {
    // SAFETY: takes nothing.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}
