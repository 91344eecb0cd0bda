// The rows that `page-server --rows` wrote: what a target's floor writes, so that both write the same.
#ifndef SHAKE_ROWS_H
#define SHAKE_ROWS_H

#include <stddef.h>
#include <stdint.h>

/// Places in the file's bytes; no text ends in a zero.
struct row {
    uint32_t key_count, item_count, number_count, seconds;
    const char *key, *item, *number;
};

struct rows {
    struct row *all;
    size_t count;
};

/// All rows of the file; gives up where it can't be read. They are there until the program ends.
struct rows read_rows(const char *path);

/// The next number of a list `N,N,…`, and moves `next` behind it; gives up on what is none. 0 at its end.
size_t next_batch(const char **next);

#endif
