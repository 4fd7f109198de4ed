/* Host names with several addresses, and resolvers that are slow: this program is the resolver, its
   getaddrinfo takes the place of the system's. POSIX only. */
#define _DEFAULT_SOURCE
#include "testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the resolver ------------------------------------------------------------------------- */

#define SLEEP_MS 4000

static atomic_int asked;

/* 127.0.0.1 is the server; nobody listens at 127.0.0.4; the others accept nothing, see listen_deaf. */
static const struct {
    const char *name;
    const char *addresses[5];
} hosts[] = {
    {"good.test", {"127.0.0.1"}},
    {"deaf-then-good.test", {"127.0.0.2", "127.0.0.1"}},
    {"deaf-ipv6-then-good.test", {"::1", "127.0.0.1"}},
    {"good-then-deaf-ipv6.test", {"127.0.0.1", "::1"}},
    {"refused-then-good.test", {"127.0.0.4", "127.0.0.1"}},
    {"mixed-then-good.test", {"127.0.0.2", "127.0.0.4", "127.0.0.3", "127.0.0.1"}},
    {"refused.test", {"127.0.0.4"}},
    {"all-refused.test", {"127.0.0.4", "127.0.0.5", "127.0.0.6"}},
    {"deaf.test", {"127.0.0.2", "::1", "127.0.0.3"}},
    {"asleep.test", {"127.0.0.1"}},
};

static struct addrinfo *new_address(const char *text, int port, const struct addrinfo *hints)
{
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in6));
    if (!info) abort();
    info->ai_addr = (struct sockaddr *)(info + 1);
    info->ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM;
    info->ai_protocol = IPPROTO_TCP;
    if (strchr(text, ':')) {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)(void *)info->ai_addr;
        info->ai_family = address->sin6_family = AF_INET6;
        info->ai_addrlen = sizeof *address;
        address->sin6_port = htons((uint16_t)port);
        inet_pton(AF_INET6, text, &address->sin6_addr);
    } else {
        struct sockaddr_in *address = (struct sockaddr_in *)(void *)info->ai_addr;
        info->ai_family = address->sin_family = AF_INET;
        info->ai_addrlen = sizeof *address;
        address->sin_port = htons((uint16_t)port);
        inet_pton(AF_INET, text, &address->sin_addr);
    }
    return info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    int port = service ? atoi(service) : 0;
    atomic_fetch_add(&asked, 1);
    if (name && strcmp(name, "asleep.test") == 0) sleep_ms(SLEEP_MS);
    if (name && strcmp(name, "try-again.test") == 0) return EAI_AGAIN;
    struct in6_addr literal;
    if (name && (inet_pton(AF_INET, name, &literal) == 1 || inet_pton(AF_INET6, name, &literal) == 1)) {
        *result = new_address(name, port, hints);
        return 0;
    }
    for (size_t i = 0; name && i < sizeof hosts / sizeof *hosts; i++) {
        if (strcmp(name, hosts[i].name) != 0) continue;
        struct addrinfo **end = result;
        for (const char *const *address = hosts[i].addresses; *address; address++) {
            *end = new_address(*address, port, hints);
            end = &(*end)->ai_next;
        }
        return 0;
    }
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *info)
{
    while (info) {
        struct addrinfo *next = info->ai_next;
        free(info);
        info = next;
    }
}

/* --- addresses that do not answer --------------------------------------------------------- */

/* Set if the system has IPv6 for listen_deaf. */
static bool deaf_ipv6;

/* Listens, and fills the queue of what nobody accepts, until a further connection gets no answer. */
static void listen_deaf(const char *text)
{
    struct addrinfo *address = new_address(text, test_port(), NULL);
    int one = 1;
    int listener = socket(address->ai_family, SOCK_STREAM, 0);
    /* Without IPv6 the address is unreachable instead of deaf, which the tests take as well. */
    if (listener < 0 && strchr(text, ':')) return;
    CHECK(listener >= 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int bound = bind(listener, address->ai_addr, address->ai_addrlen);
    if (bound != 0 && errno == EADDRNOTAVAIL && strchr(text, ':')) return;
    if (bound != 0) check_failed(__FILE__, __LINE__, text, strerror(errno));
    CHECK(listen(listener, 0) == 0);
    bool answered = true;
    for (int i = 0; answered && i < 100; i++) {
        int filler = socket(address->ai_family, SOCK_STREAM, 0);
        CHECK(filler >= 0);
        fcntl(filler, F_SETFL, O_NONBLOCK);
        connect(filler, address->ai_addr, address->ai_addrlen);
        struct pollfd wait = {.fd = filler, .events = POLLOUT};
        answered = poll(&wait, 1, 300) == 1;
    }
    CHECK(!answered);
    deaf_ipv6 |= address->ai_family == AF_INET6;
    freeaddrinfo(address);
}

/* --- tests -------------------------------------------------------------------------------- */

static int took;

static intptr_t attempt(const char *host, int timeout_ms)
{
    int64_t start = now_ms();
    intptr_t result = WebSocketClientConnect("c", host, test_port(), "/echo", NULL, timeout_ms);
    took = (int)(now_ms() - start);
    return result;
}

static void expect_connection(const char *host, int low_ms, int high_ms)
{
    CHECK_OK(attempt(host, PATIENCE_MS));
    CHECK_BETWEEN(took, low_ms, high_ms);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), "127.0.0.1:");
    CHECK_OK(SocketWrite("c", host, -1));
    EXPECT_TEXT("c", host);
    CHECK_OK(SocketClose("c"));
}

