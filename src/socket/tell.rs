//! Telling a callback socket's host what has happened, on the thread that dispatches.

use super::{
    Ended, Event, Mode, Socket,
    gather::{self, Callbacks},
};
use crate::{
    error::Error,
    events::{Batch, Delivery, Recipient},
    protocol::Kind,
    sync::Arc,
};
use std::rc::Rc;

/// What a callback socket's host is told.
pub(crate) enum Told<'a> {
    /// A message has arrived: its bytes, and a NUL behind them.
    Message(Kind, &'a [u8]),
    /// The connection is open.
    Opening,
    /// The connection has ended.
    Closing(Arc<Ended>),
    /// Something went wrong, which has ended it.
    Error(Error, Arc<Ended>),
    /// The send queue, which was full, is at least half free.
    Writable,
}

/// Who hears of a callback socket's events. Called on the thread that dispatches.
pub(crate) trait Handler: Send + Sync {
    /// Calls the host with each thing that it is told.
    fn call(&self, socket: &Arc<Socket>, telling: &mut Telling<'_, '_>);
}

/// What one socket's host is told, one thing after the other.
pub(crate) struct Telling<'a, 'b> {
    socket: &'a Socket,
    batch: &'a mut Batch<'b, Event>,
    callbacks: Rc<Callbacks>,
    /// A message that was not packed.
    large: Vec<u8>,
    /// The account of what has been received says that a callback is being called with a message.
    is_delivering: bool,
}

impl Telling<'_, '_> {
    /// The next; what was told before has been taken note of by the host.
    #[inline]
    pub fn next(&mut self) -> Option<Told<'_>> {
        let (delivery, follows) = self.batch.next()?;
        self.callbacks.begin(follows);
        let message = match delivery {
            Delivery::Packed(kind, bytes) => (Kind::from_number(kind), bytes),
            Delivery::Other(Event::Message(message)) => {
                self.large = message.data;
                self.large.push(0);
                (message.kind, &self.large[..])
            }
            Delivery::Other(Event::Opening) => return Some(Told::Opening),
            Delivery::Other(Event::Closing(ended)) => {
                // With reconnecting, the next attempt waits for that.
                if !ended.is_last {
                    self.socket.service.notify_one();
                }
                return Some(Told::Closing(ended));
            }
            Delivery::Other(Event::Error(error, ended)) => return Some(Told::Error(error, ended)),
            Delivery::Other(Event::Writable) => return Some(Told::Writable),
        };
        let (kind, bytes) = message;
        let received = &self.socket.received;
        let length = bytes.len() - 1;
        let is_awaited = match std::mem::replace(&mut self.is_delivering, true) {
            false => received.begin_delivery(length),
            true => received.remove(length),
        };
        if is_awaited {
            self.socket.service.notify_one();
        }
        Some(Told::Message(kind, bytes))
    }
}

/// The last callback has returned.
impl Drop for Telling<'_, '_> {
    fn drop(&mut self) {
        if self.is_delivering && self.socket.received.end_delivery() {
            self.socket.service.notify_one();
        }
    }
}

impl Recipient<Event> for Socket {
    fn deliver(self: Arc<Self>, batch: &mut Batch<'_, Event>) -> Arc<dyn Recipient<Event>> {
        if let Mode::Callback(handler) = &self.mode {
            let mut telling = Telling {
                socket: &self,
                batch,
                callbacks: gather::callbacks(),
                large: Vec::new(),
                is_delivering: false,
            };
            handler.call(&self, &mut telling);
        }
        self
    }

    fn settle(&self) {
        gather::end_callbacks();
    }
}
