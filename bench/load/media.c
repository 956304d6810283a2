#include "media.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "marks.h"

/* CELT, full band, mono, 20 or 10 ms (RFC 6716 section 3.1), then a silent frame. */
static uint8_t SILENCE_20[] = {0xF8, 0xFF, 0xFE};
static uint8_t SILENCE_10[] = {0xF0, 0xFF, 0xFE};

static void load_silence(struct media *m, int frame_ms) {
    m->frame_samples = (uint32_t)frame_ms * 48;
    m->count = 1;
    m->packets = zeroed(1, sizeof(struct packet));
    m->packets[0] = (struct packet){.length = 3, .level = 127, .mark = -1};
    m->packets[0].payload = frame_ms == 10 ? SILENCE_10 : SILENCE_20;
}

static void need(void *to, size_t size, FILE *file, const char *path) {
    errno = 0;
    if (fread(to, 1, size, file) != size) fail("%s is cut short", path);
}

static void load_packet(struct packet *p, FILE *file, const char *path) {
    need(&p->length, 2, file, path);
    need(&p->level, 1, file, path);
    need(&p->voice, 1, file, path);
    if (p->length == 0 || p->length > MAX_PAYLOAD) fail("%s: packet of %u bytes", path, p->length);
    p->mark = -1;
    p->payload = zeroed(p->length, 1);
    need(p->payload, p->length, file, path);
}

static void load_file(struct media *m, const char *path) {
    char magic[4];
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail("%s", path);
    need(magic, 4, file, path);
    if (memcmp(magic, MEDIA_MAGIC, 4) != 0) fail("%s is not a packet file", path);
    need(&m->frame_samples, 4, file, path);
    need(&m->count, 4, file, path);
    m->packets = zeroed(m->count, sizeof(struct packet));
    for (uint32_t i = 0; i < m->count; i++) load_packet(&m->packets[i], file, path);
    fclose(file);
}

void media_load(struct media *m, const char *name, const char *path, int frame_ms, int marks) {
    snprintf(m->name, sizeof m->name, "%s", name);
    if (strcmp(path, "silence") == 0) load_silence(m, frame_ms);
    else load_file(m, path);
    if (m->count == 0) fail("%s holds no packet", path);
    if (m->frame_samples != (uint32_t)frame_ms * 48) fail("%s is not of %d ms", path, frame_ms);
    if (marks) marks_find(m);
}
