/*
 * A C host against servers that this project did not write (peer_websockets.py, peer_ws.mjs, peer_beast.cpp).
 *
 *   peers sync|callback PORT MESSAGES PART...
 *
 *   messages    random messages without compression
 *   deflate     random messages with each way of compressing them
 *   behaviour   the other promises, without compression and with it
 *
 * MESSAGES: how many random messages without compression, and how many for each combination of what is kept
 * between messages. One line for each promise, "ok WHAT" or "FAILED WHAT: why"; exits with 1 if one failed.
 */
#include "host.h"
#include <time.h>

enum { WAIT_MS = 20000, MAX_BYTES = 1 << 20 };

static bool callback; /* else synchronous */
static int32_t port;
static int failures;
static char problem[512]; /* why the promise at hand does not hold, "" while it does */

#define EXPECT(condition, ...)                                        \
    do {                                                              \
        if (!(condition)) {                                           \
            if (problem[0] == '\0')                                   \
                snprintf(problem, sizeof problem, __VA_ARGS__);       \
            return;                                                   \
        }                                                             \
    } while (0)

/* For checks that say themselves what is wrong. */
#define REQUIRE(check) \
    do {               \
        if (!(check))  \
            return;    \
    } while (0)

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* ---- one connection, whichever its kind ---- */

struct message {
    struct message *next;
    int type;
    size_t length;
    char bytes[];
};

struct connection {
    const char *name;
    struct message *first, **last;
    bool opened, closed;
    char closing[16]; /* the CLOSING event's text */
    intptr_t error;
};

static void keep(struct connection *c, int type, const char *bytes, size_t length)
{
    struct message *message = allocate(NULL, sizeof *message + length + 1);
    message->next = NULL;
    message->type = type;
    message->length = length;
    memcpy(message->bytes, bytes, length);
    message->bytes[length] = '\0';
    *c->last = message;
    c->last = &message->next;
}

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name, void *data)
{
    struct connection *c = data;

    if (strcmp(name, c->name) != 0)
        die("an event of %s came with the data of %s", name, c->name);
    if (c->closed)
        die("%s: event %d after CLOSING", name, (int)event);
    if (message[length] != '\0')
        die("%s: no NUL after the message", name);
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        if (c->opened)
            die("%s: two OPENING events", name);
        c->opened = true;
        break;
    case WDSOCKET_EVENT_MESSAGE:
        if (!c->opened)
            die("%s: a message before OPENING", name);
        keep(c, (int)SocketMessageType(name), message, length);
        break;
    case WDSOCKET_EVENT_ERROR:
        c->error = SocketErrorCode();
        break;
    case WDSOCKET_EVENT_CLOSING:
        c->closed = true;
        snprintf(c->closing, sizeof c->closing, "%s", message);
        break;
    default:
        break;
    }
}

/* 1, or the negative error code of a connection that did not come up. */
static intptr_t open_connection(struct connection *c, const char *name, const char *path, const char *protocols)
{
    *c = (struct connection){.name = name};
    c->last = &c->first;
    if (!callback)
        return WebSocketClientConnect(name, LOOPBACK, port, path, protocols, WAIT_MS) == 1 ? 1 : -SocketErrorCode();
    if (WebSocketClientConnectAsync(name, on_event, LOOPBACK, port, path, protocols, c) != 1)
        return -SocketErrorCode();
    while (!c->opened && !c->closed)
        if (SocketDispatch(WAIT_MS, 0) <= 0)
            return -WDSOCKET_E_TIMEOUT;
    return c->opened ? 1 : -c->error;
}

/* The next message, for the caller to free; NULL when none came, and then `c->closed` says whether the end did. */
static struct message *receive(struct connection *c)
{
    if (!callback) {
        static struct buffer buffer;
        intptr_t length = read_message(c->name, &buffer, WAIT_MS);
        if (length >= 0)
            keep(c, (int)SocketMessageType(c->name), buffer.bytes, (size_t)length);
        else
            c->closed = length == -WDSOCKET_E_CLOSED;
    } else {
        while (c->first == NULL && !c->closed)
            if (SocketDispatch(WAIT_MS, 0) <= 0)
                break;
    }
    struct message *message = c->first;
    if (message != NULL) {
        c->first = message->next;
        if (c->first == NULL)
            c->last = &c->first;
    }
    return message;
}

