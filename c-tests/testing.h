/* What the tests share: checks that say what was expected, a recorder of events, the test server's
   address and diaries, threads and time. A failing check prints its place and ends the program. */
#ifndef TESTING_H
#define TESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wdsocket.h"

/* --- checks ------------------------------------------------------------------------------- */

/* Runs one test. Afterwards no socket is left, so that tests do not see each other's. */
#define RUN(test) run_test(#test, test)
void run_test(const char *name, void (*test)(void));

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition, "it is false"))
#define CHECK_INT(got, want) check_int(__FILE__, __LINE__, #got, (intptr_t)(got), (intptr_t)(want))
#define CHECK_TEXT(got, want) check_text(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_CONTAINS(got, part) check_contains(__FILE__, __LINE__, #got, (got), (part), true)
/* Names of HTTP headers have no case. */
#define CHECK_HAS_HEADER(got, line) check_header(__FILE__, __LINE__, #got, (got), (line), true)
#define CHECK_LACKS_HEADER(got, name) check_header(__FILE__, __LINE__, #got, (got), (name), false)
#define CHECK_LACKS(got, part) check_contains(__FILE__, __LINE__, #got, (got), (part), false)
#define CHECK_BETWEEN(got, low, high) check_between(__FILE__, __LINE__, #got, (intptr_t)(got), (low), (high))
/* A truth value: 1 and no error, or 0 and this error. */
#define CHECK_OK(call) check_result(__FILE__, __LINE__, #call, (call), 1, WDSOCKET_E_OK)
#define CHECK_FAILS(call, code) check_result(__FILE__, __LINE__, #call, (call), 0, (code))
/* A count or length: this one and no error, or the negative error code. */
#define CHECK_COUNT(call, count) check_result(__FILE__, __LINE__, #call, (call), (count), WDSOCKET_E_OK)
#define CHECK_NEGATIVE(call, code) check_result(__FILE__, __LINE__, #call, (call), -(code), (code))

void check_failed(const char *file, int line, const char *what, const char *came);
void check_int(const char *file, int line, const char *what, intptr_t got, intptr_t want);
void check_between(const char *file, int line, const char *what, intptr_t got, intptr_t low, intptr_t high);
void check_text(const char *file, int line, const char *what, const char *got, const char *want);
void check_contains(const char *file, int line, const char *what, const char *got, const char *part, bool expected);
/* `line` is "Name: value"; just "Name" where none is expected. */
void check_header(const char *file, int line, const char *what, const char *got, const char *header, bool expected);
void check_result(const char *file, int line, const char *what, intptr_t got, intptr_t want, intptr_t code);

/* --- time and threads --------------------------------------------------------------------- */

/* How long something may take that happens at once on a machine with nothing else to do. */
#define PATIENCE_MS 20000

int64_t now_ms(void);
void sleep_ms(int ms);

typedef struct Thread Thread;
Thread *start_thread(void (*body)(void *argument), void *argument);
void join_thread(Thread *thread);
/* Differs between threads. */
uintptr_t this_thread(void);

