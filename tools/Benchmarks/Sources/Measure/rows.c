#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

struct rows read_rows(const char *path) {
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

size_t next_batch(const char **next) {
    if (!**next) return 0;
    char *end;
    unsigned long long batch = strtoull(*next, &end, 10);
    if (end == *next || batch == 0) give_up("--batches wants numbers with commas between, not \"%s\"", *next);
    *next = *end == ',' ? end + 1 : end;
    return batch;
}
