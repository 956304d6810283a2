/* encode IN.raw OUT.pk FRAME_MS BITRATE
 * 16-bit mono 48 kHz PCM to Opus packets as a browser makes them (VoIP, in-band FEC), each with its
 * level as of RFC 6464, in the file format of media.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <opus/opus.h>

#include "fail.h"
#include "media.h"

#define RATE 48000
#define MAX_FRAME 2880
#define VOICE_BELOW 50 /* -dBov: quieter is not speech */

static OpusEncoder *new_encoder(int bitrate) {
    int status;
    OpusEncoder *encoder = opus_encoder_create(RATE, 1, OPUS_APPLICATION_VOIP, &status);
    errno = 0;
    if (status != OPUS_OK) fail("opus encoder: %s", opus_strerror(status));
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bitrate));
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(5));
    return encoder;
}

static uint8_t level_of(const int16_t *pcm, int samples) {
    double sum = 0;
    for (int i = 0; i < samples; i++) sum += (double)pcm[i] * pcm[i];
    double level = -10 * log10(sum / samples / 1073741824.0 + 1e-13);
    return (uint8_t)fmin(127, fmax(0, round(level)));
}

static void write_packet(FILE *out, OpusEncoder *encoder, const int16_t *pcm, int samples) {
    uint8_t payload[MAX_PAYLOAD], level = level_of(pcm, samples), voice = level < VOICE_BELOW;
    int length = opus_encode(encoder, pcm, samples, payload, MAX_PAYLOAD);
    errno = 0;
    if (length < 0) fail("encode: %s", opus_strerror(length));
    uint16_t written = (uint16_t)length;
    fwrite(&written, 2, 1, out);
    fwrite(&level, 1, 1, out);
    fwrite(&voice, 1, 1, out);
    fwrite(payload, 1, written, out);
}

static void write_head(FILE *out, uint32_t samples, uint32_t packets) {
    rewind(out);
    fwrite(MEDIA_MAGIC, 1, 4, out);
    fwrite(&samples, 4, 1, out);
    fwrite(&packets, 4, 1, out);
}

int main(int count, char **arguments) {
    int16_t pcm[MAX_FRAME];
    if (count != 5) fail("usage: encode IN.raw OUT.pk FRAME_MS BITRATE");
    int samples = atoi(arguments[3]) * 48;
    FILE *in = fopen(arguments[1], "rb"), *out = fopen(arguments[2], "wb");
    if (in == NULL || out == NULL) fail("%s, %s", arguments[1], arguments[2]);
    OpusEncoder *encoder = new_encoder(atoi(arguments[4]));
    uint32_t packets = 0;
    write_head(out, (uint32_t)samples, 0);
    for (; fread(pcm, 2, (size_t)samples, in) == (size_t)samples; packets++)
        write_packet(out, encoder, pcm, samples);
    write_head(out, (uint32_t)samples, packets);
    if (fclose(out) != 0) fail("%s", arguments[2]);
    return 0;
}
