#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L
#endif
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#include <time.h>
#endif

/* --- checks ------------------------------------------------------------------------------- */

static const char *running = "";

void run_test(const char *name, void (*test)(void))
{
    /* For one's own hands: WDSOCKET_TEST_ONLY=a_part_of_the_name. */
    const char *only = getenv("WDSOCKET_TEST_ONLY");
    if (only && !strstr(name, only)) return;
    running = name;
    int64_t start = now_ms();
    test();
    SocketShutdown(PATIENCE_MS);
    printf("ok %s (%d ms)\n", name, (int)(now_ms() - start));
    fflush(stdout);
}

static void give_up(void)
{
    fprintf(stderr, "  in test %s\n", running);
    fflush(stderr);
    fflush(stdout);
    /* Without the handlers of exit: this may be inside a callback. */
    _Exit(1);
}

void check_failed(const char *file, int line, const char *what, const char *came)
{
    fprintf(stderr, "%s:%d: expected: %s\n  %s\n", file, line, what, came);
    give_up();
}

void check_int(const char *file, int line, const char *what, intptr_t got, intptr_t want)
{
    if (got == want) return;
    fprintf(stderr, "%s:%d: %s\n  expected %lld\n  came     %lld\n", file, line, what, (long long)want, (long long)got);
    give_up();
}

void check_between(const char *file, int line, const char *what, intptr_t got, intptr_t low, intptr_t high)
{
    if (got >= low && got <= high) return;
    fprintf(stderr, "%s:%d: %s\n  expected %lld to %lld\n  came     %lld\n", file, line, what, (long long)low,
            (long long)high, (long long)got);
    give_up();
}

void check_text(const char *file, int line, const char *what, const char *got, const char *want)
{
    if (got && strcmp(got, want) == 0) return;
    fprintf(stderr, "%s:%d: %s\n  expected \"%s\"\n  came     \"%.300s\"\n", file, line, what, want, got ? got : "(NULL)");
    give_up();
}

void check_contains(const char *file, int line, const char *what, const char *got, const char *part, bool expected)
{
    if (got && (strstr(got, part) != NULL) == expected) return;
    fprintf(stderr, "%s:%d: %s\n  expected text %s \"%s\"\n  came     \"%.1000s\"\n", file, line, what,
            expected ? "with" : "without", part, got ? got : "(NULL)");
    give_up();
}

static int lower(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; }

void check_header(const char *file, int line, const char *what, const char *got, const char *header, bool expected)
{
    size_t name = strcspn(header, ":");
    bool found = false;
    for (const char *at = got; at && *at && !found; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        size_t same = 0;
        while (same < name && lower(at[same]) == lower(header[same])) same++;
        if (same < name || at[name] != ':') continue;
        const char *value = at + name + 1 + strspn(at + name + 1, " ");
        const char *wanted = header + name + strspn(header + name, ": ");
        size_t length = strlen(wanted);
        found = !*wanted || (strncmp(value, wanted, length) == 0 && strcspn(value + length, "\r\n") == 0);
    }
    if (found != expected) check_contains(file, line, what, expected ? got : header, header, expected);
    if (found != expected) check_failed(file, line, header, got);
}

void check_result(const char *file, int line, const char *what, intptr_t got, intptr_t want, intptr_t code)
{
    intptr_t came = SocketErrorCode();
    const char *message = SocketErrorMessage();
    /* A failure says something, a success nothing. */
    bool told = message && (message[0] != '\0') == (code != WDSOCKET_E_OK);
    if (got == want && came == code && told) return;
    fprintf(stderr, "%s:%d: %s\n  expected %lld with error %lld\n  came     %lld with error %lld \"%s\"\n", file, line, what,
            (long long)want, (long long)code, (long long)got, (long long)came, message ? message : "(NULL)");
    give_up();
}

/* --- time and threads --------------------------------------------------------------------- */

#ifdef _WIN32

/* GetTickCount64 would go in steps of 16 ms. */
int64_t now_ms(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (int64_t)((double)now.QuadPart * 1000 / (double)frequency.QuadPart);
}

void sleep_ms(int ms) { Sleep((DWORD)ms); }

uintptr_t this_thread(void) { return GetCurrentThreadId(); }

struct Thread {
    HANDLE handle;
    void (*body)(void *);
    void *argument;
};

