//! What a connection's lock protects, and how the connection opens and ends.

use super::{
    Event, Socket, State, Waiters, compression::Compression, handover::Handover,
    keepalive::Keepalive, outbox::Outbox, reconnect::Again,
};
use crate::{
    error::{Code, Error, describe},
    events::{Posted, SourceId},
    line::Line,
    options::Settings,
    protocol::{
        Close, Control, Decoder, Message, Violation, deflate::Deflater, extensions::Agreement,
        inflate::Inflater,
    },
    stream::Stream,
    sync::Arc,
    sys::{self, Instant, Registration},
};
use std::io;

/// The connection underneath an open socket.
pub(super) struct Link {
    pub stream: Stream,
    pub outbox: Outbox,
    pub decoder: Decoder,
    pub compression: Option<Arc<Compression>>,
    /// Bytes that were received and not decoded, because the queue was full or because they came
    /// with the answer to the upgrade request.
    pub undecoded: Vec<u8>,
}

impl Link {
    /// Whether everything that was written is with the system.
    pub fn is_flushed(&self) -> bool {
        self.outbox.is_empty() && self.stream.is_flushed()
    }
}

/// What the server said to the upgrade request.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    /// HTTP status; 0: none came.
    pub status: u16,
    /// Header lines, each with CR LF.
    pub headers: String,
    /// The subprotocol that it chose.
    pub protocol: String,
    /// The compression that it agreed to.
    pub deflate: Option<Agreement>,
    /// The URL that gave it, where it was asked for; empty where it is the one that the host gave.
    pub url: String,
    /// TLS version and cipher suite; empty without TLS.
    pub tls: String,
    /// The server's certificate, DER; empty without TLS.
    pub certificate: Vec<u8>,
    /// The proxy that it was reached through, without the password.
    pub proxy: String,
}

/// A connection that has been upgraded.
pub(crate) struct Upgraded {
    pub stream: Stream,
    /// Its place in the runtime's reactor, where the attempt has had one.
    pub registration: Option<Registration>,
    pub answer: Answer,
    pub remote: String,
    /// What the server sent behind its answer.
    pub early: Vec<u8>,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// The code that CLOSING reports.
    pub code: u16,
    pub reason: String,
    /// What went wrong; `None` after a closing handshake.
    pub error: Option<Error>,
    /// What happened, for people, without the socket's name.
    pub what: String,
}

/// A connection that has ended, or an attempt that has failed: for the events that tell of it, which may be
/// delivered when there is another one.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(super) ending: Ending,
    pub(super) answer: Arc<Answer>,
    pub(super) remote: Arc<str>,
    /// No other connection follows.
    pub is_last: bool,
}

impl Ended {
    /// The code that CLOSING reports.
    pub fn code(&self) -> u16 {
        self.ending.code
    }
}

/// Numbers for `SocketInfo`.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub messages_in: u64,
    pub messages_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub wire_in: u64,
    /// Of links that are gone.
    pub wire_out: u64,
}

/// The closing handshake, as far as it has got.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    pub sent: bool,
    pub received: Option<Close>,
    /// When it has taken too long.
    pub deadline: Option<Instant>,
}

pub(super) struct Core {
    pub state: State,
    /// Whether it has ever been open.
    pub was_open: bool,
    /// The host has let go of the name: nothing is told to it any more.
    pub released: bool,
    /// The defaults at the time of connecting, and what counts now. (The standard library's `Arc`s also for the
    /// model checker: they outlive an execution.)
    pub defaults: std::sync::Arc<Settings>,
    pub settings: std::sync::Arc<Settings>,
    pub link: Option<Link>,
    /// A link that has ended, for the service task to take down.
    pub ended_link: Option<Box<(Link, Option<Instant>)>>,
    /// Received messages of a synchronous socket.
    /// The host wants its messages gathered.
    pub corked: bool,
    /// The system took no more: what is written next is gathered before it is asked again.
    pub is_backed_up: bool,
    /// What was gathered waits until then at the latest.
    pub gathered_until: Option<Instant>,
    pub inbox: Line<Message>,
    /// A host's thread is in the system's receive call, by itself: nobody else receives.
    pub receiving: bool,
    /// Readers that wait for their bells only, because of that.
    pub bell_only: usize,
    /// The service task wants to receive when that thread has left.
    pub receiver_awaited: bool,
    pub handover: Handover,
    /// How much more is received before the lock is given up.
    pub budget: usize,
    /// Reading has stopped, because the receive queue is full, and has not gone on since.
    pub stalled: bool,
    pub keepalive: Keepalive,
    pub closing: Handshake,
    /// The peer has broken the protocol behind messages that the host has not taken yet: the connection
    /// fails once it has, or at this time.
    pub violation: Option<(Violation, Option<Instant>)>,
    /// A send has failed: what has been received is still read, then this ends the connection.
    pub broken: Option<Error>,
    pub ended: Option<Arc<Ended>>,
    /// A write has failed for want of room: say when there is some.
    pub tell_writable: bool,
    pub again: Again,
    /// What messages that are being compressed will count in the send queue.
    pub reserved: usize,
    /// When to look for what compressing has not needed for a while.
    pub rest: Option<Instant>,
    pub counters: Counters,
    pub answer: Arc<Answer>,
    pub remote: Arc<str>,
    pub openers: Waiters,
    pub readers: Waiters,
    pub writers: Waiters,
    /// Ended connections that had the name before and have events that wait.
    pub predecessors: Vec<SourceId>,
}

