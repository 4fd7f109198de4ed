//! What hosts can set: the defaults of the process, and what a name overrides.

use crate::{
    encoding::{self, Encoding},
    error::{Error, Result},
    protocol::{deflate::MIN_WINDOW_BITS, extensions::MAX_WINDOW_BITS},
    proxy::Proxy,
    runtime,
    sync::{Mutex, lock},
    tls::{self, Pins},
};
use once_cell::sync::Lazy;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Largest size, in bytes, that a size option takes: 2 GiB − 1, what a 32-bit count can say.
const MAX_SIZE: u64 = i32::MAX as u64;
/// Largest time, in milliseconds, that a time option takes.
const MAX_MS: u64 = i32::MAX as u64;
/// A second: whoever waits for longer had better sleep.
const MAX_SPIN_US: u64 = 1_000_000;

/// The options that are there. The numbers are the `WDSOCKET_OPTION_…` constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Key {
    Header = 1,
    Origin = 2,
    UserAgent = 3,
    SubprotocolRequired = 4,
    ConnectTimeout = 5,
    CloseTimeout = 6,
    WriteTimeout = 7,
    PingInterval = 8,
    PongTimeout = 9,
    MaxMessage = 10,
    ReceiveQueue = 11,
    SendQueue = 12,
    TextEncoding = 13,
    Spin = 14,
    CaFile = 20,
    ClientCertFile = 21,
    ClientKeyFile = 22,
    VerifyPeer = 23,
    ServerName = 24,
    Pins = 25,
    Proxy = 30,
    ReconnectMin = 31,
    ReconnectMax = 32,
    Compression = 40,
    CompressionMin = 41,
    CompressionWindow = 42,
    CompressionTakeover = 43,
}

impl Key {
    /// The option with this number.
    pub fn from_number(number: i32) -> Option<Key> {
        use Key::*;
        [
            Header,
            Origin,
            UserAgent,
            SubprotocolRequired,
            ConnectTimeout,
            CloseTimeout,
            WriteTimeout,
            PingInterval,
            PongTimeout,
            MaxMessage,
            ReceiveQueue,
            SendQueue,
            TextEncoding,
            Spin,
            CaFile,
            ClientCertFile,
            ClientKeyFile,
            VerifyPeer,
            ServerName,
            Pins,
            Proxy,
            ReconnectMin,
            ReconnectMax,
            Compression,
            CompressionMin,
            CompressionWindow,
            CompressionTakeover,
        ]
        .into_iter()
        .find(|key| *key as i32 == number)
    }

    /// Its name as the header has it, without the prefix.
    fn name(self) -> &'static str {
        match self {
            Key::Header => "HEADER",
            Key::Origin => "ORIGIN",
            Key::UserAgent => "USER_AGENT",
            Key::SubprotocolRequired => "SUBPROTOCOL_REQUIRED",
            Key::ConnectTimeout => "CONNECT_TIMEOUT_MS",
            Key::CloseTimeout => "CLOSE_TIMEOUT_MS",
            Key::WriteTimeout => "WRITE_TIMEOUT_MS",
            Key::PingInterval => "PING_INTERVAL_MS",
            Key::PongTimeout => "PONG_TIMEOUT_MS",
            Key::MaxMessage => "MAX_MESSAGE_BYTES",
            Key::ReceiveQueue => "RECEIVE_QUEUE_BYTES",
            Key::SendQueue => "SEND_QUEUE_BYTES",
            Key::TextEncoding => "TEXT_ENCODING",
            Key::Spin => "SPIN_US",
            Key::CaFile => "CA_FILE",
            Key::ClientCertFile => "CLIENT_CERT_FILE",
            Key::ClientKeyFile => "CLIENT_KEY_FILE",
            Key::VerifyPeer => "VERIFY_PEER",
            Key::ServerName => "SERVER_NAME",
            Key::Pins => "PINNED_KEY",
            Key::Proxy => "PROXY",
            Key::ReconnectMin => "RECONNECT_MIN_MS",
            Key::ReconnectMax => "RECONNECT_MAX_MS",
            Key::Compression => "COMPRESSION",
            Key::CompressionMin => "COMPRESSION_MIN_BYTES",
            Key::CompressionWindow => "COMPRESSION_WINDOW_BITS",
            Key::CompressionTakeover => "COMPRESSION_CONTEXT_TAKEOVER",
        }
    }
}

