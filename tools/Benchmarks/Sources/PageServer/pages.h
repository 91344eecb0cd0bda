// Pages of a stream's closed shard and of a table's items, made once and kept in memory as they go over the wire.
#ifndef SHAKE_PAGES_H
#define SHAKE_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define table_name "bench"
#define stream_label "2026-11-23T12:00:00.000"
#define stream_arn "arn:aws:dynamodb:us-east-1:000000000000:table/" table_name "/stream/" stream_label
#define closed_shard "shardId-00000001795430000000-c105ed00"

struct bytes {
    char *start;
    size_t count, capacity;
};

/// Adds formatted text.
void add(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct page {
    struct bytes body;
    uint32_t crc32;
    int records;
};

struct pages {
    struct page *all;
    size_t count;
    long long records, size;
    /// Of the shard's first and last record.
    char first[41], last[41];
};

/// Makes `count` pages of up to 1 MiB, all chance coming from `seed`. Where `rows` is given, each record's row is
/// written to it: four 32-bit counts in the machine's order (bytes of key, item and sequence number, and the
/// approximate time in seconds), then these three texts.
struct pages make_pages(size_t count, uint64_t seed, FILE *rows);

/// Makes `count` pages of up to 1 MiB of a table's items, as Scan replies. The page of number i says that the scan goes on after
/// the key "page-i".
struct pages make_item_pages(size_t count, uint64_t seed);

/// The page that holds `sequence_number`, or the one after it.
size_t page_of(const struct pages *pages, const char *sequence_number);

/// CRC-32 as in zlib and in DynamoDB's `x-amz-crc32`.
uint32_t crc32_of(const char *bytes, size_t count);

#endif
