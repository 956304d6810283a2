/* sendmmsg(2) of all rows in use. What the kernel refuses is dropped and counted. */
#define _GNU_SOURCE
#include <errno.h>

#include "tx_socket.h"

enum { RETRIES = 3 };

static int is_full(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS;
}

/* A pending ICMP error of another peer fails a send once. */
static int is_refusal(int code)
{
    return code == ECONNREFUSED || code == EHOSTUNREACH || code == ENETUNREACH ||
           code == EHOSTDOWN || code == ECONNRESET;
}

/* After an error at row start: where to go on. */
static int64_t refused(vr_tx *tx, int64_t start, int *tries)
{
    int code = errno;
    if ((is_full(code) || is_refusal(code)) && ++*tries <= RETRIES)
        return start;
    *tries = 0;
    if (is_full(code)) {
        tx->full += tx->used - start;
        return tx->used;
    }
    tx->errors++;
    return start + 1;
}

static void count_bytes(vr_tx *tx)
{
    for (int64_t row = 0; row < tx->used; row++)
        tx->bytes += (int64_t)tx->headers[row].msg_hdr.msg_iov->iov_len;
}

VR_EXPORT void vr_tx_flush(vr_tx *tx)
{
    int64_t start = 0;
    int tries = 0;
    count_bytes(tx);
    while (start < tx->used) {
        unsigned left = (unsigned)(tx->used - start);
        int done = sendmmsg((int)tx->fd, tx->headers + start, left, MSG_DONTWAIT);
        if (done > 0) {
            start += done;
            tx->sent += done;
            tries = 0;
        } else {
            start = refused(tx, start, &tries);
        }
    }
    tx->used = 0;
}
