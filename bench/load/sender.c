#include "sender.h"

#include <arpa/inet.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "clock.h"

#define MAX_DATAGRAM 1500
#define LEAD_NS (20 * NS_PER_MS)
#define CHECK_EVERY 250 /* packets between ICE consent checks and between reports: 5 s at 20 ms */
#define NTP_EPOCH 2208988800LL
#define SENDER_REPORT 28

static void put32(uint8_t *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, 4);
}

/* RFC 6464 in the one-byte form of RFC 8285; returns its length. */
static int put_level(uint8_t *at, int id, const struct packet *packet) {
    put32(at, 0xBEDE0001);
    at[4] = (uint8_t)(id << 4);
    at[5] = (uint8_t)(packet->voice << 7 | packet->level);
    at[6] = at[7] = 0;
    return 8;
}

static int build(uint8_t *out, const struct leg *leg, const struct packet *packet) {
    uint16_t seq = htons((uint16_t)leg->sent);
    out[0] = leg->ext ? 0x90 : 0x80;
    out[1] = leg->payload_type;
    memcpy(out + 2, &seq, 2);
    put32(out + 4, (uint32_t)leg->sent * leg->media->frame_samples);
    put32(out + 8, leg->ssrc);
    int length = 12;
    if (leg->ext) length += put_level(out + 12, leg->ext, packet);
    memcpy(out + length, packet->payload, packet->length);
    return length + packet->length;
}

/* RFC 3550 section 6.4.1, without report blocks. */
static int build_report(uint8_t *out, const struct leg *leg) {
    int64_t now = wall_ns();
    put32(out, 0x80C80006);
    put32(out + 4, leg->ssrc);
    put32(out + 8, (uint32_t)(now / NS_PER_S + NTP_EPOCH));
    put32(out + 12, (uint32_t)(((now % NS_PER_S) << 32) / NS_PER_S));
    put32(out + 16, (uint32_t)leg->sent * leg->media->frame_samples);
    put32(out + 20, (uint32_t)leg->sent);
    put32(out + 24, (uint32_t)leg->sent * 80);
    return SENDER_REPORT;
}

static void transmit(struct sender *s, const struct leg *leg, const uint8_t *data, int length) {
    if (send(leg->fd, data, (size_t)length, MSG_DONTWAIT) != length) s->errors++;
}

/* What a WebRTC client also does: consent checks (RFC 7675) and sender reports. */
static void keep_alive(struct sender *s, struct leg *leg) {
    uint8_t report[MAX_DATAGRAM];
    int length = build_report(report, leg);
    transmit(s, leg, leg->stun, leg->stun_length);
    if (srtp_protect_rtcp(leg->tx, report, &length) == srtp_err_status_ok)
        transmit(s, leg, report, length);
    else s->errors++;
}

static void send_media(struct sender *s, struct leg *leg) {
    uint8_t datagram[MAX_DATAGRAM];
    const struct packet *packet = &leg->media->packets[(leg->start + leg->sent) % leg->media->count];
    int length = build(datagram, leg, packet);
    if (leg->tx && srtp_protect(leg->tx, datagram, &length) != srtp_err_status_ok) s->errors++;
    if (packet->mark >= 0)
        mark_sent(&leg->marks, wall_ns() + packet->mark * NS_PER_S / SAMPLES_PER_S);
    transmit(s, leg, datagram, length);
    leg->sent++;
}

static void send_due(struct sender *s, struct leg *leg, int index, int64_t due_ns) {
    sleep_until(due_ns);
    if (*s->phase == MEASURING) {
        s->sent++;
        samples_add(&s->late, mono_ns() - due_ns);
    }
    send_media(s, leg);
    if (leg->tx && leg->sent % CHECK_EVERY == (uint64_t)index % CHECK_EVERY) keep_alive(s, leg);
}

void *sender_main(void *argument) {
    struct sender *s = argument;
    struct plan *plan = s->plan;
    int64_t frame_ns = plan->frame_ms * NS_PER_MS;
    struct sched_param lowest = {.sched_priority = 1}; /* below any server that is real-time */
    prctl(PR_SET_TIMERSLACK, 1);
    s->realtime = sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
    for (int64_t base = mono_ns() + LEAD_NS; *s->phase != ENDING; base += frame_ns) {
        sleep_until(base);
        for (int i = 0; i < plan->legs_count; i++) {
            struct leg *leg = &plan->legs[i];
            if (leg->media) send_due(s, leg, i, base + leg->phase_ns);
        }
    }
    return NULL;
}
