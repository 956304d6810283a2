/* SRTP of one leg, by the system's libsrtp2. */
#ifndef BENCH_SECURE_H
#define BENCH_SECURE_H

#include <srtp2/srtp.h>

void secure_init(void);

/* key: master key and salt joined, as hex; profile: the number of RFC 5764 and RFC 7714. */
srtp_t secure_session(int profile, const char *key_hex, int inbound);

#endif
