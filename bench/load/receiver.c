#include "receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "fail.h"
#include "sender.h"

#define MAX_DATAGRAM 2048
#define BATCH 64
#define WAIT_MS 100

static uint32_t get32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

/* Length of what arrived, 0 when nothing did; arrival as the kernel saw it. */
static int take(struct receiver *r, int fd, uint8_t *data, int64_t *arrival_ns) {
    uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec part = {.iov_base = data, .iov_len = MAX_DATAGRAM};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
    if (length < 0) {
        if (errno != EAGAIN) r->errors++;
        return 0;
    }
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    struct timespec t;
    if (head == NULL || head->cmsg_type != SCM_TIMESTAMPNS) fail("no arrival time from the kernel");
    memcpy(&t, CMSG_DATA(head), sizeof t);
    *arrival_ns = t.tv_sec * NS_PER_S + t.tv_nsec;
    return (int)length;
}

/* The gap since the packet before, less what its timestamp says beyond one frame, so that a pause
 * of DTX does not look like jitter. */
static void note_order(struct receiver *r, struct leg *leg, const uint8_t *data, int64_t arrival_ns,
                       int keep) {
    uint16_t seq = (uint16_t)(data[2] << 8 | data[3]);
    uint32_t timestamp = get32(data + 4);
    int16_t step = (int16_t)(seq - leg->last_seq);
    if (leg->heard && step <= 0) {
        r->reordered += (uint64_t)keep;
        return;
    }
    int64_t media_ns = (int64_t)(timestamp - leg->last_timestamp) * NS_PER_S / SAMPLES_PER_S;
    int64_t frame_ns = r->plan->frame_ms * NS_PER_MS;
    if (leg->heard && keep) {
        r->lost += (uint64_t)(step - 1);
        samples_add(&leg->gaps, arrival_ns - leg->last_arrival_ns - media_ns + frame_ns);
    }
    leg->heard = 1;
    leg->last_seq = seq;
    leg->last_timestamp = timestamp;
    leg->last_arrival_ns = arrival_ns;
}

/* Where the payload begins, or -1. */
static int payload_at(const uint8_t *data, int length) {
    int at = 12 + 4 * (data[0] & 15);
    if (data[0] & 0x10 && at + 4 <= length) at += 4 + 4 * (data[at + 2] << 8 | data[at + 3]);
    return at < length ? at : -1;
}

static void on_rtp(struct receiver *r, struct leg *leg, uint8_t *data, int length,
                   int64_t arrival_ns, int keep) {
    if (leg->rx && srtp_unprotect(leg->rx, data, &length) != srtp_err_status_ok) {
        r->auth_failures += (uint64_t)keep;
        return;
    }
    r->rtp += (uint64_t)keep;
    leg->received += (uint64_t)keep;
    note_order(r, leg, data, arrival_ns, keep);
    int at = payload_at(data, length);
    if (leg->listener && at > 0)
        listener_hear(leg->listener, data + at, length - at, arrival_ns, keep);
}

/* RFC 7983. */
static void on_datagram(struct receiver *r, struct leg *leg, uint8_t *data, int length,
                        int64_t arrival_ns, int keep) {
    r->bytes += keep ? (uint64_t)length : 0;
    if (length >= 2 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223)
        r->rtcp += (uint64_t)keep;
    else if (length >= 12 && data[0] >> 6 == 2) on_rtp(r, leg, data, length, arrival_ns, keep);
    else if (data[0] < 4) r->stun += (uint64_t)keep;
    else r->other += (uint64_t)keep;
}

static int watch(const struct plan *plan) {
    int on = 1, poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < plan->legs_count; i++) {
        int fd = plan->legs[i].fd;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) fail("leg %d", i);
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) fail("leg %d", i);
    }
    return poll;
}

void *receiver_main(void *argument) {
    struct receiver *r = argument;
    struct epoll_event events[BATCH];
    uint8_t data[MAX_DATAGRAM];
    int64_t arrival_ns = 0;
    int poll = watch(r->plan);
    while (*r->phase != ENDING) {
        int ready = epoll_wait(poll, events, BATCH, WAIT_MS);
        for (int i = 0; i < ready; i++) {
            struct leg *leg = &r->plan->legs[events[i].data.u32];
            int length = take(r, leg->fd, data, &arrival_ns);
            if (length > 0) on_datagram(r, leg, data, length, arrival_ns, *r->phase == MEASURING);
        }
    }
    return NULL;
}
