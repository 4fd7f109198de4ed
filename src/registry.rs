//! Names and the connections behind them.

use crate::{
    error::{Code, Error, Result},
    socket::{Socket, State},
    sync::{self, Arc, with_local},
};
use foldhash::fast::RandomState;
use once_cell::sync::Lazy;
use std::{
    cell::RefCell,
    collections::{HashMap, hash_map::Entry},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

type Names = HashMap<Box<str>, Arc<Socket>, RandomState>;

static NAMES: Lazy<RwLock<Names>> = Lazy::new(RwLock::default);

/// Counts the changes of `NAMES`.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// The connection that a thread has found last, and how many changes there had been.
type Last = Option<(u64, Weak<Socket>)>;

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(None) };
}

fn read() -> RwLockReadGuard<'static, Names> {
    NAMES.read().unwrap_or_else(PoisonError::into_inner)
}

/// For changes.
fn write() -> RwLockWriteGuard<'static, Names> {
    let names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    CHANGES.fetch_add(1, Ordering::Release);
    names
}

fn unknown(name: &str) -> Error {
    Error::new(Code::UnknownName, format!("no socket is named \"{name}\""))
}

/// The connection of this name.
pub(crate) fn find(name: &str) -> Result<Arc<Socket>> {
    sync::note_thread();
    let names = read();
    let found = names.get(name).cloned();
    // Nothing can change before this look.
    let changes = CHANGES.load(Ordering::Relaxed);
    drop(names);
    let socket = found.ok_or_else(|| unknown(name))?;
    let last = (changes, Arc::downgrade(&socket));
    with_local(&LAST, |slot: &mut Last| *slot = Some(last));
    Ok(socket)
}

/// The connection of this name, if the calling thread has found it last and no name has changed since. Threads do not
/// get in each other's way here.
#[inline]
pub(crate) fn find_again(name: &[u8]) -> Option<Arc<Socket>> {
    with_local(&LAST, |slot: &mut Last| {
        let (changes, socket) = slot.as_ref()?;
        if *changes != CHANGES.load(Ordering::Acquire) {
            return None;
        }
        let socket = socket.upgrade()?;
        (socket.name().as_bytes() == name).then_some(socket)
    })
}

/// Puts a new connection under its name, where it succeeds one that has ended.
pub(crate) fn insert(socket: &Arc<Socket>) -> Result<()> {
    match write().entry(socket.name().into()) {
        Entry::Vacant(entry) => {
            entry.insert(socket.clone());
            Ok(())
        }
        Entry::Occupied(entry) if entry.get().state() != State::Closed => Err(Error::new(
            Code::NameInUse,
            "the name's connection is still live; close it first",
        )
        .of(socket.name())),
        Entry::Occupied(mut entry) => {
            // Before anybody can close the name: that discards the events of both.
            socket.succeed(entry.get());
            entry.insert(socket.clone());
            Ok(())
        }
    }
}

/// Frees a name.
pub(crate) fn remove(name: &str) -> Result<Arc<Socket>> {
    write().remove(name).ok_or_else(|| unknown(name))
}

/// Frees the name of this connection, unless another has it by now.
pub(crate) fn remove_this(socket: &Arc<Socket>) {
    if let Entry::Occupied(entry) = write().entry(socket.name().into())
        && Arc::ptr_eq(entry.get(), socket)
    {
        entry.remove();
    }
}

/// Frees all names.
pub(crate) fn remove_all() -> Vec<Arc<Socket>> {
    write().drain().map(|(_, socket)| socket).collect()
}
