/* wdsocket.hpp: a thin C++17 layer over wdsocket.h. Header only, nothing to link beyond the C library.
 *
 *     wdsocket::WebSocketClientConnect("client", "127.0.0.1", 9001, "/echo");          // wait for the connection
 *     wdsocket::SocketWrite("client", "hello");
 *     if (auto answer = wdsocket::SocketRead("client")) std::cout << *answer;
 *
 *     wdsocket::WebSocketClientConnect("client",                                       // or be called back
 *         [](wdsocket::Event event, std::string_view message, std::string_view name) { ... },
 *         "127.0.0.1", 9001, "/echo");
 *     while (running) wdsocket::SocketDispatch(wdsocket::forever);
 *
 * It adds WLanguage's optional parameters, std::string, std::chrono and std::function, and nothing else: what each
 * function does stands in wdsocket.h and holds here. Both layers may be mixed on one name.
 *
 * NAMES. The functions are called as in C, inside the namespace. Write `wdsocket::SocketClose(name)`, or
 * `namespace ws = wdsocket;`. Avoid `using namespace wdsocket;`: for a string literal the compiler would then prefer
 * the C function of the same name wherever the arguments fit both.
 *
 * ERRORS. No function of this layer throws, and it compiles with -fno-exceptions -fno-rtti. Failure is `false`, an
 * empty optional or a negative count, and `last_error()` says what happened, on the thread that made the call, until
 * its next call. (Only the standard library may throw, std::bad_alloc when memory is exhausted.)
 * Text with a NUL inside, where the C interface would silently stop reading, is refused with
 * WDSOCKET_E_INVALID_ARGUMENT; messages may contain NULs.
 *
 * THREADS. Every function may be called from any thread, also inside a callback, but not inside a wake-up or log
 * function, nor in a child of fork().
 *
 * LIFETIME OF CALLBACKS. The function object given to a connect call is kept, in one copy, until no callback of that
 * connection can start and none is running; then it is destroyed, with no lock held:
 *   - the connect call fails: before it returns;
 *   - CLOSING was delivered and the connection has ended: when the function returns;
 *   - wdsocket::SocketClose: before it returns, on the closing thread, unless the function is running just then:
 *     when it returns, on the dispatching thread. Closing from inside the function itself is the same case.
 *     After wdsocket::SocketClose returns, no function given for that name before starts any more. One that runs on
 *     another thread may still be running: call wdsocket::SocketSync before you destroy what it refers to.
 *   - wdsocket::SocketShutdown: likewise, for all names.
 * A name that is connected again keeps the functions apart: the predecessor's remaining events go to its own.
 * What C is handed as user_data is a number, not an address, so no order of calls leads to a function that is gone.
 * A name closed behind this layer's back (::SocketClose, ::SocketShutdown) is noticed at the first event of its
 * successor, or at a later connect call: at most max(16, twice the number of functions in use) functions wait for it.
 *
 * EXCEPTIONS IN CALLBACKS end the process (std::terminate), as in std::thread: below the callback lies C and Rust,
 * which cannot be unwound, there is no caller to hand the exception to, and to swallow it would hide a lost message.
 * The debugger stops where it was thrown. Catch inside what you expect.
 *
 * PLUG-INS. Code that is unloaded (dlclose, FreeLibrary) must have closed its sockets and called SocketSync before.
 */
#ifndef WDSOCKET_HPP
#define WDSOCKET_HPP

#include "wdsocket.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wdsocket {

using std::chrono::milliseconds;

/* As a time limit: wait without one. */
inline constexpr milliseconds forever{-1};

/* New events, states, items and options may appear: ignore the values you do not know (keep a `default:`). */
enum class Event : std::int32_t {
    Opening = WDSOCKET_EVENT_OPENING,  /* connected; message empty                                                */
    Message = WDSOCKET_EVENT_MESSAGE,  /* the message, which may contain NULs                                     */
    Closing = WDSOCKET_EVENT_CLOSING,  /* ended, always the last; message: the close code in decimal              */
    Error = WDSOCKET_EVENT_ERROR,      /* message empty; last_error() inside the callback says what happened      */
    Writable = WDSOCKET_EVENT_WRITABLE /* after SEND_QUEUE_FULL: at least half of the send queue is free again    */
};

enum class State : std::int32_t {
    None = WDSOCKET_STATE_NONE,
    Connecting = WDSOCKET_STATE_CONNECTING,
    Open = WDSOCKET_STATE_OPEN,
    Closing = WDSOCKET_STATE_CLOSING,
    Closed = WDSOCKET_STATE_CLOSED
};

enum class MessageType : std::int32_t { None = 0, Text = 1, Binary = 2 };

