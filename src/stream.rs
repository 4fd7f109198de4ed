//! What the protocol runs over: a byte stream that never waits.
//!
//! Calls return `WouldBlock` instead of waiting, whoever makes them. TLS is a layer with the same calls above
//! TCP, or above another layer (a proxy that is itself reached over TLS).

use crate::{
    sync::{Arc, thread_local, with_local},
    sys::Socket,
};
use rustls::ClientConnection;
use std::{
    cell::RefCell,
    io::{self, IoSlice, Read, Write},
};

/// So much is received from the system at once for decryption.
const BUFFER: usize = 64 << 10;
/// So often is looked for plaintext among what TLS sends for itself, before the lock is given up once.
const MOST_ROUNDS: usize = 8;
/// The longest plaintext of a TLS record (RFC 8446, section 5.1).
const RECORD: usize = 16 << 10;

thread_local! {
    /// A buffer for what was received and not decrypted. A connection takes it along while anything is
    /// left in it.
    static RECEIVED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The stream of one connection.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Arc<Socket>,
    tls: Option<Box<Tls>>,
    /// The last call that received left room: nothing more has arrived, and nothing lies in between.
    is_drained: bool,
}

impl Stream {
    /// A stream without TLS.
    pub fn direct(socket: Arc<Socket>) -> Self {
        Stream {
            socket,
            tls: None,
            is_drained: false,
        }
    }

    /// A stream through these TLS connections, the innermost, next to the socket, first.
    pub fn through(socket: Arc<Socket>, layers: Vec<ClientConnection>) -> Self {
        let mut stream = Stream::direct(socket);
        for connection in layers {
            stream.tls = Some(Box::new(Tls {
                connection,
                below: stream.tls.take(),
                received: Vec::new(),
                taken: 0,
                plaintext: 0,
                has_end: false,
            }));
        }
        stream
    }

    /// The socket underneath, to wait on.
    pub fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Receives into `buffer`; 0 is the end of the stream. `Interrupted`: much has arrived, and nothing for us
    /// among it yet.
    pub fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            let length = self.socket.recv(buffer)?;
            self.is_drained = length < buffer.len();
            return Ok(length);
        };
        let (length, is_drained) = tls.recv(&self.socket, buffer)?;
        self.is_drained = is_drained;
        Ok(length)
    }

    /// Receives at most `limit` bytes into the spare room of `buffer`.
    pub fn recv_append(&mut self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        if self.tls.is_none() {
            let room = (buffer.capacity() - buffer.len()).min(limit);
            let length = self.socket.recv_append(buffer, limit)?;
            self.is_drained = length < room;
            return Ok(length);
        }
        let start = buffer.len();
        let room = (buffer.capacity() - start).min(limit).min(RECORD);
        buffer.resize(start + room, 0);
        let received = self.recv(&mut buffer[start..]);
        buffer.truncate(start + *received.as_ref().unwrap_or(&0));
        received
    }

    /// Whether the last call has received all that had arrived. What arrives later makes the socket ready
    /// anew; the end of the stream is reported beside it.
    pub fn is_drained(&self) -> bool {
        self.is_drained
    }

    /// Whether there is something to receive of which the socket says nothing any more.
    pub fn has_received(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_received())
    }

    /// Sends what is taken now.
    pub fn send(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.send(buffers),
            Some(tls) => tls.send(&self.socket, buffers),
        }
    }

    /// Whether the system has taken everything that `send` did.
    pub fn is_flushed(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.is_flushed())
    }

    /// Gives the system what it takes of that. True once nothing is left.
    pub fn flush(&mut self) -> io::Result<bool> {
        match &mut self.tls {
            None => Ok(true),
            Some(tls) => tls.flush(&self.socket),
        }
    }

    /// Announces that nothing more will be sent (RFC 8446, section 6.1).
    pub fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.connection.send_close_notify();
        }
    }
}

