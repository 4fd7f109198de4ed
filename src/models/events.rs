//! The event queue, its wake-ups, and what a closed socket still says.

use super::*;
use crate::{
    host::HostCall,
    sync::{AtomicUsize, Ordering},
};
use shuttle::thread;

#[test]
fn a_dispatching_thread_gets_every_event_in_order() {
    check(|| {
        let diary = Diary::default();
        let (_socket, peer) = open(Mode::Callback(Box::new(diary.clone())), settings());
        let sender = thread::spawn(move || {
            peer.peer_sends(&text("a"));
            peer.peer_sends(&[text("b"), close_frame()].concat());
        });
        dispatch_until(&diary, "closing 1000");
        assert_eq!(diary.lines(), ["opening", "a", "b", "closing 1000"]);
        sender.join().unwrap();
    });
}

#[test]
fn events_behind_a_full_receive_queue_come() {
    check(|| {
        let limits = Settings {
            receive_queue: 65,
            ..settings()
        };
        let diary = Diary::default();
        let (_socket, peer) = open(Mode::Callback(Box::new(diary.clone())), limits);
        let sender = thread::spawn(move || {
            peer.peer_sends(&[text("a"), text("b"), text("c")].concat());
            peer.peer_sends(&[text("d"), text("e")].concat());
            peer.peer_sends(&close_frame());
        });
        dispatch_until(&diary, "closing 1000");
        let expected = ["opening", "a", "b", "c", "d", "e", "closing 1000"];
        assert_eq!(diary.lines(), expected);
        sender.join().unwrap();
    });
}

#[test]
fn a_violation_waits_for_the_callback_before_it() {
    check(|| {
        let diary = Diary::default();
        let (_socket, peer) = open(Mode::Callback(Box::new(diary.clone())), settings());
        // A reserved opcode behind a good message.
        peer.peer_sends(&[text("a"), frame(3, b"")].concat());
        dispatch_until(&diary, "closing 1002");
        assert_eq!(diary.lines(), ["opening", "a", "error 18", "closing 1002"]);
    });
}

#[test]
fn nothing_starts_after_a_close() {
    check(|| {
        let diary = Diary::default();
        let (socket, peer) = open(Mode::Callback(Box::new(diary.clone())), settings());
        let dispatcher = thread::spawn(|| {
            // Returns when woken, whatever came.
            events().dispatch(None, 0).unwrap();
        });
        let sender = thread::spawn(move || peer.peer_sends(&[text("a"), text("b")].concat()));
        socket.release(1000);
        events().sync(None).unwrap();
        let before = diary.lines();
        events().wake();
        sender.join().unwrap();
        dispatcher.join().unwrap();
        events()
            .dispatch(Some(std::time::Duration::ZERO), 0)
            .unwrap();
        assert_eq!(diary.lines(), before);
    });
}

/// Takes its time in each callback.
#[derive(Clone, Default)]
struct Slow {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    diary: Diary,
}

impl Handler for Slow {
    fn call(&self, _socket: &Arc<Socket>, telling: &mut Telling<'_, '_>) {
        while let Some(told) = telling.next() {
            self.begun.fetch_add(1, Ordering::SeqCst);
            thread::yield_now();
            self.diary.write(told);
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_batch_ends_with_a_close() {
    check(|| {
        let slow = Slow::default();
        let (socket, peer) = open(Mode::Callback(Box::new(slow.clone())), settings());
        let closed = Arc::new(AtomicUsize::new(0));
        let dispatcher = thread::spawn({
            let closed = closed.clone();
            move || {
                while closed.load(Ordering::SeqCst) == 0 {
                    events().dispatch(None, 0).unwrap();
                }
            }
        });
        peer.peer_sends(&[text("a"), text("b"), text("c"), text("d")].concat());
        // OPENING, and one more.
        while slow.begun.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        socket.release(1000);
        // The callback that was about to be called may still come, no other.
        let begun = slow.begun.load(Ordering::SeqCst);
        closed.store(1, Ordering::SeqCst);
        events().wake();
        dispatcher.join().unwrap();
        assert!(slow.begun.load(Ordering::SeqCst) <= begun + 1);
    });
}

#[test]
fn who_waits_for_a_callback_waits_for_that_one_and_nothing_is_lost() {
    check(|| {
        let slow = Slow::default();
        let (_socket, peer) = open(Mode::Callback(Box::new(slow.clone())), settings());
        let sender = thread::spawn(move || {
            peer.peer_sends(&[text("a"), text("b"), text("c")].concat());
            peer.peer_sends(&[text("d"), close_frame()].concat());
        });
        let waiter = thread::spawn({
            let slow = slow.clone();
            move || {
                for _ in 0..2 {
                    let begun = slow.begun.load(Ordering::SeqCst);
                    events().sync(None).unwrap();
                    assert!(slow.ended.load(Ordering::SeqCst) >= begun);
                }
            }
        });
        dispatch_until(&slow.diary, "closing 1000");
        let expected = ["opening", "a", "b", "c", "d", "closing 1000"];
        assert_eq!(slow.diary.lines(), expected);
        waiter.join().unwrap();
        sender.join().unwrap();
    });
}

#[test]
fn a_wake_is_not_lost() {
    check(|| {
        let dispatcher = thread::spawn(|| events().dispatch(None, 0).unwrap());
        events().wake();
        assert_eq!(dispatcher.join().unwrap(), 0);
    });
}

struct Count(Arc<AtomicUsize>);

impl HostCall for Count {
    fn call(&self, (): ()) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_host_that_dispatches_when_it_is_woken_gets_everything() {
    check(|| {
        let diary = Diary::default();
        let count = Arc::new(AtomicUsize::new(0));
        events().set_wakeup(Some(Box::new(Count(count.clone()))));
        let (_socket, peer) = open(Mode::Callback(Box::new(diary.clone())), settings());
        let sender = thread::spawn(move || {
            peer.peer_sends(&text("a"));
            peer.peer_sends(&close_frame());
        });
        let mut seen = 0;
        while !diary.has("closing 1000") {
            while count.load(Ordering::SeqCst) == seen {
                thread::yield_now();
            }
            seen = count.load(Ordering::SeqCst);
            // One at a time: what is left must be announced again.
            events()
                .dispatch(Some(std::time::Duration::ZERO), 1)
                .unwrap();
        }
        sender.join().unwrap();
        events().set_wakeup(None);
        let last = count.load(Ordering::SeqCst);
        thread::yield_now();
        assert_eq!(count.load(Ordering::SeqCst), last);
    });
}

#[test]
fn the_flag_is_raised_while_events_wait() {
    check(|| {
        let diary = Diary::default();
        assert_eq!(events().handle().unwrap(), 0);
        let (_socket, peer) = open(Mode::Callback(Box::new(diary.clone())), settings());
        peer.peer_sends(&[text("a"), close_frame()].concat());
        while !diary.has("closing 1000") {
            while events().handle().unwrap() == 0 {
                thread::yield_now();
            }
            events()
                .dispatch(Some(std::time::Duration::ZERO), 1)
                .unwrap();
        }
        assert_eq!(events().handle().unwrap(), 0);
    });
}