enum class Info : std::int32_t {
    Protocol = WDSOCKET_INFO_PROTOCOL,
    Extensions = WDSOCKET_INFO_EXTENSIONS,
    RemoteAddress = WDSOCKET_INFO_REMOTE_ADDRESS,
    CloseCode = WDSOCKET_INFO_CLOSE_CODE,
    CloseReason = WDSOCKET_INFO_CLOSE_REASON,
    HttpStatus = WDSOCKET_INFO_HTTP_STATUS,
    ResponseHeaders = WDSOCKET_INFO_RESPONSE_HEADERS,
    Tls = WDSOCKET_INFO_TLS,
    BytesIn = WDSOCKET_INFO_BYTES_IN,
    BytesOut = WDSOCKET_INFO_BYTES_OUT,
    MessagesIn = WDSOCKET_INFO_MESSAGES_IN,
    MessagesOut = WDSOCKET_INFO_MESSAGES_OUT,
    QueuedIn = WDSOCKET_INFO_QUEUED_IN,
    QueuedOut = WDSOCKET_INFO_QUEUED_OUT,
    PingMs = WDSOCKET_INFO_PING_MS,
    Url = WDSOCKET_INFO_URL,
    LastError = WDSOCKET_INFO_LAST_ERROR,
    PeerCertificate = WDSOCKET_INFO_PEER_CERTIFICATE,
    Proxy = WDSOCKET_INFO_PROXY,
    Reconnections = WDSOCKET_INFO_RECONNECTIONS,
    WireBytesIn = WDSOCKET_INFO_WIRE_BYTES_IN,
    WireBytesOut = WDSOCKET_INFO_WIRE_BYTES_OUT
};

enum class Option : std::int32_t {
    Header = WDSOCKET_OPTION_HEADER,
    Origin = WDSOCKET_OPTION_ORIGIN,
    UserAgent = WDSOCKET_OPTION_USER_AGENT,
    SubprotocolRequired = WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED,
    ConnectTimeout = WDSOCKET_OPTION_CONNECT_TIMEOUT_MS,
    CloseTimeout = WDSOCKET_OPTION_CLOSE_TIMEOUT_MS,
    WriteTimeout = WDSOCKET_OPTION_WRITE_TIMEOUT_MS,
    PingInterval = WDSOCKET_OPTION_PING_INTERVAL_MS,
    PongTimeout = WDSOCKET_OPTION_PONG_TIMEOUT_MS,
    MaxMessageBytes = WDSOCKET_OPTION_MAX_MESSAGE_BYTES,
    ReceiveQueueBytes = WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES,
    SendQueueBytes = WDSOCKET_OPTION_SEND_QUEUE_BYTES,
    TextEncoding = WDSOCKET_OPTION_TEXT_ENCODING,
    SpinMicroseconds = WDSOCKET_OPTION_SPIN_US,
    CaFile = WDSOCKET_OPTION_CA_FILE,
    ClientCertFile = WDSOCKET_OPTION_CLIENT_CERT_FILE,
    ClientKeyFile = WDSOCKET_OPTION_CLIENT_KEY_FILE,
    VerifyPeer = WDSOCKET_OPTION_VERIFY_PEER,
    ServerName = WDSOCKET_OPTION_SERVER_NAME,
    PinnedKey = WDSOCKET_OPTION_PINNED_KEY,
    Proxy = WDSOCKET_OPTION_PROXY,
    ReconnectMin = WDSOCKET_OPTION_RECONNECT_MIN_MS,
    ReconnectMax = WDSOCKET_OPTION_RECONNECT_MAX_MS,
    Compression = WDSOCKET_OPTION_COMPRESSION,
    CompressionMinBytes = WDSOCKET_OPTION_COMPRESSION_MIN_BYTES,
    CompressionWindowBits = WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS,
    CompressionContextTakeover = WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER
};

enum class LogLevel : std::int32_t { Error = 1, Warning = 2, Information = 3, Debug = 4, Trace = 5 };

/* What a connection reports, on the thread that calls SocketDispatch, one call at a time. `message` and `name` are
 * valid until the function returns: copy what you keep. The function must not throw. */
using Callback = std::function<void(Event event, std::string_view message, std::string_view name)>;

/* ------------------------------------------------------------------------------------------------ errors ---- */

struct Error {
    std::int32_t code = WDSOCKET_E_OK; /* WDSOCKET_E_… */
    std::string message;               /* a sentence that names the socket, the address and the cause */

    /* True if there is an error. */
    explicit operator bool() const noexcept { return code != WDSOCKET_E_OK; }
};

