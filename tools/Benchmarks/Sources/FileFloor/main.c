// The floor under the JSONL target: as many bytes appended to a file in as many steps, each made durable.
//
//     file-floor FILE --steps BYTES,BYTES,…
//
// Prints {"bytes":…,"steps":…,"seconds":…,"cpu":…}.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

enum { chunk = 1 << 20 };

static void append(int file, const char *bytes, unsigned long long count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count < chunk ? count : chunk);
        if (written < 0 && errno != EINTR) give_up("write: %s", strerror(errno));
        if (written > 0) count -= (unsigned long long)written;
    }
}

int main(int argc, char **argv) {
    const char *steps = option(argc, argv, "steps", NULL);
    if (argc < 2 || !steps) give_up("use: file-floor FILE --steps BYTES,BYTES,…");
    int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    char *bytes = malloc(chunk);
    if (file < 0 || !bytes) give_up("%s: %s", argv[1], strerror(errno));
    memset(bytes, 'x', chunk);

    unsigned long long total = 0, count = 0;
    double cpu = cpu_seconds(), start = wall_seconds();
    for (const char *next = steps; *next; count++) {
        char *end;
        unsigned long long step = strtoull(next, &end, 10);
        if (end == next) give_up("--steps wants numbers with commas between, not \"%s\"", next);
        next = *end == ',' ? end + 1 : end;
        append(file, bytes, step);
        if (fdatasync(file) != 0) give_up("fdatasync: %s", strerror(errno));
        total += step;
    }
    printf("{\"bytes\":%llu,\"steps\":%llu,\"seconds\":%.6f,\"cpu\":%.6f}\n", total, count, wall_seconds() - start,
        cpu_seconds() - cpu);
    free(bytes);
    close(file);
}
