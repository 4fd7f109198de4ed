//! What the protocol runs over: a byte stream that never waits.
//!
//! Calls return `WouldBlock` instead of waiting, whoever makes them. TLS is a layer with the same calls above
//! TCP, or above another layer (a proxy that is itself reached over TLS).

use crate::{
    sync::{Arc, thread_local, with_local},
    sys::Socket,
};
use rustls::{ClientConnection, SupportedCipherSuite};
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
/// So many of the records that a cipher suite allows are not for messages: the handshake's, the upgrade
/// request's, the last alert's.
const RESERVED_RECORDS: u64 = 64;

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
    /// What the last call that received has cost.
    cost: usize,
    /// The system has been told how long a thread may wait in a receive call.
    is_prepared: bool,
}

impl Stream {
    /// A stream without TLS.
    pub fn direct(socket: Arc<Socket>) -> Self {
        Stream {
            socket,
            tls: None,
            is_drained: false,
            cost: 0,
            is_prepared: false,
        }
    }

    /// A stream through these TLS connections, the innermost, next to the socket, first.
    pub fn through(socket: Arc<Socket>, layers: Vec<ClientConnection>) -> Self {
        let mut stream = Stream::direct(socket);
        for connection in layers {
            stream.tls = Some(Box::new(Tls::new(connection, stream.tls.take())));
        }
        stream
    }

    /// The socket underneath, to wait on.
    pub fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// The socket, if a thread may wait in its receive or send call by itself: without TLS, and where the system can.
    pub fn seat(&mut self) -> Option<Arc<Socket>> {
        if self.tls.is_some() || !Socket::CAN_WAIT {
            return None;
        }
        if !self.is_prepared {
            self.socket.prepare_to_wait().ok()?;
            self.is_prepared = true;
        }
        Some(self.socket.clone())
    }