/* The error of the calling thread's last call, in either layer; code OK and no message if it succeeded. */
inline Error last_error()
{
    return Error{static_cast<std::int32_t>(::SocketErrorCode()), ::SocketErrorMessage()};
}

/* ------------------------------------------------------------------------------- inside, not for callers ---- */

namespace detail {

/* A parameter that C wants NUL-terminated. Copies a string_view only, and tells when there is a NUL inside. */
class Text {
public:
    Text(const char *text) noexcept : text_(text) {} /* NULL means what it means in C */
    Text(const std::string &text) noexcept : text_(text.c_str()), whole_(text.find('\0') == text.npos) {}
    Text(std::string_view text) : copy_(text), text_(copy_.c_str()), whole_(text.find('\0') == text.npos) {}
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;

    const char *get() const noexcept { return text_; }
    bool whole() const noexcept { return whole_; }

private:
    std::string copy_;
    const char *text_;
    bool whole_ = true;
};

/* The name to hand to C: NULL, which every function with a name refuses with INVALID_ARGUMENT, if one of the texts
 * has a NUL inside. */
template <class... Rest> const char *name_if_whole(const Text &name, const Rest &...rest) noexcept
{
    return (name.whole() && ... && rest.whole()) ? name.get() : nullptr;
}

/* C counts milliseconds in 32 bits: negative is "no limit", more than 24 days are 24 days. */
inline std::int32_t time_limit(milliseconds time) noexcept
{
    if (time.count() < 0) return -1;
    constexpr milliseconds::rep most = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(std::min<milliseconds::rep>(time.count(), most));
}

/* A connection's function object; all but `function` and `name` under the lock of Handlers. */
struct Handler {
    Handler(Callback f, std::string n) : function(std::move(f)), name(std::move(n)) {}
    Callback function;
    std::string name;
    void *key = nullptr;     /* what C holds as user_data */
    bool started = false;    /* an event was delivered, so the name's earlier connections have none left */
    bool ended = false;      /* its last event was CLOSING */
    bool superseded = false; /* the name was connected again, without callback, since */
};

using HandlerPtr = std::shared_ptr<Handler>;
using Released = std::vector<HandlerPtr>; /* destroyed by the caller, outside the locks: destructors are host code */

/* The function objects that C may still ask for, found by number. Two locks: `order_` is held across those C calls
 * that bind or free a name (they do not wait), so that the list of each name has the order of its connections;
 * `map_` is held for look-ups only. No host code runs under either. `order_` is taken before `map_`. */
class Handlers {
public:
    /* Never destroyed: a host's static destructors may still dispatch. */
    static Handlers &instance()
    {
        static Handlers &handlers = *new Handlers;
        return handlers;
    }

    /* Registers the function first, since its first event may run before the connect call has returned. */
    template <class Connect> bool connect(const char *name, Callback function, const Connect &connect)
    {
        Released released;
        std::lock_guard<std::mutex> order(order_);
        sweep(released);
        if (!function || !name) return connect(nullptr, nullptr) != 0; /* refused in C, which sets the error */
        HandlerPtr handler = std::make_shared<Handler>(std::move(function), name);
        if (connect(&deliver, add(handler)) != 0) return true;
        std::lock_guard<std::mutex> map(map_);
        remove(handler, released);
        return false;
    }

    /* A synchronous connection waits, so it does not hold the lock, but marks those that were there before. */
    template <class Connect> bool connect_synchronously(const char *name, const Connect &connect)
    {
        Released earlier;
        if (name) {
            std::lock_guard<std::mutex> order(order_);
            std::lock_guard<std::mutex> map(map_);
            earlier = of(name);
        }
        bool connected = connect() != 0;
        if (connected && !earlier.empty()) {
            Released released;
            std::lock_guard<std::mutex> map(map_);
            for (HandlerPtr &handler : earlier) {
                handler->superseded = true;
                if (handler->ended) remove(handler, released);
            }
        }
        return connected;
    }

    template <class Close> bool close(const char *name, const Close &close)
    {
        Released released;
        std::lock_guard<std::mutex> order(order_);
        bool existed = close() != 0;
        if (name && (existed || ::SocketErrorCode() == WDSOCKET_E_UNKNOWN_NAME)) {
            std::lock_guard<std::mutex> map(map_);
            for (HandlerPtr &handler : of(name)) remove(handler, released);
        }
        return existed;
    }

