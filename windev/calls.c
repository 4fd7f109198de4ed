/* calls.c: what a WinDev program does that uses wdsocket.wl, in C.
 *
 * WinDev's API() hands over registers: a WLanguage int is 4 bytes, a "system int" as wide as a pointer, and so are
 * addresses and the whole result. The functions called wds... below are the procedures of wdsocket.wl: the same
 * calls, in the same order, with the same widths (check.py compares them). main() is a session with them: the
 * documentation's two examples, and what README.md shows.
 *
 * usage: wdsocket-test-server --run ./calls LIBRARY      (on Windows LIBRARY may be left out)
 *
 * The library is loaded once and each function looked up by name at each call, as API() does after LoadDLL. Exit
 * status 0: every result was as expected. */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#else
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../include/wdsocket.h" /* for the constants and WDSOCKET_CALL: no function is called through it */

typedef intptr_t sysint; /* WLanguage: system int */
typedef int32_t int4;    /* WLanguage: int */
typedef void (*Function)(void);

/* -- API() --------------------------------------------------------------------------------------------------------- */

static Function found(Function function, const char *name)
{
    if (!function) {
        fprintf(stderr, "calls: no function %s\n", name);
        exit(1);
    }
    return function;
}

#if defined(_WIN32)

static HMODULE library;

static int load(const char *name)
{
    library = LoadLibraryA(name ? name : sizeof(void *) == 8 ? "wdsocket64.dll" : "wdsocket32.dll");
    if (!library) fprintf(stderr, "calls: LoadLibrary: error %lu\n", GetLastError());
    return library != NULL;
}

static Function look_up(const char *name)
{
    return found((Function)GetProcAddress(library, name), name);
}

static Function look_up_in_kernel32(const char *name)
{
    return found((Function)GetProcAddress(GetModuleHandleA("kernel32"), name), name);
}

#define KERNEL32(function, types) ((sysint(WINAPI *) types)look_up_in_kernel32(#function))

#else

static void *library;

static int load(const char *name)
{
    library = name ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) fprintf(stderr, "calls: %s\n", name ? dlerror() : "name the library");
    return library != NULL;
}

static Function look_up(const char *name)
{
    Function function;
    *(void **)&function = dlsym(library, name); /* how POSIX turns dlsym's result into a function */
    return found(function, name);
}

/* Elsewhere the C library has what kernel32 has on Windows. */
static sysint stand_in_for_RtlMoveMemory(sysint to, sysint from, sysint length)
{
    memmove((void *)to, (const void *)from, (size_t)length);
    return 0;
}

static sysint stand_in_for_lstrlenA(sysint text)
{
    return (sysint)strlen((const char *)text);
}

#define KERNEL32(function, types) ((sysint(*) types)stand_in_for_##function)

#endif

/* The library's functions are cdecl. Pointers go as integers of their width, as in WLanguage. */
#define API(function, types) ((sysint(*) types)look_up(#function))

/* -- WLanguage's Buffer -------------------------------------------------------------------------------------------- */

typedef struct {
    char *bytes;
    sysint length;
} Buffer;

#define ADDRESS(buffer) ((sysint)(buffer).bytes)

/* WLanguage frees Buffers by itself; here they are freed at the program's end. */
static void **all;
static size_t all_count;

static Buffer wdsRoom(sysint length)
{
    Buffer room = {calloc(1, (size_t)length + 1), length};
    void **more = realloc(all, (all_count + 1) * sizeof *all);
    if (!room.bytes || !more) exit(1);
    all = more;
    all[all_count++] = room.bytes;
    return room;
}

static Buffer bytes(const void *from, sysint length)
{
    Buffer copy = wdsRoom(length);
    memcpy(copy.bytes, from, (size_t)length);
    return copy;
}

/* With the final zero that wdsRoom leaves, and that the length does not count. */
static Buffer wdsUTF8(const char *text)
{
    return bytes(text, (sysint)strlen(text));
}

static Buffer wdsFirst(Buffer buffer, sysint length)
{
    return bytes(buffer.bytes, length > 0 ? length : 0);
}

static void free_all(void)
{
    while (all_count > 0) free(all[--all_count]);
    free(all);
}

/* -- the procedures of wdsocket.wl --------------------------------------------------------------------------------- */

static const sysint null = 0;

