/* As core/rtp/packet.py's parse_level: a block that is broken has no level. */
#include "level.h"

enum { ONE_BYTE_PROFILE = 0xBEDE, TWO_BYTE_PROFILE = 0x1000, STOP_ID = 15 };

static const vr_level NO_LEVEL = {-1, 0};

static vr_level level_at(uint8_t value)
{
    vr_level level = {value & 0x7F, value > 0x7F};
    return level;
}

/* RFC 8285 §4.2: a zero byte pads, id 15 ends the list. */
static vr_level one_byte(const uint8_t *data, int at, int stop, int ext_id)
{
    while (at < stop) {
        int ident = data[at] >> 4, length = (data[at] & 15) + 1;
        if (ident == STOP_ID)
            return NO_LEVEL;
        if (data[at] == 0) {
            at++;
            continue;
        }
        if (at + 1 + length > stop)
            return NO_LEVEL;
        if (ident && ident == ext_id)
            return level_at(data[at + 1]);
        at += 1 + length;
    }
    return NO_LEVEL;
}

/* RFC 8285 §4.3: a zero byte pads. */
static vr_level two_byte(const uint8_t *data, int at, int stop, int ext_id)
{
    while (at < stop) {
        if (data[at] == 0) {
            at++;
            continue;
        }
        if (at + 2 > stop || at + 2 + data[at + 1] > stop)
            return NO_LEVEL;
        if (data[at] == ext_id && data[at + 1])
            return level_at(data[at + 2]);
        at += 2 + data[at + 1];
    }
    return NO_LEVEL;
}

vr_level vr_find_level(const uint8_t *data, int start, int end, int ext_id)
{
    if (start + 5 >= end)
        return NO_LEVEL;
    int profile = data[start] << 8 | data[start + 1];
    int stop = start + 4 + 4 * (data[start + 2] << 8 | data[start + 3]), at = start + 4;
    if (stop > end || stop == at)
        return NO_LEVEL;
    if (profile == ONE_BYTE_PROFILE)
        return data[at] >> 4 == ext_id ? level_at(data[at + 1]) : one_byte(data, at, stop, ext_id);
    return (profile & 0xFFF0) == TWO_BYTE_PROFILE ? two_byte(data, at, stop, ext_id) : NO_LEVEL;
}