static DWORD WINAPI thread_main(void *argument)
{
    Thread *thread = argument;
    thread->body(thread->argument);
    return 0;
}

Thread *start_thread(void (*body)(void *), void *argument)
{
    Thread *thread = malloc(sizeof *thread);
    CHECK(thread != NULL);
    thread->body = body;
    thread->argument = argument;
    thread->handle = CreateThread(NULL, 0, thread_main, thread, 0, NULL);
    CHECK(thread->handle != NULL);
    return thread;
}

void join_thread(Thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

#else

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

uintptr_t this_thread(void) { return (uintptr_t)pthread_self(); }

struct Thread {
    pthread_t handle;
    void (*body)(void *);
    void *argument;
};

static void *thread_main(void *argument)
{
    Thread *thread = argument;
    thread->body(thread->argument);
    return NULL;
}

Thread *start_thread(void (*body)(void *), void *argument)
{
    Thread *thread = malloc(sizeof *thread);
    CHECK(thread != NULL);
    thread->body = body;
    thread->argument = argument;
    CHECK(pthread_create(&thread->handle, NULL, thread_main, thread) == 0);
    return thread;
}

void join_thread(Thread *thread)
{
    pthread_join(thread->handle, NULL);
    free(thread);
}

#endif

/* --- the test server ---------------------------------------------------------------------- */

/* Static buffers in turn, so that one check may use several. Of each thread its own. */
static char *scratch(size_t *size)
{
    static _Thread_local char buffers[4][70000];
    static _Thread_local unsigned turn;
    *size = sizeof buffers[0];
    return buffers[turn++ % 4];
}

int test_port(void)
{
    const char *port = getenv("WDSOCKET_TEST_PORT");
    if (!port) check_failed("the environment", 0, "WDSOCKET_TEST_PORT", "start with: wdsocket-test-server --run PROGRAM");
    return atoi(port);
}

bool has_ipv6(void)
{
    if (getenv("WDSOCKET_TEST_IPV6")) return true;
    printf("skipped a part of %s: no IPv6 here\n", running);
    return false;
}

const char *test_url(const char *path)
{
    size_t size;
    char *url = scratch(&size);
    snprintf(url, size, "ws://127.0.0.1:%d%s", test_port(), path);
    return url;
}

void connect_to(const char *name, const char *path)
{
    CHECK_OK(WebSocketClientConnect(name, "127.0.0.1", test_port(), path, NULL, PATIENCE_MS));
}

const char *read_text(const char *name)
{
    static _Thread_local char buffer[(1 << 20) + 1];
    intptr_t length = SocketRead(name, 0, PATIENCE_MS, buffer, sizeof buffer);
    if (length < 0) {
        fprintf(stderr, "%s: expected a message\n  came     error %lld \"%s\"\n", name, (long long)length, SocketErrorMessage());
        give_up();
    }
    return buffer;
}

const char *diary_with(const char *id, const char *until, int count)
{
    char path[512];
    char word[256];
    size_t out = 0;
    for (const char *in = until; *in && out + 4 < sizeof word; in++)
        out += (size_t)snprintf(word + out, sizeof word - out, *in == ' ' ? "%%20" : "%c", *in);
    word[out] = '\0';
    snprintf(path, sizeof path, "/report?id=%s&until=%s&count=%d&timeout_ms=%d", id, word, count, PATIENCE_MS / 2);
    /* A name of this thread's own: several may ask. */
    char name[64];
    snprintf(name, sizeof name, "diary %llx", (unsigned long long)this_thread());
    connect_to(name, path);
    const char *text = read_text(name);
    SocketClose(name);
    return text;
}

const char *diary(const char *id, const char *until) { return diary_with(id, until, 1); }

void expect_diary(const char *file, int line, const char *id, const char *want)
{
    const char *text = diary(id, want);
    size_t length = strlen(want);
    for (const char *at = text; (at = strstr(at, want)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && (at[length] == '\n' || at[length] == '\0')) return;
    check_contains(file, line, "the server's diary (a whole line)", text, want, true);
    check_failed(file, line, want, text);
}

int lines_with(const char *text, const char *word)
{
    int count = 0;
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        count += strncmp(line, word, strlen(word)) == 0;
    return count;
}

void control(const char *id, const char *action)
{
    char path[256];
    char name[64];
    char rest[8];
    snprintf(path, sizeof path, "/control?id=%s&do=%s", id, action);
    snprintf(name, sizeof name, "control %llx", (unsigned long long)this_thread());
    connect_to(name, path);
    /* The server closes with 1000 once the connection has taken the command. */
    CHECK_NEGATIVE(SocketRead(name, 1, 0, rest, sizeof rest), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info(name, WDSOCKET_INFO_CLOSE_CODE), "1000");
    SocketClose(name);
}

long long compressed_length(const char *id, int nth)
{
    const char *line = diary_with(id, "compressed", nth);
    for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, "compressed ", 11) == 0 && --nth == 0) return atoll(line + 11);
    check_failed(__FILE__, __LINE__, "so many compressed messages", id);
    return -1;
}

