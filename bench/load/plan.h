/* What the generator is to do: one line a medium, one line a leg.
 *   frame 20
 *   media NAME PATH [marks]
 *   leg fd=7 pt=111 ssrc=1 media=NAME start=0 phase_us=1000 ext=1
 *       [profile=7 tx=HEX rx=HEX stun=HEX] [watches=LEG]
 * A leg without media only listens. Sockets are inherited, bound and connected. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stdint.h>

#include "marks.h"
#include "media.h"
#include "samples.h"
#include "secure.h"

#define MAX_STUN 512

struct leg {
    int fd, ext, profile, watches, stun_length;
    uint8_t payload_type, stun[MAX_STUN];
    uint32_t ssrc, start;
    int64_t phase_ns;
    const struct media *media;
    srtp_t tx, rx; /* NULL: plain RTP */

    uint64_t sent; /* sending thread */
    struct mark_log marks;

    int heard; /* receiving thread */
    uint16_t last_seq;
    uint32_t last_timestamp;
    int64_t last_arrival_ns;
    uint64_t received;
    struct samples gaps;
    struct listener *listener;
};

struct plan {
    int frame_ms, legs_count, media_count;
    struct media *media;
    struct leg *legs; /* by phase */
};

void plan_load(struct plan *plan, const char *path);

#endif
