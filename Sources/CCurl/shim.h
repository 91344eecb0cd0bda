// libcurl's variadic functions, one shim for each type of argument, since Swift doesn't import variadic C.
#ifndef SHAKE_CCURL_SHIM_H
#define SHAKE_CCURL_SHIM_H

// Its type checks are macros that want the option to be a constant.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

static inline CURLcode shake_easy_setopt_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shake_easy_setopt_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shake_easy_setopt_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shake_easy_setopt_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shake_easy_setopt_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*shake_write_function)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode shake_easy_setopt_write(CURL *easy, shake_write_function function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

typedef int (*shake_prerequest_function)(void *context, char *theirs, char *ours, int their_port, int our_port);

static inline CURLcode shake_easy_setopt_prerequest(CURL *easy, shake_prerequest_function function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_PREREQDATA, context);
}

static inline CURLcode shake_easy_getinfo_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode shake_easy_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode shake_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// CURLMsg holds its result in a union.
static inline CURLcode shake_message_result(const CURLMsg *message) { return message->data.result; }

#endif
