// The floor under the MongoDB target: the same rows in the same batches, upserted by libmongoc in C.
//
//     mongo-floor URL --rows ROWS --batches N,N,…
//
// ROWS is what `page-server --rows` wrote. The documents, DynamoDB's JSON as it stands, are made before the clock starts: what is
// measured is libmongoc's bulk write and its way through the socket. Each N is the rows of one transaction, in which the position is
// moved. Prints {"rows":…,"batches":…,"seconds":…,"cpu":…}.

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "rows.h"

static void check(bool done, const bson_error_t *error) {
    if (!done) give_up("%s", error->message);
}

static mongoc_bulk_operation_t *bulk(mongoc_collection_t *collection, mongoc_client_session_t *session) {
    bson_error_t error;
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false));
    check(mongoc_client_session_append(session, options, &error), &error);
    mongoc_bulk_operation_t *made = mongoc_collection_create_bulk_operation_with_opts(collection, options);
    bson_destroy(options);
    return made;
}

static void put(mongoc_bulk_operation_t *bulk, const bson_t *filter, const bson_t *document, const bson_t *upsert) {
    bson_error_t error;
    check(mongoc_bulk_operation_replace_one_with_opts(bulk, filter, document, upsert, &error), &error);
}

static void execute(mongoc_bulk_operation_t *bulk) {
    bson_error_t error;
    bson_t reply;
    check(mongoc_bulk_operation_execute(bulk, &reply, &error) != 0, &error);
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
}

int main(int argc, char **argv) {
    const char *rows_path = option(argc, argv, "rows", NULL), *batches = option(argc, argv, "batches", NULL);
    if (argc < 2 || !rows_path || !batches) give_up("use: mongo-floor URL --rows ROWS --batches N,N,…");
    struct rows rows = read_rows(rows_path);
    mongoc_init();
    bson_error_t error;
    bson_t *filters = calloc(rows.count, sizeof *filters), **documents = calloc(rows.count, sizeof *documents);
    if (!filters || !documents) give_up("out of memory");
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &rows.all[i];
        bson_init(&filters[i]);
        bson_append_utf8(&filters[i], "_id", 3, row->key, (int)row->key_count);
        bson_t *item = bson_new_from_json((const uint8_t *)row->item, row->item_count, &error);
        check(item != NULL, &error);
        documents[i] = bson_copy(&filters[i]);
        bson_concat(documents[i], item);
        bson_destroy(item);
    }

    mongoc_client_t *client = mongoc_client_new(argv[1]);
    if (!client) give_up("%s is no URL of MongoDB's", argv[1]);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "bench", "floor");
    mongoc_collection_t *positions = mongoc_client_get_collection(client, "bench", "positions");
    mongoc_client_session_t *session = mongoc_client_start_session(client, NULL, &error);
    check(session != NULL, &error);
    bson_t *upsert = BCON_NEW("upsert", BCON_BOOL(true), "validate", BCON_BOOL(false));
    size_t written = 0, transactions = 0;
    double cpu = cpu_seconds(), start = wall_seconds();
    for (size_t batch; written < rows.count && (batch = next_batch(&batches)) > 0; transactions++) {
        check(mongoc_client_session_start_transaction(session, NULL, &error), &error);
        mongoc_bulk_operation_t *writes = bulk(collection, session);
        for (; batch > 0 && written < rows.count; batch--, written++)
            put(writes, &filters[written], documents[written], upsert);
        execute(writes);
        mongoc_bulk_operation_t *move = bulk(positions, session);
        bson_t *filter = BCON_NEW("_id", "shard"), *position = BCON_NEW("_id", "shard", "number", BCON_INT64((int64_t)written));
        put(move, filter, position, upsert);
        execute(move);
        bson_destroy(filter);
        bson_destroy(position);
        bson_t reply;
        check(mongoc_client_session_commit_transaction(session, &reply, &error), &error);
        bson_destroy(&reply);
    }
    double elapsed = wall_seconds() - start;
    printf("{\"rows\":%zu,\"batches\":%zu,\"seconds\":%.6f,\"cpu\":%.6f}\n", written, transactions, elapsed,
        cpu_seconds() - cpu);
    mongoc_client_session_destroy(session);
    mongoc_collection_destroy(positions);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
}