static bool receives_text(struct connection *c, const char *text)
{
    struct message *message = receive(c);
    bool same = message != NULL && message->type == 1 && strcmp(message->bytes, text) == 0;
    if (!same)
        snprintf(problem, sizeof problem, "expected \"%.60s\", got \"%.60s\"", text,
                 message != NULL ? message->bytes : "nothing");
    free(message);
    return same;
}

static bool info_is(const char *name, int32_t item, const char *expected)
{
    static char text[32768];
    intptr_t length = SocketInfo(name, item, text, sizeof text);
    if (length >= 0 && strcmp(text, expected) == 0)
        return true;
    snprintf(problem, sizeof problem, "SocketInfo %d is \"%.60s\", not \"%.60s\"", (int)item,
             length >= 0 ? text : SocketErrorMessage(), expected);
    return false;
}

/* How the peer saw connection `id` end: "CODE PINGS REASON". */
static bool peer_saw(const char *id, char *text, size_t capacity)
{
    char path[64];
    snprintf(path, sizeof path, "/seen?id=%s", id);
    bool known = WebSocketClientConnect("seen", LOOPBACK, port, path, NULL, WAIT_MS) == 1 &&
                 SocketRead("seen", 0, WAIT_MS, text, capacity) >= 0;
    if (!known)
        snprintf(problem, sizeof problem, "the peer does not tell how %s ended: %s", id, SocketErrorMessage());
    SocketClose("seen");
    return known;
}

static bool peer_saw_ending(const char *id, const char *expected)
{
    char text[256];
    if (!peer_saw(id, text, sizeof text))
        return false;
    if (strcmp(text, expected) != 0)
        snprintf(problem, sizeof problem, "the peer saw \"%s\", not \"%s\"", text, expected);
    return strcmp(text, expected) == 0;
}

static bool compressing; /* the promises at hand are looked at with compression */

/* Ids differ between all runs against one server. */
static const char *unique(const char *what)
{
    static char id[64];
    snprintf(id, sizeof id, "%s-%s-%s", what, callback ? "callback" : "sync", compressing ? "deflate" : "plain");
    return id;
}

/* ---- random messages: number i is always the same ---- */