/* Waits until the condition holds, for what no event tells; fails after PATIENCE_MS. */
#define WAIT_UNTIL(condition)                                                              \
    do {                                                                                   \
        int64_t until_ = now_ms() + PATIENCE_MS;                                           \
        while (!(condition)) {                                                             \
            if (now_ms() > until_) check_failed(__FILE__, __LINE__, #condition, "never");  \
            sleep_ms(2);                                                                   \
        }                                                                                  \
    } while (0)

/* --- the test server ---------------------------------------------------------------------- */

int test_port(void);
/* Whether the server listens on [::1], too; says so if not. */
bool has_ipv6(void);
/* ws://127.0.0.1:PORT and the path; one of a few static buffers. */
const char *test_url(const char *path);
/* Connects a synchronous socket. */
void connect_to(const char *name, const char *path);
/* The next message of a synchronous socket must be this text. */
#define EXPECT_TEXT(name, want) check_text(__FILE__, __LINE__, "message of " name, read_text(name), (want))
/* The next message, at most 1 MiB of it; valid until the thread's next call. */
const char *read_text(const char *name);
/* What the server saw on the connection with this id, as soon as a line begins with `until`. */
const char *diary(const char *id, const char *until);
/* As soon as `count` lines begin so. */
const char *diary_with(const char *id, const char *until, int count);
/* The diary must come to have this line. */
#define EXPECT_DIARY(id, line) expect_diary(__FILE__, __LINE__, id, line)
void expect_diary(const char *file, int line, const char *id, const char *want);
/* Lines of the text that begin with the word. */
int lines_with(const char *text, const char *word);
/* The length on the wire of the connection's message number `nth`, from 1, among those that came compressed. */
long long compressed_length(const char *id, int nth);
/* Makes the server do something to the connection with this id; returns when it has begun. */
void control(const char *id, const char *action);
/* Options that must be accepted; NULL sets back. */
void set_option(const char *name, int32_t option, const char *value);
/* SocketInfo into one of a few static buffers. */
const char *info(const char *name, int32_t item);
long long info_number(const char *name, int32_t item);

/* The server's misbehaviour at this path ends a callback socket and a synchronous one: with this code, which reaches
   the server, too, and with this error, whose message has the word (in any case). Messages may come before. */
#define EXPECT_VIOLATION(path, code, error, word) expect_violation(__FILE__, __LINE__, path, code, error, word)
void expect_violation(const char *file, int line, const char *path, const char *code, intptr_t error, const char *word);

/* --- contents and memory ------------------------------------------------------------------ */

/* Letters and spaces, the same for the same seed; compresses to a fraction. */
void fill_text(char *buffer, size_t size, uint32_t seed);
/* Bytes that do not compress. */
void fill_noise(char *buffer, size_t size, uint32_t seed);
/* FNV-1a over what came before and this: what the server's /count tells. */
uint64_t fnv1a(uint64_t hash, const void *bytes, size_t size);
#define FNV1A_START 0xcbf29ce484222325u

/* KiB of this process that are in memory; 0 where the system does not tell, and under AddressSanitizer, which keeps
   what was freed. */
long resident_kib(void);
/* The most KiB that were in memory since forget_peak, which is false where the system does not tell. */
bool forget_peak(void);
long peak_kib(void);

/* --- events ------------------------------------------------------------------------------- */

typedef struct {
    int32_t event;
    char *message;
    size_t length;
    char name[256];
    /* What the error functions, SocketState and SocketMessageType said inside the callback. */
    intptr_t error;
    char error_message[512];
    intptr_t state;
    intptr_t message_type;
    uintptr_t thread;
} Event;

/* Zero-initialised; passed as user_data with `record` as callback. */
typedef struct Recorder Recorder;
struct Recorder {
    Event *events;
    size_t count;
    size_t room;
    size_t taken;
    /* If set, called inside the callback after the event was recorded. */
    void (*inside)(Recorder *recorder, const Event *event);
    void *context;
};

void WDSOCKET_CALL record(int32_t event, const char *message, size_t length, const char *name, void *user_data);
void connect_recorder(Recorder *recorder, const char *name, const char *path);
/* The next event that was not taken yet, dispatching until it comes. */
const Event *next_event(Recorder *recorder);
/* The next event must be this one; returns it. */
#define EXPECT_EVENT(recorder, event, message) expect_event(__FILE__, __LINE__, recorder, event, message)
const Event *expect_event(const char *file, int line, Recorder *recorder, int32_t event, const char *message);
/* Nothing comes within this time. */
#define EXPECT_NO_EVENT(recorder, ms) expect_no_event(__FILE__, __LINE__, recorder, ms)
void expect_no_event(const char *file, int line, Recorder *recorder, int ms);
const char *event_name(int32_t event);
void forget_events(Recorder *recorder);

#endif
