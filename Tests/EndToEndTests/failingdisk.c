// A disk that fails, between the program and its data.mdb (LD_PRELOAD), and beside it what a loss of power would leave.
//
// SHAKE_DISK_IMAGE   the file as it is on the disk itself: it gets what was written when that is synced, and at once what is
//                    written through a descriptor of O_DSYNC. Writes whose sync failed are dropped, as Linux drops them: it
//                    marks their pages clean, and the next sync says nothing of them.
// SHAKE_DISK_FAIL    KIND:N, the one call that fails, with EIO: the N-th of its kind once the file SHAKE_DISK_TRIGGER is there.
//                    data           a write of pages; nothing of it was written
//                    sync           a sync; what it should have made durable is dropped
//                    meta           a write through O_DSYNC; nothing of it was written
//                    meta-written   the same, and it was written and is on the disk
//
// SHAKE_DISK_TRIGGER also gets a line when the call has failed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };
enum { NONE, PLAIN, SYNCED };

struct pending {
    struct pending *next;
    off_t offset;
    size_t length;
    char bytes[];
};

static char watched[DESCRIPTORS];
static struct pending *first, **last = &first;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int image = -1, seen, has_failed;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static ssize_t write_really(int file, const void *bytes, size_t length, off_t offset) {
    REAL(pwrite);
    return real(file, bytes, length, offset);
}

static int is_watched(int file) { return file >= 0 && file < DESCRIPTORS ? watched[file] : NONE; }

// Whether this is the call that fails.
static int fails(const char *kind) {
    const char *plan = getenv("SHAKE_DISK_FAIL"), *trigger = getenv("SHAKE_DISK_TRIGGER");
    size_t length = strlen(kind);
    if (!plan || !trigger || has_failed || strncmp(plan, kind, length) != 0 || plan[length] != ':') return 0;
    if (access(trigger, F_OK) != 0 || ++seen < atoi(plan + length + 1)) return 0;
    has_failed = 1;
    int file = open(trigger, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file >= 0) {
        ssize_t ignored = write(file, "failed\n", 7);
        (void)ignored;
        close(file);
    }
    return 1;
}

static void keep(const void *bytes, size_t length, off_t offset) {
    struct pending *write = malloc(sizeof *write + length);
    if (!write) abort();
    *write = (struct pending){NULL, offset, length};
    memcpy(write->bytes, bytes, length);
    *last = write;
    last = &write->next;
}

static void settle(int are_durable) {
    while (first) {
        struct pending *write = first;
        first = write->next;
        if (are_durable && write_really(image, write->bytes, write->length, write->offset) != (ssize_t)write->length)
            abort();
        free(write);
    }
    last = &first;
}

int open(const char *path, int flags, ...) {
    REAL(open);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int file = real(path, flags, mode);
    const char *name = strrchr(path, '/');
    if (file >= 0 && file < DESCRIPTORS && name && strcmp(name, "/data.mdb") == 0 && (flags & O_ACCMODE) != O_RDONLY) {
        pthread_mutex_lock(&lock);
        if (image < 0) {
            // What is there by now has survived all that was before.
            image = real(getenv("SHAKE_DISK_IMAGE"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            if (image < 0) abort();
            char bytes[4096];
            off_t offset = 0;
            for (ssize_t count; (count = pread(file, bytes, sizeof bytes, offset)) > 0; offset += count)
                if (write_really(image, bytes, (size_t)count, offset) != count) abort();
        }
        watched[file] = flags & O_DSYNC ? SYNCED : PLAIN;
        pthread_mutex_unlock(&lock);
    }
    return file;
}

int close(int file) {
    REAL(close);
    if (is_watched(file)) watched[file] = NONE;
    return real(file);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    int kind = is_watched(file);
    if (kind == NONE) return write_really(file, bytes, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t result = -1;
    int is_written = 1;
    if (kind == SYNCED ? fails("meta") : fails("data")) {
        is_written = 0;
    } else {
        result = write_really(file, bytes, length, offset);
    }
    if (is_written && kind == PLAIN) keep(bytes, length, offset);
    if (is_written && kind == SYNCED && write_really(image, bytes, length, offset) != (ssize_t)length) abort();
    if (is_written && kind == SYNCED && fails("meta-written")) is_written = 0;
    pthread_mutex_unlock(&lock);
    if (is_written) return result;
    errno = EIO;
    return -1;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(writev);
    if (is_watched(file) == NONE) return real(file, parts, count);
    off_t offset = lseek(file, 0, SEEK_CUR);
    pthread_mutex_lock(&lock);
    int has_to_fail = fails("data");
    ssize_t result = has_to_fail ? -1 : real(file, parts, count);
    for (int part = 0; part < count && result >= 0; part++) {
        keep(parts[part].iov_base, parts[part].iov_len, offset);
        offset += (off_t)parts[part].iov_len;
    }
    pthread_mutex_unlock(&lock);
    if (has_to_fail) errno = EIO;
    return result;
}

int fdatasync(int file) {
    REAL(fdatasync);
    if (is_watched(file) == NONE) return real(file);
    pthread_mutex_lock(&lock);
    int has_to_fail = fails("sync");
    settle(!has_to_fail);
    pthread_mutex_unlock(&lock);
    if (!has_to_fail) return real(file);
    errno = EIO;
    return -1;
}