static Buffer wdsBytesAt(sysint from, sysint length)
{
    if (length <= 0) return wdsRoom(0);
    Buffer copy = wdsRoom(length);
    KERNEL32(RtlMoveMemory, (sysint, sysint, sysint))(ADDRESS(copy), from, length);
    return wdsFirst(copy, length);
}

static Buffer wdsTextAt(sysint text)
{
    sysint result = KERNEL32(lstrlenA, (sysint))(text);
    return wdsBytesAt(text, result & 0x7FFFFFFF);
}

static int wdsWebSocketClientConnect(const char *name, const char *address, int4 port, const char *path,
                                     const char *protocols, int4 max_wait)
{
    return API(WebSocketClientConnect, (sysint, sysint, int4, sysint, sysint, int4))(
               ADDRESS(wdsUTF8(name)), ADDRESS(wdsUTF8(address)), port, ADDRESS(wdsUTF8(path)),
               ADDRESS(wdsUTF8(protocols)), max_wait) == 1;
}

static int wdsWebSocketClientConnectSSL(const char *name, const char *address, int4 port, const char *path,
                                        const char *protocols, int4 ssl_options, int4 max_wait)
{
    return API(WebSocketClientConnectSSL, (sysint, sysint, int4, sysint, sysint, int4, int4))(
               ADDRESS(wdsUTF8(name)), ADDRESS(wdsUTF8(address)), port, ADDRESS(wdsUTF8(path)),
               ADDRESS(wdsUTF8(protocols)), ssl_options, max_wait) == 1;
}

static int4 wdsSocketState(const char *name)
{
    return (int4)API(SocketState, (sysint))(ADDRESS(wdsUTF8(name)));
}

static int4 wdsSocketMessageType(const char *name)
{
    return (int4)API(SocketMessageType, (sysint))(ADDRESS(wdsUTF8(name)));
}

/* A procedure of the program's, with the two documented parameters. */
typedef void (*Procedure)(int4 event, Buffer message);

static struct {
    const char *name;
    Procedure procedure;
} slots[8];
static int slot_count;
static Buffer current;
static int4 last_type;

static sysint wdsSlot(const char *name, Procedure procedure)
{
    int4 state = wdsSocketState(name);
    int live = state == WDSOCKET_STATE_CONNECTING || state == WDSOCKET_STATE_OPEN || state == WDSOCKET_STATE_CLOSING;
    int slot = 0;
    while (slot < slot_count && strcmp(slots[slot].name, name) != 0) slot++;
    if (slot == slot_count) {
        slots[slot_count++].name = name;
        live = 0;
    }
    if (!live) slots[slot].procedure = procedure;
    return slot + 1; /* WLanguage counts from 1 */
}

/* Five whole registers: 20 bytes of a 32-bit stack, which a stdcall callee takes off. */
static void WDSOCKET_CALL wdsOnEvent(sysint event, sysint message, sysint length, sysint name, sysint slot)
{
    int4 kind = (int4)(event & 0x7FFFFFFF);
    Procedure procedure = slots[slot - 1].procedure;
    current = wdsTextAt(name);
    Buffer data = wdsBytesAt(message, length);
    int4 type = WDSOCKET_MESSAGE_TEXT;
    if (kind == WDSOCKET_EVENT_MESSAGE) type = wdsSocketMessageType(current.bytes);
    last_type = type; /* in WLanguage a text becomes a string here; in C it is UTF-8 already */
    procedure(kind, data);
}

/* What WinDev makes of &wdsOnEvent. */
static sysint address_of_wdsOnEvent(void)
{
    union {
        void(WDSOCKET_CALL *function)(sysint, sysint, sysint, sysint, sysint);
        sysint address;
    } both = {wdsOnEvent};
    return both.address;
}

static int wdsWebSocketClientConnectAsync(const char *name, Procedure procedure, const char *address, int4 port,
                                          const char *path, const char *protocols)
{
    sysint slot = wdsSlot(name, procedure);
    return API(WebSocketClientConnectAsync, (sysint, sysint, sysint, int4, sysint, sysint, sysint))(
               ADDRESS(wdsUTF8(name)), address_of_wdsOnEvent(), ADDRESS(wdsUTF8(address)), port,
               ADDRESS(wdsUTF8(path)), ADDRESS(wdsUTF8(protocols)), slot) == 1;
}

