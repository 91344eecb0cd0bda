#include "pages.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

/// What GetRecords returns at most: 1 MB or 1000 records.
enum { page_bytes = 1 << 20, page_records = 1000, digits = 25 };

void add(struct bytes *bytes, const char *format, ...) {
    for (;;) {
        size_t room = bytes->capacity - bytes->count;
        va_list arguments;
        va_start(arguments, format);
        int count = vsnprintf(bytes->start ? bytes->start + bytes->count : NULL, room, format, arguments);
        va_end(arguments);
        if (count < 0) give_up("can't format");
        if ((size_t)count < room) {
            bytes->count += (size_t)count;
            return;
        }
        bytes->capacity = 2 * bytes->capacity + (size_t)count + 1;
        bytes->start = realloc(bytes->start, bytes->capacity);
        if (!bytes->start) give_up("out of memory");
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
static uint64_t random_word(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void sequence_number_of(long long record, char *text) {
    snprintf(text, digits + 1, "4421584500000%012lld", (record + 1) * 17);
}

static void add_item(struct bytes *out, const char *key, long long record, uint64_t *chance) {
    uint64_t word = random_word(chance);
    add(out, "{\"pk\":{\"S\":\"%s\"},", key);
    add(out, "\"name\":{\"S\":\"Zo\xc3\xab \\\"%08x\\\" M\xc3\xbcller \\\\ \\u00e9t\\u00e9\"},", (unsigned)word);
    add(out, "\"visits\":{\"N\":\"%u\"},\"balance\":{\"N\":\"-%u.%09u0000000000000000000000001\"},",
        (unsigned)(word >> 40), (unsigned)(word & 0xfff), (unsigned)(word >> 32) % 1000000000);
    add(out, "\"active\":{\"BOOL\":%s},\"deleted\":{\"NULL\":true},", word & 1 ? "true" : "false");
    add(out, "\"tags\":{\"SS\":[\"alpha\",\"beta %02x\",\"\xe6\x97\xa5\xe6\x9c\xac\"]},\"sizes\":{\"NS\":[\"1\",\"2.5\",\"%u\"]},",
        (unsigned)(word >> 8) & 0xff, (unsigned)(word >> 16) & 0xffff);
    add(out, "\"address\":{\"M\":{\"city\":{\"S\":\"K\xc3\xb6ln\"},\"zip\":{\"S\":\"%05u\"},"
             "\"lines\":{\"L\":[{\"S\":\"Hohe Stra\xc3\x9f" "e %u\"},{\"N\":\"%u\"},{\"NULL\":true}]}}},",
        (unsigned)(word >> 20) % 100000, (unsigned)(word >> 5) & 0xff, (unsigned)(word >> 13) & 0xff);
    add(out, "\"digest\":{\"B\":\"%016llx%016llx%016llx\"},", (unsigned long long)random_word(chance),
        (unsigned long long)random_word(chance), (unsigned long long)random_word(chance));
    add(out, "\"note\":{\"S\":\"Record %lld:\\tseen at the gate, counted twice,\\nand let through; nobody asked why."
             " The rest of this line is there to make a kilobyte of it.%.*s\"}}",
        record, (int)(word >> 58), "................................................................");
}

static void add_record(struct bytes *out, long long record, const char *key, const struct bytes *item,
    uint64_t *chance) {
    char sequence_number[digits + 1];
    sequence_number_of(record, sequence_number);
    add(out, "{\"awsRegion\":\"us-east-1\",\"dynamodb\":{\"ApproximateCreationDateTime\":1.%09uE9,"
             "\"Keys\":{\"pk\":{\"S\":\"%s\"}},\"NewImage\":",
        (unsigned)(795430000 + record / 5000), key);
    add(out, "%.*s", (int)item->count, item->start);
    add(out, ",\"SequenceNumber\":\"%s\",\"SizeBytes\":%zu,\"StreamViewType\":\"NEW_IMAGE\"},\"eventID\":\"%016llx%016llx\","
             "\"eventName\":\"INSERT\",\"eventSource\":\"aws:dynamodb\",\"eventVersion\":\"1.1\"}",
        sequence_number, item->count, (unsigned long long)random_word(chance), (unsigned long long)random_word(chance));
}

static void write_row(FILE *rows, long long record, const char *key, const struct bytes *item) {
    char sequence_number[digits + 1];
    sequence_number_of(record, sequence_number);
    uint32_t counts[4] = {
        (uint32_t)strlen(key), (uint32_t)item->count, digits, (uint32_t)(1795430000 + record / 5000)};
    fwrite(counts, sizeof counts, 1, rows);
    fwrite(key, counts[0], 1, rows);
    fwrite(item->start, counts[1], 1, rows);
    fwrite(sequence_number, counts[2], 1, rows);
}

struct pages make_pages(size_t count, uint64_t seed, FILE *rows) {
    struct pages pages = {calloc(count + 1, sizeof(struct page)), count, 0, 0, "", ""};
    if (!pages.all) give_up("out of memory");
    struct bytes item = {0}, record = {0};
    uint64_t chance = seed;
    sequence_number_of(0, pages.first);
    for (size_t i = 0; i < count; i++) {
        struct page *page = &pages.all[i];
        page->body.capacity = page_bytes + 4096;
        page->body.start = malloc(page->body.capacity);
        if (!page->body.start) give_up("out of memory after %zu pages", i);
        add(&page->body, "{");
        if (i + 1 < count) add(&page->body, "\"NextShardIterator\":\"" stream_arn "|1|page-%zu\",", i + 1);
        add(&page->body, "\"Records\":[");
        while (page->records < page_records) {
            char key[33];
            snprintf(key, sizeof key, "%016llx%016llx", (unsigned long long)random_word(&chance),
                (unsigned long long)random_word(&chance));
            item.count = record.count = 0;
            add_item(&item, key, pages.records, &chance);
            add_record(&record, pages.records, key, &item, &chance);
            if (page->body.count + record.count + 3 > page_bytes) break;
            if (page->records) add(&page->body, ",");
            add(&page->body, "%.*s", (int)record.count, record.start);
            if (rows) write_row(rows, pages.records, key, &item);
            page->records++;
            pages.records++;
        }
        add(&page->body, "]}");
        page->crc32 = crc32_of(page->body.start, page->body.count);
        pages.size += (long long)page->body.count;
    }
    if (pages.records) sequence_number_of(pages.records - 1, pages.last);
    free(item.start);
    free(record.start);
    return pages;
}

struct pages make_item_pages(size_t count, uint64_t seed) {
    struct pages pages = {calloc(count + 1, sizeof(struct page)), count, 0, 0, "", ""};
    if (!pages.all) give_up("out of memory");
    struct bytes item = {0};
    uint64_t chance = seed;
    for (size_t i = 0; i < count; i++) {
        struct page *page = &pages.all[i];
        add(&page->body, "{\"LastEvaluatedKey\":{\"pk\":{\"S\":\"page-%zu\"}},\"ConsumedCapacity\":{\"TableName\":\"" table_name
            "\",\"CapacityUnits\":128},\"Items\":[", i);
        for (;;) {
            char key[33];
            snprintf(key, sizeof key, "%016llx%016llx", (unsigned long long)random_word(&chance),
                (unsigned long long)random_word(&chance));
            item.count = 0;
            add_item(&item, key, pages.records, &chance);
            if (page->body.count + item.count + 40 > page_bytes) break;
            add(&page->body, "%s%.*s", page->records ? "," : "", (int)item.count, item.start);
            page->records++;
            pages.records++;
        }
        add(&page->body, "],\"Count\":%d,\"ScannedCount\":%d}", page->records, page->records);
        page->crc32 = crc32_of(page->body.start, page->body.count);
        pages.size += (long long)page->body.count;
    }
    free(item.start);
    return pages;
}

size_t page_of(const struct pages *pages, const char *sequence_number) {
    // Every number here has the same count of digits, so that text order is their order.
    long long record = 0;
    for (size_t i = 0; i < pages->count; i++) {
        record += pages->all[i].records;
        char last[digits + 1];
        sequence_number_of(record - 1, last);
        if (strcmp(sequence_number, last) <= 0) return i;
    }
    return pages->count;
}

uint32_t crc32_of(const char *bytes, size_t count) {
    static uint32_t table[8][256];
    if (!table[0][1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
            table[0][i] = value;
        }
        for (int step = 1; step < 8; step++)
            for (int i = 0; i < 256; i++)
                table[step][i] = table[step - 1][i] >> 8 ^ table[0][table[step - 1][i] & 0xff];
    }
    uint32_t crc = 0xffffffff;
    const unsigned char *next = (const unsigned char *)bytes;
    for (; count >= 8; count -= 8, next += 8) {  // eight bytes a step (Kounavis and Berry 2008)
        crc ^= next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24;
        crc = table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^ table[5][crc >> 16 & 0xff] ^ table[4][crc >> 24]
            ^ table[3][next[4]] ^ table[2][next[5]] ^ table[1][next[6]] ^ table[0][next[7]];
    }
    while (count--) crc = table[0][(crc ^ *next++) & 0xff] ^ crc >> 8;
    return crc ^ 0xffffffff;
}
