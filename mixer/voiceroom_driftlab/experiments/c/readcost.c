/* What one reading of a clock costs, seen from C: the times between readings that follow each other,
 * and nothing else in the loop. A reading that an interrupt falls into counts as it is. */
#define _GNU_SOURCE
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define EXPORT __attribute__((visibility("default")))
#define BINS 4096

struct result {
    double mean, std, min, max; /* in the clock's own unit */
    uint64_t bins[BINS];        /* of one unit each; the last holds what is above */
};

static inline uint64_t nanoseconds(const struct timespec *t) {
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static inline uint64_t vdso(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return nanoseconds(&t);
}

static inline uint64_t entered(clockid_t id) {
    struct timespec t;
    syscall(SYS_clock_gettime, id, &t);
    return nanoseconds(&t);
}

#if defined(__x86_64__)
static inline uint64_t counter(void) { return __rdtsc(); }
static inline uint64_t counter_ordered(void) {
    unsigned aux;
    uint64_t t = __rdtscp(&aux);
    _mm_lfence();
    return t;
}
EXPORT uint64_t vr_lab_counter_hz(void) { return 0; } /* not told: calibrated against RAW */
EXPORT int vr_lab_counters(void) { return 1; }
#elif defined(__aarch64__)
static inline uint64_t counter(void) {
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
}
static inline uint64_t counter_ordered(void) {
    uint64_t t;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t)::"memory");
    return t;
}
EXPORT uint64_t vr_lab_counter_hz(void) {
    uint64_t hz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}
EXPORT int vr_lab_counters(void) { return 1; }
#else
static inline uint64_t counter(void) { return 0; }
static inline uint64_t counter_ordered(void) { return 0; }
EXPORT uint64_t vr_lab_counter_hz(void) { return 0; }
EXPORT int vr_lab_counters(void) { return 0; }
#endif

#define MEASURE(read)                                                  \
    do {                                                               \
        uint64_t before = (read);                                      \
        for (uint64_t i = 0; i < reads; i++) {                         \
            uint64_t now = (read), delta = now - before;               \
            before = now;                                              \
            double d = (double)delta - shift;                          \
            sum += d;                                                  \
            squares += d * d;                                          \
            least = delta < least ? delta : least;                     \
            most = delta > most ? delta : most;                        \
            out->bins[delta < BINS - 1 ? delta : BINS - 1]++;          \
        }                                                              \
    } while (0)

/* which: 0 counter, 1 counter in order, 2 + 2 id: a clock by the vDSO, 3 + 2 id: by the kernel. */
EXPORT int vr_lab_read_cost(int which, uint64_t reads, struct result *out) {
    double sum = 0, squares = 0;
    const double shift = 50; /* near the mean, so that the squares keep their digits */
    uint64_t least = UINT64_MAX, most = 0;
    const clockid_t id = which >= 2 ? (which - 2) / 2 : 0;
    if (!reads || which < 0) return -1;
    if (which == 0) MEASURE(counter());
    else if (which == 1) MEASURE(counter_ordered());
    else if (which % 2 == 0) MEASURE(vdso(id));
    else MEASURE(entered(id));
    const double n = (double)reads, mean = sum / n;
    out->mean = mean + shift;
    out->std = sqrt(fmax(0, squares / n - mean * mean));
    out->min = (double)least;
    out->max = (double)most;
    return 0;
}

/* One reading of the counter and of RAW, as near to each other as 64 tries can get them. */
EXPORT void vr_lab_counter_pair(uint64_t *ticks, uint64_t *raw_ns) {
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 64; i++) {
        const uint64_t before = counter_ordered(), raw = vdso(CLOCK_MONOTONIC_RAW);
        const uint64_t after = counter_ordered();
        if (after - before < best) {
            best = after - before;
            *ticks = before + best / 2;
            *raw_ns = raw;
        }
    }
}

EXPORT int64_t vr_lab_monotonic_ns(void) { return (int64_t)vdso(CLOCK_MONOTONIC); }

/* Answers each new number in seq with a reading, until that number is negative. */
EXPORT void vr_lab_answer(_Atomic int64_t *seq, _Atomic int64_t *done, int64_t *stamp) {
    for (int64_t last = 0;;) {
        const int64_t wanted = atomic_load_explicit(seq, memory_order_acquire);
        if (wanted < 0) return;
        if (wanted == last) {
            sched_yield();
            continue;
        }
        *stamp = (int64_t)vdso(CLOCK_MONOTONIC);
        last = wanted;
        atomic_store_explicit(done, last, memory_order_release);
    }
}
