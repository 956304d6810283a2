/* Preloaded into a mixer: what clock_gettime reads is off by what stands in the file
 * VOICEROOM_LAB_CLOCKS, which is mapped, so that it can be steered while the mixer runs. Sleeps and
 * the system call itself stay the kernel's, as with a broken vDSO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

/* Shared with shim.py. Of each four: MONOTONIC, RAW, BOOTTIME, wall. */
struct order {
    long long sequence;    /* odd: it is being written */
    long long pid;         /* whose readings step and drift */
    long long since_ns;    /* true MONOTONIC from which the rates count */
    long long offset_ns[4];
    long long ppb[4];
    long long constant_ns[4]; /* of every process */
    long long falsified;   /* readings so far; written by that process */
};

static int (*real)(clockid_t, struct timespec *);
static volatile struct order *order;
static long long self;

static void know_self(void) { self = getpid(); }

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("VOICEROOM_LAB_CLOCKS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (order)
        return;
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (map == MAP_FAILED || !real)
        abort();
    close(fd);
    know_self();
    pthread_atfork(NULL, NULL, know_self);
    order = map;
}

static int which(clockid_t clock)
{
    switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
        return 0;
    case CLOCK_MONOTONIC_RAW:
        return 1;
    case CLOCK_BOOTTIME:
        return 2;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return 3;
    default:
        return -1;
    }
}

static long long ns(const struct timespec *at) { return at->tv_sec * SECOND + at->tv_nsec; }

/* How far clock i is ahead. */
static long long ahead_ns(int i)
{
    long long sequence, ahead;
    struct timespec now;

    do {
        sequence = order->sequence;
        __sync_synchronize();
        ahead = order->constant_ns[i];
        if (order->pid == self) {
            ahead += order->offset_ns[i];
            if (order->ppb[i] && real(CLOCK_MONOTONIC, &now) == 0)
                ahead += (long long)((__int128)(ns(&now) - order->since_ns) * order->ppb[i] / SECOND);
        }
        __sync_synchronize();
    } while ((sequence & 1) || sequence != order->sequence);
    if (order->pid == self && (order->offset_ns[i] || order->ppb[i]))
        order->falsified++;
    return ahead;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int status, i = which(clock);

    if (!order)
        begin();
    status = real(clock, now);
    if (status == 0 && i >= 0) {
        long long shown = ns(now) + ahead_ns(i);
        now->tv_sec = shown / SECOND;
        now->tv_nsec = shown % SECOND;
    }
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec at;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &at);
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now)
        *now = at.tv_sec;
    return at.tv_sec;
}