    /* Shutting down waits: what is connected meanwhile is left to its own fate. */
    template <class Shutdown> bool shutdown(const Shutdown &shutdown)
    {
        Released released, all;
        {
            std::lock_guard<std::mutex> order(order_);
            std::lock_guard<std::mutex> map(map_);
            for (auto &entry : by_key_) all.push_back(entry.second);
        }
        bool finished = shutdown() != 0;
        if (finished || ::SocketErrorCode() == WDSOCKET_E_TIMEOUT) { /* either way, all names are free */
            std::lock_guard<std::mutex> map(map_);
            for (HandlerPtr &handler : all) remove(handler, released);
        }
        return finished;
    }

    /* For the tests: how many function objects are kept. */
    std::size_t size()
    {
        std::lock_guard<std::mutex> map(map_);
        return by_key_.size();
    }

private:
    /* What C calls. noexcept: an exception ends the process here, before it reaches a foreign frame. */
    static void WDSOCKET_CALL deliver(std::int32_t event, const char *message, std::size_t length, const char *name,
                                      void *user_data) noexcept
    {
        HandlerPtr handler = instance().begin(user_data, event);
        if (!handler) return;
        /* No C call before the function: the error it may ask for is the event's. */
        handler->function(static_cast<Event>(event), std::string_view(message, length), std::string_view(name));
        if (event == WDSOCKET_EVENT_CLOSING) instance().end(handler);
    }

    HandlerPtr begin(void *key, std::int32_t event)
    {
        Released released;
        std::lock_guard<std::mutex> map(map_);
        auto found = by_key_.find(key);
        if (found == by_key_.end()) return nullptr;
        HandlerPtr handler = found->second;
        handler->ended = event == WDSOCKET_EVENT_CLOSING;
        if (!handler->started) {
            handler->started = true;
            for (HandlerPtr &earlier : of(handler->name.c_str())) {
                if (earlier == handler) break;
                remove(earlier, released);
            }
        }
        return handler;
    }

    /* CLOSING is the last event, except where the library reconnects by itself: in the C callback of that CLOSING, which
     * this is called in, the name is then live, whatever has become of it since, and this is still its newest
     * connection. */
    void end(const HandlerPtr &handler)
    {
        Released released;
        std::lock_guard<std::mutex> order(order_);
        std::intptr_t state = ::SocketState(handler->name.c_str());
        std::lock_guard<std::mutex> map(map_);
        if (!handler->ended) return;
        Released all = of(handler->name.c_str());
        bool newest = !all.empty() && all.back() == handler && !handler->superseded;
        if (!newest || state == WDSOCKET_STATE_NONE || state == WDSOCKET_STATE_CLOSED) remove(handler, released);
    }

    /* Now and then, under `order_`: releases the functions of names that were closed through C. */
    void sweep(Released &released)
    {
        Released all;
        {
            std::lock_guard<std::mutex> map(map_);
            if (by_key_.size() < sweep_at_) return;
            for (auto &entry : by_key_) all.push_back(entry.second);
        }
        released = all; /* an event may let go of one meanwhile: it must not be destroyed here */
        for (HandlerPtr &handler : all) {
            if (::SocketState(handler->name.c_str()) != WDSOCKET_STATE_NONE) continue;
            std::lock_guard<std::mutex> map(map_);
            remove(handler, released);
        }
        std::lock_guard<std::mutex> map(map_);
        sweep_at_ = std::max<std::size_t>(16, 2 * by_key_.size());
    }

    void *add(HandlerPtr handler)
    {
        std::lock_guard<std::mutex> map(map_);
        do handler->key = reinterpret_cast<void *>(++last_key_); /* 32-bit hosts: it may come round */
        while (!handler->key || by_key_.count(handler->key));
        by_name_[handler->name].push_back(handler);
        by_key_[handler->key] = handler;
        return handler->key;
    }

    /* Under `map_`. */
    void remove(const HandlerPtr &handler, Released &released)
    {
        released.push_back(handler);
        if (by_key_.erase(handler->key) == 0) return;
        auto found = by_name_.find(handler->name);
        auto &list = found->second;
        list.erase(std::find(list.begin(), list.end(), handler));
        if (list.empty()) by_name_.erase(found);
    }

    /* Under `map_`: the name's handlers, oldest first. */
    Released of(const char *name)
    {
        auto found = by_name_.find(name);
        return found == by_name_.end() ? Released() : found->second;
    }

