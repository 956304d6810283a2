/* Opus packets that are sent over and over; written by encode.c.
 * File, little-endian: "VRPK", u32 samples a frame, u32 count; then for each packet u16 length,
 * u8 level (-dBov, RFC 6464), u8 voice, the payload. */
#ifndef BENCH_MEDIA_H
#define BENCH_MEDIA_H

#include <stdint.h>

#define MEDIA_MAGIC "VRPK"
#define MAX_PAYLOAD 1275

struct packet {
    uint16_t length;
    uint8_t level, voice;
    int32_t mark; /* samples from the frame's start to a burst's onset when decoded, -1 = none */
    uint8_t *payload;
};

struct media {
    char name[32];
    uint32_t frame_samples, count;
    struct packet *packets;
};

/* path "silence": three-byte packets of digital silence, what a sender in DTX would repeat. */
void media_load(struct media *m, const char *name, const char *path, int frame_ms, int marks);

#endif
