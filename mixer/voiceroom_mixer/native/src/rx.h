/* One batch of datagrams: received, sorted by RFC 7983, and what carries no sound counted. */
#ifndef VR_RX_H
#define VR_RX_H

#include <sys/socket.h>

#include "index.h"
#include "reception.h"

enum { VR_TAKEN_WORDS = 11 };

/* Why sorting stopped at a row: what Python does with it may change what the next ones mean. */
typedef enum { VR_DONE, VR_AGAIN, VR_OTHER, VR_UNKNOWN, VR_PACKET } vr_stop;

typedef enum {
    VR_DROP_TOO_LARGE,
    VR_DROP_EMPTY,
    VR_DROP_RELAY,
    VR_DROP_UNKNOWN_SOURCE,
    VR_DROP_MALFORMED,
    VR_DROP_PAYLOAD_TYPE,
    VR_DROP_NOT_ALLOWED,
    VR_DROP_REPLAY,
    VR_DROP_AUTH,
    VR_DROPS
} vr_drop;

typedef int (*vr_srtp_call)(void *context, void *packet, int *length);

typedef struct {
    vr_index *index;
    vr_leg *legs;
    struct mmsghdr *headers;
    uint8_t *data, *names, *control;
    int32_t *lengths;
    int64_t *arrivals;
    int64_t (*taken)[VR_TAKEN_WORDS]; /* slot, start, bytes, how, number, stamp, low_ns, arrival_ns,
                                         quiet, level, voice */
    int64_t *touched;                 /* slots heard from since the last publication */
    uint32_t *ssrc_column;
    uint64_t *index_column;
    int64_t *last_rx_column;
    vr_srtp_call unprotect;
    int64_t fd, batch, row_bytes, name_bytes, control_bytes, touched_size;
    /* Of this drain, by the caller. */
    int64_t now_ns, offset_ns, since_ns, raw_ns, latching;
    /* What was found. */
    int64_t count, next, found, stop, stop_row, stop_slot, touched_count;
    int64_t octets, overflowed, overflow_total, call;
    int64_t drops[VR_DROPS];
} vr_rx;

int vr_rx_receive(vr_rx *rx);
int vr_rx_sort(vr_rx *rx);

#endif
