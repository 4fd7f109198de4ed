/* A host that does what it is told: a function of the library per line of standard input, its results on standard
   output. The runners in this folder say what is called and judge what comes back.

   A line is the function's name and its arguments, a result line what the function returned, the error's code and
   sentence, and what else there is, all separated by tabs. Texts are percent-encoded with "=" before them; NULL is
   "-". Numbers are decimal. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "../interop/host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>

/* What POSIX has and Windows has not. */
static int setenv(const char *name, const char *value, int overwrite)
{
    (void)overwrite;
    return _putenv_s(name, value);
}

static long getline(char **line, size_t *room, FILE *file)
{
    size_t length = 0;
    for (int c; (c = getc(file)) != EOF;) {
        if (length + 2 > *room) *line = allocate(*line, *room = 2 * (length + 2));
        (*line)[length++] = (char)c;
        (*line)[length] = '\0';
        if (c == '\n') break;
    }
    return (long)length;
}
#else
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>
#endif

#define ARGUMENTS 12
#define TEXT_SHOWN 4096

static void put_text(const char *text, size_t length)
{
    putchar('=');
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x21 || byte > 0x7e || byte == '%') printf("%%%02X", byte);
        else putchar(byte);
    }
}

static int digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

/* In place; the length, without the NUL. */
static size_t decode(char *text)
{
    size_t out = 0;
    for (const char *in = text; *in; in++) {
        if (*in == '%') {
            text[out++] = (char)(digit(in[1]) << 4 | digit(in[2]));
            in += 2;
        } else {
            text[out++] = *in;
        }
    }
    text[out] = '\0';
    return out;
}

static uint64_t hash(const char *bytes, size_t length)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) value = (value ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return value;
}

/* Length, hash and beginning of a message. */
static void put_message(const char *bytes, size_t length)
{
    printf("%zu\t%016" PRIx64 "\t", length, hash(bytes, length));
    put_text(bytes, length < TEXT_SHOWN ? length : TEXT_SHOWN);
}

static void put_result(intptr_t result)
{
    const char *message = SocketErrorMessage();
    printf("RESULT\t%" PRIdPTR "\t%" PRIdPTR "\t", result, SocketErrorCode());
    put_text(message, strlen(message));
}

/* Events are printed as they come, inside SocketDispatch. */
static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)user_data;
    intptr_t code = SocketErrorCode();
    const char *error = SocketErrorMessage();
    printf("EVENT\t%" PRId32 "\t", event);
    put_text(name, strlen(name));
    printf("\t%" PRIdPTR "\t", code);
    put_text(error, strlen(error));
    printf("\t%" PRIdPTR "\t", SocketState(name));
    put_message(message, length);
    putchar('\n');
}

static void WDSOCKET_CALL on_log(int32_t level, const char *line, void *user_data)
{
    fprintf(user_data, "%" PRId32 " %s\n", level, line);
}

/* The arguments of the call under way. */
static char *arguments[ARGUMENTS];

static const char *text(int i) { return arguments[i][0] == '-' ? NULL : arguments[i] + 1; }
static int32_t number(int i) { return (int32_t)strtol(arguments[i], NULL, 10); }

/* `size` bytes that differ from place to place and from message to message. */
static char *pattern(size_t size, uint32_t seed)
{
    char *bytes = allocate(NULL, size + 1);
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (char)(state >> 24);
    }
    return bytes;
}

#ifndef _WIN32
/* The library's look-ups come here: NAME.hangs is never resolved, NAME.two has two addresses. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    look_up *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    const char *domain = name != NULL ? strrchr(name, '.') : NULL;
    if (domain != NULL && !strcmp(domain, ".hangs"))
        for (;;) pause();
    if (domain == NULL || strcmp(domain, ".two"))
        return real(name, service, hints, found);
    int failed = real("192.0.2.1", service, hints, found);
    struct addrinfo *last = failed ? NULL : *found;
    while (last != NULL && last->ai_next != NULL) last = last->ai_next;
    return failed ? failed : real("192.0.2.2", service, hints, &last->ai_next);
}
#endif

/* A thread that waits for the next message. */
static const char *waited_for;
static atomic_int has_waited;

static void *wait_for_message(void *unused)
{
    (void)unused;
    struct buffer buffer = {0};
    has_waited = read_message(waited_for, &buffer, -1) >= 0 ? 1 : -1;
    free(buffer.bytes);
    return NULL;
}

/* Writes, and looks for the answer until some of it has come, while another thread waits for it. 1: one of both has
   the whole. */
