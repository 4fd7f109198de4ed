//! Windows' own way to hear that callbacks wait: a message in a thread's queue.
//!
//! Either the library's, to a message-only window of an attached thread, whose message loop so dispatches by itself,
//! or the host's own, to a window of the host's. Of each at most one is outstanding.

use super::Queue;
use crate::{
    error::{Code, Error, Result},
    runtime,
    sync::{Arc, Mutex, lock},
    sys::{self, Posted, Window, Work},
};
use std::time::Duration;

/// How long the message loop of an attached thread is kept at a time: what the host has to do besides comes in between.
const SLICE: Duration = Duration::from_millis(10);
/// So many callbacks between two looks at the clock.
const BATCH: usize = 64;
/// When to try again where a thread's message queue was full.
const RETRY: Duration = Duration::from_millis(50);

/// A message of the host's and where it goes.
struct HostMessage {
    window: isize,
    message: u32,
    /// It was posted, and nobody has dispatched since.
    posted: bool,
}

struct Attachment {
    window: Window,
    /// The host did not ask for it.
    automatic: bool,
    /// The window was told, and has not come to it.
    posted: bool,
    /// The window's thread is at it: it looks for itself when it has finished.
    at_work: bool,
}

#[derive(Default)]
struct State {
    attachment: Option<Attachment>,
    host: Option<HostMessage>,
    /// The host has said how it dispatches, so that no thread is attached without its asking.
    chosen: bool,
    retrying: bool,
}

/// Who gets messages. Its lock is taken while the queue's is held, never the other way round.
#[derive(Default)]
pub(super) struct Posts {
    state: Mutex<State>,
}

/// A retry that is on its way, until it begins or the runtime drops it.
struct Retrying(Arc<Posts>);

impl Drop for Retrying {
    fn drop(&mut self) {
        lock(&self.0.state).retrying = false;
    }
}

impl Posts {
    /// Tells whoever wants to hear it that callbacks wait. Called under the queue's lock.
    pub fn announce(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        let mut full = false;
        if let Some(attachment) = &mut state.attachment
            && !attachment.posted
            && !attachment.at_work
        {
            match attachment.window.post() {
                Posted::Yes => attachment.posted = true,
                Posted::Full => full = true,
                Posted::Gone => state.attachment = None,
            }
        }
        if let Some(host) = &mut state.host
            && !host.posted
        {
            match sys::post_message(host.window, host.message) {
                Posted::Yes => host.posted = true,
                Posted::Full => full = true,
                Posted::Gone => state.host = None,
            }
        }
        if full && !state.retrying {
            state.retrying = true;
            let retrying = Retrying(self.clone());
            // Not under the lock, which a task that is refused takes.
            drop(state);
            runtime::spawn_detached(async move {
                tokio::time::sleep(RETRY).await;
                let posts = retrying.0.clone();
                drop(retrying);
                // Perhaps for nothing by now, which harms nobody.
                posts.announce();
            });
        }
    }

    /// A thread wants to dispatch. Called under the queue's lock.
    pub fn begin_dispatch(&self) -> Result<()> {
        let mut state = lock(&self.state);
        match &state.attachment {
            Some(attachment) if !attachment.window.is_alive() => state.attachment = None,
            Some(attachment) if attachment.window.is_mine() => {}
            Some(attachment) if !attachment.automatic => {
                return Err(Error::new(
                    Code::Busy,
                    "another thread's message loop dispatches (SocketAttachThread)",
                ));
            }
            Some(_) => {
                if let Some(attachment) = state.attachment.take() {
                    attachment.window.close();
                }
            }
            None => {}
        }
        if let Some(host) = &mut state.host {
            host.posted = false;
        }
        Ok(())
    }

    /// Makes the calling thread the attached one. `work` is what its window does.
    fn attach(&self, automatic: bool, work: Work) -> Result<()> {
        let mut state = lock(&self.state);
        if let Some(attachment) = &mut state.attachment
            && attachment.window.is_mine()
        {
            attachment.automatic &= automatic;
            return Ok(());
        }
        let window = Window::new(work)
            .map_err(|error| Error::io("cannot make a window for messages", &error))?;
        let old = state.attachment.replace(Attachment {
            window,
            automatic,
            posted: false,
            at_work: false,
        });
        if let Some(old) = old {
            old.window.close();
        }
        Ok(())
    }

    /// The attached thread begins to dispatch; false if this is not that thread.
    fn begin_work(&self) -> bool {
        let mut state = lock(&self.state);
        match &mut state.attachment {
            Some(attachment) if attachment.window.is_mine() => {
                attachment.posted = false;
                attachment.at_work = true;
                true
            }
            _ => false,
        }
    }

    /// The attached thread has ended its work; whether it is to come again for what is left.
    fn end_work(&self, is_left: bool) -> bool {
        let mut state = lock(&self.state);
        match &mut state.attachment {
            Some(attachment) if attachment.window.is_mine() => {
                attachment.at_work = false;
                attachment.posted = is_left;
                is_left
            }
            _ => false,
        }
    }
}

impl<E> Queue<E> {
    /// The host has said how it dispatches.
    pub fn note_choice(&self) {
        lock(&self.posts.state).chosen = true;
    }

    /// Has the calling thread's message loop dispatch. `work` calls [`Queue::work`].
    pub fn attach(&self, work: Work) -> Result<()> {
        self.note_choice();
        self.posts.attach(false, work)?;
        self.announce_waiting();
        Ok(())
    }

    /// Attaches the calling thread if it has a message queue, the host has not said how it dispatches, and no thread
    /// is attached.
    pub fn attach_automatically(&self, work: Work) {
        {
            let state = lock(&self.posts.state);
            let is_attached = state
                .attachment
                .as_ref()
                .is_some_and(|attachment| attachment.window.is_alive());
            if state.chosen || is_attached || !sys::has_message_queue() {
                return;
            }
        }
        match self.posts.attach(true, work) {
            Ok(()) => self.announce_waiting(),
            Err(error) => log::warn!("cannot dispatch in the message loop: {}", error.message),
        }
    }

    /// Has a message posted to the host's window when callbacks wait; `None` ends it.
    pub fn post_to_window(&self, target: Option<(isize, u32)>) -> Result<()> {
        if let Some((window, message)) = target {
            if message == 0 || message > 0xFFFF {
                return Err(Error::invalid(format!(
                    "{message} is not the number of a message of the host's (WM_USER to 0xFFFF)"
                )));
            }
            if !sys::is_window(window) {
                return Err(Error::invalid("the handle is not that of a window"));
            }
        }
        self.note_choice();
        lock(&self.posts.state).host = target.map(|(window, message)| HostMessage {
            window,
            message,
            posted: false,
        });
        self.announce_waiting();
        Ok(())
    }

    /// Announces what waits already to somebody new.
    fn announce_waiting(&self) {
        let state = lock(&self.state);
        if !state.ready.is_empty() && !state.dispatching {
            self.posts.announce();
        }
    }

    /// What the attached thread's window does: runs callbacks for a while. Returns whether there is more, so that it
    /// is to come again.
    pub fn work(&self) -> bool {
        // A message loop inside a callback (a message box, say): what waits comes when the callback has returned.
        if super::in_callback() || !self.posts.begin_work() {
            return false;
        }
        let until = sys::now() + SLICE;
        while matches!(self.dispatch(Some(Duration::ZERO), BATCH), Ok(BATCH)) && sys::now() < until
        {
        }
        let state = lock(&self.state);
        // Whoever dispatches now will announce what it leaves.
        let is_left = !state.ready.is_empty() && !state.dispatching;
        self.posts.end_work(is_left)
    }
}
