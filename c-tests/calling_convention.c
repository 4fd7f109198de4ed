/* What the processor sees of calls: the stack and the registers that a callee must keep, around every kind of function
   and every kind of callback, and what results look like in the whole register. Windows only: with 32 bits functions are
   cdecl and callbacks stdcall, with 64 bits there is one convention. Hosts that declare something else are processes of
   their own, and must be noticed: a check that notices nothing proves nothing. */
#include "windows_testing.h"

#include <stdio.h>
#include <stdlib.h>

#define NOTICED 40

static void notice(const char *what, const char *where, intptr_t got, intptr_t want)
{
    fprintf(stderr, "%s: %s\n  expected %#llx\n  came     %#llx\n", where, what, (unsigned long long)want,
            (unsigned long long)got);
    fflush(stderr);
    TerminateProcess(GetCurrentProcess(), NOTICED);
}

/* --- around functions ---------------------------------------------------------------------------- */

/* What checked_call notes: the stack before and after, its own frame, the registers that a callee must keep. */
typedef struct {
    uintptr_t before, after, frame;
    uintptr_t flags;
#ifdef _WIN64
    uintptr_t kept[8];
    uint32_t floating[10][4];
#else
    uintptr_t kept[4];
#endif
} State;

State *checked_state;
uintptr_t checked_result;
const uint32_t checked_floating[4] = {0x3f800001, 0x40000002, 0x40400003, 0x40800004};

/* Calls the function with `count` arguments, each of them a slot of the stack or a register; not from several threads,
   not inside itself. */
uintptr_t checked_call(State *state, void (*function)(void), const uintptr_t *arguments, size_t count);

#ifdef _WIN64
__asm__(
    ".text\n.globl checked_call\nchecked_call:\n"
    "pushq %rbp\nmovq %rsp, %rbp\npushq %rbx\npushq %rsi\npushq %rdi\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "subq $232, %rsp\n"
    "movups %xmm6, 64(%rsp)\nmovups %xmm7, 80(%rsp)\nmovups %xmm8, 96(%rsp)\nmovups %xmm9, 112(%rsp)\n"
    "movups %xmm10, 128(%rsp)\nmovups %xmm11, 144(%rsp)\nmovups %xmm12, 160(%rsp)\nmovups %xmm13, 176(%rsp)\n"
    "movups %xmm14, 192(%rsp)\nmovups %xmm15, 208(%rsp)\n"
    "movq %rcx, checked_state(%rip)\nmovq %rsp, 0(%rcx)\nmovq %rbp, 16(%rcx)\n"
    "movq %rdx, %rax\nmovq %r8, %r10\n"
    /* Always eight. */
    "movq 32(%r10), %r11\nmovq %r11, 32(%rsp)\nmovq 40(%r10), %r11\nmovq %r11, 40(%rsp)\n"
    "movq 48(%r10), %r11\nmovq %r11, 48(%rsp)\nmovq 56(%r10), %r11\nmovq %r11, 56(%rsp)\n"
    "movq 0(%r10), %rcx\nmovq 8(%r10), %rdx\nmovq 16(%r10), %r8\nmovq 24(%r10), %r9\n"
    "movups checked_floating(%rip), %xmm6\nmovups %xmm6, %xmm7\nmovups %xmm6, %xmm8\nmovups %xmm6, %xmm9\n"
    "movups %xmm6, %xmm10\nmovups %xmm6, %xmm11\nmovups %xmm6, %xmm12\nmovups %xmm6, %xmm13\nmovups %xmm6, %xmm14\n"
    "movups %xmm6, %xmm15\n"
    "movq $0x5a5a0000, %rbx\nmovq $0x5a5a0001, %rbp\nmovq $0x5a5a0002, %rsi\nmovq $0x5a5a0003, %rdi\n"
    "movq $0x5a5a0004, %r12\nmovq $0x5a5a0005, %r13\nmovq $0x5a5a0006, %r14\nmovq $0x5a5a0007, %r15\n"
    "call *%rax\n"
    "movq %rax, checked_result(%rip)\nmovq checked_state(%rip), %rax\nmovq %rsp, 8(%rax)\n"
    "movq %rbx, 32(%rax)\nmovq %rbp, 40(%rax)\nmovq %rsi, 48(%rax)\nmovq %rdi, 56(%rax)\n"
    "movq %r12, 64(%rax)\nmovq %r13, 72(%rax)\nmovq %r14, 80(%rax)\nmovq %r15, 88(%rax)\n"
    "movups %xmm6, 96(%rax)\nmovups %xmm7, 112(%rax)\nmovups %xmm8, 128(%rax)\nmovups %xmm9, 144(%rax)\n"
    "movups %xmm10, 160(%rax)\nmovups %xmm11, 176(%rax)\nmovups %xmm12, 192(%rax)\nmovups %xmm13, 208(%rax)\n"
    "movups %xmm14, 224(%rax)\nmovups %xmm15, 240(%rax)\n"
    "movq 16(%rax), %rbp\nleaq -288(%rbp), %rsp\n"
    "pushfq\npopq %rdx\nmovq %rdx, 24(%rax)\ncld\n"
    "movups 64(%rsp), %xmm6\nmovups 80(%rsp), %xmm7\nmovups 96(%rsp), %xmm8\nmovups 112(%rsp), %xmm9\n"
    "movups 128(%rsp), %xmm10\nmovups 144(%rsp), %xmm11\nmovups 160(%rsp), %xmm12\nmovups 176(%rsp), %xmm13\n"
    "movups 192(%rsp), %xmm14\nmovups 208(%rsp), %xmm15\n"
    "addq $232, %rsp\nmovq checked_result(%rip), %rax\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rdi\npopq %rsi\npopq %rbx\npopq %rbp\nret\n");