    /// Receives into `buffer`; 0 is the end of the stream. `Interrupted`: much has arrived, and nothing for us
    /// among it yet.
    pub fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            let length = self.socket.recv(buffer)?;
            self.is_drained = length < buffer.len();
            self.cost = length;
            return Ok(length);
        };
        let received = tls.recv(&self.socket, buffer);
        self.cost = tls.take_cost();
        let (length, is_drained) = received?;
        self.is_drained = is_drained;
        self.cost = self.cost.max(length);
        Ok(length)
    }

    /// Receives at most `limit` bytes into the spare room of `buffer`.
    pub fn recv_append(&mut self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        if self.tls.is_none() {
            let room = (buffer.capacity() - buffer.len()).min(limit);
            let length = self.socket.recv_append(buffer, limit)?;
            self.is_drained = length < room;
            self.cost = length;
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

    /// How many bytes the last call has received or decrypted, whichever is more: a peer may wrap each byte
    /// in a record of 16 KiB.
    pub fn cost(&self) -> usize {
        self.cost
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

    /// Sends what is taken now of one piece of a frame; `more`: the next follows at once.
    #[inline]
    pub fn send_piece(&mut self, bytes: &[u8], more: bool) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.send_one(bytes, more),
            Some(tls) => tls.send(&self.socket, &[IoSlice::new(bytes)]),
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
    /// What has ended this TLS connection, to be told once what came before has been received from here.
    failed: Option<rustls::Error>,
    /// So many bytes were decrypted since somebody asked.
    decrypted: usize,
    records: Records,
}

impl Tls {
    /// Takes over a connection, with what has arrived on it already.
    fn new(connection: ClientConnection, below: Option<Box<Tls>>) -> Self {
        let suite = connection.negotiated_cipher_suite();
        let mut tls = Tls {
            connection,
            below,
            received: Vec::new(),
            taken: 0,
            plaintext: 0,
            has_end: false,
            failed: None,
            decrypted: 0,
            records: Records::new(suite),
        };
        tls.process();
        tls
    }

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
        if let Some(error) = &self.failed {
            return Err(in_stream(error));
        }
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
                self.decrypted += length;
            }
            let has_ended = self.process();
            if self.taken == self.received.len() || self.failed.is_some() {
                give_back(std::mem::take(&mut self.received));
                self.taken = 0;
            }
            if self.plaintext > 0 || self.received.is_empty() || has_ended {
                break;
            }
        }
        // An answer to the peer's key update, or why this ends. What becomes of it shows when something is sent.
        let _ = self.flush(socket);
        Ok(is_short && self.received.is_empty())
    }

    /// Decrypts what rustls has; says whether the peer has said that it is finished.
    fn process(&mut self) -> bool {
        match self.connection.process_new_packets() {
            Ok(state) => {
                self.plaintext = state.plaintext_bytes_to_read();
                self.has_end |= state.peer_has_closed();
                state.peer_has_closed()
            }
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }

    /// The bytes that were decrypted since the last call, in all layers.
    fn take_cost(&mut self) -> usize {
        let below = self.below.as_mut().map_or(0, |below| below.take_cost());
        std::mem::take(&mut self.decrypted) + below
    }

    fn has_received(&self) -> bool {
        self.plaintext > 0
            || self.has_end
            || self.failed.is_some()
            || !self.received.is_empty()
            || self
                .below
                .as_ref()
                .is_some_and(|below| below.has_received())
    }

    fn send(&mut self, socket: &Socket, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(in_stream(error));
        }
        if !self.flush(socket)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.records.check()?;
        let length = self.connection.writer().write_vectored(buffers)?;
        self.records.count(length);
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

/// How many more records may be sent. TLS 1.3 changes its keys before a cipher's limit; with TLS 1.2 only another
/// connection has other keys, and rustls would drop what is sent beyond.
#[derive(Debug)]
struct Records {
    left: u64,
}

impl Records {
    fn new(suite: Option<SupportedCipherSuite>) -> Self {
        let limit = match suite {
            Some(SupportedCipherSuite::Tls12(suite)) => suite.common.confidentiality_limit,
            _ => u64::MAX,
        };
        Records {
            left: limit.saturating_sub(RESERVED_RECORDS),
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.left {
            0 => Err(in_stream(&rustls::Error::EncryptError)),
            _ => Ok(()),
        }
    }

    /// Takes note that `length` bytes were sent at once.
    fn count(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length.div_ceil(RECORD) as u64);
    }
}

/// TLS's error as one of the stream.
fn in_stream(error: &rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.clone())
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::tls;
    use ring::{rand::SystemRandom, signature};
    use rustls::{
        ServerConfig, ServerConnection,
        crypto::ring as crypto,
        pki_types::{CertificateDer, PrivateKeyDer},
        sign::{CertifiedKey, SingleCertAndKey},
    };
    use std::net::{TcpListener, TcpStream};

    /// A stream with TLS, and its server: TLS and the socket.
    fn connected(versions: tls::Versions) -> (Stream, ServerConnection, TcpStream) {
        let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
        let key = signature::EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.as_ref().to_vec().into());
        let key = crypto::sign::any_ecdsa_type(&key).unwrap();
        // Not a certificate: nobody looks.
        let certified = CertifiedKey::new(vec![CertificateDer::from(vec![0])], key);
        let config = ServerConfig::builder_with_provider(crypto::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(std::sync::Arc::new(SingleCertAndKey::from(certified)));
        let mut server = ServerConnection::new(config.into()).unwrap();
        let settings = tls::Settings {
            verify_peer: false,
            ..tls::Settings::default()
        };
        let config = tls::configuration(&settings, versions).unwrap();
        let name = tls::server_name("server").unwrap();
        let mut client = ClientConnection::new(config.into(), name).unwrap();
        while client.wants_write() || server.wants_write() {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            take_in(&mut server, &bytes);
            bytes.clear();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            let mut bytes = bytes.as_slice();
            while !bytes.is_empty() {
                client.read_tls(&mut bytes).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket = Arc::new(Socket::new(socket).unwrap());
        let (peer, _) = listener.accept().unwrap();
        (Stream::through(socket, vec![client]), server, peer)
    }

    /// What the server makes of these bytes: whether they say that the client is finished.
    fn take_in(server: &mut ServerConnection, mut bytes: &[u8]) -> bool {
        let mut has_closed = false;
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            has_closed |= server.process_new_packets().unwrap().peer_has_closed();
            // rustls takes only so much that nobody has read.
            let _ = server.reader().read_to_end(&mut Vec::new());
        }
        has_closed
    }

    #[test]
    fn a_byte_costs_the_record_that_it_came_in() {
        let (mut stream, mut server, mut peer) = connected(tls::Versions::ALL);
        let mut bytes = Vec::new();
        for _ in 0..1000 {
            server.writer().write_all(b"x").unwrap();
            server.write_tls(&mut bytes).unwrap();
        }
        peer.write_all(&bytes).unwrap();
        let (mut received, mut cost) = (0, 0);
        while received < 1000 {
            match stream.recv(&mut [0; 100]) {
                Ok(length) => {
                    received += length;
                    assert!(stream.cost() >= length);
                    cost += stream.cost();
                }
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        assert!(cost >= bytes.len(), "{cost} of {}", bytes.len());
    }

    #[test]
    fn tls_1_2_with_aes_ends_when_its_key_has_served_for_as_many_records_as_it_may() {
        use crypto::cipher_suite as suites;
        for suite in [
            suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            suites::TLS13_AES_128_GCM_SHA256,
        ] {
            assert!(Records::new(Some(suite)).left > 1 << 60, "{suite:?}");
        }
        let only_1_2 = tls::Versions {
            tls12: true,
            tls13: false,
        };
        let (mut stream, mut server, mut peer) = connected(only_1_2);
        let records = &mut stream.tls.as_mut().unwrap().records;
        assert_eq!(records.left, (1 << 24) - RESERVED_RECORDS);
        records.left = 4;
        for message in [vec![0; 1], vec![0; RECORD], vec![0; RECORD + 1]] {
            let length = stream.send(&[IoSlice::new(&message)]).unwrap();
            assert_eq!(length, message.len());
        }
        let error = stream.send(&[IoSlice::new(b"x")]).unwrap_err();
        let said = tls::explain(&error).unwrap();
        assert!(said.message.contains("TLS 1.2"), "{said}");
        stream.finish();
        assert!(stream.flush().unwrap());
        drop(stream);
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        assert!(take_in(&mut server, &bytes), "no close_notify");
    }
}
