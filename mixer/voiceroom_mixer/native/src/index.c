#include "index.h"

#include <string.h>

static void load_key(uint64_t key[VR_KEY_WORDS], const void *name, size_t bytes)
{
    memset(key, 0, VR_KEY_WORDS * sizeof key[0]);
    memcpy(key, name, bytes <= VR_KEY_WORDS * sizeof key[0] ? bytes : VR_KEY_WORDS * sizeof key[0]);
}

static uint64_t home(const vr_index *index, const uint64_t key[VR_KEY_WORDS])
{
    uint64_t hash = index->seed;
    for (int i = 0; i < VR_KEY_WORDS; i++) {
        hash = (hash ^ key[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash & (index->size - 1);
}

static int same(const uint64_t a[VR_KEY_WORDS], const uint64_t b[VR_KEY_WORDS])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* The entry of the key, or the free one where it would be put. */
static uint64_t place(const vr_index *index, const uint64_t key[VR_KEY_WORDS])
{
    uint64_t at = home(index, key);
    while (index->entries[at].slot != VR_NO_SLOT && !same(index->entries[at].key, key))
        at = (at + 1) & (index->size - 1);
    return at;
}

int64_t vr_index_find(const vr_index *index, const void *name)
{
    uint64_t key[VR_KEY_WORDS];
    load_key(key, name, index->key_bytes);
    return index->entries[place(index, key)].slot;
}

/* 0: there is no room, the caller must grow the table first. */
VR_EXPORT int vr_index_put(vr_index *index, const void *name, int64_t slot)
{
    uint64_t key[VR_KEY_WORDS];
    load_key(key, name, index->key_bytes);
    vr_index_entry *entry = &index->entries[place(index, key)];
    if (entry->slot == VR_NO_SLOT) {
        if ((index->used + 1) * 2 > index->size)
            return 0;
        index->used++;
        memcpy(entry->key, key, sizeof key);
    }
    entry->slot = slot;
    return 1;
}

VR_EXPORT void vr_index_drop(vr_index *index, const void *name)
{
    uint64_t key[VR_KEY_WORDS], mask = index->size - 1;
    load_key(key, name, index->key_bytes);
    uint64_t hole = place(index, key);
    if (index->entries[hole].slot == VR_NO_SLOT)
        return;
    /* Those behind move up, unless that would put them before their home. */
    for (uint64_t at = (hole + 1) & mask; index->entries[at].slot != VR_NO_SLOT; at = (at + 1) & mask) {
        if (((at - home(index, index->entries[at].key)) & mask) >= ((at - hole) & mask)) {
            index->entries[hole] = index->entries[at];
            hole = at;
        }
    }
    index->entries[hole].slot = VR_NO_SLOT;
    index->used--;
}

/* All entries of a smaller table into an empty one. */
VR_EXPORT void vr_index_move(vr_index *to, const vr_index *from)
{
    for (uint64_t i = 0; i < from->size; i++) {
        if (from->entries[i].slot != VR_NO_SLOT) {
            to->entries[place(to, from->entries[i].key)] = from->entries[i];
            to->used++;
        }
    }
}