/// All settings of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Additional header lines of the upgrade request.
    pub headers: Vec<(String, String)>,
    /// `Origin` of the upgrade request.
    pub origin: Option<String>,
    /// `User-Agent` of the upgrade request.
    pub user_agent: String,
    /// Whether a server that chooses none of the offered subprotocols fails the connection.
    pub subprotocol_required: bool,
    /// For the whole connection attempt, where the call says none.
    pub connect_timeout: Duration,
    /// For the closing handshake.
    pub close_timeout: Duration,
    /// How long a write waits for room in the send queue.
    pub write_timeout: Duration,
    /// Between pings; `None`: none are sent.
    pub ping_interval: Option<Duration>,
    /// How long a pong may take.
    pub pong_timeout: Duration,
    /// Largest message either way.
    pub max_message: usize,
    /// Limit of the receive queue.
    pub receive_queue: usize,
    /// Limit of the send queue.
    pub send_queue: usize,
    /// Of the host's text messages.
    pub text_encoding: Encoding,
    /// For how long a thread that waits for a message looks again and again before it sleeps.
    pub spin: Duration,
    /// About TLS.
    pub tls: tls::Settings,
    /// The proxy to go through; `None`: what the environment says.
    pub proxy: Option<Proxy>,
    /// The first delay before trying again after a lost connection at most; zero: not said.
    pub reconnect_min: Duration,
    /// The largest such delay; zero: not said.
    pub reconnect_max: Duration,
    /// Whether compression is offered.
    pub compression: bool,
    /// Messages below this are not compressed.
    pub compression_min: usize,
    /// The largest window for compression, either way: the logarithm of its bytes.
    pub window_bits: u8,
    /// Whether compressed messages may refer to those before them.
    pub context_takeover: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            headers: Vec::new(),
            origin: None,
            user_agent: concat!("wdsocket/", env!("CARGO_PKG_VERSION")).to_owned(),
            subprotocol_required: true,
            connect_timeout: Duration::from_millis(5_000),
            close_timeout: Duration::from_millis(5_000),
            write_timeout: Duration::from_millis(5_000),
            ping_interval: Some(Duration::from_millis(30_000)),
            pong_timeout: Duration::from_millis(20_000),
            max_message: 64 << 20,
            receive_queue: 16 << 20,
            send_queue: 16 << 20,
            text_encoding: Encoding::default(),
            spin: Duration::ZERO,
            tls: tls::Settings::default(),
            proxy: None,
            reconnect_min: Duration::ZERO,
            reconnect_max: Duration::ZERO,
            compression: true,
            compression_min: 1024,
            window_bits: MAX_WINDOW_BITS,
            context_takeover: true,
        }
    }
}

/// A value that was checked, ready to be put into settings.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Header(String, String),
    Text(String),
    Switch(bool),
    Number(u64),
    Encoding(Encoding),
    Pins(Pins),
    Proxy(Proxy),
}

