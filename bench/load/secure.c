#include "secure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

#define MAX_KEY 64
#define REPLAY_WINDOW 1024

void secure_init(void) {
    errno = 0;
    if (srtp_init() != srtp_err_status_ok) fail("libsrtp does not start");
}

static void from_hex(uint8_t *key, const char *hex) {
    size_t length = strlen(hex) / 2;
    if (length > MAX_KEY) fail("SRTP key of %zu bytes", length);
    for (size_t i = 0; i < length; i++) {
        if (sscanf(hex + 2 * i, "%2hhx", &key[i]) != 1) fail("SRTP key is not hex");
    }
}

srtp_t secure_session(int profile, const char *key_hex, int inbound) {
    uint8_t key[MAX_KEY];
    srtp_policy_t policy = {.window_size = REPLAY_WINDOW, .key = key};
    srtp_t session;
    errno = 0;
    from_hex(key, key_hex);
    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, (srtp_profile_t)profile) ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, (srtp_profile_t)profile))
        fail("SRTP profile %d is not known here", profile);
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    if (srtp_create(&session, &policy) != srtp_err_status_ok) fail("SRTP session refused");
    return session;
}
