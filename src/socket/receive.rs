//! Receiving: bytes from the stream become messages, answers and endings.

use super::{
    Event, Socket,
    core::{Core, lost},
};
use crate::{
    events::Posted,
    line,
    protocol::{Item, Kind, Message, inflate::Limits},
    sync::{Arc, thread_local, with_local},
    sys,
};
use std::{cell::RefCell, io};

/// One buffer for each thread that receives, instead of one for each connection: 64 KiB and a header.
const BUFFER: usize = (64 << 10) + 16;
/// So much is received, or decompressed, at most before the lock is given up once, in bytes.
const BUDGET: usize = 256 << 10;
/// What each message counts beside its bytes, and what each control frame counts: a peer may send
/// a great many of no length.
const MESSAGE_COST: usize = 64;
const CONTROL_COST: usize = 512;
/// From so many missing bytes on, a payload is received straight into its message.
pub(super) const IN_PLACE: usize = 8 << 10;

struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Buffer(vec![0; BUFFER])
    }
}

thread_local! {
    static RECEIVED: RefCell<Buffer> = RefCell::new(Buffer::default());
}

/// Uses the calling thread's buffer.
pub(super) fn with_buffer<R>(function: impl FnOnce(&mut [u8]) -> R) -> R {
    with_local(&RECEIVED, |buffer| function(&mut buffer.0))
}

/// A reader that waits for a message, as long as it has not seen one: true if it takes it.
pub(super) type Offer<'a> = Option<&'a mut dyn FnMut(Kind, &[u8]) -> bool>;

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

/// A message that has arrived.
enum Arrived<'a> {
    /// It lies in a buffer that is needed again, and is short enough to be packed.
    Small(Kind, &'a [u8]),
    Large(Message),
}