impl Settings {
    fn apply(&mut self, key: Key, value: &Value) {
        let ms = |n: &u64| Duration::from_millis(*n);
        match (key, value) {
            (Key::Header, Value::Header(name, value)) => {
                self.headers.push((name.clone(), value.clone()));
            }
            (Key::Origin, Value::Text(text)) => self.origin = Some(text.clone()),
            (Key::UserAgent, Value::Text(text)) => self.user_agent.clone_from(text),
            (Key::SubprotocolRequired, Value::Switch(on)) => self.subprotocol_required = *on,
            (Key::ConnectTimeout, Value::Number(n)) => self.connect_timeout = ms(n),
            (Key::CloseTimeout, Value::Number(n)) => self.close_timeout = ms(n),
            (Key::WriteTimeout, Value::Number(n)) => self.write_timeout = ms(n),
            (Key::PingInterval, Value::Number(n)) => {
                self.ping_interval = (*n > 0).then(|| ms(n));
            }
            (Key::PongTimeout, Value::Number(n)) => self.pong_timeout = ms(n),
            (Key::MaxMessage, Value::Number(n)) => self.max_message = *n as usize,
            (Key::ReceiveQueue, Value::Number(n)) => self.receive_queue = *n as usize,
            (Key::SendQueue, Value::Number(n)) => self.send_queue = *n as usize,
            (Key::TextEncoding, Value::Encoding(encoding)) => self.text_encoding = *encoding,
            (Key::Spin, Value::Number(n)) => self.spin = Duration::from_micros(*n),
            (Key::CaFile, Value::Text(file)) => self.tls.ca_file = Some(file.clone()),
            (Key::ClientCertFile, Value::Text(file)) => self.tls.cert_file = Some(file.clone()),
            (Key::ClientKeyFile, Value::Text(file)) => self.tls.key_file = Some(file.clone()),
            (Key::VerifyPeer, Value::Switch(on)) => self.tls.verify_peer = *on,
            (Key::ServerName, Value::Text(name)) => self.tls.server_name = Some(name.clone()),
            (Key::Pins, Value::Pins(pins)) => self.tls.pins = Some(pins.clone()),
            (Key::Proxy, Value::Proxy(proxy)) => self.proxy = Some(proxy.clone()),
            (Key::ReconnectMin, Value::Number(n)) => self.reconnect_min = ms(n),
            (Key::ReconnectMax, Value::Number(n)) => self.reconnect_max = ms(n),
            (Key::Compression, Value::Switch(on)) => self.compression = *on,
            (Key::CompressionMin, Value::Number(n)) => self.compression_min = *n as usize,
            (Key::CompressionWindow, Value::Number(n)) => self.window_bits = *n as u8,
            (Key::CompressionTakeover, Value::Switch(on)) => self.context_takeover = *on,
            _ => unreachable!("parse() gives each option its own kind of value"),
        }
    }
}

fn parse(key: Key, text: &str) -> Result<Value> {
    match key {
        Key::Header => parse_header(text),
        Key::Origin | Key::UserAgent => {
            check_header_value(key.name(), text)?;
            if key == Key::Origin && !text.is_ascii() {
                let what = "ORIGIN: only ASCII, host names as \"xn--…\" (RFC 6454, section 7.1)";
                return Err(Error::invalid(what));
            }
            Ok(Value::Text(text.trim().to_owned()))
        }
        Key::CaFile | Key::ClientCertFile => {
            tls::check_certificates(key.name(), text)?;
            Ok(Value::Text(text.to_owned()))
        }
        Key::ClientKeyFile => {
            tls::check_key(key.name(), text)?;
            Ok(Value::Text(text.to_owned()))
        }
        Key::ServerName => {
            tls::server_name(text)?;
            Ok(Value::Text(text.to_owned()))
        }
        Key::TextEncoding => Encoding::parse(text).map(Value::Encoding),
        Key::Pins => Pins::parse(text).map(Value::Pins),
        Key::Proxy => Proxy::parse(text).map(Value::Proxy),
        Key::SubprotocolRequired
        | Key::VerifyPeer
        | Key::Compression
        | Key::CompressionTakeover => match text {
            "on" | "1" | "true" | "yes" => Ok(Value::Switch(true)),
            "off" | "0" | "false" | "no" => Ok(Value::Switch(false)),
            _ => Err(Error::invalid(format!(
                "{} takes \"on\" or \"off\", not \"{text}\"",
                key.name()
            ))),
        },
        Key::ConnectTimeout | Key::PongTimeout => parse_number(key, text, 1, MAX_MS),
        Key::Spin => parse_number(key, text, 0, MAX_SPIN_US),
        Key::CloseTimeout
        | Key::WriteTimeout
        | Key::PingInterval
        | Key::ReconnectMin
        | Key::ReconnectMax => parse_number(key, text, 0, MAX_MS),
        Key::CompressionMin => parse_number(key, text, 0, MAX_SIZE),
        Key::CompressionWindow => parse_number(
            key,
            text,
            u64::from(MIN_WINDOW_BITS),
            u64::from(MAX_WINDOW_BITS),
        ),
        Key::MaxMessage | Key::ReceiveQueue | Key::SendQueue => {
            parse_number(key, text, 1, MAX_SIZE)
        }
    }
}

