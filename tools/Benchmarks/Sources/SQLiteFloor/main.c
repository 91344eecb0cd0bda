// The floor under the SQLite target: the same rows in the same batches, in the same schema, by plain C.
//
//     sqlite-floor FILE --rows ROWS --like DATABASE --batches N,N,…
//
// ROWS is what `page-server --rows` wrote, read before the clock starts. The schema and the page size are taken from
// DATABASE, a file that the daemon's own target has written, so that the two can't drift apart; its settings are those
// of SQLiteTarget. Each N is the rows of one transaction, whose position is moved in it. Statements are prepared, WAL,
// synchronous=FULL. Prints {"rows":…,"batches":…,"seconds":…,"cpu":…}: from the first BEGIN to the last COMMIT.

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"
#include "rows.h"

static void check(sqlite3 *database, int code, const char *what) {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
        give_up("%s: %s", what, sqlite3_errmsg(database));
}

static void execute(sqlite3 *database, const char *sql) {
    check(database, sqlite3_exec(database, sql, NULL, NULL, NULL), sql);
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement;
    check(database, sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), sql);
    return statement;
}

/// Makes `to` an empty database like the one in the file `from`.
static void imitate(const char *from, sqlite3 *to) {
    sqlite3 *model;
    if (sqlite3_open_v2(from, &model, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        give_up("%s: %s", from, sqlite3_errmsg(model));
    sqlite3_stmt *statement = prepare(model, "PRAGMA page_size");
    check(model, sqlite3_step(statement), "page_size");
    char setting[64];
    snprintf(setting, sizeof setting, "PRAGMA page_size = %d", sqlite3_column_int(statement, 0));
    sqlite3_finalize(statement);
    execute(to, setting);
    execute(to, "PRAGMA synchronous = FULL; PRAGMA cache_size = -12288; PRAGMA wal_autocheckpoint = 2000;"
                "PRAGMA journal_size_limit = 67108864; PRAGMA journal_mode = WAL");
    statement = prepare(model, "SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY rowid");
    while (sqlite3_step(statement) == SQLITE_ROW) execute(to, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(model);
}

static void bind(sqlite3_stmt *statement, int index, const char *text, size_t count) {
    if (sqlite3_bind_text(statement, index, text, (int)count, SQLITE_STATIC) != SQLITE_OK) give_up("can't bind");
}

static void step(sqlite3 *database, sqlite3_stmt *statement) {
    check(database, sqlite3_step(statement), "step");
    sqlite3_reset(statement);
}

int main(int argc, char **argv) {
    const char *rows_path = option(argc, argv, "rows", NULL), *like = option(argc, argv, "like", NULL);
    const char *batches = option(argc, argv, "batches", NULL);
    if (argc < 2 || !rows_path || !like || !batches)
        give_up("use: sqlite-floor FILE --rows ROWS --like DATABASE --batches N,N,…");
    struct rows rows = read_rows(rows_path);
    sqlite3 *database;
    if (sqlite3_open(argv[1], &database) != SQLITE_OK) give_up("%s: %s", argv[1], sqlite3_errmsg(database));
    imitate(like, database);
    sqlite3_stmt *begin = prepare(database, "BEGIN IMMEDIATE"), *commit = prepare(database, "COMMIT");
    sqlite3_stmt *upsert = prepare(database,
        "INSERT INTO bench (hash_key, item, sequence_number, shard, approximate_time) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (hash_key) DO UPDATE SET item = excluded.item, sequence_number = excluded.sequence_number,"
        " shard = excluded.shard, approximate_time = excluded.approximate_time");
    sqlite3_stmt *move = prepare(database,
        "INSERT INTO _shake_positions (table_name, stream, shard, epoch, sequence_number) VALUES (?, ?, ?, 0, ?)"
        " ON CONFLICT (stream, shard) DO UPDATE SET epoch = excluded.epoch, sequence_number = excluded.sequence_number");
    static const char shard[] = "shardId-00000001795430000000-c105ed00";
    static const char stream[] = "arn:aws:dynamodb:us-east-1:000000000000:table/bench/stream/2026-11-23T12:00:00.000";
    bind(upsert, 4, shard, sizeof shard - 1);
    bind(move, 1, "bench", 5);
    bind(move, 2, stream, sizeof stream - 1);
    bind(move, 3, shard, sizeof shard - 1);

    size_t written = 0, transactions = 0;
    uint32_t last_time = 0;
    char time_text[32];
    double cpu = cpu_seconds(), start = wall_seconds();
    for (size_t batch; written < rows.count && (batch = next_batch(&batches)) > 0; transactions++) {
        step(database, begin);
        for (; batch > 0 && written < rows.count; batch--, written++) {
            const struct row *row = &rows.all[written];
            if (row->seconds != last_time) {
                time_t seconds = last_time = row->seconds;
                size_t count = strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
                bind(upsert, 5, time_text, count);
            }
            bind(upsert, 1, row->key, row->key_count);
            bind(upsert, 2, row->item, row->item_count);
            bind(upsert, 3, row->number, row->number_count);
            step(database, upsert);
        }
        bind(move, 4, rows.all[written - 1].number, rows.all[written - 1].number_count);
        step(database, move);
        step(database, commit);
    }
    double elapsed = wall_seconds() - start;
    printf("{\"rows\":%zu,\"batches\":%zu,\"seconds\":%.6f,\"cpu\":%.6f}\n", written, transactions, elapsed,
        cpu_seconds() - cpu);
    sqlite3_stmt *statements[] = {begin, commit, upsert, move};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
    sqlite3_close(database);
}
