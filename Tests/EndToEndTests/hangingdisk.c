// A disk that does not answer, between the program and its data.mdb (LD_PRELOAD): a sync of it waits as long as the file
// SHAKE_DISK_HANGS is there; where SHAKE_DISK_HANGS_IN is set, only of one whose path has that in it. Since SHAKE_CLOCK_AHEAD is there, two minutes more have passed by every clock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int is_there(const char *variable) {
    const char *path = getenv(variable);
    return path && access(path, F_OK) == 0;
}

static void wait_for_disk(int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    const char *name = strrchr(path, '/'), *part = getenv("SHAKE_DISK_HANGS_IN");
    if (part && !strstr(path, part)) return;
    while (name && strcmp(name, "/data.mdb") == 0 && is_there("SHAKE_DISK_HANGS")) usleep(10000);
}

int fdatasync(int file) {
    REAL(fdatasync);
    wait_for_disk(file);
    return real(file);
}

int fsync(int file) {
    REAL(fsync);
    wait_for_disk(file);
    return real(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (result == 0 && is_there("SHAKE_CLOCK_AHEAD")) now->tv_sec += 120;
    return result;
}

// A moment of a clock that is ahead, for the system's own, which is not.
int timerfd_settime(int timer, int flags, const struct itimerspec *new, struct itimerspec *old) {
    REAL(timerfd_settime);
    struct itimerspec moved = *new;
    if (flags & TFD_TIMER_ABSTIME && is_there("SHAKE_CLOCK_AHEAD") && moved.it_value.tv_sec > 120) moved.it_value.tv_sec -= 120;
    return real(timer, flags, &moved, old);
}
