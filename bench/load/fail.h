/* The programs of the bench end at the first thing that is not as it should be. */
#ifndef BENCH_FAIL_H
#define BENCH_FAIL_H

#include <stddef.h>

/* Prints "PROGRAM: message[: strerror]" and exits with code 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* malloc of zeroes that never returns NULL. */
void *zeroed(size_t count, size_t size);

#endif
