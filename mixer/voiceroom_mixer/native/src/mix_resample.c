/* The live resampler for clock skew (twin: core/mix/resample.py). The position is a fixed-point
 * number of 32.32 bits; each output sample is 16 taps whose weights are polynomials of the fraction.
 * Sums run tap by tap in float32, numpy's may run in another order: the last bit can differ. */
#include "mix.h"

#include <string.h>

#define ONE ((int64_t)1 << 32)

enum { BLOCK = 32, RUN = 15 * BLOCK };

/* Tap by tap over a block: the block's sums stay in registers and do not wait for each other.
 * (Indices are size_t: with -fwrapv a sum of ints may wrap, and nothing would be contiguous.) */
VR_CLONES static void filter(const float *kernel, const float *in, float *restrict out,
                             size_t samples)
{
    for (; samples >= BLOCK; samples -= BLOCK, in += BLOCK, out += BLOCK) {
        float sums[BLOCK] = {0};
        for (size_t tap = 0; tap < VR_TAPS; tap++)
            for (size_t i = 0; i < BLOCK; i++)
                sums[i] += in[tap + i] * kernel[tap];
        memcpy(out, sums, sizeof sums);
    }
    for (size_t i = 0; i < samples; i++) {
        float sum = 0.0f;
        for (size_t tap = 0; tap < VR_TAPS; tap++)
            sum += in[i + tap] * kernel[tap];
        out[i] = sum;
    }
}

/* A standing fraction: one kernel serves the whole frame. */
static void shift(const float *farrow, const float *in, float fraction, float *out, int samples)
{
    float kernel[VR_TAPS];
    for (int tap = 0; tap < VR_TAPS; tap++) {
        float value = farrow[tap * VR_POWERS + VR_POWERS - 1];
        for (int power = VR_POWERS - 2; power >= 0; power--)
            value = value * fraction + farrow[tap * VR_POWERS + power];
        kernel[tap] = value;
    }
    filter(kernel, in, out, (size_t)samples);
}

VR_CLONES static void add_power(float *restrict value, const float *restrict fraction,
                                const float *restrict term, size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        value[i] = value[i] * fraction[i] + term[i];
}

/* Outputs whose windows move on by exactly one sample, at most RUN: each power is a filter. */
static void interpolate(const float *farrow, const float *in, const float *fractions, float *out,
                        int samples)
{
    float kernel[VR_TAPS], term[RUN];
    for (int power = VR_POWERS - 1; power >= 0; power--) {
        for (int tap = 0; tap < VR_TAPS; tap++)
            kernel[tap] = farrow[tap * VR_POWERS + power];
        filter(kernel, in, power == VR_POWERS - 1 ? out : term, (size_t)samples);
        if (power < VR_POWERS - 1)
            add_power(out, fractions, term, (size_t)samples);
    }
}

/* In runs: within a run the whole part grows by one with each sample, between two it does not. */
static void vary(const float *farrow, const float *in, int64_t position, int64_t step, float *out,
                 int samples)
{
    float fractions[RUN];
    int done = 0;
    while (done < samples) {
        int64_t first = position >> 32;
        int count = 0;
        while (count < RUN && done + count < samples && position >> 32 == first + count) {
            fractions[count++] = (float)(uint32_t)position * (1.0f / 4294967296.0f);
            position += step;
        }
        interpolate(farrow, in + first, fractions, out + done, count);
        done += count;
    }
}

void vr_resample(const float *farrow, const float *in, uint32_t fraction, int64_t step, float *out,
                 int samples)
{
    if (step != ONE)
        vary(farrow, in, fraction, step, out, samples);
    else if (fraction)
        shift(farrow, in, (float)fraction * (1.0f / 4294967296.0f), out, samples);
    else
        memcpy(out, in + VR_BEFORE, (size_t)samples * sizeof(float));
}
