//! Names and the connections behind them.

use crate::{
    error::{Code, Error, Result},
    socket::{Socket, State},
    sync::Arc,
};
use once_cell::sync::Lazy;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

type Names = HashMap<Box<str>, Arc<Socket>>;

static NAMES: Lazy<RwLock<Names>> = Lazy::new(RwLock::default);

fn read() -> RwLockReadGuard<'static, Names> {
    NAMES.read().unwrap_or_else(PoisonError::into_inner)
}

fn write() -> RwLockWriteGuard<'static, Names> {
    NAMES.write().unwrap_or_else(PoisonError::into_inner)
}

fn unknown(name: &str) -> Error {
    Error::new(Code::UnknownName, format!("no socket is named \"{name}\""))
}

/// The connection of this name.
pub(crate) fn find(name: &str) -> Result<Arc<Socket>> {
    read().get(name).cloned().ok_or_else(|| unknown(name))
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
