/* One frame of a room's mixes: sum, limit, encode (twins: core/mix/bus.py, core/mix/limiter.py and
 * MixStream.emit). Sums run talker by talker in float32, BLAS may order them otherwise: the last bit
 * can differ. A gain of exactly zero adds exactly nothing. */
#include "mix.h"

#include <math.h>
#include <string.h>

enum { MAX_FRAME = 1920, WINDOW = 64, DELAY = WINDOW - 1, RELEASE = 3360 };
enum { SOUNDING = 1, INDEPENDENT = 2 };
enum { SET_PREDICTION_DISABLED = 4042 };

/* core/mix/limiter.py: Limiter holds this memory. */
struct vr_limiter {
    double asked[DELAY];
    double held[DELAY];
    float delayed[DELAY];
    int32_t resting;
};

struct vr_mix_row {
    struct vr_limiter *limiter;
    float *limited; /* out, one frame */
    void *encoder;  /* NULL: the room has no more of them, or it is not libopus's */
    int32_t flags;
    int32_t table_row; /* of the gains */
    int32_t length;    /* out: of the packet, or libopus's error */
    int32_t unused;
};
_Static_assert(sizeof(struct vr_mix_row) == 40, "codec/nativemix.py packs 40 bytes");

struct vr_mix_frame {
    const float *const *talkers;
    const float *before; /* gains (mixes, talkers) at the start of the frame */
    const float *after;  /* and at its end */
    const float *fall;   /* from 1 to 0 over the frame */
    double ceiling; /* peaks up to here pass a resting limiter untouched */
    double aim;     /* a little below: where the others are brought to */
    int32_t talker_count;
    int32_t samples;
};
_Static_assert(sizeof(struct vr_mix_frame) == 56, "codec/nativemix.py packs 56 bytes");

VR_CLONES static void add(float *restrict to, const float *restrict from, float gain,
                          size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        to[i] += gain * from[i];
}

VR_CLONES static void add_scaled(float *restrict to, const float *restrict from,
                                 const float *restrict scale, size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        to[i] += from[i] * scale[i];
}

static void sum(const struct vr_mix_frame *frame, int table_row, float *mixed)
{
    const float *before = frame->before + (size_t)table_row * frame->talker_count;
    const float *after = frame->after + (size_t)table_row * frame->talker_count;
    float changing[MAX_FRAME];
    size_t samples = (size_t)frame->samples;
    int changes = 0;
    memset(mixed, 0, samples * sizeof(float));
    for (int t = 0; t < frame->talker_count; t++) {
        if (after[t] != 0.0f)
            add(mixed, frame->talkers[t], after[t], samples);
        if (before[t] == after[t])
            continue;
        if (!changes++)
            memset(changing, 0, samples * sizeof(float));
        add(changing, frame->talkers[t], before[t] - after[t], samples);
    }
    if (changes)
        add_scaled(mixed, changing, frame->fall, samples);
}

VR_CLONES static float peak_of(const float *pcm, size_t samples)
{
    enum { LANES = 16 };
    float peaks[LANES] = {0};
    for (; samples >= LANES; samples -= LANES, pcm += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float size = fabsf(pcm[lane]);
            peaks[lane] = size > peaks[lane] ? size : peaks[lane];
        }
    for (size_t i = 0; i < samples; i++)
        peaks[0] = fabsf(pcm[i]) > peaks[0] ? fabsf(pcm[i]) : peaks[0];
    for (size_t lane = 1; lane < LANES; lane++)
        peaks[0] = peaks[lane] > peaks[0] ? peaks[lane] : peaks[0];
    return peaks[0];
}

static void delay(struct vr_limiter *limiter, const float *mixed, float *out, int samples)
{
    memcpy(out, limiter->delayed, sizeof limiter->delayed);
    memcpy(out + DELAY, mixed, (size_t)(samples - DELAY) * sizeof(float));
    memcpy(limiter->delayed, mixed + samples - DELAY, sizeof limiter->delayed);
}

static void rest(struct vr_limiter *limiter)
{
    memset(limiter->asked, 0, sizeof limiter->asked);
    memset(limiter->held, 0, sizeof limiter->held);
    limiter->resting = 1;
}

