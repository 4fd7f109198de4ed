//! Linux and its relatives.

mod bell;
mod flag;
mod fork;
mod pin;
mod registration;
mod signals;
mod socket;

pub(crate) use self::{
    bell::{Bell, wait},
    flag::Flag,
    fork::{is_forked, watch_for_fork},
    pin::pin_library,
    registration::Registration,
    signals::{block_signals, without_signals},
    socket::Socket,
};
