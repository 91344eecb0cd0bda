// The floor under following a shard: the same pages fetched by plain libcurl, one easy handle with keep-alive, each
// page thrown away. Of a page only its first bytes are looked at, where the next iterator stands.
//
//     curl-floor URL --iterator TOKEN [--pages N]
//         Follows from TOKEN to the shard's end, or N pages far.
//     curl-floor URL --scan [--pages N]
//         The same for a table: one Scan after the other, in one segment.
//         Prints {"pages":…,"bytes":…,"seconds":…,"cpu":…,"peak_memory":…}.

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"

enum { head_capacity = 2048 };

struct page {
    size_t count;
    char head[head_capacity + 1];
};

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
    struct page *page = context;
    size_t received = size * count;
    if (page->count < head_capacity) {
        size_t room = head_capacity - page->count;
        memcpy(page->head + page->count, bytes, received < room ? received : room);
    }
    page->count += received;
    return received;
}

/// Copies what the next page is asked for with, which stands behind `name`, into `token`; 0 at the end.
static int next_token(struct page *page, const char *name, char *token, size_t capacity) {
    page->head[page->count < head_capacity ? page->count : head_capacity] = 0;
    char *start = strstr(page->head, name);
    if (!start) return 0;
    start += strlen(name);
    char *end = strchr(start, '"');
    if (!end || (size_t)(end - start) >= capacity) give_up("the page's iterator does not end");
    memcpy(token, start, (size_t)(end - start));
    token[end - start] = 0;
    return 1;
}

int main(int argc, char **argv) {
    const char *first = option(argc, argv, "iterator", NULL);
    int is_scan = argc > 2 && strcmp(argv[2], "--scan") == 0;
    long long limit = number_option(argc, argv, "pages", -1);
    if (argc < 2 || (!first && !is_scan)) give_up("use: curl-floor URL --iterator TOKEN|--scan [--pages N]");

    CURL *curl = curl_easy_init();
    if (!curl) give_up("curl_easy_init failed");
    struct curl_slist *headers = curl_slist_append(NULL, is_scan ? "X-Amz-Target: DynamoDB_20120810.Scan"
                                                              : "X-Amz-Target: DynamoDBStreams_20120810.GetRecords");
    headers = curl_slist_append(headers, "Content-Type: application/x-amz-json-1.0");
    struct page page;
    char token[1024], body[1200];
    if (snprintf(token, sizeof token, "%s", first ? first : "") >= (int)sizeof token) give_up("--iterator is too long");
    curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &page);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)CURL_MAX_READ_SIZE);

    long long pages = 0, bytes = 0;
    double cpu = cpu_seconds(), start = wall_seconds();
    int more = 1;
    while (more && pages != limit) {
        page.count = 0;
        if (!is_scan) snprintf(body, sizeof body, "{\"ShardIterator\":\"%s\",\"Limit\":1000}", token);
        else if (*token)
            snprintf(body, sizeof body,
                "{\"TableName\":\"bench\",\"ConsistentRead\":true,\"ExclusiveStartKey\":{\"pk\":{\"S\":\"%s\"}}}", token);
        else snprintf(body, sizeof body, "{\"TableName\":\"bench\",\"ConsistentRead\":true}");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        CURLcode code = curl_easy_perform(curl);
        if (code != CURLE_OK) give_up("%s: %s", argv[1], curl_easy_strerror(code));
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (status != 200) give_up("%s answered %ld", argv[1], status);
        more = next_token(&page, is_scan ? "\"LastEvaluatedKey\":{\"pk\":{\"S\":\"" : "\"NextShardIterator\":\"", token,
            sizeof token);
        pages++;
        bytes += (long long)page.count;
    }
    double elapsed = wall_seconds() - start;
    printf("{\"pages\":%lld,\"bytes\":%lld,\"seconds\":%.6f,\"cpu\":%.6f,\"peak_memory\":%lld}\n", pages, bytes,
        elapsed, cpu_seconds() - cpu, peak_memory());
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}