static int wdsWebSocketClientConnectSSLAsync(const char *name, Procedure procedure, const char *address, int4 port,
                                             const char *path, const char *protocols, int4 ssl_options)
{
    sysint slot = wdsSlot(name, procedure);
    return API(WebSocketClientConnectSSLAsync, (sysint, sysint, sysint, int4, sysint, sysint, int4, sysint))(
               ADDRESS(wdsUTF8(name)), address_of_wdsOnEvent(), ADDRESS(wdsUTF8(address)), port,
               ADDRESS(wdsUTF8(path)), ADDRESS(wdsUTF8(protocols)), ssl_options, slot) == 1;
}

static int wdsSocketConnect(const char *name, const char *url, Procedure procedure, const char *protocols)
{
    sysint slot = wdsSlot(name, procedure);
    return API(SocketConnect, (sysint, sysint, sysint, sysint, sysint))(
               ADDRESS(wdsUTF8(name)), ADDRESS(wdsUTF8(url)), address_of_wdsOnEvent(), ADDRESS(wdsUTF8(protocols)),
               slot) == 1;
}

#if defined(_WIN32)
static int wdsSocketAttachThread(void)
{
    return API(SocketAttachThread, (void))() == 1;
}

static int wdsSocketPostToWindow(sysint window, int4 message)
{
    return API(SocketPostToWindow, (sysint, int4))(window, message) == 1;
}
#endif

static int4 wdsSocketDispatch(int4 max_wait, int4 max_events)
{
    return (int4)API(SocketDispatch, (int4, int4))(max_wait, max_events);
}

static int wdsSocketWake(void)
{
    return API(SocketWake, (void))() == 1;
}

static int wdsSocketSync(int4 max_wait)
{
    return API(SocketSync, (int4))(max_wait) == 1;
}

static int wdsSocketWrite(const char *name, const char *text)
{
    Buffer message = wdsUTF8(text);
    return API(SocketWrite, (sysint, sysint, sysint))(ADDRESS(wdsUTF8(name)), ADDRESS(message), message.length) == 1;
}

static int wdsSocketWriteBinary(const char *name, Buffer data)
{
    return API(SocketWriteBinary, (sysint, sysint, sysint))(ADDRESS(wdsUTF8(name)), ADDRESS(data), data.length) == 1;
}

static Buffer wdsSocketReadBuffer(const char *name, int wait_indefinitely, int4 max_wait, int4 max_bytes)
{
    int4 wait = wait_indefinitely ? 1 : 0;
    sysint wanted = max_bytes < 1 ? 4096 : max_bytes;
    Buffer message = wdsRoom(wanted);
    sysint length = 0;
    for (;;) {
        length = API(SocketRead, (sysint, int4, int4, sysint, sysint))(ADDRESS(wdsUTF8(name)), wait, max_wait,
                                                                       ADDRESS(message), message.length);
        if (length != -WDSOCKET_E_BUFFER_TOO_SMALL) break;
        wanted = API(SocketAvailable, (sysint))(ADDRESS(wdsUTF8(name)));
        if (wanted > message.length) message = wdsRoom(wanted);
    }
    return wdsFirst(message, length);
}

static Buffer wdsSocketRead(const char *name, int wait_indefinitely, int4 max_wait, int4 max_bytes)
{
    return wdsSocketReadBuffer(name, wait_indefinitely, max_wait, max_bytes); /* in WLanguage made text */
}

static int4 wdsSocketAvailable(const char *name)
{
    return (int4)API(SocketAvailable, (sysint))(ADDRESS(wdsUTF8(name)));
}

static int wdsSocketClose(const char *name)
{
    return API(SocketClose, (sysint))(ADDRESS(wdsUTF8(name))) == 1;
}

static int wdsSocketCloseWith(const char *name, int4 code, const char *reason)
{
    return API(SocketCloseWith, (sysint, int4, sysint))(ADDRESS(wdsUTF8(name)), code, ADDRESS(wdsUTF8(reason))) == 1;
}

static int wdsSocketExists(const char *name)
{
    return API(SocketExists, (sysint))(ADDRESS(wdsUTF8(name))) == 1;
}

static Buffer wdsSocketInfo(const char *name, int4 item)
{
    sysint name_or_null = name[0] ? ADDRESS(wdsUTF8(name)) : null;
    sysint no_room = 0;
    sysint length = 0;
    Buffer text = wdsRoom(256);
    for (;;) {
        length = API(SocketInfo, (sysint, int4, sysint, sysint))(name_or_null, item, ADDRESS(text), text.length);
        if (length != -WDSOCKET_E_BUFFER_TOO_SMALL) break;
        length = API(SocketInfo, (sysint, int4, sysint, sysint))(name_or_null, item, null, no_room);
        if (length >= text.length) text = wdsRoom(length + 1);
    }
    return wdsFirst(text, length);
}