impl Core {
    pub fn new(defaults: std::sync::Arc<Settings>) -> Self {
        let now = sys::now();
        Core {
            state: State::Connecting,
            was_open: false,
            released: false,
            settings: defaults.clone(),
            defaults,
            link: None,
            ended_link: None,
            corked: false,
            is_backed_up: false,
            gathered_until: None,
            inbox: Line::default(),
            receiving: false,
            bell_only: 0,
            receiver_awaited: false,
            handover: Handover::new(now),
            budget: 0,
            stalled: false,
            keepalive: Keepalive::new(now),
            closing: Handshake::default(),
            violation: None,
            broken: None,
            ended: None,
            tell_writable: false,
            again: Again::default(),
            reserved: 0,
            rest: None,
            counters: Counters::default(),
            answer: Arc::default(),
            remote: "".into(),
            openers: Waiters::default(),
            readers: Waiters::default(),
            writers: Waiters::default(),
            predecessors: Vec::new(),
        }
    }

    /// The attempt has succeeded.
    pub fn open(&mut self, socket: &Arc<Socket>, upgraded: Upgraded) {
        log::info!("{}: open", socket.name);
        let now = sys::now();
        self.state = State::Open;
        self.was_open = true;
        if std::mem::replace(&mut self.again.was_open, true) {
            self.again.count += 1;
        }
        self.again.is_told = false;
        self.answer = Arc::new(upgraded.answer);
        self.remote = upgraded.remote.into();
        self.handover.restart(now);
        self.keepalive = Keepalive::new(now);
        let agreement = self.answer.deflate.as_ref();
        self.link = Some(Link {
            stream: upgraded.stream,
            outbox: Outbox::default(),
            decoder: Decoder::inflating(agreement.map(Inflater::new)),
            compression: agreement
                .and_then(Deflater::new)
                .map(|deflater| Arc::new(Compression::new(deflater))),
            undecoded: upgraded.early,
        });
        self.ended = None;
        socket.received.set_more();
        self.tell(socket, Event::Opening);
        self.openers.ring_all();
        // Until now they had only their bells to wait for.
        self.readers.ring_all();
        self.writers.ring_all();
        self.send_kept(socket);
        self.tell_room(socket);
    }

    /// The attempt has failed.
    pub fn fail_to_open(&mut self, socket: &Arc<Socket>, answer: Answer, error: Error) {
        self.answer = Arc::new(answer);
        self.lose(socket, error);
    }

    /// Posts an event, if this is a callback socket and its host has not let go of it.
    pub fn tell(&self, socket: &Arc<Socket>, event: Event) {
        if socket.is_callback() && !self.released {
            super::events().post(socket.id, socket, Posted::Other(event));
        }
    }

    /// Whether anything may still be received.
    pub fn is_reading(&self) -> bool {
        self.link.is_some() && self.closing.received.is_none() && self.violation.is_none()
    }