/* Reduction asked for, the largest of the last WINDOW, released: DELAY values of the frame before,
 * then those of this one. */
static void reduce(struct vr_limiter *limiter, const float *mixed, double aim, double *held,
                   int samples)
{
    double asked[DELAY + MAX_FRAME];
    memcpy(asked, limiter->asked, sizeof limiter->asked);
    for (int i = 0; i < samples; i++) {
        double size = fabsf(mixed[i]);
        asked[DELAY + i] = 1.0 - aim / (size > aim ? size : aim);
    }
    memcpy(limiter->asked, asked + samples, sizeof limiter->asked);
    for (int step = 1, left = DELAY + samples; step < WINDOW; step *= 2) {
        left -= step;
        for (int i = 0; i < left; i++)
            asked[i] = asked[i + step] > asked[i] ? asked[i + step] : asked[i];
    }
    const double fade = exp(-1.0 / RELEASE);
    double last = limiter->held[DELAY - 1];
    memcpy(held, limiter->held, sizeof limiter->held);
    for (int i = 0; i < samples; i++) {
        last *= fade;
        last = asked[i] > last ? asked[i] : last;
        held[DELAY + i] = last;
    }
}

static int is_over(const struct vr_limiter *limiter)
{
    for (int i = 0; i < DELAY; i++)
        if (limiter->held[i] >= 1e-5 || limiter->asked[i] != 0.0)
            return 0;
    return 1;
}

static void limit(struct vr_limiter *limiter, const float *mixed, double aim, float *out, int samples)
{
    double held[DELAY + MAX_FRAME], total = 0.0;
    reduce(limiter, mixed, aim, held, samples);
    delay(limiter, mixed, out, samples);
    for (int i = 0; i < DELAY; i++)
        total += held[i];
    for (int i = 0; i < samples; i++) {
        total += held[i + DELAY];
        out[i] = (float)(out[i] * (1.0 - total / WINDOW));
        total -= held[i];
    }
    memcpy(limiter->held, held + samples, sizeof limiter->held);
    limiter->resting = 0;
    if (is_over(limiter))
        rest(limiter);
}

static int encode(const struct vr_codec *codec, const struct vr_mix_row *row, int samples,
                  uint8_t *packet, int room)
{
    int independent = row->flags & INDEPENDENT;
    if (independent)
        codec->control(row->encoder, SET_PREDICTION_DISABLED, (int32_t)1);
    int length = codec->encode(row->encoder, row->limited, samples, packet, room);
    if (independent)
        codec->control(row->encoder, SET_PREDICTION_DISABLED, (int32_t)0);
    return length;
}

static void mix_one(const struct vr_codec *codec, const struct vr_mix_frame *frame,
                    struct vr_mix_row *row, uint8_t *packet, int room)
{
    float mixed[MAX_FRAME];
    struct vr_limiter *limiter = row->limiter;
    int sounding = row->flags & SOUNDING;
    if (sounding)
        sum(frame, row->table_row, mixed);
    else
        memset(mixed, 0, (size_t)frame->samples * sizeof(float));
    if (limiter->resting && peak_of(mixed, (size_t)frame->samples) <= frame->ceiling)
        delay(limiter, mixed, row->limited, frame->samples);
    else
        limit(limiter, mixed, frame->aim, row->limited, frame->samples);
    if (!sounding) {
        memset(limiter->delayed, 0, sizeof limiter->delayed);
        rest(limiter);
    }
    row->length = row->encoder ? encode(codec, row, frame->samples, packet, room) : 0;
}

/* Each row becomes one packet, room bytes apart. Returns how many were made: none for a frame of
 * unusual length. */
VR_EXPORT int vr_mix(const struct vr_codec *codec, const struct vr_mix_frame *frame,
                     struct vr_mix_row *rows, int count, uint8_t *packets, int room)
{
    if (frame->samples < WINDOW || frame->samples > MAX_FRAME)
        return 0;
    for (int i = 0; i < count; i++)
        mix_one(codec, frame, &rows[i], packets + (size_t)i * room, room);
    return count;
}
