//! What carries the bytes of an attempt: TCP, with any number of TLS connections inside each other.

use crate::{stream::Stream, sync::Arc, sys, tls};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// A connection under way.
pub(super) enum Carrier {
    Plain(Dialed),
    Tls(Box<TlsStream<Carrier>>),
}

/// A connection that is given up unless it is taken out: a child of `fork` may hold the descriptor too,
/// and closing this one alone would withhold the FIN.
pub(super) struct Dialed {
    stream: Option<TcpStream>,
    /// Where it leads, for people; empty for a Unix socket.
    remote: String,
}

impl Drop for Dialed {
    fn drop(&mut self) {
        if let Some(Ok(stream)) = self.stream.take().map(TcpStream::into_std) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Carrier {
    /// Over a stream that leads there.
    pub fn new(stream: TcpStream, remote: String) -> Self {
        Carrier::Plain(Dialed {
            stream: Some(stream),
            remote,
        })
    }

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

    /// Off the reactor: whoever needs the socket drives it from here on.
    pub fn into_stream(self) -> io::Result<Stream> {
        let mut layers = Vec::new();
        let mut carrier = self;
        let mut dialed = loop {
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
        let stream = dialed.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        let socket = sys::Socket::new(stream.into_std()?)?;
        Ok(Stream::through(Arc::new(socket), layers))
    }
}

impl Dialed {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(stream))
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
            Carrier::Plain(dialed) => dialed.stream()?.poll_read(context, buffer),
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
            Carrier::Plain(dialed) => match dialed.stream()?.poll_write(context, buffer) {
                // The peer has gone, and may have said why: what reads will find it.
                Poll::Ready(Err(error)) if is_gone(&error) => Poll::Ready(Ok(buffer.len())),
                result => result,
            },
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Carrier::Plain(dialed) => dialed.stream()?.poll_flush(context),
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Carrier::Plain(dialed) => dialed.stream()?.poll_shutdown(context),
            Carrier::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}