fn parse_number(key: Key, text: &str, least: u64, most: u64) -> Result<Value> {
    // Digits alone: `u64::from_str` would also take a plus sign.
    let number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse::<u64>().ok())
        .flatten()
        .filter(|number| (least..=most).contains(number));
    number.map(Value::Number).ok_or_else(|| {
        Error::invalid(format!(
            "{} takes a whole number from {least} to {most}, not \"{text}\"",
            key.name()
        ))
    })
}

/// Header lines that the library writes itself (RFC 6455, section 4.1), or that would change what
/// the request is.
fn is_reserved_header(name: &str) -> bool {
    const RESERVED: [&str; 5] = [
        "host",
        "connection",
        "upgrade",
        "content-length",
        "transfer-encoding",
    ];
    let name = name.to_ascii_lowercase();
    RESERVED.contains(&name.as_str()) || name.starts_with("sec-websocket-")
}

fn parse_header(line: &str) -> Result<Value> {
    let Some((name, value)) = line.split_once(':') else {
        return Err(Error::invalid("HEADER takes \"Name: value\""));
    };
    // RFC 9110, section 5.6.2: a field name is a token.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Error::invalid("HEADER: the name is not a header name"));
    }
    if is_reserved_header(name) {
        return Err(Error::invalid(format!(
            "HEADER: {name} is the library's own and cannot be set"
        )));
    }
    // The value is not repeated in the message: it may be a secret.
    check_header_value(name, value)?;
    Ok(Value::Header(name.to_owned(), value.trim().to_owned()))
}

fn check_header_value(name: &str, value: &str) -> Result<()> {
    match value
        .bytes()
        .any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f)
    {
        true => Err(Error::invalid(format!(
            "{name}: a header value may not contain line breaks or control characters"
        ))),
        false => Ok(()),
    }
}

/// What was set at one level, in the order of setting.
type Overrides = Vec<(Key, Value)>;

fn put(overrides: &mut Overrides, key: Key, value: Option<Value>) {
    // HEADER adds; everything else replaces.
    if key != Key::Header || value.is_none() {
        overrides.retain(|(have, _)| *have != key);
    }
    overrides.extend(value.map(|value| (key, value)));
}

#[derive(Default)]
struct Store {
    defaults: Overrides,
    named: HashMap<String, Overrides>,
    /// The settings that the defaults make, once they were asked for: connections share them.
    made: Option<Arc<Settings>>,
}

static STORE: Lazy<Mutex<Store>> = Lazy::new(Mutex::default);

/// Sets an option for a name, or for all later connections (`name` `None`). An empty value
/// takes the setting back.
///
/// # Errors
/// A value that the option does not take; nothing is changed then.
pub fn set(name: Option<&str>, key: Key, text: Option<&str>) -> Result<()> {
    let value = match text {
        // No proxy is something else than what the environment says.
        Some("") if key == Key::Proxy => Some(Value::Proxy(Proxy::None)),
        None | Some("") => None,
        Some(text) => Some(parse(key, text)?),
    };
    let mut store = lock(&STORE);
    match name {
        None => {
            if key == Key::TextEncoding {
                // Under the lock, so that it is the one that stays in the store.
                encoding::DEFAULT.set(match &value {
                    Some(Value::Encoding(encoding)) => *encoding,
                    _ => Encoding::default(),
                });
            }
            if key == Key::Spin {
                let microseconds = match &value {
                    Some(Value::Number(n)) => *n,
                    _ => 0,
                };
                runtime::set_spin(Duration::from_micros(microseconds));
            }
            store.made = None;
            put(&mut store.defaults, key, value);
        }
        Some(name) => match store.named.get_mut(name) {
            Some(overrides) => {
                put(overrides, key, value);
                if overrides.is_empty() {
                    store.named.remove(name);
                }
            }
            None => {
                if let Some(value) = value {
                    store.named.insert(name.to_owned(), vec![(key, value)]);
                }
            }
        },
    }
    Ok(())
}

