/* One thread that takes in everything that comes back. */
#ifndef BENCH_RECEIVER_H
#define BENCH_RECEIVER_H

#include <stdatomic.h>

#include "plan.h"

struct receiver {
    struct plan *plan;
    _Atomic int *phase;
    uint64_t rtp, rtcp, stun, other, bytes; /* while measuring, as all below */
    uint64_t lost, reordered, auth_failures, errors;
};

void *receiver_main(void *receiver);

#endif