static intptr_t share_message(const char *name)
{
    static struct buffer buffer;
    char before[32], after[32];
    const struct timespec moment = {0, 5000000};
    pthread_t thread;
    waited_for = name;
    has_waited = 0;
    if (pthread_create(&thread, NULL, wait_for_message, NULL)) die("no thread");
    nanosleep(&moment, NULL); /* it is likely to wait now; nothing depends on it */
    SocketInfo(name, WDSOCKET_INFO_WIRE_BYTES_IN, before, sizeof before);
    intptr_t read, written = SocketWrite(name, "go", -1);
    do {
        read = read_message(name, &buffer, 0);
        SocketInfo(name, WDSOCKET_INFO_WIRE_BYTES_IN, after, sizeof after);
    } while (written == 1 && read < 0 && !strcmp(before, after));
    for (int i = 0; read < 0 && !has_waited && i < 1000; i++) nanosleep(&moment, NULL);
    intptr_t done = written == 1 && (read >= 0 || has_waited == 1);
    /* If it waits still, this is what it waits for. */
    if (!has_waited) SocketWrite(name, "go", -1);
    pthread_join(thread, NULL);
    return done;
}

static void call(const char *function)
{
    if (!strcmp(function, "WebSocketClientConnect")) {
        put_result(WebSocketClientConnect(text(0), text(1), number(2), text(3), text(4), number(5)));
    } else if (!strcmp(function, "WebSocketClientConnectAsync")) {
        put_result(WebSocketClientConnectAsync(text(0), on_event, text(1), number(2), text(3), text(4), NULL));
    } else if (!strcmp(function, "WebSocketClientConnectSSL")) {
        put_result(WebSocketClientConnectSSL(text(0), text(1), number(2), text(3), text(4), number(5), number(6)));
    } else if (!strcmp(function, "WebSocketClientConnectSSLAsync")) {
        put_result(WebSocketClientConnectSSLAsync(text(0), on_event, text(1), number(2), text(3), text(4), number(5), NULL));
    } else if (!strcmp(function, "SocketConnect")) {
        put_result(SocketConnect(text(0), text(1), on_event, text(2), NULL));
    } else if (!strcmp(function, "SocketSetOption")) {
        put_result(SocketSetOption(text(0), number(1), text(2)));
    } else if (!strcmp(function, "SocketProxy")) {
        put_result(SocketProxy(text(0), number(1), text(2), text(3)));
    } else if (!strcmp(function, "SocketWrite")) {
        put_result(SocketWrite(text(0), text(1), -1));
    } else if (!strcmp(function, "write_pattern")) { /* name, size, seed */
        char *bytes = pattern((size_t)number(1), (uint32_t)number(2));
        put_result(write_message(text(0), 2, bytes, (size_t)number(1)));
        printf("\t%016" PRIx64, hash(bytes, (size_t)number(1)));
        free(bytes);
    } else if (!strcmp(function, "SocketRead")) { /* name, timeout */
        static struct buffer buffer;
        intptr_t length = read_message(text(0), &buffer, number(1));
        put_result(length);
        putchar('\t');
        put_message(buffer.bytes, length > 0 ? (size_t)length : 0);
    } else if (!strcmp(function, "share_message")) { /* name */
        put_result(share_message(text(0)));
    } else if (!strcmp(function, "SocketAvailable")) {
        put_result(SocketAvailable(text(0)));
    } else if (!strcmp(function, "SocketDispatch")) {
        put_result(SocketDispatch(number(0), number(1)));
    } else if (!strcmp(function, "SocketInfo")) {
        static char buffer[65536];
        intptr_t length = SocketInfo(text(0), number(1), buffer, sizeof buffer);
        put_result(length);
        putchar('\t');
        put_text(buffer, length > 0 ? (size_t)length : 0);
    } else if (!strcmp(function, "SocketState")) {
        put_result(SocketState(text(0)));
    } else if (!strcmp(function, "SocketExists")) {
        put_result(SocketExists(text(0)));
    } else if (!strcmp(function, "SocketClose")) {
        put_result(SocketClose(text(0)));
    } else if (!strcmp(function, "SocketCloseWith")) {
        put_result(SocketCloseWith(text(0), number(1), text(2)));
    } else if (!strcmp(function, "SocketShutdown")) {
        put_result(SocketShutdown(number(0)));
    } else if (!strcmp(function, "log_to")) { /* file, level */
        FILE *file = fopen(text(0), "a");
        if (file == NULL) die("cannot write %s", text(0));
        setvbuf(file, NULL, _IOLBF, 0);
        put_result(SocketSetLog(on_log, number(1), file));
    } else if (!strcmp(function, "setenv")) { /* before the first call of the library only */
        setenv(text(0), text(1), 1);
        put_result(1);
    } else {
        die("no function \"%s\"", function);
    }
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
#ifdef _WIN32
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
#endif
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        int count = 0;
        static char none[] = "-";
        for (int i = 0; i < ARGUMENTS; i++) arguments[i] = none;
        for (char *at = strchr(line, '\t'); at != NULL && count < ARGUMENTS; at = strchr(at, '\t')) {
            *at++ = '\0';
            arguments[count++] = at;
        }
        for (int i = 0; i < count; i++)
            if (arguments[i][0] == '=') decode(arguments[i] + 1);
        call(rest);
    }
    free(line);
    return 0;
}
