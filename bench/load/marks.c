#include "marks.h"

#include <errno.h>
#include <math.h>

#include "clock.h"
#include "fail.h"

#define WINDOW 48           /* 1 ms */
#define LOUD 0.10f          /* RMS: the bed is at 0.02, a burst at 0.3 */
#define APART (48 * 300)    /* a burst is loud for 60 ms; the next one comes a second later */
#define MAX_DELAY_NS (500 * NS_PER_MS)
#define MAX_FRAME 5760

static OpusDecoder *new_decoder(void) {
    int status;
    OpusDecoder *decoder = opus_decoder_create(SAMPLES_PER_S, 1, &status);
    errno = 0;
    if (status != OPUS_OK) fail("opus decoder: %s", opus_strerror(status));
    return decoder;
}

static float loudness(const float *pcm) {
    float sum = 0;
    for (int i = 0; i < WINDOW; i++) sum += pcm[i] * pcm[i];
    return sqrtf(sum / WINDOW);
}

/* Samples from the start of the frame to the onset, or -1. */
static int32_t find_onset(struct onset_detector *d, const float *pcm, int samples) {
    int32_t onset = -1;
    for (int at = 0; at + WINDOW <= samples; at += WINDOW) {
        int loud = loudness(pcm + at) > LOUD;
        if (loud && d->quiet_for > APART && onset < 0) onset = at;
        d->quiet_for = loud ? 0 : d->quiet_for + WINDOW;
    }
    return onset;
}

static int32_t detect(struct onset_detector *d, const uint8_t *payload, int length) {
    float pcm[MAX_FRAME];
    int samples = opus_decode_float(d->decoder, payload, length, pcm, MAX_FRAME, 0);
    return samples > 0 ? find_onset(d, pcm, samples) : -1;
}

void marks_find(struct media *m) {
    struct onset_detector d = {.decoder = new_decoder()};
    /* Twice: the second round has the decoder in the state that it has in the loop. */
    for (uint32_t i = 0; i < 2 * m->count; i++) {
        struct packet *p = &m->packets[i % m->count];
        p->mark = detect(&d, p->payload, p->length);
    }
    opus_decoder_destroy(d.decoder);
}

void mark_sent(struct mark_log *log, int64_t wall_ns) {
    uint32_t n = atomic_load_explicit(&log->count, memory_order_relaxed);
    atomic_store_explicit(&log->sent_wall_ns[n % MARK_RING], wall_ns, memory_order_relaxed);
    atomic_store_explicit(&log->count, n + 1, memory_order_release);
}

void listener_init(struct listener *l, struct mark_log *heard) {
    *l = (struct listener){.detector.decoder = new_decoder(), .heard = heard};
    samples_reserve(&l->delay, 4096);
}

/* The last burst sent before this onset; -1 when none was within MAX_DELAY_NS. */
static int64_t delay_of(const struct mark_log *log, int64_t onset_ns) {
    uint32_t n = atomic_load_explicit(&log->count, memory_order_acquire);
    for (uint32_t back = 1; back <= n && back < MARK_RING; back++) {
        int64_t sent = atomic_load_explicit(&log->sent_wall_ns[(n - back) % MARK_RING],
                                            memory_order_relaxed);
        if (sent <= onset_ns) return onset_ns - sent < MAX_DELAY_NS ? onset_ns - sent : -1;
    }
    return -1;
}

void listener_hear(struct listener *l, const uint8_t *payload, int length, int64_t wall_ns,
                   int keep) {
    int32_t onset = detect(&l->detector, payload, length);
    if (onset < 0 || !keep) return;
    int64_t delay = delay_of(l->heard, wall_ns + (int64_t)onset * NS_PER_S / SAMPLES_PER_S);
    if (delay < 0) l->unmatched++;
    else samples_add(&l->delay, delay);
}
