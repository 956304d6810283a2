/* How late a sleep wakes, without what an interpreter needs to look at its clock. The one function
 * here that blocks: only the clock probe calls it, whose process has nothing else to do. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <time.h>

#include "vr.h"

enum { NS_PER_S = 1000000000 };

/* Sleep until CLOCK_MONOTONIC shows `deadline_ns`; what it shows then, or -errno. */
VR_EXPORT int64_t vr_sleep_until(int64_t deadline_ns)
{
    struct timespec at = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};
    int code;
    do {
        code = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    } while (code == EINTR);
    if (code)
        return -code;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
}
