#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define MAX_LINE 4096
#define MAX_MEDIA 64
#define MAX_LEGS 8192
#define GAPS_KEPT (1 << 14) /* five minutes at 50 packets a second */

struct reader {
    struct plan *plan;
    char tx[160], rx[160], stun[2 * MAX_STUN + 1];
};

static const struct media *media_by_name(const struct plan *plan, const char *name) {
    for (int i = 0; i < plan->media_count; i++) {
        if (strcmp(plan->media[i].name, name) == 0) return &plan->media[i];
    }
    fail("no media %s", name);
}

static int read_key(struct reader *r, struct leg *leg, const char *key, const char *value) {
    if (strcmp(key, "tx") == 0) snprintf(r->tx, sizeof r->tx, "%s", value);
    else if (strcmp(key, "rx") == 0) snprintf(r->rx, sizeof r->rx, "%s", value);
    else if (strcmp(key, "stun") == 0) snprintf(r->stun, sizeof r->stun, "%s", value);
    else if (strcmp(key, "media") == 0) leg->media = media_by_name(r->plan, value);
    else return 0;
    return 1;
}

static void read_number(struct leg *leg, const char *key, long long value) {
    if (strcmp(key, "fd") == 0) leg->fd = (int)value;
    else if (strcmp(key, "pt") == 0) leg->payload_type = (uint8_t)value;
    else if (strcmp(key, "ssrc") == 0) leg->ssrc = (uint32_t)value;
    else if (strcmp(key, "start") == 0) leg->start = (uint32_t)value;
    else if (strcmp(key, "phase_us") == 0) leg->phase_ns = value * 1000;
    else if (strcmp(key, "ext") == 0) leg->ext = (int)value;
    else if (strcmp(key, "profile") == 0) leg->profile = (int)value;
    else if (strcmp(key, "watches") == 0) leg->watches = (int)value;
    else fail("plan: unknown key %s", key);
}

static void read_stun(struct leg *leg, const char *hex) {
    leg->stun_length = (int)(strlen(hex) / 2);
    for (int i = 0; i < leg->stun_length; i++) {
        if (sscanf(hex + 2 * i, "%2hhx", &leg->stun[i]) != 1) fail("plan: stun is not hex");
    }
}

static void read_leg(struct plan *plan, char *rest) {
    struct reader r = {.plan = plan};
    if (plan->legs_count == MAX_LEGS) fail("plan: more than %d legs", MAX_LEGS);
    struct leg *leg = &plan->legs[plan->legs_count++];
    leg->watches = -1;
    char *save = NULL;
    for (char *word = strtok_r(rest, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
        char *equals = strchr(word, '=');
        if (equals == NULL) fail("plan: %s is not key=value", word);
        *equals = 0;
        if (!read_key(&r, leg, word, equals + 1)) read_number(leg, word, atoll(equals + 1));
    }
    read_stun(leg, r.stun);
    samples_reserve(&leg->gaps, GAPS_KEPT);
    if (leg->profile == 0) return;
    leg->tx = secure_session(leg->profile, r.tx, 0);
    leg->rx = secure_session(leg->profile, r.rx, 1);
}

static void read_media(struct plan *plan, const char *rest) {
    char name[32], path[1024], marks[8] = "";
    if (plan->media_count == MAX_MEDIA) fail("plan: more than %d media", MAX_MEDIA);
    if (sscanf(rest, "%31s %1023s %7s", name, path, marks) < 2) fail("plan: media %s", rest);
    struct media *m = &plan->media[plan->media_count++];
    media_load(m, name, path, plan->frame_ms, strcmp(marks, "marks") == 0);
}

static void read_line(struct plan *plan, char *line) {
    errno = 0;
    if (strncmp(line, "frame ", 6) == 0) plan->frame_ms = atoi(line + 6);
    else if (strncmp(line, "media ", 6) == 0) read_media(plan, line + 6);
    else if (strncmp(line, "leg ", 4) == 0) read_leg(plan, line + 4);
    else fail("plan: %s", line);
}

static void attach_listeners(struct plan *plan) {
    for (int i = 0; i < plan->legs_count; i++) {
        struct leg *leg = &plan->legs[i];
        if (i && leg->phase_ns < leg[-1].phase_ns) fail("plan: leg %d is not in order of phase", i);
        if (leg->watches < 0) continue;
        if (leg->watches >= plan->legs_count) fail("plan: no leg %d to watch", leg->watches);
        leg->listener = zeroed(1, sizeof(struct listener));
        listener_init(leg->listener, &plan->legs[leg->watches].marks);
    }
}

void plan_load(struct plan *plan, const char *path) {
    char line[MAX_LINE];
    *plan = (struct plan){.frame_ms = 20};
    plan->media = zeroed(MAX_MEDIA, sizeof(struct media));
    plan->legs = zeroed(MAX_LEGS, sizeof(struct leg));
    FILE *file = fopen(path, "r");
    if (file == NULL) fail("%s", path);
    while (fgets(line, sizeof line, file) != NULL) read_line(plan, line);
    fclose(file);
    errno = 0;
    if (plan->legs_count == 0) fail("%s has no legs", path);
    attach_listeners(plan);
}
