// A local endpoint that costs next to nothing: one thread, HTTP/1.1 with keep-alive, ready-made replies.
//
//     page-server [--pages N] [--shards N] [--items N] [--seed N] [--rows FILE]
//
// It plays DynamoDB and DynamoDB Streams for one table, "bench", whose stream has one closed shard of N pages (about
// 1 MB, records of about 1 KB) and N open shards in which nothing ever happens, and whose items fill N pages of a scan, cut evenly into any number of
// segments, each of which ends with an empty page. BatchWriteItem into any other table is taken, and nothing of it kept. It signs nothing and checks no
// signature. Reading may begin at a page's start only: a sequence number gives the page after the one it ends.
//
// When it is ready it prints one line: {"port":…,"pages":…,"records":…,"bytes":…,"shard":…,"iterator":…,
// "item_pages":…,"items":…}. It ends when
// its parent does.

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "measure.h"
#include "pages.h"

enum { request_capacity = 64 << 10, listing_limit = 100 };

struct connection {
    int socket;
    size_t received;
    char request[request_capacity + 1];
    struct bytes head, own;  // reply: its head, and its body unless that is a page's
    const struct bytes *body;
    size_t sent;
};

static struct pages pages, item_pages;
static long long idle_shards;

// ── What is answered ────────────────────────────────────────────────────────────────────────────────────────────────

/// Copies the string member `name` of the JSON object `text`, without looking for escapes: ours need none.
static bool member(const char *text, const char *name, char *value, size_t capacity) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *at = strstr(text, quoted);
    if (!at || !(at = strchr(at + strlen(quoted), '"'))) return false;
    const char *end = strchr(++at, '"');
    if (!end || (size_t)(end - at) >= capacity) return false;
    memcpy(value, at, (size_t)(end - at));
    value[end - at] = 0;
    return true;
}

static void idle_shard_id(long long number, char *id, size_t capacity) {
    snprintf(id, capacity, "shardId-000000017954300%05lld-1d1e%04llx", number, number & 0xffff);
}

static const char key_schema[] = "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}]";

/// The table; or one of another name without a stream, to write into.
static void describe_table(struct bytes *out, const char *request) {
    char name[256] = "";
    if (member(request, "TableName", name, sizeof name) && strcmp(name, table_name) != 0) {
        add(out,
            "{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}],"
            "\"TableName\":\"%s\",%s,\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":1.7954E9,\"TableSizeBytes\":0,"
            "\"ItemCount\":0,\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/%s\","
            "\"TableId\":\"00000000-0000-4000-8000-000000000001\"}}",
            name, key_schema, name);
        return;
    }
    add(out,
        "{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}],"
        "\"TableName\":\"" table_name "\",%s,\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":1.7954E9,"
        "\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/" table_name
        "\",\"TableId\":\"00000000-0000-4000-8000-000000000000\",\"StreamSpecification\":{\"StreamEnabled\":true,"
        "\"StreamViewType\":\"NEW_IMAGE\"},\"LatestStreamLabel\":\"" stream_label
        "\",\"LatestStreamArn\":\"" stream_arn "\"}}",
        key_schema);
}

static void describe_stream(struct bytes *out, const char *request) {
    char after[96];
    bool is_filtered = strstr(request, "\"ShardFilter\"") != NULL;  // asks for children: no shard here has any
    bool is_first = !member(request, "ExclusiveStartShardId", after, sizeof after);
    add(out,
        "{\"StreamDescription\":{\"StreamArn\":\"" stream_arn "\",\"StreamLabel\":\"" stream_label
        "\",\"StreamStatus\":\"ENABLED\",\"StreamViewType\":\"NEW_IMAGE\",\"CreationRequestDateTime\":1.7954E9,"
        "\"TableName\":\"" table_name "\",%s,\"Shards\":[",
        key_schema);
    int listed = 0;
    char id[64] = "";
    if (is_first && !is_filtered && pages.count) {
        add(out,
            "{\"ShardId\":\"" closed_shard "\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"%s\","
            "\"EndingSequenceNumber\":\"%s\"}}",
            pages.first, pages.last);
        snprintf(id, sizeof id, closed_shard);
        listed++;
    }
    long long next = 0;
    if (!is_first && strcmp(after, closed_shard) != 0)
        for (next = 1; next < idle_shards; next++) {
            idle_shard_id(next - 1, id, sizeof id);
            if (strcmp(id, after) == 0) break;
        }
    for (; !is_filtered && next < idle_shards && listed < listing_limit; next++, listed++) {
        idle_shard_id(next, id, sizeof id);
        add(out, "%s{\"ShardId\":\"%s\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"44215845%017lld\"}}",
            listed ? "," : "", id, next + 1);
    }
    add(out, "]");
    if (!is_filtered && next < idle_shards) add(out, ",\"LastEvaluatedShardId\":\"%s\"", id);
    add(out, "}}");
}

