/* Writes a mix for its listeners: media/egress.py is the twin of every rule below. */
#define _GNU_SOURCE
#include <string.h>

#include "tx.h"
#include "tx_socket.h"

enum {
    HEADER_BYTES = 12,
    MAX_CSRC = 15,
    PREFIX_BYTES = HEADER_BYTES + 4 * MAX_CSRC + 4 + 16,
    TAG_BYTES = 32, /* more than SRTP adds behind a packet */
    OK = 0
};

typedef struct {
    const uint8_t *payload;
    int64_t payload_bytes;
    const int64_t *contributors; /* pairs of slot and level */
    int64_t contributor_count, grid_slot;
    int flags;
    int prefix_ext, prefix_bytes; /* what the prefix below was built for */
    uint8_t prefix[PREFIX_BYTES];
} mix;

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* RFC 6465: CSRC list, and a one-byte extension with a level for each of it. */
static void add_levels(const vr_tx *tx, mix *m, int ext, int count)
{
    uint8_t *at = m->prefix + HEADER_BYTES;
    m->prefix[0] = (uint8_t)(0x90 | count);
    for (int i = 0; i < count; i++, at += 4)
        put32(at, tx->rx_ssrc[m->contributors[2 * i]]);
    int words = (count + 1 + 3) / 4;
    put16(at, 0xBEDE);
    put16(at + 2, (uint32_t)words);
    memset(at + 4, 0, (size_t)words * 4);
    at[4] = (uint8_t)(ext << 4 | (count - 1));
    for (int i = 0; i < count; i++)
        at[5 + i] = (uint8_t)(m->contributors[2 * i + 1] & 0x7F);
    m->prefix_bytes = (int)(at + 4 + words * 4 - m->prefix);
}

static void build_prefix(const vr_tx *tx, mix *m, int ext)
{
    int count = m->contributor_count > MAX_CSRC ? MAX_CSRC : (int)m->contributor_count;
    memset(m->prefix, 0, HEADER_BYTES);
    m->prefix[0] = 0x80;
    m->prefix_bytes = HEADER_BYTES;
    m->prefix_ext = ext;
    if (ext)
        add_levels(tx, m, ext, count);
}

/* The bound stands in the segment before any index below it is used: a restart begins there. */
static uint64_t take_index(vr_tx *tx, int64_t slot)
{
    uint64_t index = tx->index[slot];
    if (index + 2 > tx->bound[slot])
        __atomic_store_n(&tx->bound[slot], index + (uint64_t)tx->reserve, __ATOMIC_SEQ_CST);
    __atomic_store_n(&tx->index[slot], index + 1, __ATOMIC_SEQ_CST);
    return index;
}

static void direct(const vr_tx *tx, struct msghdr *header, int64_t slot)
{
    const uint8_t *path = tx->paths + slot * tx->path_bytes;
    memcpy(header->msg_name, path, (size_t)tx->name_bytes);
    memcpy((uint8_t *)header->msg_control + tx->source_at, path + tx->name_bytes,
           (size_t)tx->source_bytes);
}

/* Unprotected sound must never leave: such a row becomes one byte that all peers ignore. */
static void protect(vr_tx *tx, struct iovec *row, int64_t slot)
{
    int length = (int)row->iov_len;
    void *context = (void *)(uintptr_t)tx->context[slot];
    if (context && tx->protect(context, row->iov_base, &length) == OK) {
        row->iov_len = (size_t)length;
        return;
    }
    *(uint8_t *)row->iov_base = 0xFF;
    row->iov_len = 1;
    tx->voided++;
}

static void count(vr_tx *tx, int64_t slot, const mix *m, uint32_t timestamp)
{
    tx->sent_timestamp[slot] = timestamp;
    tx->packets[slot]++;
    tx->octets[slot] += (uint64_t)(m->prefix_bytes - HEADER_BYTES + m->payload_bytes);
    tx->last_slot[slot] = m->grid_slot;
}

static void write_row(vr_tx *tx, const mix *m, int64_t slot)
{
    struct msghdr *header = &tx->headers[tx->used++].msg_hdr;
    uint8_t *at = header->msg_iov->iov_base;
    uint64_t index = take_index(tx, slot);
    uint32_t timestamp = tx->epoch[slot] + (uint32_t)(m->grid_slot * tx->samples_per_slot);
    memcpy(at, m->prefix, (size_t)m->prefix_bytes);
    memcpy(at + m->prefix_bytes, m->payload, (size_t)m->payload_bytes);
    at[1] = (uint8_t)(tx->payload_type[slot] | (m->flags & VR_MARKER ? 0x80 : 0));
    put16(at + 2, (uint32_t)(index & 0xFFFF));
    put32(at + 4, timestamp);
    put32(at + 8, tx->ssrc[slot]);
    header->msg_iov->iov_len = (size_t)(m->prefix_bytes + m->payload_bytes);
    direct(tx, header, slot);
    count(tx, slot, m, timestamp);
    if (tx->secure[slot])
        protect(tx, header->msg_iov, slot);
}

static int wants(const vr_tx *tx, const mix *m, int64_t slot)
{
    if (slot < 0 || slot >= tx->slots || !tx->ready[slot])
        return 0;
    return !(m->flags & VR_KEEPALIVE) || tx->last_slot[slot] <= m->grid_slot - tx->keepalive_slots;
}

static void queue(vr_tx *tx, mix *m, int64_t slot)
{
    int ext = m->contributor_count ? tx->level_ext[slot] : 0;
    if (ext != m->prefix_ext)
        build_prefix(tx, m, ext);
    if (tx->used == tx->batch)
        vr_tx_flush(tx);
    write_row(tx, m, slot);
    tx->silent += m->flags & VR_SILENCE ? 1 : 0;
}

/* Queue one distinct mix for all of its listeners; how many rows are in use now. */
VR_EXPORT int64_t vr_tx_mix(vr_tx *tx, int64_t used, const int32_t *slots, int64_t slot_count,
                            const uint8_t *payload, int64_t payload_bytes,
                            const int64_t *contributors, int64_t contributor_count,
                            int64_t grid_slot, int flags)
{
    mix m = {payload, payload_bytes, contributors, contributor_count, grid_slot, flags, -1, 0, {0}};
    tx->used = used;
    if (payload_bytes < 0 || payload_bytes > tx->row_bytes - PREFIX_BYTES - TAG_BYTES) {
        tx->errors += slot_count;
        return tx->used;
    }
    for (int64_t i = 0; i < slot_count; i++)
        if (wants(tx, &m, slots[i]))
            queue(tx, &m, slots[i]);
    return tx->used;
}

VR_EXPORT int64_t vr_tx_size(void)
{
    return (int64_t)sizeof(vr_tx);
}