static void the_library_asks_this_resolver(void)
{
    int before = atomic_load(&asked);
    expect_connection("good.test", 0, PATIENCE_MS);
    CHECK(atomic_load(&asked) > before);
    /* Asked anew each time. */
    before = atomic_load(&asked);
    expect_connection("good.test", 0, PATIENCE_MS);
    CHECK(atomic_load(&asked) > before);
}

static void the_second_address_is_tried_while_the_first_does_not_answer(void)
{
    expect_connection("deaf-then-good.test", 200, 2500);
}

static void ipv6_that_leads_nowhere_costs_a_quarter_of_a_second(void)
{
    expect_connection("deaf-ipv6-then-good.test", deaf_ipv6 ? 200 : 0, 2500);
    /* IPv6 goes first whatever the order, or not: in both cases it is no matter of seconds. */
    expect_connection("good-then-deaf-ipv6.test", 0, 2500);
}

static void after_a_refusal_the_next_is_tried_at_once(void)
{
    expect_connection("refused-then-good.test", 0, 2000);
}

static void all_addresses_are_tried(void) { expect_connection("mixed-then-good.test", 400, 5000); }

static void everything_refused_is_refused_and_names_the_address(void)
{
    char address[64];
    CHECK_FAILS(attempt("refused.test", PATIENCE_MS), WDSOCKET_E_REFUSED);
    snprintf(address, sizeof address, ":%d", test_port());
    CHECK_CONTAINS(SocketErrorMessage(), "refused.test");
    CHECK_CONTAINS(SocketErrorMessage(), address);
    CHECK_FAILS(attempt("all-refused.test", PATIENCE_MS), WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(SocketErrorMessage(), "all-refused.test");
}

static void nothing_answers_is_a_timeout(void)
{
    CHECK_FAILS(attempt("deaf.test", 900), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(took, 880, 4000);
}

static void an_unknown_host_is_a_resolve_error_that_names_it(void)
{
    CHECK_FAILS(attempt("no-such-host.test", PATIENCE_MS), WDSOCKET_E_RESOLVE);
    CHECK_CONTAINS(SocketErrorMessage(), "no-such-host.test");
    CHECK_FAILS(attempt("try-again.test", PATIENCE_MS), WDSOCKET_E_RESOLVE);
    Recorder events = {0};
    CHECK_OK(WebSocketClientConnectAsync("c", record, "no-such-host.test", 80, NULL, NULL, &events));
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_RESOLVE);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    forget_events(&events);
}

static void a_resolver_that_sleeps_is_a_timeout(void)
{
    CHECK_FAILS(attempt("asleep.test", 200), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(took, 190, SLEEP_MS - 500);
}

static void closing_is_not_held_up_by_it(void)
{
    Recorder events = {0};
    int64_t start = now_ms();
    CHECK_OK(WebSocketClientConnectAsync("c", record, "asleep.test", test_port(), "/echo", NULL, &events));
    sleep_ms(20);
    CHECK_OK(SocketClose("c"));
    CHECK_BETWEEN(now_ms() - start, 0, SLEEP_MS - 500);
    forget_events(&events);
}

static void shutdown_is_not_held_up_by_it(void)
{
    Recorder events = {0};
    int64_t start = now_ms();
    CHECK_OK(WebSocketClientConnectAsync("c", record, "asleep.test", test_port(), "/echo", NULL, &events));
    sleep_ms(20);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_BETWEEN(now_ms() - start, 0, SLEEP_MS - 500);
    expect_connection("127.0.0.1", 0, SLEEP_MS - 500);
    CHECK_INT(events.count, 0);
    forget_events(&events);
}

static void literal_addresses_need_no_resolver(void)
{
    Recorder events = {0};
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "asleep %d", i);
        CHECK_OK(WebSocketClientConnectAsync(name, record, "asleep.test", test_port(), "/echo", NULL, &events));
    }
    expect_connection("127.0.0.1", 0, SLEEP_MS - 500);
    forget_events(&events);
}

int main(void)
{
    listen_deaf("127.0.0.2");
    listen_deaf("127.0.0.3");
    listen_deaf("::1");
    RUN(the_library_asks_this_resolver);
    RUN(the_second_address_is_tried_while_the_first_does_not_answer);
    RUN(ipv6_that_leads_nowhere_costs_a_quarter_of_a_second);
    RUN(after_a_refusal_the_next_is_tried_at_once);
    RUN(all_addresses_are_tried);
    RUN(everything_refused_is_refused_and_names_the_address);
    RUN(nothing_answers_is_a_timeout);
    RUN(an_unknown_host_is_a_resolve_error_that_names_it);
    RUN(a_resolver_that_sleeps_is_a_timeout);
    RUN(closing_is_not_held_up_by_it);
    RUN(shutdown_is_not_held_up_by_it);
    RUN(literal_addresses_need_no_resolver);
    return 0;
}
