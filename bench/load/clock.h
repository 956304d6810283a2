/* Clocks in integer nanoseconds; waiting is absolute, so that lateness never adds up. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000LL
#define NS_PER_MS 1000000LL
#define SAMPLES_PER_S 48000

static inline int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static inline int64_t mono_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

/* Kernel arrival times (SO_TIMESTAMPNS) are on this clock. */
static inline int64_t wall_ns(void) { return clock_ns(CLOCK_REALTIME); }

static inline void sleep_until(int64_t due_ns) {
    struct timespec t = {.tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}

#endif
