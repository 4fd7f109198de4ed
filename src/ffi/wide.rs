//! The functions that take or give text, for hosts with UTF-16. Windows only.

use super::{
    args,
    callback::{WdSocketCallbackW, WdSocketLogW},
    closing::{close, close_with},
    connecting::{connect_and_wait, connect_async, from_parts, from_url},
    last_error::wide_message,
    looking::{exists, info, state},
    options::{set_log, set_option, set_proxy},
    reading::{available, message_type, read},
    truth,
    writing::{cork, write_binary, write_text},
};
use libc::wchar_t;
use std::ffi::c_void;

/// `WebSocketClientConnect` with UTF-16 text.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectW(
    name: *const wchar_t,
    address: *const wchar_t,
    port: i32,
    path: *const wchar_t,
    protocols: *const wchar_t,
    timeout_ms: i32,
) -> isize {
    // SAFETY: the host's promise for all text arguments.
    connect_and_wait(timeout_ms, || unsafe {
        from_parts(name, address, port, path, protocols, None)
    })
}

/// `WebSocketClientConnectAsync` with UTF-16 text, also for the callback.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectAsyncW(
    name: *const wchar_t,
    callback: WdSocketCallbackW,
    address: *const wchar_t,
    port: i32,
    path: *const wchar_t,
    protocols: *const wchar_t,
    user_data: *mut c_void,
) -> isize {
    truth(|| {
        // SAFETY: the host's promise for all text arguments.
        let request = unsafe { from_parts(name, address, port, path, protocols, None) }?;
        connect_async(request, callback, user_data)
    })
}

/// `WebSocketClientConnectSSL` with UTF-16 text.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectSSLW(
    name: *const wchar_t,
    address: *const wchar_t,
    port: i32,
    path: *const wchar_t,
    protocols: *const wchar_t,
    ssl_options: i32,
    timeout_ms: i32,
) -> isize {
    connect_and_wait(timeout_ms, || {
        let versions = args::versions(ssl_options)?;
        // SAFETY: the host's promise for all text arguments.
        unsafe { from_parts(name, address, port, path, protocols, Some(versions)) }
    })
}

/// `WebSocketClientConnectSSLAsync` with UTF-16 text, also for the callback.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectSSLAsyncW(
    name: *const wchar_t,
    callback: WdSocketCallbackW,
    address: *const wchar_t,
    port: i32,
    path: *const wchar_t,
    protocols: *const wchar_t,
    ssl_options: i32,
    user_data: *mut c_void,
) -> isize {
    truth(|| {
        let versions = args::versions(ssl_options)?;
        // SAFETY: the host's promise for all text arguments.
        let request = unsafe { from_parts(name, address, port, path, protocols, Some(versions)) }?;
        connect_async(request, callback, user_data)
    })
}

/// `SocketConnect` with UTF-16 text, also for the callback.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketConnectW(
    name: *const wchar_t,
    url: *const wchar_t,
    callback: WdSocketCallbackW,
    protocols: *const wchar_t,
    user_data: *mut c_void,
) -> isize {
    truth(|| {
        // SAFETY: the host's promise for all text arguments.
        let request = unsafe { from_url(name, url, protocols) }?;
        connect_async(request, callback, user_data)
    })
}

/// `SocketWrite` with UTF-16 text: `length` counts units; -1 (or 0xFFFFFFFF): up to the NUL.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketWriteW(
    name: *const wchar_t,
    message: *const wchar_t,
    length: isize,
) -> isize {
    // SAFETY: the host's promise for text arguments and messages.
    unsafe { write_text(name, message, length) }
}

/// `SocketWriteBinary` with a UTF-16 name: the message is bytes, and `length` counts them.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketWriteBinaryW(
    name: *const wchar_t,
    message: *const c_void,
    length: isize,
) -> isize {
    // SAFETY: the host's promise for text arguments and messages.
    unsafe { write_binary(name, message, length) }
}

/// `SocketRead` with UTF-16 text: `capacity` counts units, and so does the length of a text message, which a NUL
/// unit follows where there is room.
///
/// A binary message's bytes are put into the buffer as they are, and its length counts bytes, for which there are
/// twice `capacity` of room. `SocketMessageTypeW` says which it was. Asked without a buffer, the length is in units
/// for a text message, in bytes for a binary one: a buffer of so many units is large enough for either.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketReadW(
    name: *const wchar_t,
    wait: i32,
    timeout_ms: i32,
    buffer: *mut wchar_t,
    capacity: libc::size_t,
) -> isize {
    // SAFETY: the host's promise for text arguments and buffers.
    unsafe { read(name, wait, timeout_ms, buffer, capacity) }
}

/// `SocketAvailable` with a UTF-16 name: the length as `SocketReadW` counts it.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketAvailableW(name: *const wchar_t) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { available(name) }
}

/// `SocketMessageType` with a UTF-16 name.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketMessageTypeW(name: *const wchar_t) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { message_type(name) }
}

/// `SocketClose` with a UTF-16 name.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketCloseW(name: *const wchar_t) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { close(name) }
}

/// `SocketCloseWith` with UTF-16 text: `reason` is up to 123 bytes, counted in UTF-8.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketCloseWithW(
    name: *const wchar_t,
    code: i32,
    reason: *const wchar_t,
) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { close_with(name, code, reason) }
}

/// `SocketExists` with a UTF-16 name.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketExistsW(name: *const wchar_t) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { exists(name) }
}

/// `SocketState` with a UTF-16 name.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketStateW(name: *const wchar_t) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { state(name) }
}

/// `SocketInfo` with UTF-16 text: `capacity` and the length count units.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketInfoW(
    name: *const wchar_t,
    item: i32,
    buffer: *mut wchar_t,
    capacity: libc::size_t,
) -> isize {
    // SAFETY: the host's promise for text arguments and buffers.
    unsafe { info(name, item, buffer, capacity) }
}

/// `SocketCork` with UTF-16 text.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketCorkW(name: *const wchar_t, on: i32) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { cork(name, on) }
}

/// `SocketChangeTransmissionMode` with UTF-16 text.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketChangeTransmissionModeW(
    name: *const wchar_t,
    mode: i32,
    option: *const wchar_t,
) -> isize {
    let _ = (mode, option);
    // SAFETY: the host's promise for text arguments.
    unsafe { exists(name) }
}

/// `SocketSetOption` with UTF-16 text. The options are those of both forms.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketSetOptionW(
    name: *const wchar_t,
    option: i32,
    value: *const wchar_t,
) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { set_option(name, option, value) }
}

/// `SocketProxy` with UTF-16 text.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketProxyW(
    proxy: *const wchar_t,
    port: i32,
    login: *const wchar_t,
    password: *const wchar_t,
) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { set_proxy(proxy, port, login, password) }
}

/// `SocketSetLog` with a function that takes UTF-16 lines; there is one log function, set by either form.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketSetLogW(
    log: WdSocketLogW,
    level: i32,
    user_data: *mut c_void,
) -> isize {
    set_log(log, level, user_data)
}

/// `SocketErrorMessage` in UTF-16; for failures of either form.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn SocketErrorMessageW() -> *const wchar_t {
    wide_message()
}

/// `SocketVersion` in UTF-16.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn SocketVersionW() -> *const wchar_t {
    const NARROW: &[u8] = concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes();
    static VERSION: [wchar_t; NARROW.len()] = {
        let mut units = [0; NARROW.len()];
        let mut index = 0;
        while index < units.len() {
            units[index] = NARROW[index] as wchar_t;
            index += 1;
        }
        units
    };
    super::SocketVersion();
    VERSION.as_ptr()
}
