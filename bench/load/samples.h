/* A bounded list of durations in microseconds; what no longer fits is counted, not kept. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    int32_t *values_us;
    size_t count, capacity, dropped;
};

void samples_reserve(struct samples *s, size_t capacity);
void samples_add(struct samples *s, int64_t duration_ns);
void samples_append(struct samples *to, const struct samples *from);
void samples_sort(struct samples *s);

/* Of sorted samples, nearest rank; 0 when there are none. */
int32_t samples_quantile(const struct samples *s, double q);

#endif
