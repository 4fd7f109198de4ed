/* What the hosts in this folder share. They use the library through its header only. */
#ifndef WDSOCKET_INTEROP_HOST_H
#define WDSOCKET_INTEROP_HOST_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wdsocket.h>

#define LOOPBACK "127.0.0.1"

static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

static void *allocate(void *old, size_t bytes)
{
    void *fresh = realloc(old, bytes);
    if (fresh == NULL)
        die("out of memory: %zu bytes", bytes);
    return fresh;
}

struct buffer {
    char *bytes;
    size_t capacity;
};

/* One whole message: its length, or the negative error code. The buffer grows as needed. */
static intptr_t read_message(const char *name, struct buffer *buffer, int32_t timeout_ms)
{
    if (buffer->bytes == NULL) { /* with none at all SocketRead would only tell the length */
        buffer->capacity = 4096;
        buffer->bytes = allocate(NULL, buffer->capacity);
    }
    for (;;) {
        intptr_t length = SocketRead(name, 0, timeout_ms, buffer->bytes, buffer->capacity);
        if (length != -WDSOCKET_E_BUFFER_TOO_SMALL)
            return length;
        length = SocketAvailable(name);
        if (length >= 0 && (size_t)length + 1 > buffer->capacity) {
            buffer->capacity = (size_t)length + 1;
            buffer->bytes = allocate(buffer->bytes, buffer->capacity);
        }
    }
}

static intptr_t write_message(const char *name, int type, const void *bytes, size_t length)
{
    return type == 1 ? SocketWrite(name, bytes, (intptr_t)length)
                     : SocketWriteBinary(name, bytes, (intptr_t)length);
}

#endif
