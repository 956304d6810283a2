/* One frame of several senders: decode the packet that is due, measure it, join it to what was
 * before, and resample (twin: Playout.pull in core/receive/playout.py, of which this is the ordinary
 * case). All state is the caller's and stands in the rows; libopus checks its own input. */
#include "mix.h"

#include <math.h>
#include <string.h>

enum { SEAM = 1, QUIET = 2 };
enum { PULLED = 0, UNDECODABLE = 1, SHORT = 2, FULL = 3 };
enum { QUIET_LEVEL = 55, TOLERANCE = 96, MAX_REPEAT = 960, SEAM_SAMPLES = 240 };

struct vr_pull_row {
    void *decoder; /* NULL: nothing to decode, the resampler holds enough */
    float *out;
    float *buffer; /* of the resampler, size samples */
    int64_t step;
    int32_t size;
    int32_t packet_bytes;
    int32_t flags;
    int32_t excess; /* depth over the target, samples */
    int32_t start;  /* in and out, from here on to last_sample */
    int32_t end;
    uint32_t fraction;
    float last_sample;
    int32_t status; /* out only, from here on */
    int32_t decoded;
    int32_t level;
    int32_t adjusted; /* samples left out; negative: said twice */
    int32_t frame_level; /* -1: a sample was not finite, and the frame is silence */
    float frame_last;
};
_Static_assert(sizeof(struct vr_pull_row) == 88, "codec/nativepull.py packs 88 bytes");

/* Append to the resampler's buffer; at a seam the step is spread over 5 ms. */
static void push(struct vr_pull_row *row, const float *pcm, int samples)
{
    float *to = row->buffer + row->end;
    if (samples <= 0)
        return;
    memcpy(to, pcm, (size_t)samples * sizeof(float));
    if (row->flags & SEAM) {
        row->flags &= ~SEAM;
        int span = samples < SEAM_SAMPLES ? samples : SEAM_SAMPLES;
        float step = row->last_sample - pcm[0];
        for (int i = 0; i < span; i++)
            to[i] += step * (float)(1.0 + i * (-1.0 / span));
    }
    row->last_sample = to[samples - 1];
    row->end += samples;
}

/* Quiet sound is shortened or repeated to bring the depth to the target (Playout._adjust). */
static void push_adjusted(struct vr_pull_row *row, const float *pcm, int samples)
{
    int quiet = (row->flags & QUIET) || row->level >= QUIET_LEVEL;
    int skip = 0, again = 0;
    if (quiet && row->excess > TOLERANCE) {
        skip = row->excess < samples / 2 ? row->excess : samples / 2;
        row->flags |= SEAM;
    } else if (quiet && row->excess < -TOLERANCE) {
        again = -row->excess < samples ? -row->excess : samples;
        again = again < MAX_REPEAT ? again : MAX_REPEAT;
    }
    push(row, pcm + skip, samples - skip);
    if (again) {
        row->flags |= SEAM;
        push(row, pcm + samples - again, again);
    }
    row->adjusted = skip - again;
}

static int decode(const struct vr_codec *codec, struct vr_pull_row *row, const uint8_t *packet)
{
    float pcm[VR_MAX_PACKET];
    if (row->end + VR_MAX_PACKET + MAX_REPEAT > row->size)
        return FULL;
    int count = codec->decode(row->decoder, packet, row->packet_bytes, pcm, VR_MAX_PACKET, 0);
    if (count <= 0)
        return UNDECODABLE;
    row->decoded = count;
    row->level = vr_level(vr_mean_square(pcm, count));
    push_adjusted(row, pcm, count);
    return PULLED;
}

/* Whether the resampler holds a whole frame and the taps around it. */
static int enough(const struct vr_pull_row *row, int samples)
{
    int64_t last = row->fraction + (int64_t)(samples - 1) * row->step;
    int64_t held = row->end - row->start - VR_BEFORE - VR_LOOKAHEAD;
    return samples > 0 && (last >> 32) < held;
}

static int pull(const struct vr_codec *codec, struct vr_pull_row *row, int samples)
{
    if (!enough(row, samples))
        return SHORT;
    vr_resample(codec->farrow, row->buffer + row->start, row->fraction, row->step, row->out,
                samples);
    int64_t position = row->fraction + samples * row->step;
    row->start += (int32_t)(position >> 32);
    row->fraction = (uint32_t)position;
    double power = vr_mean_square(row->out, samples);
    if (isfinite(power)) {
        row->frame_level = vr_level(power);
    } else {
        memset(row->out, 0, (size_t)samples * sizeof(float));
        row->frame_level = -1;
    }
    row->frame_last = row->out[samples - 1];
    return PULLED;
}

/* Every row on its own: what one sender sends changes nothing for the others. */
VR_EXPORT void vr_pull(const struct vr_codec *codec, struct vr_pull_row *rows,
                       const uint8_t *const *packets, int count, int samples)
{
    for (int i = 0; i < count; i++) {
        struct vr_pull_row *row = &rows[i];
        row->status = row->decoded = row->adjusted = 0;
        if (row->decoder)
            row->status = decode(codec, row, packets[i]);
        if (row->status == PULLED)
            row->status = pull(codec, row, samples);
    }
}