static uint64_t state;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t encode(uint32_t point, unsigned char *to)
{
    if (point < 0x80) {
        to[0] = (unsigned char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (unsigned char)(0xC0 | point >> 6);
        to[1] = (unsigned char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (unsigned char)(0xE0 | point >> 12);
        to[1] = (unsigned char)(0x80 | (point >> 6 & 0x3F));
        to[2] = (unsigned char)(0x80 | (point & 0x3F));
        return 3;
    }
    to[0] = (unsigned char)(0xF0 | point >> 18);
    to[1] = (unsigned char)(0x80 | (point >> 12 & 0x3F));
    to[2] = (unsigned char)(0x80 | (point >> 6 & 0x3F));
    to[3] = (unsigned char)(0x80 | (point & 0x3F));
    return 4;
}

/* Small lengths most often, and those at which a frame's header changes. */
static size_t random_length(int number)
{
    static const size_t edges[] = {0, 1, 125, 126, 127, 65535, 65536, 65537, MAX_BYTES - 1, MAX_BYTES};
    enum { EDGES = sizeof edges / sizeof *edges };
    if (number < 4 * EDGES) /* each with each kind */
        return edges[number / 4];
    if (next_random() % 32 == 0)
        return edges[next_random() % EDGES];
    return next_random() % ((size_t)2 << next_random() % 20);
}

/* Characters of all four lengths. */
static void fill_text(unsigned char *bytes, size_t length)
{
    static const uint32_t from[] = {0x20, 0xA1, 0x3041, 0x1F300}, count[] = {0x5F, 0x500, 0x5000, 0x300};
    size_t done = 0;
    while (done < length) {
        uint64_t random = next_random();
        size_t kind = random >> 60 & 3;
        if (done + 4 <= length)
            done += encode(from[kind] + (uint32_t)((random >> 8) % count[kind]), bytes + done);
        else
            bytes[done++] = (unsigned char)('a' + random % 26);
    }
}

static void fill_noise(unsigned char *bytes, size_t length)
{
    while (length-- > 0)
        *bytes++ = (unsigned char)(next_random() >> 40);
}

static void fill_json(unsigned char *bytes, size_t length)
{
    static const char *const words[] = {"alpha", "beta", "gamma", "delta", "été", "naïve", "€", "null"};
    size_t done = 0;
    while (done < length) {
        char record[160];
        uint64_t random = next_random();
        int size = snprintf(record, sizeof record, "{\"id\":%u,\"name\":\"%s %s\",\"open\":%s,\"value\":%u.%02u},\n",
                            (unsigned)(random % 1000000), words[random >> 20 & 7], words[random >> 23 & 7],
                            random >> 26 & 1 ? "true" : "false", (unsigned)(random >> 27 & 1023),
                            (unsigned)(random >> 37 & 63));
        if ((size_t)size > length - done) /* never half a character */
            memset(record, ' ', (size_t)(size = (int)(length - done)));
        memcpy(bytes + done, record, (size_t)size);
        done += (size_t)size;
    }
}

/* Runs of one byte, and copies of what came before, near and as far as the largest window reaches. */
static void fill_repeats(unsigned char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        uint64_t random = next_random();
        size_t size = 1 + (random >> 8) % (random & 1 ? 40 : 300), back = 1 + (random >> 20) % 40000;
        if (back > done || random % 16 == 0)
            back = 0;
        for (; size > 0 && done < length; size--, done++)
            bytes[done] = back > 0 ? bytes[done - back] : (unsigned char)(random >> 48);
    }
}

/* Fills `bytes` with message `number`: text and binary in turn, and of each every other one compressible. */
static size_t make_message(int number, unsigned char *bytes, int *type, bool *compressible)
{
    static void (*const fill[])(unsigned char *, size_t) = {fill_text, fill_noise, fill_json, fill_repeats};

    state = 0x9E3779B97F4A7C15u * (uint64_t)(number + 1);
    size_t length = random_length(number);
    *type = 1 + number % 2;
    *compressible = number % 4 >= 2;
    fill[number % 4](bytes, length);
    return length;
}

/* ---- permessage-deflate ---- */

struct deflate {
    bool server_keeps, client_keeps; /* what it compressed: the next message may refer to it */
    int server_bits, client_bits;    /* of the windows */
};

/* Whether SocketInfo shows these parameters, in any order; a window that is not named has 15 bits. NULL: none. */
static bool agreed_on(const char *name, const struct deflate *expected)
{
    char text[256], parts[256];
    struct deflate seen = {true, true, 15, 15};
    bool agreed = false, known = true;

    if (SocketInfo(name, WDSOCKET_INFO_EXTENSIONS, text, sizeof text) < 0) {
        snprintf(problem, sizeof problem, "no EXTENSIONS: %s", SocketErrorMessage());
        return false;
    }
    strcpy(parts, text);
    for (char *part = strtok(parts, "; "); part != NULL; part = strtok(NULL, "; ")) {
        if (strcmp(part, "permessage-deflate") == 0 && !agreed)
            agreed = true;
        else if (strcmp(part, "server_no_context_takeover") == 0)
            seen.server_keeps = false;
        else if (strcmp(part, "client_no_context_takeover") == 0)
            seen.client_keeps = false;
        else if (strncmp(part, "server_max_window_bits=", 23) == 0)
            seen.server_bits = atoi(part + 23);
        else if (strncmp(part, "client_max_window_bits=", 23) == 0)
            seen.client_bits = atoi(part + 23);
        else
            known = false;
    }
    bool same = known && agreed == (expected != NULL) &&
                (expected == NULL ||
                 (seen.server_keeps == expected->server_keeps && seen.client_keeps == expected->client_keeps &&
                  seen.server_bits == expected->server_bits && seen.client_bits == expected->client_bits));
    if (!same)
        snprintf(problem, sizeof problem, "the extensions are \"%.200s\"", text);
    return same;
}

static long long number_of(const char *name, int32_t item)
{
    char text[32];
    return SocketInfo(name, item, text, sizeof text) > 0 ? strtoll(text, NULL, 10) : -1;
}

static int rest_after; /* so many messages, 0: never; what compresses is then freed, if it can be */

/* Sends the messages from `first` on, several on the way at once, so that both directions are busy together.
 * `agreed` is how the connection has to compress them, NULL for not at all. */
static void exchange(const char *path, int first, int count, const struct deflate *agreed)
{
    enum { ON_THE_WAY = 8 };
    static unsigned char bytes[ON_THE_WAY][MAX_BYTES];
    static size_t lengths[ON_THE_WAY];
    int types[ON_THE_WAY], sent = 0;
    long long all = 0, shrinking = 0;
    struct connection c;

    EXPECT(open_connection(&c, "exchange", path, NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    REQUIRE(agreed_on(c.name, agreed));
    for (int number = 0; number < count; number++) {
        for (; sent < count && sent < number + ON_THE_WAY; sent++) {
            int at = sent % ON_THE_WAY;
            bool compressible;
            lengths[at] = make_message(first + sent, bytes[at], &types[at], &compressible);
            EXPECT(write_message(c.name, types[at], bytes[at], lengths[at]) == 1, "message %d not written: %s",
                   first + sent, SocketErrorMessage());
            all += (long long)lengths[at];
            shrinking += compressible && lengths[at] >= 1024 ? (long long)lengths[at] : 0;
        }
        if (rest_after > 0 && number % rest_after == rest_after - 1)
            sleep_ms(1300);
        int at = number % ON_THE_WAY;
        struct message *message = receive(&c);
        EXPECT(message != NULL, "message %d did not come back: %s", first + number, SocketErrorMessage());
        EXPECT(message->type == types[at], "message %d has type %d, not %d", first + number, message->type, types[at]);
        EXPECT(message->length == lengths[at], "message %d has %zu bytes, not %zu", first + number, message->length,
               lengths[at]);
        EXPECT(memcmp(message->bytes, bytes[at], lengths[at]) == 0, "message %d has other bytes", first + number);
        free(message);
    }

    /* What frames and the compression of noise cost; the peer's frames can be many. */
    long long overhead_in = 1000LL * count + all / 32, overhead_out = 32LL * count + all / 32;
    long long in = number_of(c.name, WDSOCKET_INFO_BYTES_IN), wire_in = number_of(c.name, WDSOCKET_INFO_WIRE_BYTES_IN);
    long long out = number_of(c.name, WDSOCKET_INFO_BYTES_OUT);
    long long wire_out = number_of(c.name, WDSOCKET_INFO_WIRE_BYTES_OUT);
    EXPECT(in == all && out == all, "%lld bytes in, %lld out, not %lld", in, out, all);
    EXPECT(wire_in <= all - (agreed ? shrinking / 2 : 0) + overhead_in && (agreed || wire_in >= all),
           "%lld bytes took %lld on the wire in, %lld of them compressible", all, wire_in, shrinking);
    EXPECT(wire_out <= all - (agreed ? shrinking / 2 : 0) + overhead_out && (agreed || wire_out >= all),
           "%lld bytes took %lld on the wire out, %lld of them compressible", all, wire_out, shrinking);
    EXPECT(SocketClose(c.name) == 1, "SocketClose: %s", SocketErrorMessage());
}

/* ---- the promises ---- */

static int messages;

static void random_messages_come_back_unchanged(void)
{
    exchange("/echo", 0, messages, NULL);
}

static void random_fragments_are_joined(void)
{
    exchange("/echo?fragment", 0, messages / 2, NULL);
}

static void set(const char *name, int32_t option, const char *value)
{
    if (SocketSetOption(name, option, value) != 1)
        die("option %d of %s: %s", (int)option, name, SocketErrorMessage());
}

enum { BITS_MIN = 9, BITS_MAX = 15, BITS_KINDS = BITS_MAX - BITS_MIN + 1 };

/* `messages` of them, spread over all sizes of windows; `series` tells which. */
static void exchange_with_all_windows(int series, bool peer_decides, bool server_keeps, bool client_keeps)
{
    for (int kind = 0; kind < BITS_KINDS && problem[0] == '\0'; kind++) {
        int from = (int)((long long)messages * kind / BITS_KINDS);
        int to = (int)((long long)messages * (kind + 1) / BITS_KINDS);
        struct deflate agreed = {server_keeps, client_keeps, BITS_MIN + kind, BITS_MIN + kind};
        char path[256] = "/echo?fragment", bits[8];

        snprintf(bits, sizeof bits, "%d", agreed.server_bits);
        if (peer_decides) {
            agreed.client_bits = BITS_MAX - kind; /* not the same: neither may be taken for the other */
            snprintf(path, sizeof path, "/echo?fragment%s%s&server_max_window_bits=%d&client_max_window_bits=%d",
                     server_keeps ? "" : "&server_no_context_takeover",
                     client_keeps ? "" : "&client_no_context_takeover", agreed.server_bits, agreed.client_bits);
            set("exchange", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
        } else {
            set("exchange", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, bits);
            set("exchange", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, client_keeps ? "on" : "off");
        }
        exchange(path, 40 + series * messages + from, to - from, &agreed);
        SocketClose("exchange"); /* forgets the options also after a failure */
        if (problem[0] != '\0')
            snprintf(problem + strlen(problem), sizeof problem - strlen(problem), " (windows of %d and %d bits)",
                     agreed.server_bits, agreed.client_bits);
    }
}

static void deflate_as_the_peer_says_both_keep_their_context(void)
{
    exchange_with_all_windows(0, true, true, true);
}

static void deflate_as_the_peer_says_only_the_server_keeps_its_context(void)
{
    exchange_with_all_windows(1, true, true, false);
}

static void deflate_as_the_peer_says_only_the_client_keeps_its_context(void)
{
    exchange_with_all_windows(2, true, false, true);
}

static void deflate_as_the_peer_says_nobody_keeps_a_context(void)
{
    exchange_with_all_windows(3, true, false, false);
}

static void deflate_as_the_host_says_both_keep_their_context(void)
{
    exchange_with_all_windows(4, false, true, true);
}

static void deflate_as_the_host_says_nobody_keeps_a_context(void)
{
    exchange_with_all_windows(5, false, false, false);
}

static void deflate_goes_on_after_a_rest(void)
{
    static const struct deflate agreed[] = {{true, true, 15, 15}, {true, true, 9, 12}};

    rest_after = 25;
    for (size_t i = 0; i < sizeof agreed / sizeof *agreed && problem[0] == '\0'; i++) {
        char path[128];
        snprintf(path, sizeof path, "/echo?fragment&server_max_window_bits=%d&client_max_window_bits=%d",
                 agreed[i].server_bits, agreed[i].client_bits);
        exchange(path, 40, 45, &agreed[i]);
        SocketClose("exchange");
    }
    rest_after = 0;
}

static void a_peer_that_does_not_compress_gets_plain_messages(void)
{
    exchange("/echo?plain&fragment", 0, 40, NULL);
}

static void closing_the_name_reaches_the_peer_as_1000(void)
{
    struct connection c;
    char path[96];
    snprintf(path, sizeof path, "/echo?id=%s", unique("plain"));
    EXPECT(open_connection(&c, "plain", path, NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    EXPECT(SocketClose(c.name) == 1, "SocketClose: %s", SocketErrorMessage());
    peer_saw_ending(unique("plain"), "1000 0 ");
}

static void our_close_code_and_reason_reach_the_peer(void)
{
    struct connection c;
    char path[96];
    snprintf(path, sizeof path, "/echo?id=%s", unique("ours"));
    EXPECT(open_connection(&c, "ours", path, NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    EXPECT(SocketCloseWith(c.name, 4321, "à bientôt €") == 1, "SocketCloseWith: %s", SocketErrorMessage());
    EXPECT(receive(&c) == NULL && c.closed, "the closing was not reported");
    EXPECT(!callback || (strcmp(c.closing, "4321") == 0 && c.error == 0), "CLOSING \"%s\", error %d", c.closing,
           (int)c.error);
    REQUIRE(info_is(c.name, WDSOCKET_INFO_CLOSE_CODE, "4321"));
    EXPECT(SocketState(c.name) == WDSOCKET_STATE_CLOSED, "state %d", (int)SocketState(c.name));
    EXPECT(SocketClose(c.name) == 1, "SocketClose: %s", SocketErrorMessage());
    peer_saw_ending(unique("ours"), "4321 0 à bientôt €");
}

static void the_peers_close_code_and_reason_reach_us(void)
{
    struct connection c;
    char path[96];
    snprintf(path, sizeof path, "/close?id=%s", unique("theirs"));
    EXPECT(open_connection(&c, "theirs", path, NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    EXPECT(SocketWrite(c.name, "4001 fermé, désolé", -1) == 1, "SocketWrite: %s", SocketErrorMessage());
    EXPECT(receive(&c) == NULL && c.closed, "the closing was not reported");
    EXPECT(!callback || (strcmp(c.closing, "4001") == 0 && c.error == 0), "CLOSING \"%s\", error %d", c.closing,
           (int)c.error);
    REQUIRE(info_is(c.name, WDSOCKET_INFO_CLOSE_CODE, "4001"));
    REQUIRE(info_is(c.name, WDSOCKET_INFO_CLOSE_REASON, "fermé, désolé"));
    EXPECT(SocketWrite(c.name, "too late", -1) == 0 && SocketErrorCode() == WDSOCKET_E_CLOSED,
           "a write after the end: %s", SocketErrorMessage());
    EXPECT(SocketExists(c.name) == 1, "the name is gone before SocketClose");
    EXPECT(SocketClose(c.name) == 1, "SocketClose: %s", SocketErrorMessage());
    char text[256];
    REQUIRE(peer_saw(unique("theirs"), text, sizeof text));
    EXPECT(strncmp(text, "4001 0 ", 7) == 0, "the peer saw \"%s\", not its own code", text);
}

static void the_peers_ping_is_answered_while_nobody_reads(void)
{
    struct connection c;
    EXPECT(open_connection(&c, "pinged", "/ping", NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    if (!callback) { /* SocketAvailable only looks at what has arrived */
        for (int waited = 0; SocketAvailable(c.name) < 0 && waited < WAIT_MS; waited += 10)
            sleep_ms(10);
        EXPECT(SocketAvailable(c.name) > 0, "nothing came: %s", SocketErrorMessage());
    }
    REQUIRE(receives_text(&c, "pong are you there?"));
    SocketClose(c.name);
}

static void our_pings_reach_the_peer_and_are_timed(void)
{
    struct connection c;
    char path[96], text[256];
    snprintf(path, sizeof path, "/echo?id=%s", unique("pinging"));
    EXPECT(SocketSetOption("pinging", WDSOCKET_OPTION_PING_INTERVAL_MS, "50") == 1, "SocketSetOption: %s",
           SocketErrorMessage());
    EXPECT(open_connection(&c, "pinging", path, NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    sleep_ms(500);
    EXPECT(SocketWrite(c.name, "still here", -1) == 1, "SocketWrite: %s", SocketErrorMessage());
    REQUIRE(receives_text(&c, "still here"));
    EXPECT(SocketInfo(c.name, WDSOCKET_INFO_PING_MS, text, sizeof text) > 0, "no PING_MS: %s", SocketErrorMessage());
    EXPECT(SocketClose(c.name) == 1, "SocketClose: %s", SocketErrorMessage());
    REQUIRE(peer_saw(unique("pinging"), text, sizeof text));
    long pings = strtol(text + 5, NULL, 10);
    EXPECT(pings >= 2 && pings <= 20, "%ld pings arrived in half a second (\"%s\")", pings, text);
}

static void the_subprotocol_that_the_peer_chose_is_told(void)
{
    struct connection c;
    EXPECT(open_connection(&c, "chosen", "/echo", "nothing,mqtt,soap") == 1, "cannot connect: %s",
           SocketErrorMessage());
    REQUIRE(info_is(c.name, WDSOCKET_INFO_PROTOCOL, "mqtt"));
    SocketClose(c.name);
}

static void no_common_subprotocol_fails_the_connection(void)
{
    struct connection c;
    intptr_t result = open_connection(&c, "none", "/echo", "nothing");
    EXPECT(result == -WDSOCKET_E_SUBPROTOCOL, "connecting gave %d", (int)result);
    SocketClose("none");
}

static void big_headers_pass_both_ways(void)
{
    enum { BIG = 6000 };
    struct connection c;
    static char option[16 + BIG], expected[16 + BIG], headers[65536];
    memcpy(option, "X-Big: ", 7);
    memset(option + 7, 'q', BIG);
    memcpy(expected, "X-Reply: ", 9);
    memset(expected + 9, 'r', BIG);
    EXPECT(SocketSetOption("big", WDSOCKET_OPTION_HEADER, option) == 1, "SocketSetOption: %s", SocketErrorMessage());
    EXPECT(open_connection(&c, "big", "/header", NULL) == 1, "cannot connect: %s", SocketErrorMessage());
    REQUIRE(receives_text(&c, option + 7));
    EXPECT(SocketInfo(c.name, WDSOCKET_INFO_RESPONSE_HEADERS, headers, sizeof headers) > BIG, "headers: %s",
           SocketErrorMessage());
    for (char *at = headers; *at != '\0'; at++) /* names of headers may come in any case */
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    for (char *at = expected; *at != '\0'; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    EXPECT(strstr(headers, expected) != NULL, "X-Reply is not among the headers");
    SocketClose(c.name);
}

static void a_refusal_tells_the_http_status(void)
{
    struct connection c;
    intptr_t result = open_connection(&c, "refused", "/refuse", NULL);
    EXPECT(result == -WDSOCKET_E_HANDSHAKE, "connecting gave %d", (int)result);
    REQUIRE(info_is(callback ? "refused" : NULL, WDSOCKET_INFO_HTTP_STATUS, "403"));
    SocketClose("refused");
}

#define RUN(promise) run(promise, #promise)

static void run(void (*promise)(void), const char *name)
{
    const char *how = compressing ? "_compressing" : "";
    problem[0] = '\0';
    promise();
    if (problem[0] == '\0')
        printf("ok %s%s\n", name, how);
    else
        printf("FAILED %s%s: %s\n", name, how, problem);
    failures += problem[0] != '\0';
    /* Nothing of a failed promise may disturb the next. */
    if (SocketShutdown(WAIT_MS) != 1)
        printf("FAILED shutdown after %s: %s\n", name, SocketErrorMessage()), failures++;
    fflush(stdout);
}

static void run_behaviour(void)
{
    RUN(closing_the_name_reaches_the_peer_as_1000);
    RUN(our_close_code_and_reason_reach_the_peer);
    RUN(the_peers_close_code_and_reason_reach_us);
    RUN(the_peers_ping_is_answered_while_nobody_reads);
    RUN(our_pings_reach_the_peer_and_are_timed);
    RUN(the_subprotocol_that_the_peer_chose_is_told);
    RUN(no_common_subprotocol_fails_the_connection);
    RUN(big_headers_pass_both_ways);
    RUN(a_refusal_tells_the_http_status);
}

static void compress(bool on)
{
    compressing = on;
    set(NULL, WDSOCKET_OPTION_COMPRESSION, on ? NULL : "off"); /* NULL: the library's default */
    set(NULL, WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, on ? "0" : NULL);
}

int main(int argc, char **argv)
{
    if (argc < 5 || (strcmp(argv[1], "sync") != 0 && strcmp(argv[1], "callback") != 0))
        die("usage: peers sync|callback PORT MESSAGES messages|deflate|behaviour...");
    callback = strcmp(argv[1], "callback") == 0;
    port = (int32_t)strtol(argv[2], NULL, 10);
    messages = (int)strtol(argv[3], NULL, 10);

    for (char **part = argv + 4; *part != NULL; part++) {
        compress(false);
        if (strcmp(*part, "messages") == 0) {
            RUN(random_messages_come_back_unchanged);
            RUN(random_fragments_are_joined);
        } else if (strcmp(*part, "deflate") == 0) {
            set(NULL, WDSOCKET_OPTION_COMPRESSION, NULL);
            RUN(deflate_as_the_peer_says_both_keep_their_context);
            RUN(deflate_as_the_peer_says_only_the_server_keeps_its_context);
            RUN(deflate_as_the_peer_says_only_the_client_keeps_its_context);
            RUN(deflate_as_the_peer_says_nobody_keeps_a_context);
            RUN(deflate_as_the_host_says_both_keep_their_context);
            RUN(deflate_as_the_host_says_nobody_keeps_a_context);
            RUN(deflate_goes_on_after_a_rest);
        } else if (strcmp(*part, "behaviour") == 0) {
            run_behaviour();
            compress(true);
            run_behaviour();
            RUN(a_peer_that_does_not_compress_gets_plain_messages);
        } else {
            die("no part is called %s", *part);
        }
    }
    return failures > 0;
}
