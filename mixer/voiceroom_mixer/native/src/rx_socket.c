/* recvmmsg(2) with kernel arrival times and the count of what the kernel had to drop. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>

#include "rx.h"

enum { RETRIES = 3, RXQ_OVFL = 40 };

static void reset(vr_rx *rx)
{
    for (int64_t row = 0; row < rx->count; row++) {
        rx->headers[row].msg_hdr.msg_namelen = (socklen_t)rx->name_bytes;
        rx->headers[row].msg_hdr.msg_controllen = (size_t)rx->control_bytes;
    }
    rx->count = rx->next = 0;
}

/* A pending ICMP error of some peer fails a receive once, so it is tried again. */
static int fill(vr_rx *rx)
{
    for (int i = 0; i < RETRIES; i++) {
        int got = recvmmsg((int)rx->fd, rx->headers, (unsigned)rx->batch, MSG_DONTWAIT, NULL);
        if (got >= 0)
            return got;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
    }
    return 0;
}

static const struct cmsghdr *message(struct msghdr *header, int level, int kind)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at))
        if (at->cmsg_level == level && at->cmsg_type == kind)
            return at;
    return NULL;
}

/* Kernel stamps are wall time; a step of the wall clock shows in them, so they are held to the
   window in which the packet must have come. */
static int64_t arrival(const vr_rx *rx, struct msghdr *header)
{
    const struct cmsghdr *stamp = message(header, SOL_SOCKET, SCM_TIMESTAMPNS);
    struct timespec at;
    if (!stamp || stamp->cmsg_len < CMSG_LEN(sizeof at))
        return rx->raw_ns;
    memcpy(&at, CMSG_DATA(stamp), sizeof at);
    int64_t ns = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec + rx->offset_ns;
    if (ns < rx->since_ns)
        ns = rx->since_ns;
    return ns > rx->raw_ns ? rx->raw_ns : ns;
}

static void note_overflow(vr_rx *rx)
{
    const struct cmsghdr *found = message(&rx->headers[rx->count - 1].msg_hdr, SOL_SOCKET, RXQ_OVFL);
    uint32_t total;
    if (!found || found->cmsg_len < CMSG_LEN(sizeof total))
        return;
    memcpy(&total, CMSG_DATA(found), sizeof total);
    rx->overflowed += (uint32_t)(total - (uint32_t)rx->overflow_total);
    rx->overflow_total = total;
}

/* Receive one batch; how many datagrams there are now. */
VR_EXPORT int vr_rx_receive(vr_rx *rx)
{
    reset(rx);
    rx->count = fill(rx);
    for (int64_t row = 0; row < rx->count; row++) {
        struct mmsghdr *header = &rx->headers[row];
        int truncated = header->msg_hdr.msg_flags & MSG_TRUNC;
        rx->lengths[row] = truncated ? -1 : (int32_t)header->msg_len;
        rx->octets += rx->lengths[row];
        rx->arrivals[row] = arrival(rx, &header->msg_hdr);
    }
    if (rx->count)
        note_overflow(rx);
    return (int)rx->count;
}