static int wdsSocketChangeTransmissionMode(const char *name, int4 mode, const char *option)
{
    return API(SocketChangeTransmissionMode, (sysint, int4, sysint))(ADDRESS(wdsUTF8(name)), mode,
                                                                     ADDRESS(wdsUTF8(option))) == 1;
}

static int wdsSocketProxy(const char *proxy, int4 port, const char *login, const char *password)
{
    return API(SocketProxy, (sysint, int4, sysint, sysint))(ADDRESS(wdsUTF8(proxy)), port, ADDRESS(wdsUTF8(login)),
                                                            ADDRESS(wdsUTF8(password))) == 1;
}

static int wdsSocketSetOption(const char *name, int4 option, const char *value)
{
    sysint name_or_null = name[0] ? ADDRESS(wdsUTF8(name)) : null;
    return API(SocketSetOption, (sysint, int4, sysint))(name_or_null, option, ADDRESS(wdsUTF8(value))) == 1;
}

static int wdsSocketResetOption(const char *name, int4 option)
{
    sysint name_or_null = name[0] ? ADDRESS(wdsUTF8(name)) : null;
    return API(SocketSetOption, (sysint, int4, sysint))(name_or_null, option, null) == 1;
}

static int wdsSocketAddHeader(const char *name, const char *header)
{
    return wdsSocketSetOption(name, WDSOCKET_OPTION_HEADER, header);
}

static int4 wdsSocketErrorCode(void)
{
    return (int4)API(SocketErrorCode, (void))();
}

static Buffer wdsSocketErrorMessage(void)
{
    sysint text = API(SocketErrorMessage, (void))();
    return wdsTextAt(text);
}

static Buffer wdsSocketVersion(void)
{
    sysint text = API(SocketVersion, (void))();
    return wdsTextAt(text);
}

static int wdsSocketShutdown(int4 max_wait)
{
    return API(SocketShutdown, (int4))(max_wait) == 1;
}

/* -- the session --------------------------------------------------------------------------------------------------- */

static int failures;

static void check(int line, const char *what, int as_expected)
{
    if (as_expected) return;
    failures++;
    fprintf(stderr, "calls.c:%d: %s\n  error %d: %s\n", line, what, (int)wdsSocketErrorCode(),
            wdsSocketErrorMessage().bytes);
}

#define CHECK(condition) check(__LINE__, #condition, (condition))

static int is(Buffer buffer, const void *expected, size_t length)
{
    return (size_t)buffer.length == length && memcmp(buffer.bytes, expected, length) == 0;
}

static int is_text(Buffer buffer, const char *expected)
{
    return is(buffer, expected, strlen(expected));
}

static const char greeting[] = "Bonjour le monde : \xC3\xA9t\xC3\xA9, 5 \xE2\x82\xAC"; /* UTF-8 beyond ASCII */
static const char data[] = {0, 1, 2, 0, (char)0xFF, 0};

static void the_first_example(int4 port)
{
    CHECK(wdsWebSocketClientConnect("wbsocket", "127.0.0.1", port, "/echo", "", 20000));
    CHECK(wdsSocketWrite("wbsocket", greeting));
    CHECK(is_text(wdsSocketRead("wbsocket", 1, 1000, 4096), greeting));
    CHECK(wdsSocketMessageType("wbsocket") == WDSOCKET_MESSAGE_TEXT);
    CHECK(wdsSocketExists("wbsocket"));
    CHECK(!wdsSocketExists("WBSOCKET"));
    CHECK(wdsSocketState("wbsocket") == WDSOCKET_STATE_OPEN);
    CHECK(wdsSocketChangeTransmissionMode("wbsocket", 1, ""));
}

