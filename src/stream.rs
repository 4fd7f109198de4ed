//! What the protocol runs over: a byte stream that never waits.
//!
//! Calls return `WouldBlock` instead of waiting, whoever makes them. Layers above plain TCP
//! take their place here, each with the same calls.

use crate::{sync::Arc, sys::Socket};
use std::io::{self, IoSlice};

/// The stream of one connection.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Arc<Socket>,
}

impl Stream {
    /// A plain TCP stream.
    pub fn direct(socket: Arc<Socket>) -> Self {
        Stream { socket }
    }

    /// The socket underneath, to wait on.
    pub fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Receives into `buffer`; 0 is the end of the stream.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer)
    }

    /// Receives at most `limit` bytes into the spare room of `buffer`.
    pub fn recv_append(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        self.socket.recv_append(buffer, limit)
    }

    /// Sends what the system takes now.
    pub fn send(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.send(buffers)
    }
}
