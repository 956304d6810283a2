/* Tone bursts over a quiet bed: their onsets tell how long sound takes from leg to leg. */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#include <stdatomic.h>
#include <stdint.h>

#include <opus/opus.h>

#include "media.h"
#include "samples.h"

#define MARK_RING 64 /* bursts that may be under way; they come about once a second */

/* Written by the sending thread, read by the receiving one. */
struct mark_log {
    _Atomic uint32_t count;
    _Atomic int64_t sent_wall_ns[MARK_RING];
};

struct onset_detector {
    OpusDecoder *decoder;
    int32_t quiet_for; /* samples since it was last loud */
};

struct listener {
    struct onset_detector detector;
    struct mark_log *heard; /* of the leg that is listened to */
    struct samples delay;
    uint64_t unmatched;
};

/* Fill in packets[].mark by decoding the media as a receiver without a mixer would. */
void marks_find(struct media *m);

void mark_sent(struct mark_log *log, int64_t wall_ns);
void listener_init(struct listener *l, struct mark_log *heard);

/* One packet that arrived; a burst's onset in it gives one delay when `keep`. */
void listener_hear(struct listener *l, const uint8_t *payload, int length, int64_t wall_ns,
                   int keep);

#endif
