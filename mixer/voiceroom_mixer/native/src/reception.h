/* What is kept of one leg's inbound stream, packet by packet. The Python twins are
   core/rtp/reception.py and core/receive/stream.py; native/rx.py declares the same fields. */
#ifndef VR_RECEPTION_H
#define VR_RECEPTION_H

#include "vr.h"

enum { VR_PRIOR_BYTES = 384, VR_MISSING_WORDS = 4, VR_LONG_PRIOR = 0xFFFF };

typedef struct {
    /* RFC 3550 A.1, A.3, A.8 of the SSRC that is believed. */
    int64_t base, highest, index, received;
    int64_t jitter_ns, timestamp, stamp, transit_ns, low_ns, high_ns;
    int64_t expected_before, received_before, bad_seq;
    uint64_t missing[VR_MISSING_WORDS]; /* a bit for each of the last 256 indexes */
    int64_t ssrc; /* that is believed; -1 before the first packet */
    int64_t octets, window_end_ns, prior_stamp;
    /* The leg's SRTP stream. */
    int64_t rx_ssrc, rx_index, resume_index, wrap_tries, last_rx_ns;
    uint64_t context; /* srtp_t; 0 without keys */
    int64_t handed_up; /* number of the call that handed up a packet of this leg last */
    uint8_t heard, awake, secure, sends, payload_type, level_ext, touched, spare;
    uint16_t prior_bytes;
    uint8_t prior[VR_PRIOR_BYTES]; /* the latest packet without sound: it warms a decoder up */
    uint8_t reserve[6];
} vr_leg;

typedef enum {
    VR_NEXT,
    VR_GAP,
    VR_JUMPED,
    VR_REORDERED,
    VR_DUPLICATE,
    VR_SUSPECT,
    VR_RESTARTED
} vr_arrival;

vr_arrival vr_observe(vr_leg *leg, uint16_t seq, uint32_t timestamp, int64_t arrival_ns);

#endif
