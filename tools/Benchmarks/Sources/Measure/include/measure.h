// What every benchmark program here needs: two clocks, and a way to give up.
#ifndef SHAKE_MEASURE_H
#define SHAKE_MEASURE_H

#include <stdnoreturn.h>

/// Seconds of a clock that nobody sets.
double wall_seconds(void);

/// User and system seconds of this process, all of its threads.
double cpu_seconds(void);

/// The most memory that this process had in use, in bytes. It counts mapped files too.
long long peak_memory(void);

/// Prints `program: message` on standard error and ends with exit code 1.
noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// The value of option `name` (`--name VALUE`), or `otherwise`.
const char *option(int argc, char **argv, const char *name, const char *otherwise);

/// The same as a number; gives up on anything that is none.
long long number_option(int argc, char **argv, const char *name, long long otherwise);

#endif
