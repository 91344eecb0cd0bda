// The floor under the SQLite target: the same rows in the same batches, in the same schema, by plain C.
//
//     sqlite-floor FILE --rows ROWS --like DATABASE --batch N --shard ID
//
// ROWS is what `page-server --rows` wrote, read before the clock starts. The schema is taken out of DATABASE, a file
// that the daemon's own target made, so that the two can't drift apart. A batch is one transaction, its position
// included; WAL, synchronous=FULL, prepared statements. Prints {"rows":…,"batches":…,"seconds":…,"cpu":…}, the time
// from the first BEGIN to the last COMMIT.

#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

struct row {
    uint32_t key_count, item_count, number_count, seconds;
    const char *key, *item, *number;
};

struct rows {
    struct row *all;
    size_t count;
};

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

static struct rows read_rows(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file || fseek(file, 0, SEEK_END) != 0) give_up("%s: %s", path, strerror(errno));
    long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) give_up("%s: can't be read", path);
    fclose(file);

    struct rows rows = {0};
    size_t capacity = 0;
    for (char *next = bytes; next < bytes + size;) {
        if (rows.count == capacity) {
            capacity = capacity * 2 + 1024;
            rows.all = realloc(rows.all, capacity * sizeof *rows.all);
            if (!rows.all) give_up("out of memory");
        }
        struct row *row = &rows.all[rows.count++];
        memcpy(row, next, 4 * sizeof(uint32_t));
        row->key = next + 4 * sizeof(uint32_t);
        row->item = row->key + row->key_count;
        row->number = row->item + row->item_count;
        next = (char *)row->number + row->number_count;
    }
    return rows;
}

static void copy_schema(const char *from, sqlite3 *to) {
    sqlite3 *model;
    check(model, sqlite3_open_v2(from, &model, SQLITE_OPEN_READONLY, NULL), from);
    sqlite3_stmt *statements = prepare(model, "SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY rowid");
    while (sqlite3_step(statements) == SQLITE_ROW) execute(to, (const char *)sqlite3_column_text(statements, 0));
    sqlite3_finalize(statements);
    sqlite3_close(model);
}

