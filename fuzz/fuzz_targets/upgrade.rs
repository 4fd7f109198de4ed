//! Any bytes as the server's answer to the upgrade request, in any pieces, against a reference that reads them line
//! by line.
//!
//! Input: one byte for the offer, one of flags, three for the sizes of reads, then the answer. The accept key of
//! RFC 6455's example stands for the right one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{Builder, Runtime},
};
use wdsocket::fuzzing::{Asking, Upgraded, accept_key, upgrade};
use wdsocket_fuzz::{
    Input, agreed, in_time, offered,
    upgrade::{Asked, read},
};

/// RFC 6455, section 1.3.
const PLACEHOLDER: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime can be built");
}

fuzz_target!(|data: &[u8]| in_time(|| run(Input(data))));

fn run(mut input: Input) {
    let offer = input.offer();
    let flags = input.byte();
    let protocols = ["chat", "mqtt", "x"].map(str::to_owned);
    let asking = Asking {
        protocols: protocols[..usize::from(flags & 3)].to_vec(),
        is_required: flags & 4 == 0,
        offer,
    };
    let reads = input.reads();
    let pieces = Server::new(input.0, &reads, flags).ask(&asking);
    let whole = Server::new(input.0, &[0], 0).ask(&asking);
    assert_eq!(pieces, whole);
}

/// The server's end of a connection.
struct Server<'a> {
    template: &'a [u8],
    reads: std::iter::Cycle<std::slice::Iter<'a, usize>>,
    /// At the end it resets the connection.
    is_reset: bool,
    /// Every other call must wait.
    is_hesitant: bool,
    waits: bool,
    request: Vec<u8>,
    /// Once the request has come.
    accept: String,
    answer: Vec<u8>,
    sent: usize,
}

impl<'a> Server<'a> {
    fn new(template: &'a [u8], reads: &'a [usize], flags: u8) -> Self {
        Server {
            template,
            reads: reads.iter().cycle(),
            is_reset: flags & 8 != 0,
            is_hesitant: flags & 16 != 0,
            waits: false,
            request: Vec::new(),
            accept: String::new(),
            answer: Vec::new(),
            sent: 0,
        }
    }

    /// Answers; checks what the client makes of it. Its verdict, without what a random key decides.
    fn ask(mut self, asking: &Asking) -> (u16, bool) {
        let attempt = upgrade(&mut self, asking);
        let Upgraded { status, accepted } = RUNTIME.with(|runtime| runtime.block_on(attempt));
        let answered = read(
            &self.answer,
            &Asked {
                accept: &self.accept,
                protocols: &asking.protocols,
                is_required: asking.is_required,
                offered: asking.offer.as_ref().map(offered),
            },
        );
        let is_accepted = accepted.is_ok();
        match (accepted, answered) {
            (Ok((protocol, agreement, early)), Some(answered)) => {
                assert_eq!(Some(status), answered.status);
                let accepted = (protocol, agreement.as_ref().map(agreed));
                assert_eq!(Some(accepted), answered.accepted);
                // What it has read too much, and what it has not read.
                let rest = [&early, &self.answer[self.sent..]].concat();
                assert!(rest == answered.rest, "{rest:x?}, not {:x?}", answered.rest);
            }
            (Err(what), Some(answered)) => {
                let is_wrong = answered.is_strict && answered.accepted.is_some();
                assert!(!is_wrong, "refused a good answer: {what}");
                if answered.is_strict {
                    assert_eq!(Some(status), answered.status);
                }
                // A sentence, and not the whole answer.
                assert!(!what.is_empty() && what.len() < 70_000);
            }
            (Ok(_), None) => panic!("took an answer that has no end"),
            (Err(_), None) => {}
        }
        (status, is_accepted)
    }

    /// Makes the answer.
    fn answer(&mut self) {
        let request = std::str::from_utf8(&self.request).expect("the request is text");
        assert!(request.ends_with("\r\n\r\n"));
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .expect("the request has a key");
        self.accept = accept_key(key);
        let mut rest = self.template;
        while let Some((first, behind)) = rest.split_first() {
            match rest.strip_prefix(PLACEHOLDER.as_bytes()) {
                Some(behind) => {
                    self.answer.extend_from_slice(self.accept.as_bytes());
                    rest = behind;
                }
                None => {
                    self.answer.push(*first);
                    rest = behind;
                }
            }
        }
    }

    fn must_wait(&mut self, context: &Context) -> bool {
        self.waits ^= self.is_hesitant;
        if self.waits {
            context.waker().wake_by_ref();
        }
        self.waits
    }
}

impl AsyncRead for Server<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        if self.must_wait(context) {
            return Poll::Pending;
        }
        if self.accept.is_empty() {
            self.answer();
        }
        let size = match self.reads.next() {
            None | Some(0) => usize::MAX,
            Some(size) => *size,
        };
        let rest = &self.answer[self.sent..];
        let size = size.min(rest.len()).min(buffer.remaining());
        if size == 0 && self.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        buffer.put_slice(&rest[..size]);
        self.sent += size;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.must_wait(context) {
            return Poll::Pending;
        }
        let length = match self.is_hesitant {
            true => bytes.len().min(50),
            false => bytes.len(),
        };
        self.request.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
