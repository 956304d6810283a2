/* Sorts a batch. What is usual ends here; what is not is handed up, and sorting goes on when Python
   is done with it: media/source.py is the twin of every rule below. */
#define _GNU_SOURCE
#include "rx.h"

#include <string.h>

#include "level.h"

enum {
    HEADER_BYTES = 12,
    DTX_BYTES = 3,
    SILENCE_GATE = 60,
    SILENT_LEVEL = 127,
    OK = 0,
    REPLAY_FAIL = 9,
    REPLAY_OLD = 10
};

typedef struct {
    int64_t slot, row;
    uint8_t *bytes;
    int start, end; /* of the payload */
    vr_level level;
} packet;

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void stop(vr_rx *rx, vr_stop why, int64_t row, int64_t slot)
{
    rx->stop = why;
    rx->stop_row = row;
    rx->stop_slot = slot;
}

/* CSRCs, extension, padding; 0 when they do not add up. */
static int find_payload(packet *p, int length, int ext_id)
{
    uint8_t first = p->bytes[0];
    p->start = HEADER_BYTES + 4 * (first & 15);
    p->end = length;
    if (first & 0x10) {
        if (p->start + 4 > p->end)
            return 0;
        if (ext_id)
            p->level = vr_find_level(p->bytes, p->start, p->end, ext_id);
        p->start += 4 + 4 * (p->bytes[p->start + 2] << 8 | p->bytes[p->start + 3]);
    }
    if (first & 0x20 && p->start < p->end)
        p->end -= p->bytes[p->end - 1];
    return p->start < p->end;
}

static int without_sound(const packet *p)
{
    if (p->end - p->start <= DTX_BYTES)
        return 1;
    return p->level.level >= SILENCE_GATE && (!p->level.voice || p->level.level == SILENT_LEVEL);
}

/* The indexes of the legs heard from into the segment. Of a leg that is gone, or whose slot another
   has taken since, nothing is written: it is not touched any more. */
VR_EXPORT void vr_rx_publish(vr_rx *rx)
{
    for (int64_t i = 0; i < rx->touched_count; i++) {
        int64_t slot = rx->touched[i];
        vr_leg *leg = &rx->legs[slot];
        if (!leg->touched)
            continue;
        rx->ssrc_column[slot] = (uint32_t)leg->rx_ssrc;
        rx->index_column[slot] = (uint64_t)leg->rx_index;
        rx->last_rx_column[slot] = leg->last_rx_ns;
        leg->touched = 0;
    }
    rx->touched_count = 0;
}

static void touch(vr_rx *rx, vr_leg *leg, int64_t slot)
{
    if (!leg->touched) {
        /* Slots that were given anew between two publications stand here twice. */
        if (rx->touched_count == rx->touched_size)
            vr_rx_publish(rx);
        leg->touched = 1;
        rx->touched[rx->touched_count++] = slot;
    }
}

static void advance_index(vr_leg *leg, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - (uint16_t)leg->rx_index);
    if (ahead < 0x8000)
        leg->rx_index += ahead;
}

/* The next packet of a sender who is not heard: kept only to warm a decoder up. */
static void absorb(vr_leg *leg, const packet *p)
{
    leg->prior_bytes = (uint16_t)(p->end - p->start);
    memcpy(leg->prior, p->bytes + p->start, leg->prior_bytes);
    leg->prior_stamp = leg->timestamp;
}

static void hand_up(vr_rx *rx, vr_leg *leg, const packet *p, vr_arrival how, int quiet)
{
    int64_t *taken = rx->taken[rx->found++];
    taken[0] = p->slot;
    taken[1] = p->row * rx->row_bytes + p->start;
    taken[2] = p->end - p->start;
    taken[3] = how;
    taken[4] = leg->index;
    taken[5] = leg->stamp;
    taken[6] = leg->low_ns;
    taken[7] = rx->arrivals[p->row];
    taken[8] = quiet;
    taken[9] = p->level.level;
    taken[10] = p->level.voice;
    leg->handed_up = rx->call;
    /* Another timeline moves the end of the leg's window: nothing more of it is judged before. */
    if (how == VR_JUMPED || how == VR_RESTARTED)
        stop(rx, VR_AGAIN, p->row, p->slot);
}

static void observe(vr_rx *rx, vr_leg *leg, const packet *p)
{
    uint16_t seq = (uint16_t)(p->bytes[2] << 8 | p->bytes[3]);
    vr_arrival how = vr_observe(leg, seq, word_at(p->bytes + 4), rx->arrivals[p->row]);
    int quiet = without_sound(p), asleep = !leg->awake && leg->handed_up != rx->call;
    leg->octets += p->end - p->start;
    if (quiet && asleep && how <= VR_GAP && p->end - p->start <= VR_PRIOR_BYTES)
        absorb(leg, p);
    else
        hand_up(rx, leg, p, how, quiet);
}