void set_option(const char *name, int32_t option, const char *value) { CHECK_OK(SocketSetOption(name, option, value)); }

const char *info(const char *name, int32_t item)
{
    size_t size;
    char *text = scratch(&size);
    intptr_t length = SocketInfo(name, item, text, size);
    if (length < 0) {
        fprintf(stderr, "info %d of %s\n  came     error %lld \"%s\"\n", (int)item, name ? name : "(NULL)",
                (long long)length, SocketErrorMessage());
        give_up();
    }
    CHECK_INT(length, strlen(text));
    return text;
}

long long info_number(const char *name, int32_t item) { return atoll(info(name, item)); }

/* Fails unless the text has the word, in any case. */
static void check_word(const char *file, int line, const char *what, const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; *at; at++) {
        size_t same = 0;
        while (same < length && lower(at[same]) == lower(word[same])) same++;
        if (same == length) return;
    }
    check_contains(file, line, what, text, word, true);
    check_failed(file, line, word, text);
}

void expect_violation(const char *file, int line, const char *path, const char *code, intptr_t error, const char *word)
{
    static int count;
    char with_id[4096];
    char id[32];
    char close_line[32];
    char rest[256];
    snprintf(close_line, sizeof close_line, "close %s", code);

    Recorder events = {0};
    snprintf(id, sizeof id, "violation%d", ++count);
    snprintf(with_id, sizeof with_id, "%s&id=violation%d", path, count);
    connect_recorder(&events, id, with_id);
    const Event *event;
    do
        event = next_event(&events);
    while (event && event->event < WDSOCKET_EVENT_CLOSING);
    if (!event || event->event != WDSOCKET_EVENT_ERROR) check_failed(file, line, path, event ? "no ERROR" : "no event");
    check_int(file, line, path, event->error, error);
    check_word(file, line, path, event->error_message, word);
    event = next_event(&events);
    check_text(file, line, path, event && event->event == WDSOCKET_EVENT_CLOSING ? event->message : "no CLOSING", code);
    check_text(file, line, path, info(id, WDSOCKET_INFO_CLOSE_CODE), code);
    check_contains(file, line, path, diary(id, "close"), close_line, true);
    CHECK_OK(SocketClose(id));
    forget_events(&events);

    snprintf(id, sizeof id, "violation%d", ++count);
    snprintf(with_id, sizeof with_id, "%s&id=violation%d", path, count);
    connect_to(id, with_id);
    intptr_t length;
    while ((length = SocketRead(id, 0, PATIENCE_MS, rest, sizeof rest)) >= 0) continue;
    check_int(file, line, path, length, -WDSOCKET_E_CLOSED);
    check_word(file, line, path, SocketErrorMessage(), word);
    check_word(file, line, path, info(id, WDSOCKET_INFO_LAST_ERROR), word);
    check_text(file, line, path, info(id, WDSOCKET_INFO_CLOSE_CODE), code);
    check_contains(file, line, path, diary(id, "close"), close_line, true);
    CHECK_OK(SocketClose(id));
}

/* --- contents and memory ------------------------------------------------------------------ */

static uint32_t next_random(uint32_t *state)
{
    /* xorshift; 0 would stay 0. */
    *state = *state ? *state : 0x9e3779b9u;
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void fill_text(char *buffer, size_t size, uint32_t seed)
{
    static const char *const words[] = {"time ", "price ", "change ", "volume ", "market ", "the ", "a ", "of "};
    uint32_t state = seed * 2654435761u + 1;
    size_t at = 0;
    while (at < size) {
        uint32_t number = next_random(&state);
        const char *word = words[number >> 29];
        /* Now and then a letter of its own, so that no two texts are alike. */
        if ((number & 15) == 0) buffer[at++] = (char)('a' + (number >> 8) % 26);
        while (*word && at < size) buffer[at++] = *word++;
    }
}

void fill_noise(char *buffer, size_t size, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) buffer[i] = (char)(next_random(&state) >> 24);
}

