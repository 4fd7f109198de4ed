//! What is sent together: by several threads, in callbacks, and corked.

use super::*;
use shuttle::thread;

/// Has each thread write its own letters, one message each; returns what arrives, once all has.
fn written_by(socket: &Arc<Socket>, peer: &sys::Socket, threads: &'static [&str]) -> Vec<String> {
    let writers: Vec<_> = threads
        .iter()
        .map(|letters| {
            let socket = socket.clone();
            thread::spawn(move || {
                for letter in letters.bytes() {
                    socket.write(Kind::Text, &[letter]).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let count: usize = threads.iter().map(|letters| letters.len()).sum();
    while peer.sent().len() < 7 * count {
        thread::yield_now();
    }
    written(&peer.sent())
}

/// Each thread's letters, and nothing else, in its order.
fn expect_each_in_order(all: &[String], threads: &[&str]) {
    let count: usize = threads.iter().map(|letters| letters.len()).sum();
    assert_eq!(all.len(), count, "{all:?}");
    for letters in threads {
        let own: String = all
            .concat()
            .chars()
            .filter(|c| letters.contains(*c))
            .collect();
        assert_eq!(own, *letters, "{all:?}");
    }
}

const THREADS: &[&str] = &["abc", "de", "fg"];

#[test]
fn what_several_threads_write_arrives_once_and_in_each_ones_order() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let all = written_by(&socket, &peer, THREADS);
        expect_each_in_order(&all, THREADS);
        socket.release(1000);
    });
}

#[test]
fn also_where_the_system_takes_little() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        peer.set_room(10);
        let other = peer.clone();
        let reader = thread::spawn(move || {
            for _ in 0..20 {
                other.set_room(3);
                thread::yield_now();
            }
            other.set_room(1_000);
        });
        let all = written_by(&socket, &peer, THREADS);
        expect_each_in_order(&all, THREADS);
        reader.join().unwrap();
        socket.release(1000);
    });
}

#[test]
fn what_was_accepted_before_a_close_arrives_before_the_close_frame() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let socket = socket.clone();
                thread::spawn(move || {
                    let accepted = (0..3).map(|_| socket.write(Kind::Text, b"x"));
                    accepted.filter(|result| result.is_ok()).count()
                })
            })
            .collect();
        socket.release(1000);
        let accepted: usize = writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum();
        // The close frame takes 8.
        assert_eq!(peer.sent().len(), 7 * accepted + 8);
        assert_eq!(written(&peer.sent()).len(), accepted);
    });
}

#[test]
fn a_corked_socket_sends_at_the_latest_after_a_while() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        socket.cork(true);
        let all = written_by(&socket, &peer, THREADS);
        expect_each_in_order(&all, THREADS);
        socket.release(1000);
    });
}

#[test]
fn a_read_that_waits_sends_what_is_corked() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let server = thread::spawn({
            let peer = peer.clone();
            move || {
                while peer.sent().len() < 14 {
                    thread::yield_now();
                }
                peer.peer_sends(&text("answer"));
            }
        });
        socket.cork(true);
        socket.write(Kind::Text, b"a").unwrap();
        socket.write(Kind::Text, b"b").unwrap();
        assert_eq!(read(&socket).as_deref(), Some("answer"));
        assert_eq!(written(&peer.sent()), ["a", "b"]);
        server.join().unwrap();
        socket.release(1000);
    });
}

#[test]
fn what_is_much_waits_for_nothing() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        socket.cork(true);
        let much = vec![0; 64 << 10];
        socket.write(Kind::Binary, &much).unwrap();
        assert!(peer.sent().len() > much.len());
        socket.release(1000);
    });
}

/// Answers each message with two of its letter, and then goes on for as long as it likes.
struct Answers {
    peer: Arc<sys::Socket>,
    /// Waits inside until the answers have been sent.
    goes_on: bool,
    answered: Arc<Mutex<usize>>,
}

impl Handler for Answers {
    fn call(&self, socket: &Arc<Socket>, telling: &mut Telling<'_, '_>) {
        while let Some(told) = telling.next() {
            let Told::Message(_, [letter @ .., 0]) = told else {
                continue;
            };
            socket.write(Kind::Text, letter).unwrap();
            socket.write(Kind::Text, letter).unwrap();
            let mut answered = lock(&self.answered);
            *answered += 1;
            while self.goes_on && self.peer.sent().len() < 14 * *answered {
                thread::yield_now();
            }
        }
    }
}

fn answer(goes_on: bool, most: usize) {
    let peer = Arc::<sys::Socket>::default();
    let answered = Arc::<Mutex<usize>>::default();
    let handler = Answers {
        peer: peer.clone(),
        goes_on,
        answered: answered.clone(),
    };
    let mode = Mode::Callback(Box::new(handler));
    let socket = connect_to(mode, settings(), [peer.clone()]);
    let sender = thread::spawn({
        let peer = peer.clone();
        move || {
            peer.peer_sends(&[text("a"), text("b")].concat());
            peer.peer_sends(&text("c"));
        }
    });
    // Another thread writes beside the callbacks.
    let writer = thread::spawn({
        let (socket, answered) = (socket.clone(), answered.clone());
        move || {
            while *lock(&answered) == 0 {
                thread::yield_now();
            }
            socket.write(Kind::Text, b"x").unwrap();
        }
    });
    while *lock(&answered) < 3 {
        events().dispatch(None, most).unwrap();
    }
    // Without a further call.
    while peer.sent().len() < 7 * 7 {
        thread::yield_now();
    }
    sender.join().unwrap();
    writer.join().unwrap();
    let all = written(&peer.sent()).concat();
    assert_eq!(all.replace('x', ""), "aabbcc");
    socket.release(1000);
}

#[test]
fn what_callbacks_write_arrives_in_order_after_the_dispatch() {
    check(|| answer(false, 0));
}

#[test]
fn also_one_callback_at_a_time() {
    check(|| answer(false, 1));
}

#[test]
fn also_while_the_callback_goes_on() {
    check(|| answer(true, 0));
}
