/* floor PORT LEGS FRAME_MS BYTES
 * The least that a server can do for that many plain-RTP legs: take in what comes (recvmmsg) and
 * once a frame send one packet of BYTES to each source (sendmmsg). No codec, no mix, no
 * statistics. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"

#define BATCH 64
#define MAX_DATAGRAM 1500
#define RTP_HEADER 12
#define RECEIVE_BUFFER (4 << 20)

struct slab {
    struct mmsghdr *messages;
    struct iovec *parts;
    struct sockaddr_in *names;
    uint8_t (*data)[MAX_DATAGRAM];
};

struct legs {
    struct slab out;
    int count, capacity;
    size_t bytes;
    int by_port[65536]; /* leg + 1; the generator's sockets share one address */
    uint16_t seq;
};

static void slab_init(struct slab *slab, int rows) {
    slab->messages = zeroed((size_t)rows, sizeof(struct mmsghdr));
    slab->parts = zeroed((size_t)rows, sizeof(struct iovec));
    slab->names = zeroed((size_t)rows, sizeof(struct sockaddr_in));
    slab->data = zeroed((size_t)rows, MAX_DATAGRAM);
    for (int i = 0; i < rows; i++) {
        slab->parts[i] = (struct iovec){.iov_base = slab->data[i], .iov_len = MAX_DATAGRAM};
        slab->messages[i].msg_hdr = (struct msghdr){.msg_iov = &slab->parts[i], .msg_iovlen = 1,
            .msg_name = &slab->names[i], .msg_namelen = sizeof(struct sockaddr_in)};
    }
}

static int open_socket(int port) {
    int size = RECEIVE_BUFFER, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) fail("port %d", port);
    return fd;
}

/* A packet from a new source makes a leg, which is sent to from then on. */
static void learn(struct legs *legs, const struct sockaddr_in *from, const uint8_t *data) {
    int *slot = &legs->by_port[ntohs(from->sin_port)];
    if (*slot || legs->count == legs->capacity) return;
    int leg = legs->count++;
    *slot = legs->count;
    legs->out.names[leg] = *from;
    legs->out.parts[leg].iov_len = legs->bytes;
    memcpy(legs->out.data[leg], data, RTP_HEADER);
    legs->out.data[leg][0] = 0x80; /* no extension, whatever the source sends */
}

static void drain(int fd, struct slab *in, struct legs *legs) {
    int taken;
    do {
        taken = recvmmsg(fd, in->messages, BATCH, 0, NULL);
        for (int i = 0; i < taken; i++)
            if (in->messages[i].msg_len >= RTP_HEADER) learn(legs, &in->names[i], in->data[i]);
    } while (taken == BATCH);
}

static void send_frame(int fd, struct legs *legs, uint32_t timestamp) {
    uint16_t seq = htons(legs->seq++);
    timestamp = htonl(timestamp);
    for (int i = 0; i < legs->count; i++) {
        memcpy(legs->out.data[i] + 2, &seq, 2);
        memcpy(legs->out.data[i] + 4, &timestamp, 4);
    }
    for (int sent = 0; sent < legs->count;) {
        int now = sendmmsg(fd, legs->out.messages + sent, (unsigned)(legs->count - sent), 0);
        sent += now > 0 ? now : 1; /* a closed peer costs its own packet only */
    }
}

int main(int count, char **arguments) {
    static struct legs legs;
    struct slab in;
    if (count != 5) fail("usage: floor PORT LEGS FRAME_MS BYTES");
    int fd = open_socket(atoi(arguments[1])), frame_ms = atoi(arguments[3]);
    legs.capacity = atoi(arguments[2]);
    legs.bytes = (size_t)atoi(arguments[4]);
    if (legs.bytes < RTP_HEADER || legs.bytes > MAX_DATAGRAM) fail("BYTES: 12 to 1500");
    slab_init(&in, BATCH);
    slab_init(&legs.out, legs.capacity);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_PDEATHSIG, 9);
    int64_t origin = mono_ns();
    for (int64_t n = 1;; n++) {
        sleep_until(origin + n * frame_ms * NS_PER_MS);
        drain(fd, &in, &legs);
        send_frame(fd, &legs, (uint32_t)(n * frame_ms * 48));
    }
}
