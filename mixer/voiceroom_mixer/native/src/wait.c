/* Sleeps without what an interpreter needs to come back to its own: how late one wakes, and whether
 * anything has come meanwhile. The two functions here that block: who calls them has nothing else to
 * do until then. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "vr.h"

enum { NS_PER_S = 1000000000 };

static int until(int64_t deadline_ns)
{
    struct timespec at = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};
    int code;
    do {
        code = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    } while (code == EINTR);
    return code;
}

/* Sleep until CLOCK_MONOTONIC shows `deadline_ns`; what it shows then, or -errno. */
VR_EXPORT int64_t vr_sleep_until(int64_t deadline_ns)
{
    struct timespec at;
    int code = until(deadline_ns);
    if (code)
        return -code;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
}

/* Look at `fd` when CLOCK_MONOTONIC shows `first_ns`, and every `step_ns` after that until `last_ns`;
 * 1 at once when something waits there, 0 when nothing did, or -errno. */
VR_EXPORT int vr_doze(int64_t first_ns, int64_t step_ns, int64_t last_ns, int fd)
{
    struct pollfd at = {.fd = fd, .events = POLLIN};
    int found = 0;
    for (int64_t look_ns = first_ns; !found && look_ns <= last_ns; look_ns += step_ns) {
        int code = until(look_ns);
        if (code)
            return -code;
        found = poll(&at, 1, 0);
        if (found < 0)
            found = errno == EINTR ? 1 : -errno;
    }
    return found;
}
