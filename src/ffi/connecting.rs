//! Connecting.

use super::{
    args,
    callback::{CHandler, CallbackOf, WdSocketCallback},
    last_error::Last,
    looking, run,
    text::Text,
    truth,
};
use crate::{
    client::{self, Limit, Request},
    connect::address::{Target, parse_protocols},
    error::{Error, Result},
    socket::Mode,
    tls::Versions,
};
use std::ffi::{c_char, c_void};

/// Connects to a WebSocket server (`ws://`) and waits until the connection is open: a *synchronous
/// socket*, whose messages `SocketRead` takes.
///
/// - `name`: what the connection is to be called by, 1 to 255 bytes. A name whose connection is live
///   is refused (`WDSOCKET_E_NAME_IN_USE`); one whose connection has ended may be used again, its
///   unread messages are dropped then.
/// - `address`: host name, IPv4 or IPv6 address (with or without brackets), or a URL
///   `ws://host[:port][/path][?query]`. A host name with several addresses is tried as in RFC 8305
///   ("happy eyeballs"). `host:port` without a scheme, user information and fragments are errors.
/// - `port`: 1 to 65535; 0 means 443, the documented default. With a URL 0 means the URL's port, or
///   else 80.
/// - `path`: with or without the leading `/`, with or without a query; NULL or `""` means `/`, or
///   what the URL says. A port or path that contradicts the URL's is an error.
/// - `protocols`: subprotocols that the server must support, separated by commas (`"mqtt,soap"`); NULL
///   or `""` for none. It must choose one of them (`WDSOCKET_E_SUBPROTOCOL`), unless
///   `WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED` is off.
/// - `timeout_ms`: for the whole attempt: name resolution, TCP, upgrade. 0 means
///   `WDSOCKET_OPTION_CONNECT_TIMEOUT_MS` (5000), negative waits without limit.
///
/// Returns 1 when the connection is open, 0 when it has failed (`SocketErrorCode`,
/// `SocketErrorMessage`; `SocketInfo` with `name` NULL for the server's answer). A failure leaves
/// no name behind. `SocketClose` from another thread ends the wait (`WDSOCKET_E_CANCELLED`).
/// Protocol: RFC 6455, section 4.1.
///
/// ```c
/// char answer[4096];
/// if (WebSocketClientConnect("client", "127.0.0.1", 9001, "/echo", NULL, 2000)
///     && SocketWrite("client", "Hello", -1)
///     && SocketRead("client", 1, 0, answer, sizeof answer) >= 0)
///   puts(answer);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnect(
    name: *const c_char,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    timeout_ms: i32,
) -> isize {
    // SAFETY: the host's promise for all text arguments.
    connect_and_wait(timeout_ms, || unsafe {
        from_parts(name, address, port, path, protocols, None)
    })
}

/// Starts a connection attempt to a WebSocket server (`ws://`): a *callback socket*, whose messages go
/// to `callback`.
///
/// - `callback`: hears what happens to the connection, on the thread that dispatches
///   (`SocketDispatch`), never before this function has returned there; must not be NULL.
/// - `user_data`: handed to each call of `callback`; must stay valid as long as calls can come.
/// - The other parameters are those of `WebSocketClientConnect`. The attempt's time limit is
///   `WDSOCKET_OPTION_CONNECT_TIMEOUT_MS`.
///
/// Returns 1 as soon as the request is valid and accepted; the outcome is an event:
/// `WDSOCKET_EVENT_OPENING`, or `WDSOCKET_EVENT_ERROR` and then `WDSOCKET_EVENT_CLOSING`. 0 if it was
/// not accepted; no event comes then. Where the name had a connection that has ended, the events
/// of that one which still wait come first, with their own `user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectAsync(
    name: *const c_char,
    callback: WdSocketCallback,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    user_data: *mut c_void,
) -> isize {
    truth(|| {
        // SAFETY: the host's promise for all text arguments.
        let request = unsafe { from_parts(name, address, port, path, protocols, None) }?;
        connect_async(request, callback, user_data)
    })
}

