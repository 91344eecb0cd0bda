// LMDB as Swift sees it: lmdb.h, and what a damaged file needs that lmdb.h has not.
#ifndef SHAKE_LMDB_H
#define SHAKE_LMDB_H

#include <lmdb.h>

/// Watches an environment until `shake_lmdb_unwatch`.
///
/// LMDB trusts its pages: a broken one makes it read outside the map, or fail an assertion; and so does a file that was cut
/// while it is mapped. All of that is damage to one file and no reason for a core dump, so a failed assertion, or a fault
/// between enter and leave, writes one line that names the folder to standard error and ends the process with status 65. Any
/// other fault goes to whoever handled it before. Returns 0, or an errno.
int shake_lmdb_watch(MDB_env *env, const char *path);
void shake_lmdb_unwatch(MDB_env *env);

/// A line, copied, that goes to standard output before the process ends in that way, for whoever reads it there; up to 511
/// bytes. NULL for none. A terminal at standard input that this process is in the foreground of gets the settings back that it has
/// now: a process that takes it over says its last words first.
void shake_lmdb_last_words(const char *line);

/// Brackets code of this thread that reads `env`'s map. `leave` takes what its `enter` gave.
MDB_env *shake_lmdb_enter(MDB_env *env);
void shake_lmdb_leave(MDB_env *outer);

/// Slots of readers that are reading: `pids[i]` sees transaction `transactions[i]`. Returns how many there are, of which the first
/// `room` are given; or an errno, negated.
long shake_lmdb_readers(MDB_env *env, int *pids, unsigned long long *transactions, long room);

/// Whether a map of `size` bytes would find room beside all that is mapped: 0, or an errno.
int shake_lmdb_has_room(size_t size);

/// The bytes that the newest of the two meta pages says are in use, read from the file and not through the map;
/// 0 if `path` is no LMDB file of this machine's word size and byte order. Sets `*size` to the file's own length, and
/// `*is_damaged` where a meta page says what LMDB believes and must not: a page size that is none, or that it is the other one.
unsigned long long shake_lmdb_used_bytes(const char *path, unsigned long long *size, int *is_damaged);

/// The kind of file system that `path` lies on, as statfs(2) numbers it; 0 if it can't be told.
unsigned int shake_file_system_magic(const char *path);

#endif