/// One TLS connection.
#[derive(Debug)]
struct Tls {
    connection: ClientConnection,
    below: Option<Box<Tls>>,
    /// Received and, from `taken` on, not decrypted.
    received: Vec<u8>,
    taken: usize,
    /// Decrypted and not yet received from here.
    plaintext: usize,
    /// The end has come, and was not yet received from here.
    has_end: bool,
}

impl Tls {
    /// Receives plaintext; says also whether that was all there is.
    fn recv(&mut self, socket: &Socket, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
        let mut is_drained = false;
        for _ in 0..MOST_ROUNDS {
            match self.connection.reader().read(buffer) {
                // 0: the peer has said that it is finished.
                Ok(length) => {
                    self.plaintext = self.plaintext.saturating_sub(length);
                    self.has_end &= length > 0;
                    return Ok((length, is_drained && !self.has_received()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the TCP connection ended in the middle of TLS, without close_notify",
                    ));
                }
                Err(error) => return Err(error),
            }
            is_drained = self.take_in(socket)?;
        }
        Err(io::ErrorKind::Interrupted.into())
    }

    /// Decrypts until there is plaintext or what was received is used up. True: nothing is left, neither here
    /// nor in the socket.
    fn take_in(&mut self, socket: &Socket) -> io::Result<bool> {
        let mut is_short = false;
        if self.received.is_empty() {
            let mut buffer = with_local(&RECEIVED, std::mem::take);
            buffer.resize(BUFFER, 0);
            let received = match &mut self.below {
                None => socket
                    .recv(&mut buffer)
                    .map(|length| (length, length < BUFFER)),
                Some(below) => below.recv(socket, &mut buffer),
            };
            match received {
                Ok((length, short)) => {
                    buffer.truncate(length);
                    self.received = buffer;
                    self.taken = 0;
                    is_short = short;
                }
                Err(error) => {
                    give_back(buffer);
                    return Err(error);
                }
            }
            if self.received.is_empty() {
                // The end: the reader tells whether it came in order.
                self.connection.read_tls(&mut io::empty())?;
            }
        }
        loop {
            let mut rest = &self.received[self.taken..];
            if !rest.is_empty() {
                let length = self.connection.read_tls(&mut rest)?;
                self.taken += length;
            }
            let state = self.connection.process_new_packets().map_err(|error| {
                // The peer is to know why.
                let _ = self
                    .connection
                    .write_tls(&mut Below(socket, &mut self.below));
                io::Error::new(io::ErrorKind::InvalidData, error)
            })?;
            self.plaintext = state.plaintext_bytes_to_read();
            self.has_end |= state.peer_has_closed();
            if self.taken == self.received.len() {
                give_back(std::mem::take(&mut self.received));
                self.taken = 0;
            }
            if self.plaintext > 0 || self.received.is_empty() || state.peer_has_closed() {
                break;
            }
        }
        // An answer to the peer's key update, if there is one. What becomes of it shows when something is sent.
        let _ = self.flush(socket);
        Ok(is_short && self.received.is_empty())
    }

    fn has_received(&self) -> bool {
        self.plaintext > 0
            || self.has_end
            || !self.received.is_empty()
            || self
                .below
                .as_ref()
                .is_some_and(|below| below.has_received())
    }

    fn send(&mut self, socket: &Socket, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.flush(socket)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = self.connection.writer().write_vectored(buffers)?;
        self.flush(socket)?;
        Ok(length)
    }

    fn is_flushed(&self) -> bool {
        !self.connection.wants_write() && self.below.as_ref().is_none_or(|below| below.is_flushed())
    }

    fn flush(&mut self, socket: &Socket) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self
                .connection
                .write_tls(&mut Below(socket, &mut self.below))
            {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        match &mut self.below {
            None => Ok(true),
            Some(below) => below.flush(socket),
        }
    }
}

fn give_back(buffer: Vec<u8>) {
    with_local(&RECEIVED, |own: &mut Vec<u8>| *own = buffer);
}

/// Where a layer sends to.
struct Below<'a>(&'a Socket, &'a mut Option<Box<Tls>>);

impl Write for Below<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.1 {
            None => self.0.send(buffers),
            Some(below) => below.send(self.0, buffers),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
