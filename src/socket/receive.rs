//! Receiving: bytes from the stream become messages, answers and endings.

use super::{
    Event, Socket,
    core::{Core, lost},
};
use crate::{
    protocol::{Item, inflate::Limits},
    sync::{Arc, thread_local, with_local},
    sys,
};
use std::{cell::RefCell, io};

/// One buffer for each thread that receives, instead of one for each connection.
const BUFFER: usize = 64 << 10;
/// So much is received, or decompressed, at most before the lock is given up once, in bytes.
const BUDGET: usize = 256 << 10;
/// What each message counts beside its bytes, and what each control frame counts: a peer may send
/// a great many of no length.
const MESSAGE_COST: usize = 64;
const CONTROL_COST: usize = 512;
/// From so many missing bytes on, a payload is received straight into its message.
const IN_PLACE: usize = 8 << 10;

struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Buffer(vec![0; BUFFER])
    }
}

thread_local! {
    static RECEIVED: RefCell<Buffer> = RefCell::new(Buffer::default());
}

/// How far to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Until there is a message: for a thread that waits for one.
    Message,
    /// All that there is, within a bound.
    All,
}

/// Why receiving stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Nothing more has arrived.
    Blocked,
    /// There may be more.
    Enough,
    /// The queue is full, or nothing is to be received any more.
    Unwanted,
}

/// What one system call brought.
struct Chunk {
    length: usize,
    in_place: bool,
    cost: usize,
    /// Nothing more had arrived: asking again would only say so.
    is_drained: bool,
}

impl Core {
    /// Receives what has arrived.
    pub fn receive(&mut self, socket: &Arc<Socket>, goal: Goal) -> Stopped {
        if !self.is_full(socket) && std::mem::take(&mut self.stalled) {
            self.resumed();
        }
        // What is answered on the way goes out together.
        let was_flushed = self.is_flushed();
        if let Some(link) = &mut self.link
            && was_flushed
        {
            link.outbox.cork();
        }
        let stopped = with_local(&RECEIVED, |buffer| {
            self.receive_with(socket, goal, &mut buffer.0)
        });
        if was_flushed {
            self.uncork(socket);
        }
        let link = self.link.as_ref();
        if link.is_some_and(|link| link.decoder.has_inflated()) {
            self.watch_compression(socket);
        }
        stopped
    }