#else
__asm__(
    ".text\n.globl _checked_call\n_checked_call:\n"
    "pushl %ebp\nmovl %esp, %ebp\npushl %ebx\npushl %esi\npushl %edi\n"
    "movl 20(%ebp), %ecx\nmovl 16(%ebp), %edx\n"
    "1: testl %ecx, %ecx\njz 2f\npushl -4(%edx,%ecx,4)\ndecl %ecx\njmp 1b\n2:\n"
    "movl 8(%ebp), %eax\nmovl %eax, _checked_state\nmovl %esp, 0(%eax)\nmovl %ebp, 8(%eax)\n"
    "movl 12(%ebp), %ecx\n"
    "movl $0x5a5a0000, %ebx\nmovl $0x5a5a0001, %ebp\nmovl $0x5a5a0002, %esi\nmovl $0x5a5a0003, %edi\n"
    "call *%ecx\n"
    "movl %eax, _checked_result\nmovl _checked_state, %eax\nmovl %esp, 4(%eax)\n"
    "movl %ebx, 16(%eax)\nmovl %ebp, 20(%eax)\nmovl %esi, 24(%eax)\nmovl %edi, 28(%eax)\n"
    "movl 8(%eax), %ebp\nleal -12(%ebp), %esp\n"
    "pushfl\npopl %edx\nmovl %edx, 12(%eax)\ncld\n"
    "movl _checked_result, %eax\n"
    "popl %edi\npopl %esi\npopl %ebx\npopl %ebp\nret\n");
#endif

#define SLOTS 8

/* A call, and everything that must be as before. */
static intptr_t call(const char *name, void (*function)(void), const uintptr_t *arguments, size_t count)
{
    State state;
    memset(&state, 0, sizeof state);
    intptr_t result = (intptr_t)checked_call(&state, function, arguments, count);
    if (state.after != state.before)
        notice("the stack pointer after the call", name, (intptr_t)state.after, (intptr_t)state.before);
    for (size_t i = 0; i < sizeof state.kept / sizeof *state.kept; i++)
        if (state.kept[i] != 0x5a5a0000 + i)
        notice("a register after the call", name, (intptr_t)state.kept[i], (intptr_t)(0x5a5a0000 + i));
    if (state.flags & 0x400) notice("the direction flag after the call", name, 1, 0);
#ifdef _WIN64
    for (int i = 0; i < 10; i++)
        if (memcmp(state.floating[i], checked_floating, sizeof checked_floating) != 0)
            notice("xmm6 to xmm15 after the call", name, state.floating[i][0], checked_floating[0]);
#endif
    return result;
}

/* Up to eight arguments of any kind; what belongs to none is rubbish, and so is the upper half of an int32_t's slot,
   which the convention of 64 bits leaves open. */
#ifdef _WIN64
#define SMALL(value) ((uintptr_t)(uint32_t)(value) | (uintptr_t)0xdeadbeef00000000u)
#else
#define SMALL(value) ((uintptr_t)(value))
#endif
#define WIDE(value) ((uintptr_t)(value))
#define RUBBISH ((uintptr_t)0x7b7b7b7b)
#define CALL(function, ...)                                                                                       \
    call(#function, (void (*)(void))(function), (const uintptr_t[SLOTS + 1]){__VA_ARGS__, RUBBISH},               \
         sizeof((const uintptr_t[]){__VA_ARGS__}) / sizeof(uintptr_t))