    std::mutex order_;
    std::mutex map_;
    std::unordered_map<void *, HandlerPtr> by_key_;
    std::unordered_map<std::string, Released> by_name_;
    std::uintptr_t last_key_ = 0;
    std::size_t sweep_at_ = 16;
};

/* The wake-up's and the log's function objects. C promises that the old one is not running and will not be called
 * again once its setter has returned, so that the old object can go then. */
template <class Function> class Slot {
public:
    static Slot &instance()
    {
        static Slot &slot = *new Slot;
        return slot;
    }

    template <class Set> bool set(Function function, const Set &set)
    {
        std::unique_ptr<Function> fresh, old; /* outlive the lock */
        if (function) fresh = std::make_unique<Function>(std::move(function));
        std::lock_guard<std::mutex> lock(lock_);
        if (set(fresh.get()) == 0) return false;
        old = std::move(current_);
        current_ = std::move(fresh);
        return true;
    }

private:
    std::mutex lock_;
    std::unique_ptr<Function> current_;
};

} // namespace detail

using detail::Text; /* what the functions take where they want text: const char *, std::string or std::string_view */

/* --------------------------------------------------------------------------------------------- connecting ---- */

/* Synchronous: returns when the connection is open (true) or has failed (false, and no name is left behind).
 *   port      0 is the documented default: 443, or with a URL as address the URL's own
 *   protocols "mqtt,soap": the server must choose one of them
 *   timeout   for the whole attempt; 0: the option ConnectTimeout, 5 s unless set; `forever` */
inline bool WebSocketClientConnect(const Text &name, const Text &address, std::int32_t port = 0, const Text &path = "",
                                   const Text &protocols = "", milliseconds timeout = milliseconds(0))
{
    const char *whole = detail::name_if_whole(name, address, path, protocols);
    return detail::Handlers::instance().connect_synchronously(whole, [&] {
        return ::WebSocketClientConnect(whole, address.get(), port, path.get(), protocols.get(),
                                        detail::time_limit(timeout));
    });
}

/* Asynchronous: true once the request is accepted; the outcome is an event (Opening, or Error and Closing).
 * On `callback`'s lifetime see the top of this file. */
inline bool WebSocketClientConnect(const Text &name, Callback callback, const Text &address, std::int32_t port = 0,
                                   const Text &path = "", const Text &protocols = "")
{
    const char *whole = detail::name_if_whole(name, address, path, protocols);
    return detail::Handlers::instance().connect(whole, std::move(callback), [&](WdSocketCallback c, void *user_data) {
        return ::WebSocketClientConnectAsync(whole, c, address.get(), port, path.get(), protocols.get(), user_data);
    });
}

/* The same over TLS (wss://). ssl_options: 0 for TLS 1.2 and 1.3, or WDSOCKET_SSL_TLS1_2, WDSOCKET_SSL_TLS1_3. */
inline bool WebSocketClientConnectSSL(const Text &name, const Text &address, std::int32_t port = 0,
                                      const Text &path = "", const Text &protocols = "", std::int32_t ssl_options = 0,
                                      milliseconds timeout = milliseconds(0))
{
    const char *whole = detail::name_if_whole(name, address, path, protocols);
    return detail::Handlers::instance().connect_synchronously(whole, [&] {
        return ::WebSocketClientConnectSSL(whole, address.get(), port, path.get(), protocols.get(), ssl_options,
                                           detail::time_limit(timeout));
    });
}

inline bool WebSocketClientConnectSSL(const Text &name, Callback callback, const Text &address, std::int32_t port = 0,
                                      const Text &path = "", const Text &protocols = "", std::int32_t ssl_options = 0)
{
    const char *whole = detail::name_if_whole(name, address, path, protocols);
    return detail::Handlers::instance().connect(whole, std::move(callback), [&](WdSocketCallback c, void *user_data) {
        return ::WebSocketClientConnectSSLAsync(whole, c, address.get(), port, path.get(), protocols.get(),
                                                ssl_options, user_data);
    });
}

/* The proxy for all later connections: "socks5://host", "http://host"; "": none. port 0: the proxy's default. */
inline bool SocketProxy(const Text &proxy, std::int32_t port = 0, const Text &login = "", const Text &password = "")
{
    bool whole = proxy.whole() && login.whole() && password.whole();
    return ::SocketProxy(proxy.get(), whole ? port : -1, login.get(), password.get()) != 0; /* -1 is refused */
}

/* Asynchronous, from a URL: "ws://server:port/path" or "wss://…" for TLS. */
inline bool SocketConnect(const Text &name, const Text &url, Callback callback, const Text &protocols = "")
{
    const char *whole = detail::name_if_whole(name, url, protocols);
    return detail::Handlers::instance().connect(whole, std::move(callback), [&](WdSocketCallback c, void *user_data) {
        return ::SocketConnect(whole, url.get(), c, protocols.get(), user_data);
    });
}

/* -------------------------------------------------------------------------------------------- dispatching ---- */

/* Runs waiting callbacks on this thread and returns how many, 0 if none came in `timeout`, or -WDSOCKET_E_BUSY while
 * another thread dispatches and inside a callback. max_events <= 0: those that wait when the first is taken. */