    fn receive_with(&mut self, socket: &Arc<Socket>, goal: Goal, buffer: &mut [u8]) -> Stopped {
        self.budget = BUDGET;
        loop {
            // Before anything newer: the host may have made room at any moment.
            self.decode_undecoded(socket);
            if !self.is_reading() || self.is_full(socket) {
                return Stopped::Unwanted;
            }
            if self.has_undecoded() {
                return Stopped::Enough;
            }
            if self.budget == 0 || (goal == Goal::Message && !self.inbox.is_empty()) {
                return Stopped::Enough;
            }
            match self.receive_once(buffer) {
                Ok(Chunk { length: 0, .. }) => self.stream_ended(socket),
                Ok(chunk) => {
                    self.spend(chunk.cost);
                    self.counters.wire_in += chunk.length as u64;
                    match chunk.in_place {
                        true => self.decode_in_place(socket, chunk.length),
                        false => self.decode(socket, &buffer[..chunk.length]),
                    }
                    if chunk.is_drained && self.is_reading() && !self.has_undecoded() {
                        return match goal == Goal::Message && !self.inbox.is_empty() {
                            true => Stopped::Enough,
                            false => Stopped::Blocked,
                        };
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Stopped::Blocked;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Stopped::Enough;
                }
                Err(error) => self.lose(socket, lost(&error)),
            }
        }
    }

    /// One system call: into the message that is being received if much of it is missing, else
    /// into the buffer.
    fn receive_once(&mut self, buffer: &mut [u8]) -> io::Result<Chunk> {
        let Some(link) = &mut self.link else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let (length, in_place) = match link.decoder.in_place() {
            Some((data, room)) if room >= IN_PLACE => {
                let room = room.min(BUDGET);
                (link.stream.recv_append(data, room)?, true)
            }
            _ => (link.stream.recv(buffer)?, false),
        };
        Ok(Chunk {
            length,
            in_place,
            cost: link.stream.cost(),
            is_drained: link.stream.is_drained(),
        })
    }

    fn decode_in_place(&mut self, socket: &Arc<Socket>, length: usize) {
        let Some(link) = &mut self.link else {
            return;
        };
        match link.decoder.received(length) {
            Ok(()) => self.decode(socket, &[]),
            Err(violation) => self.violated(socket, violation),
        }
    }

    /// Goes on with what was left when the queue was full.
    fn decode_undecoded(&mut self, socket: &Arc<Socket>) {
        let undecoded = match &mut self.link {
            Some(link) if !link.undecoded.is_empty() => std::mem::take(&mut link.undecoded),
            _ => return,
        };
        self.decode(socket, &undecoded);
    }

    /// Turns bytes into items until the queue is full, and keeps what is left then.
    fn decode(&mut self, socket: &Arc<Socket>, mut input: &[u8]) {
        while self.is_reading() {
            let stop = self.budget == 0 || self.is_full(socket);
            let Some(link) = &mut self.link else {
                return;
            };
            if stop && !input.is_empty() {
                link.undecoded = input.to_vec();
                return;
            }
            if self.released {
                link.decoder.discard_messages();
            }
            let mut limits = Limits {
                message: self.settings.max_message,
                allowance: &mut self.budget,
            };
            match link.decoder.next(&mut input, &mut limits) {
                Ok(Some(item)) => self.take(socket, item),
                // What is left is compressed, and would become too much for one time.
                Ok(None) if !input.is_empty() => continue,
                Ok(None) => return,
                Err(violation) => return self.violated(socket, violation),
            }
        }
    }

    /// Takes one item.
    fn take(&mut self, socket: &Arc<Socket>, item: Item) {
        self.spend(match item {
            Item::Message(_) => MESSAGE_COST,
            _ => CONTROL_COST,
        });
        match item {
            Item::Message(message) => {
                self.counters.messages_in += 1;
                self.counters.bytes_in += message.data.len() as u64;
                if self.released {
                    return;
                }
                socket.received.add(message.data.len());
                if socket.is_callback() {
                    self.tell(socket, Event::Message(message));
                } else {
                    self.inbox.push_back(message);
                    // Whoever takes one wakes the next while there are more.
                    if self.inbox.len() == 1 {
                        self.readers.ring_one();
                    }
                }
            }
            Item::Ping(payload) => {
                log::debug!("{}: received a ping", socket.name);
                if let Some(link) = &mut self.link
                    && self.broken.is_none()
                {
                    let result = link.outbox.pong(&mut link.stream, payload);
                    self.check_sent(socket, result);
                }
            }
            Item::Pong(payload) => {
                log::debug!("{}: received a pong", socket.name);
                self.keepalive.pong(&payload, sys::now());
            }
            Item::Close(close) => self.peer_closed(socket, close),
        }
    }

    fn spend(&mut self, cost: usize) {
        self.budget = self.budget.saturating_sub(cost);
    }

    /// Reading goes on after it had stopped: what could not be seen meanwhile is not late.
    pub fn resumed(&mut self) {
        let now = sys::now();
        self.keepalive.resumed(now);
        if self.closing.deadline.is_some() {
            self.closing.deadline = now.checked_add(self.settings.close_timeout);
        }
    }

    /// Whether the receive queue is full; never once the host has let go: then all is dropped.
    fn is_full(&mut self, socket: &Socket) -> bool {
        let full = !self.released && socket.received.is_full();
        self.stalled |= full;
        full
    }
}
