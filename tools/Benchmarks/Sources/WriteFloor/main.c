// The floor under the DynamoDB target: the same items by BatchWriteItem through libcurl in C, 25 a call, some calls at a time.
//
//     write-floor URL --rows ROWS [--connections N]
//
// ROWS is what `page-server --rows` wrote, read before the clock starts. Nothing is signed. Prints {"rows":…,"calls":…,"seconds":…,
// "cpu":…}.

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "rows.h"

enum { items_at_once = 25 };

struct call {
    CURL *easy;
    char *body;
    size_t capacity, received;
    char reply[64];
};

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
    struct call *call = context;
    size_t room = sizeof call->reply - 1 - call->received, got = size * count;
    memcpy(call->reply + call->received, bytes, got < room ? got : room);
    call->received += got < room ? got : room;
    return got;
}

/// Has the call write the next items. False where there are none.
static bool arm(struct call *call, const struct rows *rows, size_t *next) {
    static const char head[] = "{\"RequestItems\":{\"copy\":[", before[] = "{\"PutRequest\":{\"Item\":", tail[] = "]}}";
    if (*next == rows->count) return false;
    size_t count = rows->count - *next < items_at_once ? rows->count - *next : items_at_once;
    size_t size = sizeof head + sizeof tail;
    for (size_t i = 0; i < count; i++) size += rows->all[*next + i].item_count + sizeof before + 3;
    if (size > call->capacity) call->body = realloc(call->body, call->capacity = size * 2);
    if (!call->body) give_up("out of memory");
    char *out = mempcpy(call->body, head, sizeof head - 1);
    for (size_t i = 0; i < count; i++, (*next)++) {
        const struct row *row = &rows->all[*next];
        if (i) *out++ = ',';
        out = mempcpy(out, before, sizeof before - 1);
        out = mempcpy(out, row->item, row->item_count);
        out = mempcpy(out, "}}", 2);
    }
    out = mempcpy(out, tail, sizeof tail - 1);
    call->received = 0;
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE, (long)(out - call->body));
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body);
    return true;
}

int main(int argc, char **argv) {
    const char *rows_path = option(argc, argv, "rows", NULL);
    size_t connections = (size_t)number_option(argc, argv, "connections", 32);
    if (argc < 2 || !rows_path || !connections) give_up("use: write-floor URL --rows ROWS [--connections N]");
    struct rows rows = read_rows(rows_path);
    struct curl_slist *headers = curl_slist_append(NULL, "X-Amz-Target: DynamoDB_20120810.BatchWriteItem");
    headers = curl_slist_append(headers, "Content-Type: application/x-amz-json-1.0");
    CURLM *multi = curl_multi_init();
    struct call *calls = calloc(connections, sizeof *calls);
    if (!multi || !calls) give_up("out of memory");

    size_t next = 0, answered = 0;
    int running = 0;
    double cpu = cpu_seconds(), start = wall_seconds();
    for (size_t i = 0; i < connections; i++) {
        struct call *call = &calls[i];
        call->easy = curl_easy_init();
        curl_easy_setopt(call->easy, CURLOPT_URL, argv[1]);
        curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, receive);
        curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
        curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
        curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "*");
        if (arm(call, &rows, &next)) curl_multi_add_handle(multi, call->easy);
    }
    do {
        if (curl_multi_perform(multi, &running) != CURLM_OK) give_up("curl_multi_perform failed");
        int left;
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            struct call *call;
            long status = 0;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
            curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            if (message->data.result != CURLE_OK) give_up("%s", curl_easy_strerror(message->data.result));
            if (status != 200 || !strstr(call->reply, "\"UnprocessedItems\":{}")) give_up("answered %ld: %s", status, call->reply);
            answered++;
            curl_multi_remove_handle(multi, call->easy);
            if (arm(call, &rows, &next)) {
                curl_multi_add_handle(multi, call->easy);
                running++;
            }
        }
        if (running) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    } while (running);
    double elapsed = wall_seconds() - start;
    printf("{\"rows\":%zu,\"calls\":%zu,\"seconds\":%.6f,\"cpu\":%.6f}\n", next, answered, elapsed, cpu_seconds() - cpu);
    for (size_t i = 0; i < connections; i++) {
        curl_easy_cleanup(calls[i].easy);
        free(calls[i].body);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
}