static void get_shard_iterator(struct bytes *out, const char *request) {
    char shard[96] = "", type[32] = "", sequence_number[64] = "";
    member(request, "ShardId", shard, sizeof shard);
    member(request, "ShardIteratorType", type, sizeof type);
    member(request, "SequenceNumber", sequence_number, sizeof sequence_number);
    if (strcmp(shard, closed_shard) != 0) {
        add(out, "{\"ShardIterator\":\"" stream_arn "|1|idle-%s-0\"}", shard);
        return;
    }
    size_t page = 0;
    if (strcmp(type, "LATEST") == 0) page = pages.count;
    else if (strcmp(type, "TRIM_HORIZON") != 0) page = page_of(&pages, sequence_number);
    if (strcmp(type, "AFTER_SEQUENCE_NUMBER") == 0) page++;
    add(out, "{\"ShardIterator\":\"" stream_arn "|1|page-%zu\"}", page);
}

/// A page of the closed shard as it lies in memory, or an empty one in `own`.
static const struct page *get_records(struct bytes *own, const char *request) {
    char iterator[512] = "";
    member(request, "ShardIterator", iterator, sizeof iterator);
    const char *place = strstr(iterator, "|1|page-");
    if (place) {
        size_t number = strtoull(place + strlen("|1|page-"), NULL, 10);
        if (number < pages.count) return &pages.all[number];
        add(own, "{\"Records\":[]}");
        return NULL;
    }
    char *last = strrchr(iterator, '-');
    unsigned long long turn = last ? strtoull(last + 1, NULL, 10) : 0;
    int kept = last ? (int)(last - iterator) : 0;
    add(own, "{\"NextShardIterator\":\"%.*s-%llu\",\"Records\":[]}", kept, iterator, turn + 1);
    return NULL;
}

