/* A host whose loop waits on a queue of its own, not on descriptors. The library calls `wake` from one of its threads
 * when callbacks begin to wait; `wake` only posts to that queue, and the loop dispatches when it comes to the post. */
#include "wdsocket.h"
#include "server.h"

#include <pthread.h>

/* The host's queue: what to do next, in order. */
enum task { DISPATCH, SEND };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    enum task tasks[64];
    unsigned first, last;
};

static void post(struct queue *queue, enum task task)
{
    pthread_mutex_lock(&queue->lock);
    queue->tasks[queue->last++ % 64] = task;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

static enum task next(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->first == queue->last) pthread_cond_wait(&queue->filled, &queue->lock);
    enum task task = queue->tasks[queue->first++ % 64];
    pthread_mutex_unlock(&queue->lock);
    return task;
}

/* On a thread of the library's: post, and nothing else. No function of the library may be called from here. Calls
 * are coalesced (one outstanding at a time), so that they cannot overflow the queue. */
static void WDSOCKET_CALL wake(void *user_data)
{
    post(user_data, DISPATCH);
}

static int running = 1, answers = 0;

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data)
{
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        printf("connected\n");
        for (int i = 0; i < 3; i++) post(user_data, SEND);
        break;
    case WDSOCKET_EVENT_MESSAGE:
        printf("answer: %.*s\n", (int)length, message);
        if (++answers == 3) SocketCloseWith(name, 1000, NULL);
        break;
    case WDSOCKET_EVENT_ERROR: printf("error: %s\n", SocketErrorMessage()); break;
    case WDSOCKET_EVENT_CLOSING:
        printf("closed with code %s\n", message);
        running = 0;
        break;
    default: break;
    }
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    struct queue queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

    SocketSetWakeup(wake, &queue);
    if (!WebSocketClientConnectAsync("client", on_event, server.address, server.port, server.path, NULL, &queue)) {
        printf("not accepted: %s\n", SocketErrorMessage());
        return 1;
    }
    while (running) {
        if (next(&queue) == DISPATCH) {
            while (SocketDispatch(0, 0) > 0) {} /* one wake-up may stand for many events */
        } else if (!SocketWrite("client", "from the queue", -1)) {
            printf("not sent: %s\n", SocketErrorMessage());
        }
    }
    SocketClose("client");
    SocketSetWakeup(NULL, NULL); /* when this returns, `wake` is not running and never will: the queue may go */
    printf("%d answers\n", answers);
    return answers == 3 ? 0 : 1;
}