#define CALL0(function) call(#function, (void (*)(void))(function), (const uintptr_t[SLOTS]){RUBBISH}, 0)

/* --- around callbacks ------------------------------------------------------------------------------ */

/* What the library calls. It hands the arguments on to the host's function and notes how much of the stack that took
   with it; on 64 bits, whether the stack was aligned, and writes over the room that a caller must leave. */
void WDSOCKET_CALL around_event(int32_t event, const char *message, size_t length, const char *name, void *user_data);
void WDSOCKET_CALL around_wakeup(void *user_data);
void WDSOCKET_CALL around_line(int32_t level, const char *line, void *user_data);
/* The host's. */
void (*host_event)(void), (*host_wakeup)(void), (*host_line)(void);
void note_event(uintptr_t caller, uintptr_t entry, intptr_t taken);
void note_wakeup(uintptr_t caller, uintptr_t entry, intptr_t taken);
void note_line(uintptr_t caller, uintptr_t entry, intptr_t taken);

#ifdef _WIN64
/* note(caller, entry, what is wrong about the alignment) first, then the host's. */
#define AROUND(kind)                                                                                         \
    __asm__(".text\n.globl around_" #kind "\naround_" #kind ":\n"                                            \
            "movq %rcx, 8(%rsp)\nmovq %rdx, 16(%rsp)\nmovq %r8, 24(%rsp)\nmovq %r9, 32(%rsp)\n"               \
            "movq 0(%rsp), %rcx\nmovq %rsp, %rdx\nmovq %rsp, %r8\nandq $15, %r8\nsubq $8, %r8\n"              \
            "pushq %rbp\nmovq %rsp, %rbp\nandq $-16, %rsp\nsubq $32, %rsp\n"                                 \
            "call note_" #kind "\n"                                                                          \
            "movq %rbp, %rsp\npopq %rbp\n"                                                                   \
            "movq 8(%rsp), %rcx\nmovq 16(%rsp), %rdx\nmovq 24(%rsp), %r8\nmovq 32(%rsp), %r9\n"               \
            "movq $-1, %rax\nmovq %rax, 8(%rsp)\nmovq %rax, 16(%rsp)\nmovq %rax, 24(%rsp)\nmovq %rax, 32(%rsp)\n" \
            "jmp *host_" #kind "(%rip)\n")
AROUND(event);
AROUND(wakeup);
AROUND(line);
#define TAKEN(arguments) 0
#else
#define AROUND(kind, bytes, pushes)                                                        \
    __asm__(".text\n.globl _around_" #kind "@" #bytes "\n_around_" #kind "@" #bytes ":\n"  \
            "pushl %ebp\nmovl %esp, %ebp\npushl %esi\n" pushes                             \
            "movl %esp, %esi\ncall *_host_" #kind "\nsubl %esp, %esi\nnegl %esi\n"         \
            "leal -4(%ebp), %esp\npushl %esi\nleal 4(%ebp), %eax\npushl %eax\npushl 4(%ebp)\n" \
            "call _note_" #kind "\nleal -4(%ebp), %esp\npopl %esi\npopl %ebp\nret $" #bytes "\n")
AROUND(event, 20, "pushl 24(%ebp)\npushl 20(%ebp)\npushl 16(%ebp)\npushl 12(%ebp)\npushl 8(%ebp)\n");
AROUND(wakeup, 4, "pushl 8(%ebp)\n");
AROUND(line, 12, "pushl 16(%ebp)\npushl 12(%ebp)\npushl 8(%ebp)\n");
#define TAKEN(arguments) (4 * (arguments))
#endif

/* Where the stack was when a callback began: within one SocketDispatch always at the same place for the same caller,
   else it moves with every callback. Set back before each. */
typedef struct {
    uintptr_t caller, entry;
} Place;
static Place event_places[16], wakeup_places[16];
static volatile LONG noted_events, noted_wakeups, noted_lines;

static void check_place(Place *places, const char *where, uintptr_t caller, uintptr_t entry)
{
    int i = 0;
    while (i < 16 && places[i].caller && places[i].caller != caller) i++;
    if (i == 16) return;
    if (places[i].caller && places[i].entry != entry)
        notice("the stack pointer at the next callback", where, (intptr_t)entry, (intptr_t)places[i].entry);
    places[i] = (Place){caller, entry};
}

static void forget_places(void) { memset(event_places, 0, sizeof event_places); }

void note_event(uintptr_t caller, uintptr_t entry, intptr_t taken)
{
    noted_events++;
    if (taken != TAKEN(5)) notice("what the callback took from the stack", "an event", taken, TAKEN(5));
    check_place(event_places, "an event", caller, entry);
}

void note_wakeup(uintptr_t caller, uintptr_t entry, intptr_t taken)
{
    InterlockedIncrement(&noted_wakeups);
    if (taken != TAKEN(1)) notice("what the wake-up took from the stack", "a wake-up", taken, TAKEN(1));
    check_place(wakeup_places, "a wake-up", caller, entry);
}

void note_line(uintptr_t caller, uintptr_t entry, intptr_t taken)
{
    (void)caller, (void)entry;
    InterlockedIncrement(&noted_lines);
    if (taken != TAKEN(3)) notice("what the log function took from the stack", "a line of the log", taken, TAKEN(3));
}

Recorder events;
static char given;
static HANDLE woken;

static void WDSOCKET_CALL right_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    CHECK(user_data == &events);
    CHECK_TEXT(name, "c");
    record(event, message, length, name, user_data);
}

static void WDSOCKET_CALL right_wakeup(void *user_data)
{
    CHECK(user_data == &given);
    SetEvent(woken);
}

static void WDSOCKET_CALL right_line(int32_t level, const char *line, void *user_data)
{
    CHECK(user_data == &given);
    CHECK_BETWEEN(level, 1, 5);
    CHECK(line != NULL && line[0] != '\0');
}

static void be_right(void)
{
    host_event = (void (*)(void))right_event;
    host_wakeup = (void (*)(void))right_wakeup;
    host_line = (void (*)(void))right_line;
    woken = woken ? woken : CreateEventW(NULL, FALSE, FALSE, NULL);
}

static intptr_t dispatch(int32_t timeout_ms, int32_t max_events)
{
    forget_places();
    return CALL(SocketDispatch, SMALL(timeout_ms), SMALL(max_events));
}

static void connect_checked(const char *path)
{
    CHECK_INT(CALL(WebSocketClientConnectAsync, WIDE("c"), WIDE(around_event), WIDE("127.0.0.1"), SMALL(test_port()),
                   WIDE(path), WIDE(NULL), WIDE(&events)), 1);
}

/* Waits without dispatching, so that the next dispatch runs many callbacks. */
static void wait_for_messages(int count) { WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == count); }

