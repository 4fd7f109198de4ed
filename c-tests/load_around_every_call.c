/* A load and an unload around every call. POSIX only: on Windows it is load_unload. */
#define _POSIX_C_SOURCE 200809L
#include "loading.h"

#include <dlfcn.h>

static void *loaded;

static Function load(const char *function)
{
    Function address = NULL;
    loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    /* The detour through void ** is how POSIX turns dlsym's result into a function. */
    if (loaded) *(void **)&address = dlsym(loaded, function);
    if (!address) {
        fprintf(stderr, "%s: %s\n", function, dlerror());
        exit(1);
    }
    return address;
}

static intptr_t unload(intptr_t result)
{
    dlclose(loaded);
    return result;
}

static void a_callback_socket(void) { a_callback_socket_with(dispatch_until); }

int main(int argc, char **argv)
{
    const char *text_of_port = getenv("WDSOCKET_TEST_PORT");
    check(argc == 2 && text_of_port, "wdsocket-test-server --run load_around_every_call LIBRARY");
    library = argv[1];
    port = atoi(text_of_port);
    RUN(texts_options_and_errors_outlive_their_load);
    RUN(a_synchronous_socket);
    RUN(a_callback_socket);
    RUN(connections_go_on);
    return 0;
}