/// Sets the proxy for all later connections.
pub fn set_default_proxy(proxy: Proxy) {
    let mut store = lock(&STORE);
    store.made = None;
    put(&mut store.defaults, Key::Proxy, Some(Value::Proxy(proxy)));
}

/// The defaults as they are now.
pub fn defaults() -> Arc<Settings> {
    let mut store = lock(&STORE);
    let Store { defaults, made, .. } = &mut *store;
    made.get_or_insert_with(|| {
        let mut settings = Settings::default();
        for (key, value) in defaults {
            settings.apply(*key, value);
        }
        Arc::new(settings)
    })
    .clone()
}

/// `defaults` with what is set for `name` on top: a live connection keeps the defaults that it
/// began with.
pub fn overridden(defaults: &Arc<Settings>, name: &str) -> Arc<Settings> {
    let mut settings = defaults.clone();
    for (key, value) in lock(&STORE).named.get(name).into_iter().flatten() {
        Arc::make_mut(&mut settings).apply(*key, value);
    }
    settings
}

/// Forgets what was set for a name.
pub fn forget(name: &str) {
    lock(&STORE).named.remove(name);
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_within_their_range() {
        for bad in [
            "-1",
            "+5",
            " 5",
            "5 ",
            "0x10",
            "1e3",
            "2147483648",
            "99999999999999999999999",
        ] {
            assert!(parse(Key::PingInterval, bad).is_err(), "{bad}");
        }
        assert_eq!(parse(Key::PingInterval, "0"), Ok(Value::Number(0)));
        assert!(parse(Key::PongTimeout, "0").is_err());
        assert!(parse(Key::MaxMessage, "0").is_err());
    }

    #[test]
    fn reserved_headers_and_line_breaks_are_refused() {
        for bad in [
            "Host: x",
            "CONNECTION: x",
            "upgrade: x",
            "Sec-WebSocket-Key: x",
            "sec-websocket-anything: x",
            "X-A: b\r\nX-B: c",
            "X-A: b\nX-B: c",
            "X A: b",
            ": b",
            "no colon",
        ] {
            assert!(parse(Key::Header, bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse(Key::Header, "X-A:  b c "),
            Ok(Value::Header("X-A".into(), "b c".into()))
        );
    }

    #[test]
    fn a_name_adds_headers_to_the_defaults_and_overrides_the_rest() {
        let mut store = Store::default();
        put(
            &mut store.defaults,
            Key::Header,
            Some(parse(Key::Header, "A: 1").unwrap()),
        );
        put(
            &mut store.defaults,
            Key::PingInterval,
            Some(Value::Number(1)),
        );
        let mut named = Overrides::new();
        put(
            &mut named,
            Key::Header,
            Some(parse(Key::Header, "B: 2").unwrap()),
        );
        put(&mut named, Key::PingInterval, Some(Value::Number(2)));
        put(&mut named, Key::PingInterval, Some(Value::Number(3)));
        assert_eq!(named.len(), 2);
        let mut settings = Settings::default();
        for (key, value) in store.defaults.iter().chain(&named) {
            settings.apply(*key, value);
        }
        assert_eq!(
            settings.headers,
            [("A".into(), "1".into()), ("B".into(), "2".into())]
        );
        assert_eq!(settings.ping_interval, Some(Duration::from_millis(3)));
        put(&mut named, Key::Header, None);
        assert_eq!(named.len(), 1);
    }
}