static long long integer(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/// A page of items as it lies in memory; NULL at the segment's end.
static const struct page *scan(struct bytes *own, const char *request) {
    size_t segment = (size_t)integer(request, "\"Segment\":"), total = (size_t)integer(request, "\"TotalSegments\":");
    if (total == 0) total = 1;
    const char *last = strstr(request, "\"page-");
    size_t next = last ? strtoull(last + strlen("\"page-"), NULL, 10) + 1 : item_pages.count * segment / total;
    if (next < item_pages.count * (segment + 1) / total) return &item_pages.all[next];
    add(own, "{\"Count\":0,\"Items\":[],\"ScannedCount\":0}");
    return NULL;
}

/// Answers one request, which ends in a NUL.
static void answer(struct connection *connection, const char *operation, const char *request) {
    struct bytes *own = &connection->own, *head = &connection->head;
    const struct page *page = NULL;
    const char *status = "200 OK";
    own->count = head->count = 0;
    if (strcmp(operation, "GetRecords") == 0) page = get_records(own, request);
    else if (strcmp(operation, "GetShardIterator") == 0) get_shard_iterator(own, request);
    else if (strcmp(operation, "DescribeStream") == 0) describe_stream(own, request);
    else if (strcmp(operation, "DescribeTable") == 0) describe_table(own, request);
    else if (strcmp(operation, "ListTables") == 0) add(own, "{\"TableNames\":[\"" table_name "\"]}");
    else if (strcmp(operation, "Scan") == 0) page = scan(own, request);
    else if (strcmp(operation, "BatchWriteItem") == 0) add(own, "{\"UnprocessedItems\":{}}");
    else {
        status = "400 Bad Request";
        add(own, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}");
    }
    connection->body = page ? &page->body : own;
    add(head,
        "HTTP/1.1 %s\r\nServer: page-server\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\n"
        "x-amzn-RequestId: 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEFGHIJ\r\nx-amz-crc32: %u\r\n\r\n",
        status, connection->body->count, page ? page->crc32 : crc32_of(own->start, own->count));
    connection->sent = 0;
}

// ── Moving bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

/// Sends what is left of the reply. False once the peer is gone.
static bool send_reply(struct connection *connection) {
    const struct bytes *head = &connection->head, *body = connection->body;
    while (connection->sent < head->count + body->count) {
        struct iovec rest[2];
        int parts = 0;
        if (connection->sent < head->count)
            rest[parts++] = (struct iovec){head->start + connection->sent, head->count - connection->sent};
        size_t of_body = connection->sent > head->count ? connection->sent - head->count : 0;
        rest[parts++] = (struct iovec){body->start + of_body, body->count - of_body};
        ssize_t count = writev(connection->socket, rest, parts);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        connection->sent += (size_t)count;
    }
    connection->body = NULL;
    return true;
}

/// Answers the first request in the buffer, if all of it is there. False where it is none that can be read.
static bool take_request(struct connection *connection) {
    connection->request[connection->received] = 0;
    char *end = strstr(connection->request, "\r\n\r\n");
    if (!end) return connection->received < request_capacity;
    char *body = end + 4;
    *end = 0;  // so that no search leaves the head
    char *length = strcasestr(connection->request, "\r\ncontent-length:");
    size_t count = length ? strtoull(length + strlen("\r\ncontent-length:"), NULL, 10) : 0;
    size_t whole = (size_t)(body - connection->request) + count;
    if (whole > connection->received) {
        *end = '\r';
        return whole <= request_capacity;
    }
    char operation[64] = "";
    char *target = strcasestr(connection->request, "\r\nx-amz-target:");
    char *dot = target ? strchr(target + strlen("\r\nx-amz-target:"), '.') : NULL;
    if (dot) sscanf(dot + 1, "%63[A-Za-z]", operation);

    char next = body[count];
    body[count] = 0;
    answer(connection, operation, body);
    body[count] = next;
    connection->received -= whole;
    memmove(connection->request, connection->request + whole, connection->received);
    return true;
}

/// Does all that can be done now. False where the connection is over.
static bool serve(struct connection *connection) {
    for (;;) {
        if (connection->body && !send_reply(connection)) return false;
        if (connection->body) return true;
        if (connection->received) {
            if (!take_request(connection)) return false;
            if (connection->body) continue;
        }
        ssize_t count = read(connection->socket, connection->request + connection->received,
            request_capacity - connection->received);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        if (count == 0) return false;
        connection->received += (size_t)count;
    }
}

static void accept_connections(int poll, int listener) {
    int accepted;
    while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) give_up("out of memory");
        connection->socket = accepted;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        // Both edges are told once and for all: `serve` always goes on until it would block.
        struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = connection}};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event) != 0) give_up("epoll_ctl: %s", strerror(errno));
    }
}

static int listen_on(uint16_t *port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0
        || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        give_up("can't listen on 127.0.0.1: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return listener;
}

int main(int argc, char **argv) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    const char *rows_path = option(argc, argv, "rows", NULL);
    FILE *rows = rows_path ? fopen(rows_path, "w") : NULL;
    if (rows_path && !rows) give_up("%s: %s", rows_path, strerror(errno));
    idle_shards = number_option(argc, argv, "shards", 0);
    pages = make_pages((size_t)number_option(argc, argv, "pages", 0), (uint64_t)number_option(argc, argv, "seed", 1),
        rows);
    item_pages = make_item_pages(
        (size_t)number_option(argc, argv, "items", 0), (uint64_t)number_option(argc, argv, "seed", 1));
    if (rows && fclose(rows) != 0) give_up("%s: %s", rows_path, strerror(errno));

    uint16_t port;
    int listener = listen_on(&port), poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) != 0) give_up("epoll: %s", strerror(errno));
    printf("{\"port\":%u,\"pages\":%zu,\"records\":%lld,\"bytes\":%lld,\"shard\":\"" closed_shard
           "\",\"iterator\":\"" stream_arn "|1|page-0\",\"item_pages\":%zu,\"items\":%lld}\n",
        port, pages.count, pages.records, pages.size, item_pages.count, item_pages.records);
    fflush(stdout);

    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poll, events, 256, -1);
        if (count < 0 && errno != EINTR) give_up("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) accept_connections(poll, listener);
            else if (!serve(connection)) {
                close(connection->socket);
                free(connection->head.start);
                free(connection->own.start);
                free(connection);
            }
        }
    }
}
