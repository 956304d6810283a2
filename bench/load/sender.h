/* One thread that sends every leg's packets, each at its absolute time. */
#ifndef BENCH_SENDER_H
#define BENCH_SENDER_H

#include <stdatomic.h>

#include "plan.h"

enum phase { WARMING, MEASURING, ENDING };

struct sender {
    struct plan *plan;
    _Atomic int *phase;
    struct samples late; /* against each packet's due time */
    uint64_t sent, errors;
    int realtime; /* SCHED_FIFO was granted: what is sent late would look like the server's jitter */
};

void *sender_main(void *sender);

#endif