/// Connects to a WebSocket server over TLS (`wss://`) and waits until the connection is open: a
/// *synchronous socket*.
///
/// The server's certificate is verified against the certificates that the system trusts
/// (`WDSOCKET_OPTION_CA_FILE`, `WDSOCKET_OPTION_VERIFY_PEER`, `WDSOCKET_OPTION_PINNED_KEY`) and must be for
/// the name or IP address connected to (`WDSOCKET_OPTION_SERVER_NAME`).
///
/// - `address`: as for `WebSocketClientConnect`, a URL begins with `wss://`.
/// - `port`: 1 to 65535; 0 means 443, or the URL's.
/// - `ssl_options`: 0 for TLS 1.2 and 1.3; or a combination of `WDSOCKET_SSL_TLS1_2` and
///   `WDSOCKET_SSL_TLS1_3`. The older versions are accepted beside these and never used; asking only for
///   them is an error.
/// - The other parameters are those of `WebSocketClientConnect`. The time limit includes the TLS
///   handshake.
///
/// Returns 1 when the connection is open, else 0 (`WDSOCKET_E_TLS` where TLS has failed; the message says
/// which certificate, what is wrong with it and what can be done).
/// TLS: RFC 8446 (1.3), RFC 5246 (1.2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectSSL(
    name: *const c_char,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
    ssl_options: i32,
    timeout_ms: i32,
) -> isize {
    connect_and_wait(timeout_ms, || {
        let versions = args::versions(ssl_options)?;
        // SAFETY: the host's promise for all text arguments.
        unsafe { from_parts(name, address, port, path, protocols, Some(versions)) }
    })
}

/// Starts a connection attempt to a WebSocket server over TLS (`wss://`): a *callback socket*.
///
/// The parameters are those of `WebSocketClientConnectAsync` and `WebSocketClientConnectSSL`.
///
/// Returns 1 as soon as the request is valid and accepted, else 0; the outcome is an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WebSocketClientConnectSSLAsync(
    name: *const c_char,
    callback: WdSocketCallback,
    address: *const c_char,
    port: i32,
    path: *const c_char,
    protocols: *const c_char,
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

/// Starts a connection attempt to the server of a URL: a *callback socket*, as
/// `WebSocketClientConnectAsync` makes them.
///
/// - `url`: `ws://host[:port][/path][?query]` or `wss://…` for TLS; without a port it is 80 or 443.
/// - `callback`, `protocols`, `user_data`: as for `WebSocketClientConnectAsync`.
///
/// Returns 1 as soon as the request is valid and accepted, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketConnect(
    name: *const c_char,
    url: *const c_char,
    callback: WdSocketCallback,
    protocols: *const c_char,
    user_data: *mut c_void,
) -> isize {
    truth(|| {
        // SAFETY: the host's promise for all text arguments.
        let request = unsafe { from_url(name, url, protocols) }?;
        connect_async(request, callback, user_data)
    })
}

pub(super) fn connect_and_wait(
    timeout_ms: i32,
    request: impl FnOnce() -> Result<Request>,
) -> isize {
    let mut failed = None;
    let result = truth(|| {
        let limit = match (timeout_ms, args::limit(timeout_ms)) {
            (0, _) => Limit::Default,
            (_, Some(limit)) => Limit::For(limit),
            (_, None) => Limit::None,
        };
        client::connect_and_wait(request()?, limit).map_err(|(error, attempt)| {
            failed = attempt;
            error
        })
    });
    if let Some(attempt) = failed {
        looking::remember_failed(attempt);
    }
    result
}

/// # Safety
/// The pointers are NULL or point to NUL-terminated strings.
pub(super) unsafe fn from_url<T: Text>(name: T, url: T, protocols: T) -> Result<Request> {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(Request {
            name: args::name(name)?.into_owned(),
            target: Target::from_url(&args::required("the URL", url)?)?,
            protocols: parse_protocols(&args::text("protocols", protocols)?.unwrap_or_default())?,
        })
    }
}

/// # Safety
/// The pointers are NULL or point to NUL-terminated strings.
pub(super) unsafe fn from_parts<T: Text>(
    name: T,
    address: T,
    port: i32,
    path: T,
    protocols: T,
    tls: Option<Versions>,
) -> Result<Request> {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(Request {
            name: args::name(name)?.into_owned(),
            target: Target::from_parts(
                &args::required("the address", address)?,
                port,
                &args::text("path", path)?.unwrap_or_default(),
                tls,
            )?,
            protocols: parse_protocols(&args::text("protocols", protocols)?.unwrap_or_default())?,
        })
    }
}

pub(super) fn connect_async<T: Text>(
    request: Request,
    callback: Option<CallbackOf<T>>,
    user_data: *mut c_void,
) -> Result<()> {
    let Some(callback) = callback else {
        return Err(Error::invalid("the callback is missing (NULL)"));
    };
    let handler = CHandler::new(callback, user_data, &request.name);
    client::connect(request, Mode::Callback(Box::new(handler)), Limit::Default)?;
    #[cfg(windows)]
    super::events::attach_automatically();
    Ok(())
}

/// The version of the library, `"major.minor.patch"` (semver.org).
///
/// Returns: a string that is valid as long as the process lives. Cannot fail, and leaves the
/// thread's error alone.
#[unsafe(no_mangle)]
pub extern "C" fn SocketVersion() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    // Pins the library, which every function does; what the thread had as its error stays.
    let error = Last::exchange(None);
    let _ = run(|| Ok(()));
    Last::exchange(error);
    VERSION.as_ptr().cast()
}
