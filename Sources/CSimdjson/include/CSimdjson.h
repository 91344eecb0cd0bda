// The little of simdjson (C++) that Shake needs, with a C face: it finds where things lie in a reply, and copies
// nothing of an item.
//
// A reply is checked to be JSON throughout, in valid UTF-8; only what stands behind a backslash isn't looked at where
// the string isn't read.
#ifndef SHAKE_CSIMDJSON_H
#define SHAKE_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How many readable bytes must follow an object whose key is read, whatever they hold, so that it needn't be copied
// (SIMDJSON_PADDING).
#define CSJ_PADDING 64

// A parser and its scratch memory. One thread at a time.
typedef struct csj_parser csj_parser;

// NULL when there is no memory.
csj_parser *csj_parser_new(void);
void csj_parser_free(csj_parser *parser);

// How many bytes of body the parser's scratch memory is made for at present.
size_t csj_parser_capacity(const csj_parser *parser);

typedef enum csj_problem {
    CSJ_OK = 0,
    CSJ_MALFORMED,             // not JSON, cut off, not UTF-8, or a member of the wrong kind: `detail` says more
    CSJ_NO_MEMORY,
    CSJ_TOO_LARGE,             // 4 GiB and more
    CSJ_MISSING_RECORDS,       // a reply without Records that doesn't name a next iterator either
    CSJ_MISSING_ITEMS,
    CSJ_MISSING_RESPONSES,
    CSJ_MISSING_SEQUENCE_NUMBER,
    CSJ_MISSING_KEYS,
    CSJ_MISSING_EVENT_NAME,
    CSJ_UNKNOWN_EVENT_NAME,
    CSJ_MISSING_HASH_KEY,
    CSJ_MISSING_RANGE_KEY,
    CSJ_HASH_KEY_TYPE,         // there, but not of the schema's type
    CSJ_RANGE_KEY_TYPE,
    CSJ_BAD_VALUE,             // no attribute value: `detail` says what is wrong with it
} csj_problem;

typedef struct csj_status {
    csj_problem problem;
    uint32_t element;          // which record or item, from 0
    const char *detail;        // simdjson's own words, static; NULL if there are none
} csj_status;

// Bytes of the body. An offset of CSJ_ABSENT: there is no such member, or it is null or an empty object.
typedef struct csj_range {
    uint32_t offset;
    uint32_t count;
} csj_range;
#define CSJ_ABSENT UINT32_MAX

typedef enum csj_event { CSJ_INSERT = 0, CSJ_MODIFY = 1, CSJ_REMOVE = 2 } csj_event;

typedef struct csj_record {
    csj_range sequence_number; // the characters between the quotes
    csj_range keys;
    csj_range new_image;
    csj_range old_image;
    double approximate_time;   // seconds since 1970; NAN if absent
    uint8_t event;             // csj_event
} csj_record;

// `records` and `next` live until the parser is used again.
typedef struct csj_records {
    const csj_record *records;
    size_t count;
    const char *next;          // NextShardIterator, unescaped; NULL where it is absent or null
    size_t next_count;
} csj_records;

// GetRecords. Of members given twice the later holds; of Records, both.
csj_status csj_parse_records(csj_parser *parser, const uint8_t *body, size_t count, csj_records *out);

typedef struct csj_items {
    const csj_range *items;
    size_t count;
    csj_range last_evaluated_key;
    double capacity_units;     // ConsumedCapacity.CapacityUnits; NAN where it is not said
} csj_items;

// BatchGetItem, of one table.
typedef struct csj_found {
    const csj_range *items;
    size_t count;
    const csj_range *unprocessed;  // keys, to be asked for again
    size_t unprocessed_count;
    double capacity_units;         // of all tables; NAN where it is not said
} csj_found;

csj_status csj_parse_found(csj_parser *parser, const uint8_t *body, size_t count, csj_found *out);

// Scan.
csj_status csj_parse_items(csj_parser *parser, const uint8_t *body, size_t count, csj_items *out);

typedef struct csj_key_attribute {
    const uint8_t *name;       // compared with the unescaped member name, byte by byte
    size_t name_count;
    char type;                 // 'S', 'N' or 'B'
} csj_key_attribute;

// `text`, unescaped, lives until the parser is used again; `raw` is the attribute value, counted from the object's
// first byte.
typedef struct csj_key_value {
    const uint8_t *text;
    size_t text_count;
    csj_range raw;
} csj_key_value;

// Reads one key attribute, or two, of an object of attribute values. `range` may be NULL; `out_range` is then left
// alone. `available`: how many bytes of memory may be read from `object` on.
csj_status csj_read_key(
    csj_parser *parser, const uint8_t *object, size_t count, size_t available, const csj_key_attribute *hash,
    const csj_key_attribute *range, csj_key_value *out_hash, csj_key_value *out_range);

// DynamoDB's types, in the order of `ItemToken.Kind`.
typedef enum csj_kind {
    CSJ_S = 0, CSJ_N, CSJ_B, CSJ_BOOL, CSJ_NULL, CSJ_SS, CSJ_NS, CSJ_BS, CSJ_L, CSJ_M
} csj_kind;

// One attribute value, or one element of a set. Its children follow it, each with all of its own before the next.
typedef struct csj_token {
    csj_range name;            // within the texts; of a map's members only
    csj_range text;            // within the texts: S and N as they are meant, B decoded
    uint32_t children;         // elements of a set or list, members of a map
    uint32_t size;             // tokens, with itself and all below it
    uint8_t kind;              // csj_kind
    uint8_t is_true;           // BOOL
} csj_token;

// Everything lives until the parser is used again. The first token is the item itself, an M.
typedef struct csj_item {
    const csj_token *tokens;
    size_t count;
    const uint8_t *texts;
    size_t text_count;
    const char *path;          // after a failure: where it was, such as `a.b[3]`; in UTF-8, unless it was cut off
    size_t path_count;
} csj_item;

// Reads an object of attribute values in one walk. Each value has exactly one type; of attributes given twice the later holds.
csj_status csj_read_item(csj_parser *parser, const uint8_t *object, size_t count, csj_item *out);

// CRC-32 of a body as zlib's `crc32` has it. It isn't simdjson's, but the same kind of work: one pass over a body, by
// the widest instructions that there are.
uint32_t csj_crc32(const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
