/* Loudness (twin: core/mix/levels.py). */
#include "mix.h"

#include <math.h>

enum { LANES = 16 };

VR_CLONES double vr_mean_square(const float *pcm, int samples)
{
    float sums[LANES] = {0};
    double total = 0.0;
    size_t left = samples > 0 ? (size_t)samples : 0;
    for (; left >= LANES; left -= LANES, pcm += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += pcm[lane] * pcm[lane];
    for (size_t i = 0; i < left; i++)
        total += (double)pcm[i] * pcm[i];
    for (size_t lane = 0; lane < LANES; lane++)
        total += sums[lane];
    return total / (samples > 0 ? samples : 1);
}

int vr_level(double power)
{
    if (!(power > 0.0) || !isfinite(power))
        return VR_SILENT_LEVEL;
    double level = nearbyint(-10.0 * log10(power));
    if (level < 0.0)
        return 0;
    return level > VR_SILENT_LEVEL ? VR_SILENT_LEVEL : (int)level;
}