/* --- tests ------------------------------------------------------------------------------------------ */

static void functions_keep_stack_and_registers(void)
{
    char buffer[64];
    int port = test_port();
    CHECK(CALL0(SocketVersion) != 0);
    CHECK_INT(CALL0(SocketErrorCode), 0);
    CHECK(CALL0(SocketErrorMessage) != 0);
    CHECK_INT(CALL(SocketSetOption, WIDE(NULL), SMALL(WDSOCKET_OPTION_PING_INTERVAL_MS), WIDE("10000")), 1);
    CHECK_INT(CALL(SocketSetOption, WIDE(NULL), SMALL(-1), WIDE("10000")), 0);
    CHECK_INT(CALL(SocketSetOption, WIDE(NULL), SMALL(WDSOCKET_OPTION_PING_INTERVAL_MS), WIDE(NULL)), 1);
    CHECK_INT(CALL(SocketProxy, WIDE(""), SMALL(0), WIDE(NULL), WIDE(NULL)), 1);
    CHECK_INT(CALL(SocketExists, WIDE("c")), 0);
    CHECK_INT(CALL(SocketState, WIDE("c")), 0);
    CHECK_INT(CALL(WebSocketClientConnect, WIDE("c"), WIDE("127.0.0.1"), SMALL(port), WIDE("/echo"), WIDE(NULL),
                   SMALL(PATIENCE_MS)), 1);
    CHECK_INT(CALL(WebSocketClientConnect, WIDE("d"), WIDE("127.0.0.1"), SMALL(-1), WIDE("/echo"), WIDE(NULL),
                   SMALL(PATIENCE_MS)), 0);
    CHECK_INT(CALL(WebSocketClientConnecte, WIDE("d"), WIDE("127.0.0.1"), SMALL(port), WIDE("/echo"), WIDE(NULL),
                   SMALL(-1)), 1);
    CHECK_INT(CALL(WebSocketClientConnectSSL, WIDE("e"), WIDE("127.0.0.1"), SMALL(port), WIDE("/echo"), WIDE(NULL),
                   SMALL(4), SMALL(100)), 0);
    CHECK_INT(CALL(WebSocketClientConnectSSLAsync, WIDE("e"), WIDE(around_event), WIDE("127.0.0.1"), SMALL(port),
                   WIDE("/echo"), WIDE(NULL), SMALL(4), WIDE(NULL)), 0);
    CHECK_INT(CALL(SocketConnect, WIDE("e"), WIDE("none"), WIDE(around_event), WIDE(NULL), WIDE(NULL)), 0);
    CHECK_INT(CALL(SocketConnecte, WIDE("e"), WIDE("none"), WIDE(around_event), WIDE(NULL), WIDE(NULL)), 0);
    CHECK_INT(CALL(SocketWrite, WIDE("c"), WIDE("hello"), WIDE(-1)), 1);
    /* What a 32-bit -1 becomes in some hosts. */
    CHECK_INT(CALL(SocketWrite, WIDE("c"), WIDE("again"), WIDE(0xffffffffu)), 1);
    CHECK_INT(CALL(SocketWriteBinary, WIDE("c"), WIDE("three"), WIDE(5)), 1);
    CHECK_INT(CALL(SocketEcrit, WIDE("c"), WIDE("four"), WIDE(4)), 1);
    CHECK_INT(CALL(SocketRead, WIDE("c"), SMALL(1), SMALL(0), WIDE(buffer), WIDE(sizeof buffer)), 5);
    CHECK_INT(CALL(SocketMessageType, WIDE("c")), 1);
    CHECK_INT(CALL(SocketRead, WIDE("c"), SMALL(0), SMALL(PATIENCE_MS), WIDE(buffer), WIDE(sizeof buffer)), 5);
    CHECK_INT(CALL(SocketLit, WIDE("c"), SMALL(1), SMALL(0), WIDE(buffer), WIDE(sizeof buffer)), 5);
    CHECK_INT(CALL(SocketRead, WIDE("c"), SMALL(1), SMALL(0), WIDE(NULL), WIDE(0)), 4);
    CHECK_INT(CALL(SocketAvailable, WIDE("c")), 4);
    CHECK_INT(CALL(SocketInfo, WIDE("c"), SMALL(WDSOCKET_INFO_HTTP_STATUS), WIDE(buffer), WIDE(sizeof buffer)), 3);
    CHECK_INT(CALL(SocketChangeTransmissionMode, WIDE("c"), SMALL(0), WIDE(NULL)), 1);
    CHECK_INT(CALL(SocketDispatch, SMALL(0), SMALL(0)), 0);
    CHECK(CALL0(SocketDispatchHandle) > 0);
    CHECK_INT(CALL0(SocketWake), 1);
    CHECK_INT(CALL(SocketSync, SMALL(0)), 1);
    CHECK_INT(CALL(SocketSetWakeup, WIDE(NULL), WIDE(NULL)), 1);
    CHECK_INT(CALL(SocketSetLog, WIDE(NULL), SMALL(0), WIDE(NULL)), 1);
    CHECK_INT(CALL(SocketPostToWindow, WIDE(NULL), SMALL(0)), 1);
    CHECK_INT(CALL(SocketPostToWindow, WIDE(NULL), SMALL(WM_APP)), 1);
    CHECK_INT(CALL(SocketCloseWith, WIDE("c"), SMALL(4000), WIDE("reason")), 1);
    CHECK_INT(CALL(SocketClose, WIDE("c")), 1);
    CHECK_INT(CALL(SocketFerme, WIDE("d")), 1);
    CHECK_INT(CALL(SocketShutdown, SMALL(PATIENCE_MS)), 1);
}