/// Whether a receive call has only found nothing.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
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
    /// Receives what has arrived, unless a host's thread is waiting for it by itself.
    pub fn receive(&mut self, socket: &Arc<Socket>, goal: Goal, offer: &mut Offer<'_>) -> Stopped {
        if self.receiving {
            return Stopped::Blocked;
        }
        self.together(socket, |core| {
            with_buffer(|buffer| core.receive_with(socket, goal, buffer, offer))
        })
    }

    /// Takes what a host's thread has received by itself, in one call.
    pub fn take_received(
        &mut self,
        socket: &Arc<Socket>,
        received: io::Result<usize>,
        in_place: bool,
        buffer: &[u8],
        offer: &mut Offer<'_>,
    ) {
        match received {
            Ok(0) => self.stream_ended(socket),
            Ok(length) => self.together(socket, |core| {
                core.budget = BUDGET.saturating_sub(length);
                core.counters.wire_in += length as u64;
                match in_place {
                    true => core.decode_in_place(socket, length, offer),
                    false => core.decode(socket, &buffer[..length], offer),
                }
            }),
            Err(error) if is_nothing(&error) => {}
            Err(error) => self.lose(socket, lost(&error)),
        }
    }

    /// Receives, and sends together what is answered on the way.
    fn together<R>(&mut self, socket: &Arc<Socket>, receive: impl FnOnce(&mut Self) -> R) -> R {
        if !self.is_full(socket) && std::mem::take(&mut self.stalled) {
            self.resumed();
        }
        let was_flushed = self.is_flushed();
        if let Some(link) = &mut self.link
            && was_flushed
        {
            link.outbox.cork();
        }
        let result = receive(self);
        if let Some(link) = &mut self.link {
            let is_answered = !link.outbox.is_empty();
            let has_inflated = link.decoder.has_inflated();
            if was_flushed {
                link.outbox.uncork();
                if is_answered {
                    self.uncork(socket);
                }
            }
            if has_inflated {
                self.watch_compression(socket);
            }
        }
        result
    }

    fn receive_with(
        &mut self,
        socket: &Arc<Socket>,
        goal: Goal,
        buffer: &mut [u8],
        offer: &mut Offer<'_>,
    ) -> Stopped {
        self.budget = BUDGET;
        loop {
            // Before anything newer: the host may have made room at any moment.
            self.decode_undecoded(socket, offer);
            if !self.is_reading() || self.is_full(socket) {
                return Stopped::Unwanted;
            }
            if self.has_undecoded() {
                return Stopped::Enough;
            }
            if self.budget == 0 || self.has_reached(goal, offer) {
                return Stopped::Enough;
            }
            match self.receive_once(buffer) {
                Ok(Chunk { length: 0, .. }) => self.stream_ended(socket),
                Ok(chunk) => {
                    self.spend(chunk.cost);
                    self.counters.wire_in += chunk.length as u64;
                    match chunk.in_place {
                        true => self.decode_in_place(socket, chunk.length, offer),
                        false => self.decode(socket, &buffer[..chunk.length], offer),
                    }
                    if chunk.is_drained && self.is_reading() && !self.has_undecoded() {
                        return match self.has_reached(goal, offer) {
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

    /// Whether there is a message for whoever waits for one.
    fn has_reached(&self, goal: Goal, offer: &Offer<'_>) -> bool {
        goal == Goal::Message && (offer.is_none() || !self.inbox.is_empty())
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

    fn decode_in_place(&mut self, socket: &Arc<Socket>, length: usize, offer: &mut Offer<'_>) {
        let Some(link) = &mut self.link else {
            return;
        };
        match link.decoder.received(length) {
            Ok(()) => self.decode(socket, &[], offer),
            Err(violation) => self.violated(socket, violation),
        }
    }

    /// Goes on with what was left when the queue was full.
    fn decode_undecoded(&mut self, socket: &Arc<Socket>, offer: &mut Offer<'_>) {
        let undecoded = match &mut self.link {
            Some(link) if !link.undecoded.is_empty() => std::mem::take(&mut link.undecoded),
            _ => return,
        };
        self.decode(socket, &undecoded, offer);
    }

    /// Turns bytes into items until the queue is full, and keeps what is left then.
    fn decode(&mut self, socket: &Arc<Socket>, mut input: &[u8], offer: &mut Offer<'_>) {
        // Short messages that follow one another are posted under one lock.
        let mut posting = None;
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
            let next = link.decoder.next(&mut input, &mut limits);
            if let Ok(Some(Item::Whole(kind, payload))) = next
                && payload.len() <= line::PACKED
                && socket.is_callback()
                && !self.released
            {
                self.spend(MESSAGE_COST);
                self.count_message(socket, payload);
                posting
                    .get_or_insert_with(|| super::events().posting())
                    .post(socket.id, socket, Posted::Packed(kind as u8, payload));
                continue;
            }
            // What follows may post, too.
            posting = None;
            match next {
                Ok(Some(item)) => self.take(socket, item, offer),
                // What is left is compressed, and would become too much for one time.
                Ok(None) if !input.is_empty() => continue,
                Ok(None) => return,
                Err(violation) => return self.violated(socket, violation),
            }
        }
    }

    /// Takes one item.
    fn take(&mut self, socket: &Arc<Socket>, item: Item<'_>, offer: &mut Offer<'_>) {
        self.spend(match item {
            Item::Whole(..) | Item::Message(_) => MESSAGE_COST,
            _ => CONTROL_COST,
        });
        match item {
            Item::Whole(kind, payload) => {
                if !self.is_taken(socket, kind, payload, offer) {
                    match payload.len() <= line::PACKED {
                        true => self.deliver(socket, Arrived::Small(kind, payload)),
                        false => self.deliver(socket, Arrived::Large(Message::new(kind, payload))),
                    }
                }
            }
            Item::Message(message) => {
                if !self.is_taken(socket, message.kind, &message.data, offer) {
                    self.deliver(socket, Arrived::Large(message));
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

    /// Counts a message.
    #[inline]
    fn count_message(&mut self, socket: &Socket, payload: &[u8]) {
        self.counters.messages_in += 1;
        self.counters.bytes_in += payload.len() as u64;
        if !self.released {
            // A reader that takes it takes it out of the account, too, when what came with it has been looked at.
            socket.received.add(payload.len());
        }
    }

    /// Counts a message. Whether there is no more to do: nobody wants it, or a reader has it.
    fn is_taken(
        &mut self,
        socket: &Socket,
        kind: Kind,
        payload: &[u8],
        offer: &mut Offer<'_>,
    ) -> bool {
        self.count_message(socket, payload);
        if self.released {
            return true;
        }
        match offer.take_if(|_| self.inbox.is_empty()) {
            Some(offer) => offer(kind, payload),
            None => false,
        }
    }

    /// Puts a message where the host gets it.
    fn deliver(&mut self, socket: &Arc<Socket>, message: Arrived<'_>) {
        match (message, socket.is_callback()) {
            (Arrived::Small(kind, payload), true) => {
                let message = Message::new(kind, payload);
                return self.tell(socket, Event::Message(message));
            }
            (Arrived::Large(message), true) => return self.tell(socket, Event::Message(message)),
            (Arrived::Small(kind, payload), false) => self.inbox.pack(0, kind as u8, payload),
            (Arrived::Large(message), false) => self.inbox.push(0, message),
        }
        // Whoever takes one wakes the next while there are more.
        if self.inbox.len() == 1 {
            self.readers.ring_one();
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
    pub fn is_full(&mut self, socket: &Socket) -> bool {
        let full = !self.released && socket.received.is_full();
        self.stalled |= full;
        full
    }
}
