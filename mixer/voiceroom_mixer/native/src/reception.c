#include "reception.h"

#include <string.h>

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 200, REMEMBERED = 64 * VR_MISSING_WORDS };

static const int64_t JUMP_NS = 1000000000, WRAP = (int64_t)1 << 32;

/* Timestamp units of 1/48 ms to ns, rounded down for negative ones too. */
static int64_t stamp_ns(int64_t stamp)
{
    int64_t product = stamp * 62500, quotient = product / 3;
    return quotient - (product % 3 < 0);
}

static int64_t timestamp_step(uint32_t to, int64_t from)
{
    return (int32_t)(to - (uint32_t)from);
}

static int is_missing(const vr_leg *leg, int64_t index)
{
    return leg->missing[(uint64_t)index / 64 % VR_MISSING_WORDS] >> ((uint64_t)index % 64) & 1;
}

static void mark(vr_leg *leg, int64_t index, int missing)
{
    uint64_t *word = &leg->missing[(uint64_t)index / 64 % VR_MISSING_WORDS];
    uint64_t bit = (uint64_t)1 << ((uint64_t)index % 64);
    *word = missing ? *word | bit : *word & ~bit;
}

static void begin_timeline(vr_leg *leg, int64_t arrival_ns)
{
    leg->transit_ns = leg->low_ns = leg->high_ns = arrival_ns - stamp_ns(leg->timestamp);
}

static void restart(vr_leg *leg, uint16_t seq, uint32_t timestamp, int64_t arrival_ns)
{
    leg->base = leg->highest = leg->index = seq;
    leg->received = 1;
    leg->jitter_ns = leg->expected_before = leg->received_before = 0;
    leg->bad_seq = -1;
    memset(leg->missing, 0, sizeof leg->missing);
    leg->timestamp = leg->stamp = WRAP + timestamp;
    begin_timeline(leg, arrival_ns);
}

/* The highest packet: timestamp, transit, jitter (RFC 3550 A.8). */
static vr_arrival advance(vr_leg *leg, uint32_t timestamp, int64_t arrival_ns, vr_arrival how)
{
    leg->timestamp += timestamp_step(timestamp, leg->timestamp);
    leg->index = leg->highest;
    leg->stamp = leg->timestamp;
    int64_t transit = arrival_ns - stamp_ns(leg->stamp);
    int64_t change = transit - leg->transit_ns;
    if (change < 0)
        change = -change;
    if (change > JUMP_NS) {
        begin_timeline(leg, arrival_ns);
        return VR_JUMPED;
    }
    leg->transit_ns = transit;
    leg->jitter_ns += (change - leg->jitter_ns) >> 4;
    if (transit < leg->low_ns)
        leg->low_ns = transit;
    if (transit > leg->high_ns)
        leg->high_ns = transit;
    return how;
}

static vr_arrival behind(vr_leg *leg, int64_t index, uint32_t timestamp)
{
    leg->received++;
    leg->index = index;
    leg->stamp = leg->timestamp + timestamp_step(timestamp, leg->timestamp);
    if (!is_missing(leg, index))
        return VR_DUPLICATE;
    mark(leg, index, 0);
    return VR_REORDERED;
}

static vr_arrival gap(vr_leg *leg, int ahead, uint32_t timestamp, int64_t arrival_ns)
{
    int64_t to = leg->highest + ahead;
    int64_t from = ahead > REMEMBERED ? to - REMEMBERED + 1 : leg->highest + 1;
    for (int64_t index = from; index < to; index++)
        mark(leg, index, 1);
    mark(leg, to, 0);
    leg->highest = to;
    leg->received++;
    return advance(leg, timestamp, arrival_ns, VR_GAP);
}

vr_arrival vr_observe(vr_leg *leg, uint16_t seq, uint32_t timestamp, int64_t arrival_ns)
{
    uint16_t ahead = (uint16_t)(seq - (uint16_t)leg->highest), back = (uint16_t)-ahead;
    if (ahead == 1) {
        leg->highest++;
        leg->received++;
        mark(leg, leg->highest, 0);
        return advance(leg, timestamp, arrival_ns, VR_NEXT);
    }
    if (ahead > 1 && ahead <= MAX_DROPOUT)
        return gap(leg, ahead, timestamp, arrival_ns);
    if (back <= MAX_MISORDER)
        return behind(leg, leg->highest - back, timestamp);
    if (seq == leg->bad_seq) {
        restart(leg, seq, timestamp, arrival_ns);
        return VR_RESTARTED;
    }
    leg->bad_seq = (uint16_t)(seq + 1);
    return VR_SUSPECT;
}

VR_EXPORT int vr_rx_observe(vr_leg *leg, uint32_t seq, uint32_t timestamp, int64_t arrival_ns)
{
    return vr_observe(leg, (uint16_t)seq, timestamp, arrival_ns);
}