/* The same functions, as a host declares them whose integers have 32 bits. */
typedef void (*Any)(void);
static int32_t (*small_exists)(const char *) = (int32_t(*)(const char *))(Any)SocketExists;
static int32_t (*small_state)(const char *) = (int32_t(*)(const char *))(Any)SocketState;
static int32_t (*small_available)(const char *) = (int32_t(*)(const char *))(Any)SocketAvailable;
static int32_t (*small_type)(const char *) = (int32_t(*)(const char *))(Any)SocketMessageType;
static int32_t (*small_write)(const char *, const void *, intptr_t) =
    (int32_t(*)(const char *, const void *, intptr_t))(Any)SocketWrite;
static int32_t (*small_read)(const char *, int32_t, int32_t, void *, size_t) =
    (int32_t(*)(const char *, int32_t, int32_t, void *, size_t))(Any)SocketRead;
static int32_t (*small_handle)(void) = (int32_t(*)(void))(Any)SocketDispatchHandle;
static int32_t (*small_code)(void) = (int32_t(*)(void))(Any)SocketErrorCode;

static void results_fill_the_register(void)
{
    char buffer[4];
    /* Truth values, counts, lengths: the whole register, as the types say, and its lower half. */
    CHECK_INT(CALL(SocketRead, WIDE("nobody"), SMALL(0), SMALL(0), WIDE(buffer), WIDE(4)), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(CALL(SocketAvailable, WIDE("nobody")), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(CALL(SocketMessageType, WIDE("nobody")), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(CALL(SocketInfo, WIDE("nobody"), SMALL(1), WIDE(NULL), WIDE(0)), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(CALL(SocketInfo, WIDE("nobody"), SMALL(0x7fffffff), WIDE(NULL), WIDE(0)) < 0, 1);
    CHECK_INT(small_read("nobody", 0, 0, buffer, 4), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(small_available("nobody"), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(small_type("nobody"), -WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(small_code(), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(small_exists("nobody"), 0);
    CHECK_INT(CALL(SocketExists, WIDE("nobody")), 0);
    connect_to("c", "/echo");
    CHECK_INT(small_exists("c"), 1);
    CHECK_INT(CALL(SocketExists, WIDE("c")), 1);
    CHECK_INT(small_state("c"), WDSOCKET_STATE_OPEN);
    CHECK_INT(CALL(SocketState, WIDE("c")), WDSOCKET_STATE_OPEN);
    CHECK_INT(small_available("c"), -WDSOCKET_E_NO_MESSAGE);
    CHECK_INT(CALL(SocketAvailable, WIDE("c")), -WDSOCKET_E_NO_MESSAGE);
    CHECK_INT(small_write("c", "hello", -1), 1);
    CHECK_INT(small_read("c", 1, 0, buffer, sizeof buffer), -WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_INT(CALL(SocketRead, WIDE("c"), SMALL(1), SMALL(0), WIDE(buffer), WIDE(sizeof buffer)),
                   -WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_INT(small_read("c", 1, 0, NULL, 0), 5);
    CHECK_INT(small_read("c", 0, 10, buffer, 0), -WDSOCKET_E_BUFFER_TOO_SMALL);
    /* A handle has 32 bits that count, on 64 bits too. */
    CHECK_INT(small_handle(), SocketDispatchHandle());
}

static void callbacks_of_dispatch(void)
{
    be_right();
    noted_events = 0;
    connect_checked("/flood?count=1000&size=10&close=1000");
    wait_for_messages(1000);
    while (events.count < 1002) CHECK(dispatch(PATIENCE_MS, 0) > 0);
    CHECK_INT(noted_events, 1002);
    CHECK_INT(events.events[0].event, WDSOCKET_EVENT_OPENING);
    CHECK_INT(events.events[1001].event, WDSOCKET_EVENT_CLOSING);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void callbacks_of_a_connection_that_fails(void)
{
    be_right();
    noted_events = 0;
    CHECK_INT(CALL(WebSocketClientConnecteAsync, WIDE("c"), WIDE(around_event), WIDE("127.0.0.1"), SMALL(test_port()),
                   WIDE("/http?status=500"), WIDE(NULL), WIDE(&events)), 1);
    while (events.count < 2) CHECK(dispatch(PATIENCE_MS, 0) > 0);
    CHECK_INT(events.events[0].event, WDSOCKET_EVENT_ERROR);
    CHECK_INT(events.events[1].event, WDSOCKET_EVENT_CLOSING);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

/* Windows' own functions are stdcall. */
static intptr_t get_message(MSG *message) { return GetMessageW(message, NULL, 0, 0); }
static intptr_t dispatch_message(MSG *message) { return DispatchMessageW(message); }

static void callbacks_of_a_message_loop(void)
{
    MSG message;
    be_right();
    noted_events = 0;
    CHECK_INT(CALL0(SocketAttachThread), 1);
    connect_checked("/flood?count=1000&size=10&close=1000");
    while (events.count < 1002) {
        CHECK_INT(CALL(get_message, WIDE(&message)), 1);
        forget_places();
        CALL(dispatch_message, WIDE(&message));
    }
    CHECK_INT(noted_events, 1002);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void wakeups(void)
{
    be_right();
    noted_wakeups = 0;
    memset(wakeup_places, 0, sizeof wakeup_places);
    CHECK_INT(CALL(SocketSetWakeup, WIDE(around_wakeup), WIDE(&given)), 1);
    connect_checked("/echo");
    for (int i = 0; i < 1000; i++) {
        CHECK(WaitForSingleObject(woken, PATIENCE_MS) == WAIT_OBJECT_0);
        while (dispatch(0, 0) > 0) continue;
        if (events.taken < events.count) CHECK_INT(CALL(SocketWrite, WIDE("c"), WIDE("again"), WIDE(-1)), 1);
        events.taken = events.count;
    }
    /* What the last call has left is noted when that has returned. */
    CHECK_INT(CALL(SocketSetWakeup, WIDE(NULL), WIDE(NULL)), 1);
    CHECK(noted_wakeups >= 1000);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void lines_of_the_log(void)
{
    be_right();
    noted_lines = 0;
    CHECK_INT(CALL(SocketSetLog, WIDE(around_line), SMALL(5), WIDE(&given)), 1);
    for (int i = 0; i < 20; i++) {
        CHECK_INT(CALL(WebSocketClientConnect, WIDE("c"), WIDE("127.0.0.1"), SMALL(test_port()), WIDE("/echo"),
                   WIDE(NULL), SMALL(PATIENCE_MS)), 1);
        CHECK_INT(CALL(SocketWrite, WIDE("c"), WIDE("again"), WIDE(-1)), 1);
        CHECK_INT(CALL(SocketClose, WIDE("c")), 1);
        CHECK_INT(CALL(SocketExists, WIDE("nobody")), 0);
    }
    CHECK_INT(CALL(SocketSetLog, WIDE(NULL), SMALL(0), WIDE(NULL)), 1);
    CHECK(noted_lines >= 20);
}

/* --- hosts that declare something else ------------------------------------------------------------- */

#ifdef _WIN64
#define AS_CDECL
#define AS_STDCALL
#else
#define AS_CDECL __attribute__((cdecl))
#define AS_STDCALL __attribute__((stdcall))
#endif

#define CALLBACKS 200

static int wrong_calls;

static void AS_CDECL cdecl_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data;
    wrong_calls++;
}

static void AS_STDCALL event_with_four(int32_t event, const char *message, size_t length, const char *name)
{
    (void)event, (void)message, (void)length, (void)name;
    wrong_calls++;
}

static void AS_STDCALL event_with_six(int32_t event, const char *message, size_t length, const char *name, void *user_data, int more)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data, (void)more;
    wrong_calls++;
}

static void AS_CDECL cdecl_wakeup(void *user_data)
{
    (void)user_data;
    wrong_calls++;
    SetEvent(woken);
}

static void AS_CDECL cdecl_line(int32_t level, const char *line, void *user_data)
{
    (void)level, (void)line, (void)user_data;
    wrong_calls++;
}

/* This file's function stays between the library and the host's, so that a wrong one is noticed and harms nothing. */
static int with_event(Any function)
{
    be_right();
    host_event = function;
    CHECK_INT(CALL(WebSocketClientConnectAsync, WIDE("c"), WIDE(around_event), WIDE("127.0.0.1"),
                   SMALL(test_port()), WIDE("/flood?count=200&size=10"), WIDE(NULL), WIDE(&events)), 1);
    wait_for_messages(CALLBACKS);
    while (wrong_calls < CALLBACKS) dispatch(1000, 0);
    return 0;
}

static int with_wakeup(Any function)
{
    be_right();
    host_wakeup = function;
    CHECK_INT(CALL(SocketSetWakeup, WIDE(around_wakeup), WIDE(&given)), 1);
    connect_checked("/echo");
    while (wrong_calls < CALLBACKS) {
        CHECK(WaitForSingleObject(woken, PATIENCE_MS) == WAIT_OBJECT_0);
        while (dispatch(0, 0) > 0) continue;
        if (events.taken < events.count) CHECK_INT(CALL(SocketWrite, WIDE("c"), WIDE("again"), WIDE(-1)), 1);
        events.taken = events.count;
    }
    return 0;
}

static int with_line(Any function)
{
    be_right();
    host_line = function;
    CHECK_INT(CALL(SocketSetLog, WIDE(around_line), SMALL(5), WIDE(&given)), 1);
    while (wrong_calls < CALLBACKS) {
        CHECK_INT(CALL(WebSocketClientConnect, WIDE("c"), WIDE("127.0.0.1"), SMALL(test_port()), WIDE("/echo"),
                   WIDE(NULL), SMALL(PATIENCE_MS)), 1);
        CHECK_INT(CALL(SocketClose, WIDE("c")), 1);
    }
    return 0;
}

static intptr_t AS_STDCALL stdcall_function(int32_t a, int32_t b) { return a + b; }

/* An assembler's function that keeps no register. */
void careless_function(void);
#ifdef _WIN64
__asm__(".text\n.globl careless_function\ncareless_function:\nxorl %ebx, %ebx\nret\n");
void careless_floating_function(void);
__asm__(".text\n.globl careless_floating_function\ncareless_floating_function:\nxorps %xmm9, %xmm9\nret\n");
#else
__asm__(".text\n.globl _careless_function\n_careless_function:\nxorl %ebx, %ebx\nret\n");
/* A library that takes callbacks for cdecl: it takes their arguments from the stack as well. Its frame pointer repairs
   that in the end, and its registers are as before. */
void cdecl_caller(void);
__asm__(".text\n.globl _cdecl_caller\n_cdecl_caller:\npushl %ebp\nmovl %esp, %ebp\npushl %ebx\nsubl $256, %esp\nmovl $3, %ebx\n"
        "1: pushl $_events\npushl $2f\npushl $0\npushl $2f+1\npushl $1\ncall _around_event@20\naddl $20, %esp\n"
        "decl %ebx\njnz 1b\nmovl -4(%ebp), %ebx\nleave\nret\n.section .rdata,\"dr\"\n2: .asciz \"c\"\n.text\n");
#endif

static int mode_is(const char *mode)
{
    if (strcmp(mode, "event_cdecl") == 0) return with_event((Any)cdecl_event);
    if (strcmp(mode, "event_four") == 0) return with_event((Any)event_with_four);
    if (strcmp(mode, "event_six") == 0) return with_event((Any)event_with_six);
    if (strcmp(mode, "wakeup_cdecl") == 0) return with_wakeup((Any)cdecl_wakeup);
    if (strcmp(mode, "line_cdecl") == 0) return with_line((Any)cdecl_line);
    if (strcmp(mode, "function_stdcall") == 0) return CALL(stdcall_function, SMALL(1), SMALL(2)) == 3 ? 0 : 1;
    if (strcmp(mode, "function_careless") == 0) return CALL0(careless_function) ? 0 : 1;
#ifndef _WIN64
    if (strcmp(mode, "caller_cdecl") == 0) {
        be_right();
        return CALL0(cdecl_caller) ? 0 : 1;
    }
#else
    if (strcmp(mode, "function_careless_floating") == 0) return CALL0(careless_floating_function) ? 0 : 1;
#endif
    return 2;
}

static void a_function_that_keeps_no_register_is_noticed(void)
{
    EXPECT_EXIT("function_careless", NOTICED);
#ifdef _WIN64
    EXPECT_EXIT("function_careless_floating", NOTICED);
#endif
}

#ifndef _WIN64
static void another_convention_is_noticed_after_the_first_call(void)
{
    EXPECT_EXIT("function_stdcall", NOTICED);
    EXPECT_EXIT("event_cdecl", NOTICED);
    EXPECT_EXIT("event_four", NOTICED);
    EXPECT_EXIT("event_six", NOTICED);
    EXPECT_EXIT("wakeup_cdecl", NOTICED);
    EXPECT_EXIT("line_cdecl", NOTICED);
}

static void a_caller_of_another_convention_is_noticed_at_the_next_callback(void) { EXPECT_EXIT("caller_cdecl", NOTICED); }
#endif

int main(int argc, char **argv)
{
    const char *mode = mode_of(argc, argv);
    if (mode[0]) return mode_is(mode);
    RUN(functions_keep_stack_and_registers);
    RUN(results_fill_the_register);
    RUN(callbacks_of_dispatch);
    RUN(callbacks_of_a_connection_that_fails);
    RUN(wakeups);
    RUN(lines_of_the_log);
    RUN(callbacks_of_a_message_loop);
    RUN(a_function_that_keeps_no_register_is_noticed);
#ifndef _WIN64
    RUN(another_convention_is_noticed_after_the_first_call);
    RUN(a_caller_of_another_convention_is_noticed_at_the_next_callback);
#endif
    return 0;
}
