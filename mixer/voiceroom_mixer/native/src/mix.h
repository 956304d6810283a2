/* What the kernels of the mix path share: how libopus is called, and the loudness scale. */
#ifndef VR_MIX_H
#define VR_MIX_H

#include "vr.h"

enum {
    VR_TAPS = 16,     /* of the skew resampler, core/mix/resample.py */
    VR_POWERS = 6,    /* coefficients of one tap's polynomial */
    VR_BEFORE = 7,    /* taps before the sample that is made */
    VR_LOOKAHEAD = 8, /* taps behind it */
    VR_MAX_PACKET = 5760,
    VR_SILENT_LEVEL = 127,
};

typedef int32_t vr_decode_fn(void *state, const uint8_t *data, int32_t size, float *pcm,
                             int samples, int fec);
typedef int32_t vr_encode_fn(void *state, const float *pcm, int samples, uint8_t *data,
                             int32_t size);
typedef int vr_control_fn(void *state, int request, ...);

/* Functions of libopus by their addresses, and the resampler's table: (taps, powers). */
struct vr_codec {
    vr_decode_fn *decode;
    vr_encode_fn *encode;
    vr_control_fn *control;
    const float *farrow;
};

/* Mean square of a frame; not finite when a sample is not. */
double vr_mean_square(const float *pcm, int samples);
/* -dBov of a mean square, as level_of() in core/mix/levels.py. */
int vr_level(double power);
/* samples of out from the sender's samples, as FractionalResampler.pull_into() does. */
void vr_resample(const float *farrow, const float *in, uint32_t fraction, int64_t step, float *out,
                 int samples);

#endif
