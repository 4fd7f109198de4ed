//! The French names: the same functions.

use super::*;
use crate::ffi::callback::WdSocketCallback;
use std::ffi::{c_char, c_void};

/// The French name of `WebSocketClientConnect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnecte(
    name: *const c_char,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    timeout_ms: i32,
) -> isize {
    // SAFETY: the same promises.
    unsafe { WebSocketClientConnect(name, address, port, path, protocols, timeout_ms) }
}

/// The French name of `WebSocketClientConnectAsync`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnecteAsync(
    name: *const c_char,
    callback: WdSocketCallback,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    user_data: *mut c_void,
) -> isize {
    // SAFETY: the same promises.
    unsafe {
        WebSocketClientConnectAsync(name, callback, address, port, path, protocols, user_data)
    }
}

/// The French name of `WebSocketClientConnectSSL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnecteSSL(
    name: *const c_char,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    ssl_options: i32,
    timeout_ms: i32,
) -> isize {
    // SAFETY: the same promises.
    unsafe {
        WebSocketClientConnectSSL(
            name,
            address,
            port,
            path,
            protocols,
            ssl_options,
            timeout_ms,
        )
    }
}

/// The French name of `WebSocketClientConnectSSLAsync`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnecteSSLAsync(
    name: *const c_char,
    callback: WdSocketCallback,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    ssl_options: i32,
    user_data: *mut c_void,
) -> isize {
    // SAFETY: the same promises.
    unsafe {
        WebSocketClientConnectSSLAsync(
            name,
            callback,
            address,
            port,
            path,
            protocols,
            ssl_options,
            user_data,
        )
    }
}

/// The French name of `SocketConnect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketConnecte(
    name: *const c_char,
    url: *const c_char,
    callback: WdSocketCallback,
    protocols: *const c_char,
    user_data: *mut c_void,
) -> isize {
    // SAFETY: the same promises.
    unsafe { SocketConnect(name, url, callback, protocols, user_data) }
}

/// The French name of `SocketWrite`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketEcrit(
    name: *const c_char,
    message: *const c_void,
    length: isize,
) -> isize {
    // SAFETY: the same promises.
    unsafe { SocketWrite(name, message, length) }
}

/// The French name of `SocketRead`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketLit(
    name: *const c_char,
    wait: i32,
    timeout_ms: i32,
    buffer: *mut c_void,
    capacity: libc::size_t,
) -> isize {
    // SAFETY: the same promises.
    unsafe { SocketRead(name, wait, timeout_ms, buffer, capacity) }
}

/// The French name of `SocketClose`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketFerme(name: *const c_char) -> isize {
    // SAFETY: the same promises.
    unsafe { SocketClose(name) }
}

/// The French name of `SocketExists`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketExiste(name: *const c_char) -> isize {
    // SAFETY: the same promises.
    unsafe { SocketExists(name) }
}

/// The French name of `SocketChangeTransmissionMode`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketChangeModeTransmission(
    name: *const c_char,
    mode: i32,
    option: *const c_char,
) -> isize {
    // SAFETY: the same promises.
    unsafe { SocketChangeTransmissionMode(name, mode, option) }
}
