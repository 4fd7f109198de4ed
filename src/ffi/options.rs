//! Options, log, shutdown.

use super::{
    args,
    callback::{CLog, LogOf, UserData, WdSocketLog},
    text::Text,
    truth,
};
use crate::{client, error::Error, host::HostCall, logging, options, proxy::Proxy};
use std::ffi::{c_char, c_void};

/// Sets an option.
///
/// - `name`: NULL sets the default for all later connections. A name sets it for every connection of
///   that name, failed attempts included, and at once for a live one where that makes sense
///   (time limits, keepalive, sizes), until `SocketClose` or until it is taken back. The name need
///   not be in use yet.
/// - `option`: a `WDSOCKET_OPTION_...` constant.
/// - `value`: always text (`"30000"`, `"on"`). NULL or `""` takes the setting back: a name's to the
///   default, the default's to the library's. `WDSOCKET_OPTION_HEADER` adds one line at each call; a
///   name's lines are sent beside the default ones; NULL clears them.
///
/// Returns 1; 0 and nothing changed for an option that does not exist or a value that it does not
/// take (`WDSOCKET_E_INVALID_ARGUMENT`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketSetOption(
    name: *const c_char,
    option: i32,
    value: *const c_char,
) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { set_option(name, option, value) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn set_option<T: Text>(name: T, option: i32, value: T) -> isize {
    truth(|| {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe {
            (
                args::optional_name(name)?,
                args::text_or_empty("the value", value)?,
            )
        };
        client::set_option(name.as_deref(), option, value.as_deref())
    })
}

/// Sets the proxy for all later connections, as `SocketSetOption(NULL, WDSOCKET_OPTION_PROXY, …)` does.
///
/// - `proxy`: `http://host`, `https://host`, `socks5://host` or `socks5h://host` (where the proxy resolves
///   names), each `[:port]`. `""` or NULL: no proxy from here on, whatever the environment says.
/// - `port`: 1 to 65535; 0: the URL's, or else 1080 for SOCKS, 8080 for `http`, 443 for `https`.
/// - `login`, `password`: for proxies that demand them; NULL or `""` for none. For HTTP Basic
///   authentication (RFC 7617), for SOCKS RFC 1929.
///
/// Where neither this nor the option was used, the environment counts: `https_proxy` or `HTTPS_PROXY` for
/// `wss://`, `http_proxy` for `ws://`, then `all_proxy` or `ALL_PROXY`, with the exceptions in `no_proxy` or
/// `NO_PROXY`. Returns 1; 0 for a proxy that cannot be read (`WDSOCKET_E_INVALID_ARGUMENT`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketProxy(
    proxy: *const c_char,
    port: i32,
    login: *const c_char,
    password: *const c_char,
) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { set_proxy(proxy, port, login, password) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn set_proxy<T: Text>(proxy: T, port: i32, login: T, password: T) -> isize {
    truth(|| {
        // SAFETY: the caller's promise.
        let (proxy, login, password) = unsafe {
            (
                args::text("the proxy", proxy)?.unwrap_or_default(),
                args::text("the login", login)?.unwrap_or_default(),
                args::text("the password", password)?.unwrap_or_default(),
            )
        };
        options::set_default_proxy(Proxy::from_parts(&proxy, port, &login, &password)?);
        Ok(())
    })
}

/// Hands the library's log to the host. By default the library is silent; independently of this, the
/// environment variable `WDSOCKET_LOG` (`error`, `warn`, `info`, `debug`, `trace`) sends the log to
/// standard error. Header values, passwords and message contents are never logged.
///
/// - `log`: called with each line, on any thread, without a lock held; `line` is NUL-terminated and
///   valid during the call. No function of this library may be called in it (`WDSOCKET_E_BUSY`). NULL
///   removes it.
/// - `level`: 1 error, 2 warning, 3 information, 4 debug, 5 trace: lines of this level and more
///   important ones. Not looked at where `log` is NULL.
/// - `user_data`: handed to `log`.
///
/// Returns 1; 0 for a level out of range. When it returns, the old function is not running and will
/// not be called again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketSetLog(
    log: WdSocketLog,
    level: i32,
    user_data: *mut c_void,
) -> isize {
    set_log(log, level, user_data)
}

pub(super) fn set_log<T: Text>(log: Option<LogOf<T>>, level: i32, user_data: *mut c_void) -> isize {
    truth(|| {
        let log = log.map(|log| -> Box<dyn HostCall<(i32, String)>> {
            Box::new(CLog {
                log,
                user_data: UserData(user_data),
            })
        });
        if log.is_some() && !(1..=5).contains(&level) {
            return Err(Error::invalid(format!(
                "level {level} is not within 1 to 5"
            )));
        }
        logging::set_hook(log, level);
        Ok(())
    })
}

/// Closes every socket (code 1001), waits for the closing handshakes, also for those that `SocketClose`
/// left running, and stops the library's thread. Nobody needs to call it: a process may simply exit.
///
/// It frees all names and discards all events; calls that wait return `WDSOCKET_E_CANCELLED`, a waiting
/// `SocketDispatch` returns 0. Options, wake-up, log and the value of `SocketDispatchHandle` stay, and
/// the library can be used again. While it runs, connecting fails with `WDSOCKET_E_CANCELLED`.
///
/// - `timeout_ms`: how long to wait for the handshakes; 0 does not wait, negative waits without limit.
///
/// Returns 1 if all had finished, else 0: `WDSOCKET_E_TIMEOUT`; `WDSOCKET_E_BUSY` inside a callback and
/// while another thread is in this function, nothing is changed then.
#[unsafe(no_mangle)]
pub extern "C" fn SocketShutdown(timeout_ms: i32) -> isize {
    truth(|| client::shut_down(args::limit(timeout_ms)))
}
