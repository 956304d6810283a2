/* One payload for many listeners: headers, SRTP and one batch of datagrams. */
#ifndef VR_TX_H
#define VR_TX_H

#include <sys/socket.h>

#include "vr.h"

enum { VR_MARKER = 1, VR_SILENCE = 2, VR_KEEPALIVE = 4 };

typedef int (*vr_protect_call)(void *context, void *packet, int *length);

typedef struct {
    struct mmsghdr *headers; /* rows that point at their name, data and control */
    vr_protect_call protect;
    /* Columns by leg slot; those of the segment outlive this process. */
    uint64_t *index, *bound, *packets, *octets;
    uint32_t *sent_timestamp;
    int64_t *last_slot;
    const uint8_t *ready, *secure, *payload_type, *level_ext;
    const uint32_t *ssrc, *epoch, *rx_ssrc;
    const uint64_t *context;
    const uint8_t *paths;
    int64_t slots, fd, batch, row_bytes, name_bytes, path_bytes, source_at, source_bytes;
    int64_t reserve, keepalive_slots, samples_per_slot;
    /* Counted; the caller takes them and begins again. */
    int64_t used, sent, bytes, errors, full, silent, voided;
} vr_tx;

#endif