static void messages_of_all_sizes(void)
{
    /* An empty message is a message: the error code tells it from none. */
    CHECK(wdsSocketWrite("wbsocket", ""));
    CHECK(wdsSocketRead("wbsocket", 1, 1000, 4096).length == 0 && wdsSocketErrorCode() == WDSOCKET_E_OK);
    CHECK(wdsSocketRead("wbsocket", 0, 50, 4096).length == 0 && wdsSocketErrorCode() == WDSOCKET_E_TIMEOUT);
    CHECK(wdsSocketAvailable("wbsocket") == -WDSOCKET_E_NO_MESSAGE);

    /* Longer than the buffer: nothing is cut. */
    Buffer lengthy = wdsRoom(100000);
    memset(lengthy.bytes, 'x', (size_t)lengthy.length);
    CHECK(wdsSocketWrite("wbsocket", lengthy.bytes));
    CHECK(is(wdsSocketRead("wbsocket", 1, 1000, 4096), lengthy.bytes, (size_t)lengthy.length));

    CHECK(wdsSocketWriteBinary("wbsocket", bytes(data, sizeof data)));
    CHECK(is(wdsSocketReadBuffer("wbsocket", 1, 1000, 4096), data, sizeof data));
    CHECK(wdsSocketMessageType("wbsocket") == WDSOCKET_MESSAGE_BINARY);
    CHECK(wdsSocketWriteBinary("wbsocket", bytes("", 0)));
    CHECK(wdsSocketReadBuffer("wbsocket", 1, 1000, 1).length == 0 && wdsSocketErrorCode() == WDSOCKET_E_OK);
}

static void a_closing_in_order(void)
{
    CHECK(wdsSocketCloseWith("wbsocket", 1000, "fini"));
    CHECK(wdsSocketRead("wbsocket", 1, 1000, 4096).length == 0 && wdsSocketErrorCode() == WDSOCKET_E_CLOSED);
    CHECK(wdsSocketState("wbsocket") == WDSOCKET_STATE_CLOSED);
    CHECK(wdsSocketExists("wbsocket"));
    CHECK(is_text(wdsSocketInfo("wbsocket", WDSOCKET_INFO_CLOSE_CODE), "1000"));
    CHECK(wdsSocketClose("wbsocket"));
    CHECK(!wdsSocketExists("wbsocket"));
    CHECK(!wdsSocketClose("wbsocket") && wdsSocketErrorCode() == WDSOCKET_E_UNKNOWN_NAME);
}

static void options_headers_and_items(int4 port)
{
    char url[512];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/headers?%0300d", (int)port, 0); /* longer than the first buffer */

    CHECK(wdsSocketSetOption("", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "20000"));
    CHECK(wdsSocketAddHeader("h", "X-Program: windev"));
    CHECK(wdsWebSocketClientConnect("h", url, 0, "", "", 0));
    CHECK(strstr(wdsSocketRead("h", 1, 1000, 4096).bytes, "X-Program: windev") != NULL);
    CHECK(is_text(wdsSocketInfo("h", WDSOCKET_INFO_URL), url));
    CHECK(is_text(wdsSocketInfo("h", WDSOCKET_INFO_HTTP_STATUS), "101"));
    CHECK(wdsSocketResetOption("h", WDSOCKET_OPTION_HEADER));
    CHECK(!wdsSocketSetOption("h", WDSOCKET_OPTION_PING_INTERVAL_MS, "often"));
    CHECK(wdsSocketErrorCode() == WDSOCKET_E_INVALID_ARGUMENT && wdsSocketErrorMessage().length > 0);
    CHECK(wdsSocketClose("h"));
    CHECK(wdsSocketResetOption("", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS));
    CHECK(wdsSocketProxy("", 0, "", ""));
}

static void errors_and_their_sentences(int4 port)
{
    /* Port 1 of this machine: nobody listens there. */
    CHECK(!wdsWebSocketClientConnect("nobody", "127.0.0.1", 1, "", "", 20000));
    CHECK(wdsSocketErrorCode() == WDSOCKET_E_REFUSED);
    CHECK(strstr(wdsSocketErrorMessage().bytes, "nobody") != NULL);
    CHECK(wdsSocketInfo("", WDSOCKET_INFO_LAST_ERROR).length > 0);
    /* The server does not speak TLS: it waits for more of what it cannot read. */
    CHECK(!wdsWebSocketClientConnectSSL("plain", "127.0.0.1", port, "/echo", "", WDSOCKET_SSL_TLS1_2, 300));
    CHECK(wdsSocketErrorCode() == WDSOCKET_E_TIMEOUT && strstr(wdsSocketErrorMessage().bytes, "TLS") != NULL);
    CHECK(!wdsWebSocketClientConnectSSL("plain", "127.0.0.1", port, "/echo", "", WDSOCKET_SSL_TLS1, 300));
    CHECK(wdsSocketErrorCode() == WDSOCKET_E_INVALID_ARGUMENT); /* nothing that is still used was asked for */
}