inline std::intptr_t SocketDispatch(milliseconds timeout = milliseconds(0), std::int32_t max_events = 0)
{
    return ::SocketDispatch(detail::time_limit(timeout), max_events);
}

/* Makes the running or else the next SocketDispatch return as if its time had passed. */
inline bool SocketWake() { return ::SocketWake() != 0; }

/* Waits until every callback that is running now has returned. Inside a callback: false, BUSY. */
inline bool SocketSync(milliseconds timeout = forever) { return ::SocketSync(detail::time_limit(timeout)) != 0; }

/* Readable (on Windows: signalled) while callbacks wait; the library's own, never close it. */
inline std::intptr_t SocketDispatchHandle() { return ::SocketDispatchHandle(); }

/* `wakeup` is called on a thread of the library's when callbacks begin to wait. It may only post to the host's own
 * loop, must not call this library and must not throw. nullptr removes it. The former function object is destroyed
 * before this returns; it does not run any more. */
inline bool SocketSetWakeup(std::function<void()> wakeup)
{
    using Function = std::function<void()>;
    return detail::Slot<Function>::instance().set(std::move(wakeup), [](Function *function) {
        struct Call {
            static void WDSOCKET_CALL wake(void *user_data) noexcept { (*static_cast<Function *>(user_data))(); }
        };
        return ::SocketSetWakeup(function ? &Call::wake : nullptr, function);
    });
}

/* ------------------------------------------------------------------------------------ writing and reading ---- */

/* One text message, UTF-8. True once it is in the system's buffer or in the send queue. */
inline bool SocketWrite(const Text &name, std::string_view message)
{
    const char *data = message.data() ? message.data() : "";
    return ::SocketWrite(detail::name_if_whole(name), data, static_cast<std::intptr_t>(message.size())) != 0;
}

/* One binary message. */
inline bool SocketWriteBinary(const Text &name, const void *message, std::size_t length)
{
    const void *data = message || length ? message : "";
    return ::SocketWriteBinary(detail::name_if_whole(name), data, static_cast<std::intptr_t>(length)) != 0;
}
inline bool SocketWriteBinary(const Text &name, std::string_view message)
{
    return SocketWriteBinary(name, message.data(), message.size());
}

/* on: small messages wait until SocketCork(name, false), to be sent together; bounded, see the C header. */
inline bool SocketCork(const Text &name, bool on = true)
{
    return ::SocketCork(detail::name_if_whole(name), on) != 0;
}

/* Takes one whole message. wait: until one comes or the connection ends; else up to `timeout` (0: do not wait).
 * Empty optional: last_error() is TIMEOUT, CLOSED (all was read and the connection has ended), … An empty string is
 * an empty message. max_bytes: a longer message stays queued and the error is BUFFER_TOO_SMALL; 0: any length. */
inline std::optional<std::string> SocketRead(const Text &name, bool wait = true,
                                             milliseconds timeout = milliseconds(1000), std::size_t max_bytes = 0)
{
    using clock = std::chrono::steady_clock;
    const char *whole = detail::name_if_whole(name);
    const std::size_t most = max_bytes ? max_bytes : std::string().max_size();
    const clock::time_point start = clock::now();
    const std::int32_t limit = detail::time_limit(timeout);
    std::int32_t left = limit;

    char small[4096]; /* most messages need no second look */
    std::size_t capacity = std::min(sizeof small, most);
    std::intptr_t length = ::SocketRead(whole, wait, left, small, capacity);
    if (length >= 0) return std::string(small, static_cast<std::size_t>(length));

    std::string message;
    while (length == -WDSOCKET_E_BUFFER_TOO_SMALL && capacity < most) {
        if (limit > 0) { /* another reader may take the message in between: then this one waits on */
            auto passed = std::chrono::duration_cast<milliseconds>(clock::now() - start).count();
            left = static_cast<std::int32_t>(std::max<milliseconds::rep>(limit - passed, 0));
        }
        length = ::SocketRead(whole, wait, left, nullptr, 0);
        if (length < 0) break;
        capacity = std::min(std::max<std::size_t>(static_cast<std::size_t>(length), 1), most);
        message.resize(capacity);
        length = ::SocketRead(whole, wait, left, &message[0], capacity);
    }
    if (length < 0) return std::nullopt;
    message.resize(static_cast<std::size_t>(length));
    return message;
}

/* Waits up to `timeout`, without limit for `forever`. */
inline std::optional<std::string> SocketRead(const Text &name, milliseconds timeout, std::size_t max_bytes = 0)
{
    return SocketRead(name, false, timeout, max_bytes);
}

