#include "shake_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

enum { WATCHED = 1024, MESSAGE = 1024 };

struct watched {
    _Atomic(MDB_env *) env;
    char message[MESSAGE];
    size_t length;
};

static struct watched table[WATCHED];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before_segv, before_bus;
static int is_installed;
static _Thread_local MDB_env *inside;

static char last_words[512];
static struct termios terminal;
static volatile sig_atomic_t has_terminal;

// Who isn't in the foreground would be stopped by its terminal, and changes nothing there.
static int is_in_foreground(void) { return tcgetpgrp(STDIN_FILENO) == getpgrp(); }

void shake_lmdb_last_words(const char *line) {
    snprintf(last_words, sizeof last_words, "%s", line ? line : "");
    has_terminal = is_in_foreground() && tcgetattr(STDIN_FILENO, &terminal) == 0;
}

// All that it calls is async-signal-safe (POSIX, 2.4.3). A terminal is given back before anything is said on it.
static void say_and_leave(const struct watched *w) {
    ssize_t ignored = 0;
    if (has_terminal && is_in_foreground()) tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    if (last_words[0]) ignored = write(STDOUT_FILENO, last_words, strlen(last_words));
    ignored = write(STDERR_FILENO, w->message, w->length);
    (void)ignored;
    _exit(65);
}

static const struct watched *find(MDB_env *env) {
    for (int i = 0; i < WATCHED; i++)
        if (atomic_load(&table[i].env) == env) return &table[i];
    return NULL;
}

// Only the faults of this module's own work are handled here, with async-signal-safe calls. LMDB isn't asked where its map
// lies: to answer it would read the meta pages, which may be what is gone.
static void on_fault(int number, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    if (inside) {
        const struct watched *w = find(inside);
        if (w) say_and_leave(w);
    }
    // Not ours: the previous handler gets it when the instruction faults again.
    sigaction(number, number == SIGBUS ? &before_bus : &before_segv, NULL);
}

static void on_assertion(MDB_env *env, const char *text) {
    (void)text;
    const struct watched *w = find(env);
    if (w) say_and_leave(w);
}

int shake_lmdb_watch(MDB_env *env, const char *path) {
    int result = ENOSPC;
    pthread_mutex_lock(&table_lock);
    for (int i = 0; i < WATCHED; i++) {
        if (atomic_load(&table[i].env)) continue;
        int length = snprintf(
            table[i].message, MESSAGE,
            "shakectl: the journal %.700s is damaged: its data file has pages that can't be read. Nothing was changed. "
            "Restore a backup of the folder, or check the disk.\n",
            path);
        table[i].length = length < MESSAGE ? (size_t)length : MESSAGE - 1;
        atomic_store(&table[i].env, env);
        mdb_env_set_assert(env, on_assertion);
        result = 0;
        break;
    }
    if (result == 0 && !is_installed) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = on_fault;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        sigaction(SIGSEGV, &action, &before_segv);
        sigaction(SIGBUS, &action, &before_bus);
        is_installed = 1;
    }
    pthread_mutex_unlock(&table_lock);
    return result;
}

void shake_lmdb_unwatch(MDB_env *env) {
    for (int i = 0; i < WATCHED; i++) {
        MDB_env *expected = env;
        atomic_compare_exchange_strong(&table[i].env, &expected, NULL);
    }
}

MDB_env *shake_lmdb_enter(MDB_env *env) {
    MDB_env *outer = inside;
    inside = env;
    return outer;
}
void shake_lmdb_leave(MDB_env *outer) { inside = outer; }

struct readers {
    int *pids;
    unsigned long long *transactions;
    long room, count;
};

// A line of mdb_reader_list (mdb.c): "%10d %zx %zu", or "-" instead of a transaction where nothing is read.
static int take_reader(const char *line, void *context) {
    struct readers *r = context;
    int pid;
    unsigned long long thread, transaction;
    if (sscanf(line, "%d %llx %llu", &pid, &thread, &transaction) != 3) return 0;
    if (r->count < r->room) {
        r->pids[r->count] = pid;
        r->transactions[r->count] = transaction;
    }
    r->count++;
    return 0;
}

long shake_lmdb_readers(MDB_env *env, int *pids, unsigned long long *transactions, long room) {
    struct readers r = {pids, transactions, room, 0};
    int code = mdb_reader_list(env, take_reader, &r);
    return code < 0 ? -EIO : r.count;
}

int shake_lmdb_has_room(size_t size) {
    void *room = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return errno;
    munmap(room, size);
    return 0;
}

// The start of an LMDB 0.9 meta page (mdb.c, MDB_page and MDB_meta): page header, then magic, version, address, map size,
// two tree roots of 48 bytes, last page, transaction.
struct meta {
    uint64_t page_number;
    uint16_t pad, flags, lower, upper;
    uint32_t magic, version;
    uint64_t address, map_size;
    struct { uint32_t page_size; uint16_t flags, depth; uint64_t branch, leaf, overflow, entries, root; } trees[2];
    uint64_t last_page, transaction;
};

// The sizes that LMDB gives a page (mdb.c, MAX_PAGESIZE).
static int is_page_size(uint32_t size) { return size >= 512 && size <= 32768 && (size & (size - 1)) == 0; }

unsigned long long shake_lmdb_used_bytes(const char *path, unsigned long long *size, int *is_damaged) {
    struct meta meta;
    struct stat facts;
    unsigned long long used = 0, newest = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    *size = 0;
    *is_damaged = 0;
    if (file < 0) return 0;
    if (fstat(file, &facts) == 0) {
        *size = (unsigned long long)facts.st_size;
        off_t page_size = 4096;
        for (int page = 0; page < 2; page++) {
            if (pread(file, &meta, sizeof meta, page * page_size) != (ssize_t)sizeof meta) break;
            if (meta.magic != 0xBEEFC0DE || meta.version != 1) continue;
            // One in the other's place would be believed, and its own transaction forgotten.
            if (meta.page_number != (uint64_t)page) {
                *is_damaged = 1;
                break;
            }
            if (!is_page_size(meta.trees[0].page_size) || (page == 1 && meta.trees[0].page_size != page_size)) {
                *is_damaged = 1;
                break;
            }
            if (page == 0) page_size = meta.trees[0].page_size;
            // Far beyond any file, and beyond what the product below can hold.
            if (meta.last_page >> 40) {
                *is_damaged = 1;
                break;
            }
            if (meta.transaction >= newest) {
                newest = meta.transaction;
                used = (meta.last_page + 1) * (unsigned long long)page_size;
            }
        }
    }
    close(file);
    return used;
}

unsigned int shake_file_system_magic(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 ? (unsigned int)facts.f_type : 0;
}