static int opened, texts, binaries, closed, errors;

static void my_procedure(int4 event, Buffer message)
{
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        opened++;
        CHECK(wdsSocketWrite(current.bytes, greeting));
        break;
    case WDSOCKET_EVENT_MESSAGE:
        if (last_type == WDSOCKET_MESSAGE_TEXT) {
            texts += is_text(message, greeting);
            CHECK(wdsSocketWriteBinary(current.bytes, bytes(data, sizeof data)));
        } else {
            binaries += is(message, data, sizeof data);
            CHECK(wdsSocketCloseWith(current.bytes, 1000, ""));
        }
        break;
    case WDSOCKET_EVENT_CLOSING:
        closed++;
        CHECK(is_text(message, errors ? "1006" : "1000"));
        break;
    case WDSOCKET_EVENT_ERROR:
        errors++;
        CHECK(message.length == 0 && wdsSocketErrorCode() == WDSOCKET_E_TIMEOUT);
        CHECK(strstr(wdsSocketErrorMessage().bytes, "TLS") != NULL);
        break;
    default:
        break;
    }
}

/* On Windows the thread's message loop delivers the events, here as in WinDev. */
static void wait_for(const int *count)
{
    for (int i = 0; i < 400 && *count == 0; i++) {
#if defined(_WIN32)
        MSG message;
        MsgWaitForMultipleObjects(0, NULL, FALSE, 50, QS_ALLINPUT);
        while (PeekMessageA(&message, NULL, 0, 0, PM_REMOVE)) {
            TranslateMessage(&message);
            DispatchMessageA(&message);
        }
#else
        wdsSocketDispatch(50, 0);
#endif
    }
    CHECK(*count > 0);
}

static void forget(void)
{
    opened = texts = binaries = closed = errors = 0;
}

static void the_second_example(int4 port)
{
    CHECK(wdsWebSocketClientConnectAsync("client", my_procedure, "127.0.0.1", port, "echo", ""));
    CHECK(!wdsWebSocketClientConnectAsync("client", my_procedure, "127.0.0.1", port, "echo", ""));
    CHECK(wdsSocketErrorCode() == WDSOCKET_E_NAME_IN_USE);
    wait_for(&closed);
    CHECK(opened == 1 && texts == 1 && binaries == 1 && closed == 1 && errors == 0);
    CHECK(wdsSocketRead("client", 0, 0, 4096).length == 0);
    CHECK(wdsSocketErrorCode() == WDSOCKET_E_CALLBACK_SOCKET);
    CHECK(wdsSocketClose("client"));
}

static void other_callback_sockets(int4 port)
{
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/echo", (int)port);

    forget();
    CHECK(wdsSocketConnect("client", url, my_procedure, ""));
    wait_for(&opened);
    CHECK(wdsSocketClose("client"));

    forget();
    CHECK(wdsSocketSetOption("plain", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "300"));
    CHECK(wdsWebSocketClientConnectSSLAsync("plain", my_procedure, "127.0.0.1", port, "/echo", "", 0));
    wait_for(&closed);
    CHECK(errors == 1 && opened == 0);
    CHECK(wdsSocketClose("plain"));
}

static void dispatching_and_ending(void)
{
    CHECK(wdsSocketSync(1000));
    CHECK(wdsSocketWake());
    CHECK(wdsSocketDispatch(1000, 0) == 0);
#if defined(_WIN32)
    CHECK(wdsSocketPostToWindow(0, 0));
#endif
    CHECK(wdsSocketShutdown(20000));
}

int main(int argc, char **argv)
{
    const char *text = getenv("WDSOCKET_TEST_PORT");
    int4 port = text ? atoi(text) : 0;

    if (port == 0 || argc > 2) {
        fprintf(stderr, "usage: wdsocket-test-server --run calls LIBRARY\n");
        return 2;
    }
    if (!load(argc > 1 ? argv[1] : NULL)) return 1;

#if defined(_WIN32)
    CHECK(wdsSocketAttachThread());
#endif
    CHECK(wdsSocketVersion().length > 0);
    the_first_example(port);
    messages_of_all_sizes();
    a_closing_in_order();
    options_headers_and_items(port);
    errors_and_their_sentences(port);
    the_second_example(port);
    other_callback_sockets(port);
    dispatching_and_ending();

    free_all();
    printf("calls: %s\n", failures ? "not as expected" : "every result as expected");
    return failures ? 1 : 0;
}