/* SocketRead(name, 1000) would otherwise mean "wait: true", without limit: say milliseconds(1000), or true/false. */
template <class Number, std::enable_if_t<std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>, int> = 0>
std::optional<std::string> SocketRead(const Text &name, Number) = delete;

/* The next message's length, without waiting; empty: NO_MESSAGE or CLOSED. */
inline std::optional<std::size_t> SocketAvailable(const Text &name)
{
    std::intptr_t length = ::SocketAvailable(detail::name_if_whole(name));
    if (length < 0) return std::nullopt;
    return static_cast<std::size_t>(length);
}

/* Inside a callback: of the message being delivered; else of the one that this thread last read from this socket. */
inline MessageType SocketMessageType(const Text &name)
{
    std::intptr_t type = ::SocketMessageType(detail::name_if_whole(name));
    return static_cast<MessageType>(type < 0 ? 0 : type);
}

/* ------------------------------------------------------------------------------------- closing and looking ---- */

/* Frees the name at once; what was written is still sent and the closing handshake runs in the background. No
 * callback of that name starts afterwards. False: there was no such name. */
inline bool SocketClose(const Text &name)
{
    const char *whole = detail::name_if_whole(name);
    return detail::Handlers::instance().close(whole, [&] { return ::SocketClose(whole); });
}

/* Starts the closing handshake (1000, or 3000 to 4999) and keeps the name: messages still arrive, then Closing. */
inline bool SocketCloseWith(const Text &name, std::int32_t code = 1000, const Text &reason = "")
{
    return ::SocketCloseWith(detail::name_if_whole(name, reason), code, reason.get()) != 0;
}

/* True from the connect call until SocketClose, also when the peer has gone: SocketState says more. */
inline bool SocketExists(const Text &name) { return ::SocketExists(detail::name_if_whole(name)) != 0; }

inline State SocketState(const Text &name)
{
    return static_cast<State>(::SocketState(detail::name_if_whole(name)));
}

/* An item as text; empty on failure too, last_error() tells which. */
inline std::string SocketInfo(const Text &name, Info item)
{
    /* NULL would ask for the last failed attempt: an item that does not exist is refused instead. */
    const std::int32_t number = name.whole() ? static_cast<std::int32_t>(item) : -1;
    std::string text;
    std::intptr_t length = ::SocketInfo(name.get(), number, nullptr, 0);
    while (length >= 0) {
        text.resize(static_cast<std::size_t>(length) + 1);
        length = ::SocketInfo(name.get(), number, &text[0], text.size());
        if (length >= 0) {
            text.resize(static_cast<std::size_t>(length));
            return text;
        }
        if (length != -WDSOCKET_E_BUFFER_TOO_SMALL) break; /* grown in between: ask again */
        length = ::SocketInfo(name.get(), number, nullptr, 0);
    }
    return std::string();
}

/* Of this thread's last connection attempt that failed: HttpStatus, ResponseHeaders, … */
inline std::string SocketInfo(Info item) { return SocketInfo(static_cast<const char *>(nullptr), item); }

/* No effect on a WebSocket; true for a name that exists. */
inline bool SocketChangeTransmissionMode(const Text &name, std::int32_t mode = 0, const Text &option = "")
{
    return ::SocketChangeTransmissionMode(detail::name_if_whole(name, option), mode, option.get()) != 0;
}

/* ------------------------------------------------------------------------------------------------ options ---- */

namespace detail {
inline std::string option_text(bool value) { return value ? "on" : "off"; }
inline std::string option_text(milliseconds value) { return std::to_string(value.count()); }
template <class Number, std::enable_if_t<std::is_integral_v<Number> && !std::is_same_v<Number, bool>, int> = 0>
std::string option_text(Number value)
{
    return std::to_string(value);
}

/* What is not text: numbers, on/off, durations that milliseconds can say exactly (seconds too). */
template <class Value>
inline constexpr bool is_setting = std::is_integral_v<Value> || std::is_convertible_v<Value, milliseconds>;

inline bool set_option(const char *name, bool whole, Option option, const char *value)
{
    /* NULL would mean all connections: an option that does not exist is refused instead. */
    return ::SocketSetOption(name, whole ? static_cast<std::int32_t>(option) : -1, value) != 0;
}
} // namespace detail

/* For every connection of this name, until SocketClose or `nullptr` (back to the default):
 *     SocketSetOption("client", Option::PingInterval, 10s);
 *     SocketSetOption("client", Option::MaxMessageBytes, 1 << 20);
 *     SocketSetOption("client", Option::SubprotocolRequired, false);
 *     SocketSetOption("client", Option::Header, "X-Tenant: 12"); */