uint64_t fnv1a(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

long resident_kib(void)
{
    long pages = 0;
#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * 4;
}

bool forget_peak(void)
{
    FILE *file = resident_kib() ? fopen("/proc/self/clear_refs", "w") : NULL;
    if (!file) return false;
    bool forgotten = fputs("5", file) >= 0;
    return fclose(file) == 0 && forgotten;
}

long peak_kib(void)
{
    char line[256];
    long peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0) peak = atol(line + 6);
    if (file) fclose(file);
    return peak;
}

/* --- events ------------------------------------------------------------------------------- */

const char *event_name(int32_t event)
{
    static const char *names[] = {"no event", "OPENING", "MESSAGE", "CLOSING", "ERROR", "WRITABLE"};
    return event >= 0 && event <= 5 ? names[event] : "an unknown event";
}

void WDSOCKET_CALL record(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    Recorder *recorder = user_data;
    intptr_t error = SocketErrorCode();
    if (recorder->count == recorder->room) {
        recorder->room = recorder->room ? recorder->room * 2 : 16;
        recorder->events = realloc(recorder->events, recorder->room * sizeof *recorder->events);
        CHECK(recorder->events != NULL);
    }
    Event *noted = &recorder->events[recorder->count];
    memset(noted, 0, sizeof *noted);
    noted->event = event;
    noted->error = error;
    snprintf(noted->error_message, sizeof noted->error_message, "%s", SocketErrorMessage());
    noted->length = length;
    noted->message = malloc(length + 1);
    CHECK(noted->message != NULL);
    memcpy(noted->message, message, length);
    noted->message[length] = '\0';
    /* Every message has a NUL after it. */
    CHECK_INT(message[length], 0);
    snprintf(noted->name, sizeof noted->name, "%s", name);
    noted->thread = this_thread();
    noted->state = SocketState(name);
    noted->message_type = SocketMessageType(name);
    recorder->count++;
    if (recorder->inside) {
        Event copy = *noted;
        recorder->inside(recorder, &copy);
    }
}

void connect_recorder(Recorder *recorder, const char *name, const char *path)
{
    CHECK_OK(WebSocketClientConnectAsync(name, record, "127.0.0.1", test_port(), path, NULL, recorder));
}

const Event *next_event(Recorder *recorder)
{
    int64_t deadline = now_ms() + PATIENCE_MS;
    while (recorder->taken == recorder->count) {
        if (now_ms() > deadline) return NULL;
        intptr_t ran = SocketDispatch(1000, 0);
        if (ran < 0) check_failed(__FILE__, __LINE__, "SocketDispatch >= 0", SocketErrorMessage());
    }
    return &recorder->events[recorder->taken++];
}

const Event *expect_event(const char *file, int line, Recorder *recorder, int32_t event, const char *message)
{
    const Event *came = next_event(recorder);
    if (came && came->event == event && (!message || strcmp(came->message, message) == 0)) return came;
    fprintf(stderr, "%s:%d: expected %s \"%.200s\"\n  came     %s \"%.200s\" (error %d \"%s\")\n", file, line, event_name(event),
            message ? message : "(any)", came ? event_name(came->event) : "nothing", came ? came->message : "",
            came ? (int)came->error : 0, came ? came->error_message : "");
    give_up();
    return NULL;
}

void expect_no_event(const char *file, int line, Recorder *recorder, int ms)
{
    int64_t end = now_ms() + ms;
    do
        SocketDispatch(10, 0);
    while (now_ms() < end && recorder->taken == recorder->count);
    if (recorder->taken == recorder->count) return;
    const Event *came = &recorder->events[recorder->taken];
    fprintf(stderr, "%s:%d: expected no event\n  came     %s \"%.200s\"\n", file, line, event_name(came->event), came->message);
    give_up();
}

void forget_events(Recorder *recorder)
{
    for (size_t i = 0; i < recorder->count; i++) free(recorder->events[i].message);
    free(recorder->events);
    recorder->events = NULL;
    recorder->count = recorder->taken = recorder->room = 0;
}
