// The wall clock, some seconds ahead: for a program that is to find something old, without anybody waiting for two days.
//
//     cc -shared -fPIC -o clockahead.so clockahead.c
//     LD_PRELOAD=./clockahead.so SECONDS_AHEAD=176400 shakectl compact
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    const char *ahead = getenv("SECONDS_AHEAD");
    if (result == 0 && clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
    return result;
}
