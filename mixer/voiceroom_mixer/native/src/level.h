/* RFC 6464 client-to-mixer level of an RTP header extension block (RFC 8285). */
#ifndef VR_LEVEL_H
#define VR_LEVEL_H

#include "vr.h"

typedef struct {
    int level; /* -dBov 0..127; -1: none */
    int voice;
} vr_level;

vr_level vr_find_level(const uint8_t *data, int start, int end, int ext_id);

#endif
