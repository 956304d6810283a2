#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

void samples_reserve(struct samples *s, size_t capacity) {
    *s = (struct samples){.values_us = zeroed(capacity, sizeof(int32_t)), .capacity = capacity};
}

void samples_add(struct samples *s, int64_t duration_ns) {
    if (s->count == s->capacity) {
        s->dropped++;
        return;
    }
    s->values_us[s->count++] = (int32_t)(duration_ns / 1000);
}

void samples_append(struct samples *to, const struct samples *from) {
    size_t fits = to->capacity - to->count < from->count ? to->capacity - to->count : from->count;
    memcpy(to->values_us + to->count, from->values_us, fits * sizeof(int32_t));
    to->count += fits;
    to->dropped += from->dropped + from->count - fits;
}

static int by_value(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

void samples_sort(struct samples *s) {
    qsort(s->values_us, s->count, sizeof(int32_t), by_value);
}

int32_t samples_quantile(const struct samples *s, double q) {
    if (s->count == 0) return 0;
    double rank = ceil(q * (double)s->count);
    return s->values_us[rank < 1 ? 0 : (size_t)rank - 1];
}