inline bool SocketSetOption(const Text &name, Option option, const Text &value)
{
    /* a missing name is a mistake here, not "all connections": "" is refused, as "" is no name */
    return detail::set_option(name.get() ? name.get() : "", name.whole() && value.whole(), option, value.get());
}
inline bool SocketSetOption(const Text &name, Option option, std::nullptr_t)
{
    return detail::set_option(name.get() ? name.get() : "", name.whole(), option, nullptr);
}
template <class Value, std::enable_if_t<detail::is_setting<Value>, int> = 0>
bool SocketSetOption(const Text &name, Option option, Value value)
{
    return SocketSetOption(name, option, detail::option_text(value));
}

/* Without a name: the default for all later connections. */
inline bool SocketSetOption(Option option, const Text &value)
{
    return detail::set_option(nullptr, value.whole(), option, value.get());
}
inline bool SocketSetOption(Option option, std::nullptr_t)
{
    return detail::set_option(nullptr, true, option, nullptr);
}
template <class Value, std::enable_if_t<detail::is_setting<Value>, int> = 0>
bool SocketSetOption(Option option, Value value)
{
    return SocketSetOption(option, detail::option_text(value));
}

/* ------------------------------------------------------------------------------------- log, end, version ---- */

/* `log` gets the library's log lines up to `level`, on any thread; the rules of a wake-up hold for it. nullptr
 * removes it. The former function object is destroyed before this returns; it does not run any more. */
inline bool SocketSetLog(std::function<void(LogLevel level, std::string_view line)> log,
                         LogLevel level = LogLevel::Information)
{
    using Function = std::function<void(LogLevel, std::string_view)>;
    return detail::Slot<Function>::instance().set(std::move(log), [&](Function *function) {
        struct Call {
            static void WDSOCKET_CALL line(std::int32_t level, const char *line, void *user_data) noexcept
            {
                (*static_cast<Function *>(user_data))(static_cast<LogLevel>(level), line);
            }
        };
        return ::SocketSetLog(function ? &Call::line : nullptr, static_cast<std::int32_t>(level), function);
    });
}

/* Closes every socket (1001), waits up to `timeout` for the closing handshakes and stops the library's threads.
 * False: TIMEOUT, all is closed all the same; or BUSY inside a callback, and nothing has changed. */
inline bool SocketShutdown(milliseconds timeout = milliseconds(5000))
{
    return detail::Handlers::instance().shutdown([&] { return ::SocketShutdown(detail::time_limit(timeout)); });
}

inline std::string SocketVersion() { return ::SocketVersion(); }

/* ------------------------------------------------------------------------------------------ a socket as object ---- */

/* Owns a name: closes what it connected in its destructor (SocketClose: at once, in the background). An object that
 * did not connect, or whose name another connection holds, closes nothing. One thread at a time may connect, close,
 * move or destroy one object; reading and writing from several threads is fine.
 * If callbacks are dispatched on another thread than the one that destroys it, call SocketSync before destroying
 * what the function refers to. */
class Socket {
public:
    explicit Socket(std::string name) : name_(std::move(name)) {}
    ~Socket() { close(); }
    Socket(Socket &&other) noexcept : name_(std::move(other.name_)), open_(std::exchange(other.open_, false)) {}
    Socket &operator=(Socket &&other) noexcept
    {
        if (this != &other) {
            close();
            name_ = std::move(other.name_);
            open_ = std::exchange(other.open_, false);
        }
        return *this;
    }

    /* WebSocketClientConnect, both syntaxes: connect(address, …) waits, connect(callback, address, …) calls back. */
    template <class... Arguments> bool connect(Arguments &&...arguments)
    {
        bool connected = WebSocketClientConnect(name_, std::forward<Arguments>(arguments)...);
        open_ = open_ || connected;
        return connected;
    }

    bool write(std::string_view message) { return SocketWrite(name_, message); }
    bool write_binary(std::string_view message) { return SocketWriteBinary(name_, message); }
    std::optional<std::string> read() { return SocketRead(name_); }
    std::optional<std::string> read(milliseconds timeout) { return SocketRead(name_, timeout); }
    State state() const { return SocketState(name_); }
    std::string info(Info item) const { return SocketInfo(name_, item); }
    template <class Value> bool set(Option option, const Value &value) { return SocketSetOption(name_, option, value); }
    bool close() { return std::exchange(open_, false) && SocketClose(name_); }
    const std::string &name() const noexcept { return name_; }

private:
    std::string name_;
    bool open_ = false;
};

} // namespace wdsocket

#endif /* WDSOCKET_HPP */
