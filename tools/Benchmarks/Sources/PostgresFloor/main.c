// The floor under the PostgreSQL target: the same rows in the same batches, into a table like the target's, by libpq in C.
//
//     postgres-floor URL --rows ROWS --like SCHEMA --batches N,N,… --by unnest|copy [--rows-at-once N]
//
// ROWS is what `page-server --rows` wrote, read before the clock starts. The table is made in the schema `floor`, like `bench` in SCHEMA,
// which the daemon's own target has written. Each N is the rows of one transaction, whose position is moved in it.
//
//     unnest   one pipeline of prepared statements: BEGIN, upserts of arrays of at most --rows-at-once rows, the position, COMMIT
//     copy     COPY in binary into a temporary table, then an upsert from there; the fastest way that PostgreSQL has to take rows in
//
// Prints {"rows":…,"batches":…,"seconds":…,"cpu":…}: from the first BEGIN to the last COMMIT.

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"
#include "rows.h"

enum { TEXT = 25, JSONB = 3802 };
static const char shard[] = "shardId-00000001795430000000-c105ed00";
static const char stream[] = "arn:aws:dynamodb:us-east-1:000000000000:table/bench/stream/2026-11-23T12:00:00.000";

#define UPSERT(from) \
    "INSERT INTO floor.bench AS held (hash_key, item, sequence_number, shard, epoch, approximate_time)" \
    " SELECT h, i, n::numeric, s, 0, t::timestamptz FROM " from \
    " ON CONFLICT (hash_key) DO UPDATE SET item = excluded.item, sequence_number = excluded.sequence_number," \
    " shard = excluded.shard, epoch = excluded.epoch, approximate_time = excluded.approximate_time"

// ── What is sent ────────────────────────────────────────────────────────────────────────────────────────────────────

struct buffer {
    char *bytes;
    size_t count, capacity;
};

