//! Compressing what is written, and what an idle connection gives back.

use super::{Core, Socket, State, outbox::Outgoing};
use crate::{
    error::Result,
    protocol::{Kind, deflate::Deflater},
    sync::{Arc, Mutex, lock, thread_local, try_lock, with_local},
    sys::{self, Instant},
};
use std::{cell::RefCell, time::Duration};

/// What has not been used for so long, or up to twice that, is freed.
const REST: Duration = Duration::from_millis(500);
/// A thread keeps a buffer of at most this for what it compresses.
const BUFFER: usize = 64 << 10;

thread_local! {
    static COMPRESSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What compresses the messages of one connection.
///
/// Its lock is taken before the connection's and held until the message is sent: the order in which messages
/// are compressed is the order in which they must arrive. Nothing waits for the peer under it.
pub(super) struct Compression(Mutex<Deflater>);

impl Compression {
    pub fn new(deflater: Deflater) -> Self {
        Compression(Mutex::new(deflater))
    }
}

impl Socket {
    /// Compresses a message and sends it. `None`: meanwhile the connection has ended, or others have
    /// taken the room; nothing was sent.
    pub(super) fn write_compressed(
        self: &Arc<Self>,
        compression: &Arc<Compression>,
        kind: Kind,
        message: &[u8],
    ) -> Option<Result<()>> {
        with_local(&COMPRESSED, |buffer: &mut Vec<u8>| {
            let mut deflater = lock(&compression.0);
            buffer.clear();
            deflater.compress(message, buffer);
            let mut core = lock(&self.core);
            if !core.may_send(compression) {
                deflater.dropped();
                return None;
            }
            let outgoing = Outgoing {
                kind,
                payload: buffer,
                is_compressed: true,
                length: message.len(),
                original: core.may_reconnect().then_some(message),
            };
            let result = self.send(&mut core, &outgoing);
            core.watch_compression(self, true);
            drop(core);
            deflater.sent(message);
            buffer.shrink_to(BUFFER);
            Some(result)
        })
    }
}

impl Core {
    /// What compresses a message of this length, if it is to be compressed.
    pub fn compression(&self, length: usize) -> Option<Arc<Compression>> {
        let link = self.link.as_ref()?;
        let wanted =
            length > 0 && length >= self.settings.compression_min && !self.must_stay_plain();
        link.compression.as_ref().filter(|_| wanted).cloned()
    }

    /// Whether there is room in the send queue.
    pub fn has_room(&self) -> bool {
        let queued = self.link.as_ref().map_or(0, |link| link.outbox.cost());
        queued + self.again.cost() < self.settings.send_queue
    }

    /// Whether a message compressed for this link can be sent now.
    fn may_send(&self, compression: &Arc<Compression>) -> bool {
        let is_same = |link: &super::core::Link| matches!(&link.compression, Some(own) if Arc::ptr_eq(own, compression));
        self.state == State::Open
            && self.broken.is_none()
            && !self.released
            && self.link.as_ref().is_some_and(is_same)
            && self.has_room()
            && !self.must_stay_plain()
    }

    /// What waits may have to go over another connection, and then cannot be compressed for this one.
    fn must_stay_plain(&self) -> bool {
        !self.is_flushed() && self.may_reconnect()
    }

    /// Has the service task look later for what has come out of use.
    pub fn watch_compression(&mut self, socket: &Socket, is_used: bool) {
        if is_used && self.rest.is_none() {
            self.rest = sys::now().checked_add(REST);
            socket.service.notify_one();
        }
    }

    /// Frees what has not been used for a while; plans the next look while there is anything left.
    pub fn rest_compression(&mut self, now: Instant) {
        if self.rest.is_none_or(|at| now < at) {
            return;
        }
        self.rest = None;
        let Some(link) = &mut self.link else {
            return;
        };
        let mut is_awake = link.decoder.rest();
        if let Some(compression) = &link.compression {
            // One that is locked is in use.
            is_awake |= try_lock(&compression.0).is_none_or(|mut own| own.rest());
        }
        if is_awake {
            self.rest = now.checked_add(REST);
        }
    }
}
