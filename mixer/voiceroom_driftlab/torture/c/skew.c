/* Preloaded into a program: its clocks read what VR_LAB_SKEW, a mapped file, says. Sleeps and system
 * calls stay the kernel's, as under a vDSO that was patched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CLOCKS 16

struct skew {
    _Atomic uint32_t mask; /* bit n: clock n is wrong; written last */
    uint32_t unused;
    int64_t offset_ns;
    double rate; /* what is added for each ns since base */
    int64_t base_ns[CLOCKS];
};

static const struct skew *skew;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("VR_LAB_SKEW");
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct skew), PROT_READ, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) skew = at;
    close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t) {
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const int result = real(id, t);
    if (result || !skew || id < 0 || id >= CLOCKS) return result;
    if (!(atomic_load_explicit(&skew->mask, memory_order_acquire) >> id & 1)) return result;
    const int64_t now = (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
    const int64_t shown =
        now + skew->offset_ns + (int64_t)((double)(now - skew->base_ns[id]) * skew->rate);
    t->tv_sec = shown / 1000000000;
    t->tv_nsec = shown % 1000000000;
    return result;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    (void)zone;
    const int result = clock_gettime(CLOCK_REALTIME, &now);
    if (!result && t) {
        t->tv_sec = now.tv_sec;
        t->tv_usec = now.tv_nsec / 1000;
    }
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