static void put(struct buffer *to, const void *bytes, size_t count) {
    if (to->count + count > to->capacity) {
        to->capacity = (to->count + count) * 2;
        to->bytes = realloc(to->bytes, to->capacity);
        if (!to->bytes) give_up("out of memory");
    }
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

static void put32(struct buffer *to, uint32_t number) {
    number = htonl(number);
    put(to, &number, sizeof number);
}

static void put16(struct buffer *to, uint16_t number) {
    number = htons(number);
    put(to, &number, sizeof number);
}

static void put_value(struct buffer *to, const char *text, size_t count) {
    put32(to, (uint32_t)count);
    put(to, text, count);
}

static void put_json(struct buffer *to, const char *text, size_t count) {
    put32(to, (uint32_t)count + 1);
    put(to, "\1", 1);  // the version of jsonb's binary format
    put(to, text, count);
}

static void begin_array(struct buffer *to, uint32_t element, size_t count) {
    to->count = 0;
    const uint32_t head[] = {1, 0, element, (uint32_t)count, 1};
    for (size_t i = 0; i < 5; i++) put32(to, head[i]);
}

// ── The server ──────────────────────────────────────────────────────────────────────────────────────────────────────

static void expect(PGconn *connection, PGresult *result, ExecStatusType status) {
    if (PQresultStatus(result) != status) give_up("%s", PQerrorMessage(connection));
    PQclear(result);
}

static void execute(PGconn *connection, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) give_up("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
}

static void prepare(PGconn *connection, const char *name, const char *sql) {
    expect(connection, PQprepare(connection, name, sql, 0, NULL), PGRES_COMMAND_OK);
}

static void enqueue(PGconn *connection, const char *statement, int count, const struct buffer *arrays) {
    const char *values[8];
    int lengths[8], formats[8];
    for (int i = 0; i < count; i++) {
        values[i] = arrays[i].bytes;
        lengths[i] = (int)arrays[i].count;
        formats[i] = 1;
    }
    if (!PQsendQueryPrepared(connection, statement, count, values, lengths, formats, 0))
        give_up("%s", PQerrorMessage(connection));
}

/// Takes the results of `count` statements and the pipeline's end.
static void finish_pipeline(PGconn *connection, int count) {
    if (!PQpipelineSync(connection)) give_up("%s", PQerrorMessage(connection));
    for (int i = 0; i < count; i++) {
        PGresult *result = PQgetResult(connection);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up("%s", PQerrorMessage(connection));
        PQclear(result);
        if (PQgetResult(connection) != NULL) give_up("a statement has more than one result");
    }
    expect(connection, PQgetResult(connection), PGRES_PIPELINE_SYNC);
}

// ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────

static const char *time_text(uint32_t at) {
    static uint32_t last;
    static char text[32];
    if (at != last) {
        time_t seconds = last = at;
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
    }
    return text;
}

/// The position's one text parameter, after which `move` stands on the last row.
static void put_position(struct buffer *to, const struct row *last) {
    to->count = 0;
    put(to, last->number, last->number_count);
}

static size_t rows_at_once;

static void enqueue_upsert(PGconn *connection, const struct row *rows, size_t count, struct buffer arrays[6]) {
    const uint32_t types[] = {TEXT, JSONB, TEXT, TEXT, TEXT};
    for (int i = 0; i < 5; i++) begin_array(&arrays[i], types[i], count);
    for (const struct row *row = rows; row < rows + count; row++) {
        const char *time = time_text(row->seconds);
        put_value(&arrays[0], row->key, row->key_count);
        put_json(&arrays[1], row->item, row->item_count);
        put_value(&arrays[2], row->number, row->number_count);
        put_value(&arrays[3], shard, sizeof shard - 1);
        put_value(&arrays[4], time, strlen(time));
    }
    enqueue(connection, "upsert", 5, arrays);
}

static void write_by_unnest(PGconn *connection, const struct row *rows, size_t count, struct buffer arrays[6]) {
    int statements = 3;
    enqueue(connection, "begin", 0, NULL);
    for (size_t done = 0; done < count; done += rows_at_once, statements++) {
        size_t rest = count - done;
        enqueue_upsert(connection, &rows[done], rest < rows_at_once ? rest : rows_at_once, arrays);
    }
    put_position(&arrays[5], &rows[count - 1]);
    enqueue(connection, "move", 1, &arrays[5]);
    enqueue(connection, "commit", 0, NULL);
    finish_pipeline(connection, statements);
}

static void write_by_copy(PGconn *connection, const struct row *rows, size_t count, struct buffer arrays[6]) {
    execute(connection, "BEGIN");
    expect(connection, PQexec(connection, "COPY staged FROM STDIN (FORMAT binary)"), PGRES_COPY_IN);
    struct buffer *out = &arrays[0];
    out->count = 0;
    put(out, "PGCOPY\n\377\r\n\0", 11);
    put32(out, 0);
    put32(out, 0);
    for (const struct row *row = rows; row < rows + count; row++) {
        const char *time = time_text(row->seconds);
        put16(out, 5);
        put_value(out, row->key, row->key_count);
        put_json(out, row->item, row->item_count);
        put_value(out, row->number, row->number_count);
        put_value(out, shard, sizeof shard - 1);
        put_value(out, time, strlen(time));
        if (out->count > 1 << 18) {
            if (PQputCopyData(connection, out->bytes, (int)out->count) != 1) give_up("%s", PQerrorMessage(connection));
            out->count = 0;
        }
    }
    put16(out, 0xffff);
    if (PQputCopyData(connection, out->bytes, (int)out->count) != 1 || PQputCopyEnd(connection, NULL) != 1)
        give_up("%s", PQerrorMessage(connection));
    expect(connection, PQgetResult(connection), PGRES_COMMAND_OK);
    if (PQgetResult(connection) != NULL) give_up("COPY has more than one result");
    put_position(&arrays[5], &rows[count - 1]);
    if (!PQenterPipelineMode(connection)) give_up("%s", PQerrorMessage(connection));
    enqueue(connection, "upsert", 0, NULL);
    enqueue(connection, "move", 1, &arrays[5]);
    enqueue(connection, "commit", 0, NULL);
    finish_pipeline(connection, 3);
    if (!PQexitPipelineMode(connection)) give_up("%s", PQerrorMessage(connection));
}

int main(int argc, char **argv) {
    const char *rows_path = option(argc, argv, "rows", NULL), *like = option(argc, argv, "like", NULL);
    const char *batches = option(argc, argv, "batches", NULL), *by = option(argc, argv, "by", "unnest");
    bool copies = strcmp(by, "copy") == 0;
    if (argc < 2 || !rows_path || !like || !batches || (!copies && strcmp(by, "unnest") != 0))
        give_up("use: postgres-floor URL --rows ROWS --like SCHEMA --batches N,N,… --by unnest|copy");
    rows_at_once = (size_t)number_option(argc, argv, "rows-at-once", 1 << 20);
    struct rows rows = read_rows(rows_path);
    PGconn *connection = PQconnectdb(argv[1]);
    if (PQstatus(connection) != CONNECTION_OK) give_up("%s", PQerrorMessage(connection));

    char sql[512];
    execute(connection, "SET client_min_messages = warning; SET TimeZone = 'UTC'");
    execute(connection, "DROP SCHEMA IF EXISTS floor CASCADE; CREATE SCHEMA floor");
    for (const char *const *table = (const char *const[]){"bench", "_shake_positions", NULL}; *table; table++) {
        snprintf(sql, sizeof sql, "CREATE TABLE floor.%s (LIKE %s.%s INCLUDING ALL)", *table, like, *table);
        execute(connection, sql);
    }
    if (copies) {
        execute(connection, "CREATE TEMPORARY TABLE staged (h text COLLATE \"C\", i jsonb, n text, s text, t text) ON COMMIT DELETE ROWS");
        prepare(connection, "upsert", UPSERT("staged"));
    } else {
        prepare(connection, "upsert",
            UPSERT("unnest($1::text[], $2::jsonb[], $3::text[], $4::text[], $5::text[]) AS r(h, i, n, s, t)"));
    }
    snprintf(sql, sizeof sql,
        "INSERT INTO floor._shake_positions (table_name, stream, shard, epoch, sequence_number)"
        " VALUES ('bench', '%s', '%s', 0, $1::text::numeric)"
        " ON CONFLICT (stream, shard) DO UPDATE SET sequence_number = excluded.sequence_number", stream, shard);
    prepare(connection, "move", sql);
    prepare(connection, "begin", "BEGIN");
    prepare(connection, "commit", "COMMIT");
    if (!copies && !PQenterPipelineMode(connection)) give_up("%s", PQerrorMessage(connection));

    struct buffer arrays[6] = {0};
    size_t written = 0, transactions = 0;
    double cpu = cpu_seconds(), start = wall_seconds();
    for (size_t batch; written < rows.count && (batch = next_batch(&batches)) > 0; transactions++) {
        if (batch > rows.count - written) batch = rows.count - written;
        (copies ? write_by_copy : write_by_unnest)(connection, &rows.all[written], batch, arrays);
        written += batch;
    }
    double elapsed = wall_seconds() - start;
    printf("{\"rows\":%zu,\"batches\":%zu,\"seconds\":%.6f,\"cpu\":%.6f}\n", written, transactions, elapsed,
        cpu_seconds() - cpu);
    for (int i = 0; i < 6; i++) free(arrays[i].bytes);
    PQfinish(connection);
}
