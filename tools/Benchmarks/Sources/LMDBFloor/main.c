// The floor under the journal: what plain C gets out of LMDB on this disk, with LMDB's default durability.
//
//     lmdb-floor append DIR --size BYTES --batch N --milliseconds T [--state BYTES]
//         Puts of an 8-byte big-endian key and a value of BYTES bytes with MDB_APPEND, N to a transaction. With --state
//         each transaction also replaces N values of that size in a second database, one for each put.
//         Prints {"entries":…,"commits":…,"seconds":…,"cpu":…}.
//     lmdb-floor walk DIR --database NAME
//         One cursor walk over that database, every value byte summed. Prints {"entries":…,"bytes":…,"seconds":…}.

#include <endian.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static void check(int code, const char *call) {
    if (code != MDB_SUCCESS) give_up("%s: %s", call, mdb_strerror(code));
}

static MDB_env *open_environment(const char *folder, unsigned flags) {
    MDB_env *environment;
    check(mdb_env_create(&environment), "mdb_env_create");
    check(mdb_env_set_mapsize(environment, (size_t)64 << 30), "mdb_env_set_mapsize");
    check(mdb_env_set_maxdbs(environment, 16), "mdb_env_set_maxdbs");
    check(mdb_env_open(environment, folder, flags, 0600), "mdb_env_open");
    return environment;
}

static void put_batch(
    MDB_env *environment, MDB_dbi log, uint64_t *position, long long batch, MDB_val value, MDB_dbi states, MDB_val state) {
    MDB_txn *transaction;
    check(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
    for (long long i = 0; i < batch; i++) {
        uint64_t bytes = htobe64(++*position);
        memcpy(value.mv_data, &bytes, sizeof bytes);  // no two entries alike
        MDB_val key = {sizeof bytes, &bytes};
        check(mdb_put(transaction, log, &key, &value, MDB_APPEND), "mdb_put");
    }
    for (uint32_t i = 1; state.mv_size && i <= batch; i++) {
        uint32_t number = htobe32(i);
        memcpy(state.mv_data, position, sizeof *position);
        MDB_val key = {sizeof number, &number};
        check(mdb_put(transaction, states, &key, &state, 0), "mdb_put");
    }
    check(mdb_txn_commit(transaction), "mdb_txn_commit");
}

static MDB_val filled(long long size) {
    MDB_val value = {(size_t)size, malloc((size_t)size + 1)};
    if (!value.mv_data) give_up("out of memory");
    memset(value.mv_data, 'x', value.mv_size);
    return value;
}

static void append(const char *folder, long long size, long long batch, double seconds, long long state_size) {
    if (size < 8 || batch < 1) give_up("append wants --size of 8 or more and --batch of 1 or more");
    if (state_size && state_size < 8) give_up("--state wants 8 or more");
    MDB_env *environment = open_environment(folder, 0);
    MDB_txn *transaction;
    MDB_dbi log, states;
    check(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
    check(mdb_dbi_open(transaction, "log", MDB_CREATE, &log), "mdb_dbi_open");
    check(mdb_dbi_open(transaction, "states", MDB_CREATE, &states), "mdb_dbi_open");
    check(mdb_txn_commit(transaction), "mdb_txn_commit");

    MDB_val value = filled(size), state = filled(state_size);
    uint64_t position = 0;
    put_batch(environment, log, &position, batch, value, states, state);  // the first commit makes the file: not measured
    long long commits = 0;
    double cpu = cpu_seconds(), start = wall_seconds(), elapsed;
    do {
        put_batch(environment, log, &position, batch, value, states, state);
        commits++;
        elapsed = wall_seconds() - start;
    } while (elapsed < seconds);
    printf("{\"entries\":%lld,\"commits\":%lld,\"seconds\":%.6f,\"cpu\":%.6f}\n", commits * batch, commits, elapsed,
        cpu_seconds() - cpu);
    free(value.mv_data);
    free(state.mv_data);
    mdb_env_close(environment);
}

static uint64_t sum_of(const unsigned char *bytes, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += bytes[i];
    return sum;
}

static void walk(const char *folder, const char *database) {
    MDB_env *environment = open_environment(folder, MDB_RDONLY);
    MDB_txn *transaction;
    MDB_dbi log;
    MDB_cursor *cursor;
    check(mdb_txn_begin(environment, NULL, MDB_RDONLY, &transaction), "mdb_txn_begin");
    check(mdb_dbi_open(transaction, database, 0, &log), "mdb_dbi_open");
    check(mdb_cursor_open(transaction, log, &cursor), "mdb_cursor_open");

    MDB_val key, value;
    uint64_t entries = 0, bytes = 0, sum = 0;
    double start = wall_seconds();
    int code;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        entries++;
        bytes += value.mv_size;
        sum += sum_of(value.mv_data, value.mv_size);
    }
    if (code != MDB_NOTFOUND) check(code, "mdb_cursor_get");
    double elapsed = wall_seconds() - start;
    // The sum is printed so that no compiler leaves it out.
    printf("{\"entries\":%llu,\"bytes\":%llu,\"sum\":%llu,\"seconds\":%.6f}\n", (unsigned long long)entries,
        (unsigned long long)bytes, (unsigned long long)sum, elapsed);
    mdb_cursor_close(cursor);
    mdb_txn_abort(transaction);
    mdb_env_close(environment);
}

int main(int argc, char **argv) {
    if (argc >= 3 && strcmp(argv[1], "append") == 0)
        append(argv[2], number_option(argc, argv, "size", 0), number_option(argc, argv, "batch", 1),
            (double)number_option(argc, argv, "milliseconds", 1000) / 1000, number_option(argc, argv, "state", 0));
    else if (argc >= 3 && strcmp(argv[1], "walk") == 0)
        walk(argv[2], option(argc, argv, "database", "log"));
    else
        give_up("use: append DIR --size BYTES --batch N --milliseconds T [--state BYTES] | walk DIR --database NAME");
}
