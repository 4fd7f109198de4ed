//! What carries the bytes of an attempt: TCP, with any number of TLS connections inside each other.

use crate::{
    stream::Stream,
    sync::Arc,
    sys::{Registration, Socket, Watch},
    tls,
};
use socket2::SockAddr;
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// A connection under way.
pub(super) enum Carrier {
    Plain(Dialed),
    Tls(Box<TlsStream<Carrier>>),
}

/// A connected socket.
pub(super) struct Dialed {
    watch: Watch,
    socket: Arc<Socket>,
    /// Where it leads, for people; empty for a Unix socket.
    remote: String,
}

impl Dialed {
    /// Connects to the address, which people are told of as `remote`.
    pub async fn connect(address: &SockAddr, remote: String) -> io::Result<Self> {
        let socket = Arc::new(Socket::connecting(address)?);
        let watch = Watch::new(&socket)?;
        poll_fn(|context| watch.poll_connected(context, || socket.connected())).await?;
        let is_unspecified =
            |address: std::net::SocketAddr| address.ip().to_canonical().is_unspecified();
        let remote = match address.as_socket().is_some_and(is_unspecified) {
            // The system has put another in its place.
            true => socket
                .remote()
                .map_or(remote, |address| address.to_string()),
            false => remote,
        };
        Ok(Dialed {
            watch,
            socket,
            remote,
        })
    }
}

impl Carrier {
    /// The address connected to, of the server or of the proxy.
    pub fn remote(&self) -> String {
        match self {
            Carrier::Plain(dialed) => dialed.remote.clone(),
            Carrier::Tls(stream) => stream.get_ref().0.remote(),
        }
    }

    /// Version and cipher of the outermost TLS connection, and the server's certificate.
    pub fn session(&self) -> (String, Vec<u8>) {
        match self {
            Carrier::Plain(_) => Default::default(),
            Carrier::Tls(stream) => {
                let (_, connection) = stream.get_ref();
                let certificate = connection.peer_certificates().unwrap_or_default().first();
                (
                    tls::describe_session(connection),
                    certificate.map(|der| der.to_vec()).unwrap_or_default(),
                )
            }
        }
    }

    /// The stream, for whoever needs it to drive from here on, and its place in the runtime's reactor, if it has one.
    pub fn into_stream(self) -> (Stream, Option<Registration>) {
        let mut layers = Vec::new();
        let mut carrier = self;
        let dialed = loop {
            match carrier {
                Carrier::Plain(dialed) => break dialed,
                Carrier::Tls(stream) => {
                    let (below, connection) = stream.into_inner();
                    layers.push(connection);
                    carrier = below;
                }
            }
        };
        layers.reverse();
        let stream = Stream::through(dialed.socket, layers);
        (stream, dialed.watch.into_registration())
    }
}

/// Whether the peer has closed the connection.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::BrokenPipe | Kind::ConnectionReset | Kind::ConnectionAborted
    )
}

impl AsyncRead for Carrier {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Carrier::Plain(Dialed { watch, socket, .. }) => {
                let room = buffer.initialize_unfilled();
                let length = ready!(watch.poll_recv(context, room.len(), || socket.recv(room)))?;
                buffer.advance(length);
                Poll::Ready(Ok(()))
            }
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Carrier::Plain(Dialed { watch, socket, .. }) => {
                match watch.poll_send(context, || socket.send_one(buffer, false)) {
                    // The peer has gone, and may have said why: what reads will find it.
                    Poll::Ready(Err(error)) if is_gone(&error) => Poll::Ready(Ok(buffer.len())),
                    result => result,
                }
            }
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Carrier::Plain(_) => Poll::Ready(Ok(())),
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // An attempt never ends one direction alone.
            Carrier::Plain(_) => Poll::Ready(Ok(())),
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}