    /// Whether bytes wait that were received and not decoded.
    pub fn has_undecoded(&self) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| !link.undecoded.is_empty())
    }

    /// Whether there is something to receive of which the socket says nothing.
    pub fn has_received(&self) -> bool {
        self.has_undecoded() || self.link.as_ref().is_some_and(|l| l.stream.has_received())
    }

    /// Whether everything that was written is with the system.
    pub fn is_flushed(&self) -> bool {
        self.link.as_ref().is_none_or(Link::is_flushed)
    }

    /// Whether something is to be sent as soon as the system takes more: not what waits for others, and not while a
    /// thread is sending by itself.
    pub fn wants_to_send(&self) -> bool {
        let is_away = |link: &Link| link.outbox.is_away();
        !self.is_flushed()
            && self.gathered_until.is_none()
            && !self.link.as_ref().is_some_and(is_away)
    }

    /// Sends a close frame, unless one has been sent, and gives the handshake its time limit.
    pub fn send_close(&mut self, socket: &Arc<Socket>, close: &Close) {
        if self.closing.sent {
            return;
        }
        self.closing.sent = true;
        self.closing.deadline = sys::now().checked_add(self.settings.close_timeout);
        self.state = State::Closing;
        if self.may_reconnect() {
            self.keep_unsent();
        }
        // Those that wait for room will get none here.
        self.writers.ring_all();
        log::debug!("{}: sending close {:?}", socket.name, close.code);
        self.send_control(socket, Control::Close, &close.payload());
        self.send_gathered(socket);
    }

    /// Sends a control frame; a failure breaks the connection.
    pub fn send_control(&mut self, socket: &Arc<Socket>, control: Control, payload: &[u8]) {
        if let Some(link) = &mut self.link
            && self.broken.is_none()
        {
            let result = link.outbox.control(&mut link.stream, control, payload);
            self.check_sent(socket, result);
        }
    }

    /// Takes note of how a send went.
    pub fn check_sent<T>(&mut self, socket: &Arc<Socket>, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                if self.broken.is_none() {
                    self.broken = Some(lost(&error));
                    self.writers.ring_all();
                    socket.service.notify_one();
                }
                if self.may_reconnect() {
                    self.keep_unsent();
                }
                if let Some(link) = &mut self.link {
                    link.outbox.clear();
                }
                None
            }
        }
    }

    /// Sends what was held back to be sent together.
    pub fn uncork(&mut self, socket: &Arc<Socket>) {
        if !self.flush(socket) {
            // From here on the service task waits for the system to take more.
            socket.service.notify_one();
        }
    }

    /// Gives the system what it takes of the send queue, and tells those who wait for that.
    /// Returns whether nothing is left.
    pub fn flush(&mut self, socket: &Arc<Socket>) -> bool {
        let Some(link) = &mut self.link else {
            return true;
        };
        self.gathered_until = None;
        self.is_backed_up = false;
        let result = link.outbox.flush(&mut link.stream);
        let flushed = self.check_sent(socket, result).unwrap_or(true);
        self.tell_room(socket);
        if flushed {
            self.end_if_closed(socket);
        }
        flushed
    }

    /// Tells those who wait for room in the send queue, if there is some.
    pub fn tell_room(&mut self, socket: &Arc<Socket>) {
        let cost = self.queued_cost();
        if cost < self.settings.send_queue {
            self.writers.ring_all();
        }
        let is_open = self.state == State::Open && self.broken.is_none();
        if self.tell_writable && is_open && cost <= self.settings.send_queue / 2 {
            self.tell_writable = false;
            self.tell(socket, Event::Writable);
        }
    }

    /// The peer's close frame has come.
    pub fn peer_closed(&mut self, socket: &Arc<Socket>, close: Close) {
        log::debug!("{}: received close {:?}", socket.name, close.code);
        // RFC 6455, section 5.5.1: the answer typically echoes the code.
        let answer = Close {
            code: close.code,
            reason: String::new(),
        };
        self.closing.received = Some(close);
        if let Some(link) = &mut self.link {
            link.outbox.end_pongs();
        }
        self.send_close(socket, &answer);
        self.end_if_closed(socket);
    }

    /// Ends the connection once close frames have been exchanged.
    fn end_if_closed(&mut self, socket: &Arc<Socket>) {
        if !self.is_flushed() || !self.closing.sent {
            return;
        }
        let Some(close) = self.closing.received.clone() else {
            return;
        };
        let code = close.reported_code();
        let mut what = match close.code {
            Some(code) => format!("the connection was closed with code {code}"),
            None => "the connection was closed without a code".to_owned(),
        };
        if !close.reason.is_empty() {
            what = format!("{what}: {}", close.reason);
        }
        self.finish(
            socket,
            Ending {
                code,
                reason: close.reason,
                error: None,
                what,
            },
        );
    }

    /// The peer has broken the protocol. Messages that came before are the host's, and so is the time to
    /// answer them: the connection fails when the host has taken them.
    pub fn violated(&mut self, socket: &Arc<Socket>, violation: Violation) {
        let until = sys::now().checked_add(self.settings.close_timeout);
        self.violation = Some((violation, until));
        socket.received.set_last();
        if socket.received.is_taken() {
            self.fail_now(socket);
        } else {
            socket.service.notify_one();
        }
    }

    /// Fails the connection for a violation that was put off.
    pub fn fail_now(&mut self, socket: &Arc<Socket>) {
        if let Some((violation, _)) = self.violation.take() {
            self.fail(socket, violation);
        }
    }

    /// Says to the peer what it has done, and ends the connection (RFC 6455, section 7.1.7).
    fn fail(&mut self, socket: &Arc<Socket>, violation: Violation) {
        let Violation { code, what } = violation;
        self.send_close(socket, &Close::new(code, ""));
        self.uncork(socket);
        let kind = match code {
            1009 => Code::TooBig,
            1007 => Code::Encoding,
            _ => Code::Protocol,
        };
        let what = format!("the server {what}; closed with code {code}");
        self.finish(
            socket,
            Ending {
                code,
                reason: String::new(),
                error: Some(Error::new(kind, what.clone())),
                what,
            },
        );
    }

    /// The stream has ended without the peer's close frame.
    pub fn stream_ended(&mut self, socket: &Arc<Socket>) {
        let between = self
            .link
            .as_ref()
            .is_none_or(|link| link.decoder.is_between_messages());
        let what = match (self.closing.sent, between) {
            (true, _) => "the server closed TCP without answering the close frame",
            (false, true) => "the server closed TCP without a closing handshake",
            (false, false) => "the server closed TCP in the middle of a message",
        };
        self.lose(socket, Error::new(Code::Io, what));
    }

    /// The connection is lost.
    pub fn lose(&mut self, socket: &Arc<Socket>, error: Error) {
        let what = error.message.to_string();
        // The peer may have said its word, and only ours have got stuck.
        let close = self.closing.received.take();
        self.finish(
            socket,
            Ending {
                code: close.as_ref().map_or(1006, Close::reported_code),
                reason: close.map(|close| close.reason).unwrap_or_default(),
                error: Some(error),
                what,
            },
        );
    }

    /// Ends the connection: state, events, everyone who waits.
    pub fn finish(&mut self, socket: &Arc<Socket>, ending: Ending) {
        if self.state == State::Closed {
            return;
        }
        match &ending.error {
            Some(_) if self.released && self.link.is_none() => {
                log::info!("{}: closed before it was open", socket.name);
            }
            Some(error) => log::warn!("{}", socket.about(error.clone())),
            None => log::info!("{}: {}", socket.name, ending.what),
        }
        // Decided here, for good: whatever the options say later.
        let reconnects = self.may_reconnect();
        match reconnects {
            true => self.keep_unsent(),
            false => self.again.end(),
        }
        self.state = State::Closed;
        if let Some(mut link) = self.link.take() {
            self.counters.wire_out += link.outbox.sent();
            // Only the end of TCP is left.
            link.decoder = Decoder::default();
            link.compression = None;
            self.ended_link = Some(Box::new((link, self.closing.deadline)));
        }
        if reconnects && socket.is_callback() {
            self.begin_again();
        }
        let error = ending.error.clone();
        let ended = Arc::new(Ended {
            ending,
            answer: self.answer.clone(),
            remote: self.remote.clone(),
            is_last: !reconnects,
        });
        if let Some(error) = error {
            self.tell(socket, Event::Error(socket.about(error), ended.clone()));
        }
        self.tell(socket, Event::Closing(ended.clone()));
        self.ended = Some(ended);
        self.openers.ring_all();
        self.readers.ring_all();
        self.writers.ring_all();
        socket.service.notify_one();
    }

    /// Why the connection has ended, as an error with this code.
    pub fn ended(&self, socket: &Socket, code: Code) -> Error {
        let what = match (&self.ended, &self.broken) {
            (Some(ended), _) => ended.ending.what.clone(),
            (None, Some(error)) => error.message.to_string(),
            (None, None) => "the connection is being closed".to_owned(),
        };
        socket.about(Error::new(code, what))
    }

    /// Why the attempt failed.
    pub fn failure(&self, socket: &Socket) -> Error {
        let ending = self.ended.as_ref().map(|ended| &ended.ending);
        match ending.and_then(|ending| ending.error.clone()) {
            Some(error) => socket.about(error),
            None => self.ended(socket, Code::Closed),
        }
    }

    /// What a call says that finds the connection at its end, or an attempt to get it back failed.
    pub fn tell_end(&mut self, socket: &Socket) -> Error {
        let is_failed_attempt = self.again.was_open && !self.was_open && !socket.is_callback();
        let is_news = !std::mem::replace(&mut self.again.is_told, true);
        match is_failed_attempt && (is_news || self.may_reconnect()) {
            true => self.failure(socket),
            false => self.ended(socket, Code::Closed),
        }
    }

    /// The host let go of the name while a call waited on it.
    pub fn cancelled(&self, socket: &Socket) -> Error {
        Error::new(Code::Cancelled, "the socket was closed during the call").of(&socket.name)
    }
}

/// What a failed send or receive means.
pub(super) fn lost(error: &io::Error) -> Error {
    crate::tls::explain(error).unwrap_or_else(|| {
        Error::new(
            Code::Io,
            format!("the connection was lost: {}", describe(error)),
        )
    })
}