/* Whether the packet is one of a stream that goes on as it went: all else is Python's. */
static int usual(const vr_rx *rx, const vr_leg *leg, const packet *p)
{
    uint32_t ssrc = word_at(p->bytes + 8);
    if (ssrc != leg->rx_ssrc || leg->rx_index < 0 || leg->resume_index >= 0 || leg->wrap_tries)
        return 0;
    if (leg->secure && !leg->context)
        return 0;
    return !leg->sends || (ssrc == leg->ssrc && rx->arrivals[p->row] < leg->window_end_ns);
}

/* In place; 0 when it was dropped. */
static int unprotect(vr_rx *rx, const vr_leg *leg, const packet *p)
{
    int *length = &rx->lengths[p->row];
    int status = rx->unprotect((void *)(uintptr_t)leg->context, p->bytes, length);
    if (status == OK)
        return *length >= HEADER_BYTES;
    rx->drops[status == REPLAY_FAIL || status == REPLAY_OLD ? VR_DROP_REPLAY : VR_DROP_AUTH]++;
    return 0;
}

static void take(vr_rx *rx, vr_leg *leg, packet *p)
{
    if (leg->secure && !unprotect(rx, leg, p))
        return;
    leg->last_rx_ns = rx->now_ns;
    if (!find_payload(p, rx->lengths[p->row], leg->level_ext)) {
        rx->drops[VR_DROP_MALFORMED]++;
        return;
    }
    if ((p->bytes[1] & 0x7F) != leg->payload_type) {
        rx->drops[VR_DROP_PAYLOAD_TYPE]++;
        return;
    }
    advance_index(leg, (uint16_t)(p->bytes[2] << 8 | p->bytes[3]));
    touch(rx, leg, p->slot);
    if (leg->sends)
        observe(rx, leg, p);
    else
        rx->drops[VR_DROP_NOT_ALLOWED]++;
}

static void from_leg(vr_rx *rx, packet *p, int length)
{
    vr_leg *leg = &rx->legs[p->slot];
    int second = length > 1 ? p->bytes[1] : 0, report = length >= 8 && second >= 192 && second <= 223;
    if (!leg->heard || report)
        stop(rx, VR_PACKET, p->row, p->slot);
    else if (length < HEADER_BYTES)
        rx->drops[VR_DROP_MALFORMED]++;
    else if (usual(rx, leg, p))
        take(rx, leg, p);
    else
        stop(rx, VR_PACKET, p->row, p->slot);
}

/* RFC 7983 by the first byte. */
static void sort_row(vr_rx *rx, int64_t row)
{
    int length = rx->lengths[row];
    packet p = {VR_NO_SLOT, row, rx->data + row * rx->row_bytes, 0, 0, {-1, 0}};
    if (length <= 0) {
        rx->drops[length < 0 ? VR_DROP_TOO_LARGE : VR_DROP_EMPTY]++;
    } else if (p.bytes[0] >= 128 && p.bytes[0] < 192) {
        p.slot = vr_index_find(rx->index, rx->names + row * rx->name_bytes);
        if (p.slot != VR_NO_SLOT)
            from_leg(rx, &p, length);
        else if (rx->latching)
            stop(rx, VR_UNKNOWN, row, VR_NO_SLOT);
        else
            rx->drops[VR_DROP_UNKNOWN_SOURCE]++;
    } else if (p.bytes[0] < 4 || p.bytes[0] >= 192 || (p.bytes[0] >= 20 && p.bytes[0] < 64)) {
        stop(rx, VR_OTHER, row, VR_NO_SLOT);
    } else {
        rx->drops[VR_DROP_UNKNOWN_SOURCE]++;
    }
}

/* Sort the rows from next on, as far as that goes; how many packets were handed up. */
VR_EXPORT int vr_rx_sort(vr_rx *rx)
{
    rx->call++;
    rx->found = 0;
    rx->stop = VR_DONE;
    while (rx->next < rx->count && rx->stop == VR_DONE)
        sort_row(rx, rx->next++);
    return (int)rx->found;
}

/* Receive a batch and sort it. */
VR_EXPORT int vr_rx_batch(vr_rx *rx)
{
    vr_rx_receive(rx);
    return vr_rx_sort(rx);
}

/* For the caller, who declares the same fields. */
VR_EXPORT int64_t vr_rx_size(int of_leg)
{
    return of_leg ? (int64_t)sizeof(vr_leg) : (int64_t)sizeof(vr_rx);
}
