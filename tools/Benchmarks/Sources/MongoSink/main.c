// A MongoDB that costs next to nothing: it takes every write, keeps nothing, and says that all was well.
//
//     mongo-sink
//
// It plays the primary of a replica set of one, with sessions and transactions, to drivers that speak OP_MSG: what is measured
// against it is the client, since no mongod is to be had here. It reads all of a message and walks the documents that it counts.
// When it is ready it prints the URL of its database. It ends when its parent does. A thread a connection.

#include <arpa/inet.h>
#include <bson/bson.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

enum { op_reply = 1, op_query = 2004, op_msg = 2013, max_message = 48000000 };

struct header {
    int32_t length, request, response_to, operation;
};

static char place[32];

static bool read_all(int socket, void *into, size_t count) {
    for (char *next = into; count > 0;) {
        ssize_t got = read(socket, next, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        next += got;
        count -= (size_t)got;
    }
    return true;
}

static bool write_all(int socket, const void *from, size_t count) {
    for (const char *next = from; count > 0;) {
        ssize_t sent = write(socket, next, count);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        next += sent;
        count -= (size_t)sent;
    }
    return true;
}

static void add_hello(bson_t *reply) {
    bson_t hosts;
    BSON_APPEND_BOOL(reply, "helloOk", true);
    BSON_APPEND_BOOL(reply, "ismaster", true);
    BSON_APPEND_BOOL(reply, "isWritablePrimary", true);
    BSON_APPEND_UTF8(reply, "setName", "sink");
    BSON_APPEND_INT32(reply, "setVersion", 1);
    BSON_APPEND_UTF8(reply, "me", place);
    BSON_APPEND_UTF8(reply, "primary", place);
    BSON_APPEND_ARRAY_BEGIN(reply, "hosts", &hosts);
    BSON_APPEND_UTF8(&hosts, "0", place);
    bson_append_array_end(reply, &hosts);
    BSON_APPEND_INT32(reply, "maxBsonObjectSize", 16 << 20);
    BSON_APPEND_INT32(reply, "maxMessageSizeBytes", max_message);
    BSON_APPEND_INT32(reply, "maxWriteBatchSize", 100000);
    BSON_APPEND_INT32(reply, "logicalSessionTimeoutMinutes", 30);
    BSON_APPEND_INT32(reply, "minWireVersion", 0);
    BSON_APPEND_INT32(reply, "maxWireVersion", 17);
}

static void add_cursor(bson_t *reply) {
    bson_t cursor, batch;
    BSON_APPEND_DOCUMENT_BEGIN(reply, "cursor", &cursor);
    BSON_APPEND_INT64(&cursor, "id", 0);
    BSON_APPEND_UTF8(&cursor, "ns", "bench.$cmd");
    BSON_APPEND_ARRAY_BEGIN(&cursor, "firstBatch", &batch);
    bson_append_array_end(&cursor, &batch);
    bson_append_document_end(reply, &cursor);
}

/// The documents of the command's array `name`, where it is in the command itself.
static int32_t count_in(const bson_t *command, const char *name) {
    bson_iter_t at, each;
    int32_t count = 0;
    if (!bson_iter_init_find(&at, command, name) || !bson_iter_recurse(&at, &each)) return 0;
    while (bson_iter_next(&each)) count++;
    return count;
}

static void answer(bson_t *reply, const bson_t *command, int32_t documents) {
    bson_iter_t first;
    const char *name = bson_iter_init(&first, command) && bson_iter_next(&first) ? bson_iter_key(&first) : "";
    if (strcasecmp(name, "hello") == 0 || strcasecmp(name, "ismaster") == 0) add_hello(reply);
    else if (strcmp(name, "update") == 0 || strcmp(name, "insert") == 0 || strcmp(name, "delete") == 0) {
        documents += count_in(command, "updates") + count_in(command, "documents") + count_in(command, "deletes");
        BSON_APPEND_INT32(reply, "n", documents);
        if (*name == 'u') BSON_APPEND_INT32(reply, "nModified", documents);
    } else if (strcmp(name, "find") == 0 || strncmp(name, "list", 4) == 0) add_cursor(reply);
    BSON_APPEND_DOUBLE(reply, "ok", 1);
}

/// Answers what is in `message`. False where it is none that can be read.
static bool take(int socket, const struct header *head, const uint8_t *message, size_t count) {
    bson_t command, reply = BSON_INITIALIZER;
    const uint8_t *end = message + count;
    int32_t documents = 0, length;
    bool is_query = head->operation == op_query, found = false;
    // An OP_QUERY has flags, a name with its zero and two numbers before its document; an OP_MSG its flags, then sections.
    const uint8_t *next = message + 4;
    if (is_query) {
        next += strnlen((const char *)next, (size_t)(end - next)) + 1 + 8;
        found = next + 4 <= end && (memcpy(&length, next, 4), bson_init_static(&command, next, (size_t)length));
    } else
        while (next + 5 <= end) {
            uint8_t kind = *next++;
            memcpy(&length, next, 4);
            if (length < 5 || length > end - next) return false;
            if (kind == 0) found = bson_init_static(&command, next, (size_t)length);
            else
                for (const uint8_t *one = next + 4 + strlen((const char *)next + 4) + 1; one + 4 <= next + length;) {
                    int32_t size;
                    memcpy(&size, one, 4);
                    if (size < 5) return false;
                    one += size;
                    documents++;
                }
            next += length;
        }
    if (!found) return false;
    answer(&reply, &command, documents);

    uint8_t out[4096];
    const size_t prefix = is_query ? 20 : 5;
    struct header own = {(int32_t)(sizeof own + prefix + reply.len), head->request, head->request, is_query ? op_reply : op_msg};
    if ((size_t)own.length > sizeof out) give_up("a reply of %d bytes", own.length);
    memset(out, 0, sizeof own + prefix);
    if (is_query) out[sizeof own + 16] = 1;  // numberReturned
    memcpy(out, &own, sizeof own);
    memcpy(out + sizeof own + prefix, bson_get_data(&reply), reply.len);
    bson_destroy(&reply);
    return write_all(socket, out, (size_t)own.length);
}

static void *serve(void *argument) {
    int socket = (int)(intptr_t)argument;
    uint8_t *message = malloc(max_message);
    struct header head;
    if (!message) give_up("out of memory");
    while (read_all(socket, &head, sizeof head)) {
        size_t count = (size_t)head.length - sizeof head;
        if (head.length < (int)sizeof head + 5 || count > max_message || !read_all(socket, message, count)
            || !take(socket, &head, message, count))
            break;
    }
    free(message);
    close(socket);
    return NULL;
}

int main(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0
        || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        give_up("can't listen on 127.0.0.1: %s", strerror(errno));
    snprintf(place, sizeof place, "127.0.0.1:%d", ntohs(address.sin_port));
    printf("mongodb://%s/bench?replicaSet=sink\n", place);
    fflush(stdout);
    for (int accepted; (accepted = accept(listener, NULL, NULL)) >= 0 || errno == EINTR;) {
        if (accepted < 0) continue;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)accepted) != 0) give_up("no thread more");
        pthread_detach(thread);
    }
    give_up("accept: %s", strerror(errno));
}
