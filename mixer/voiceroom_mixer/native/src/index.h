/* Source address to leg slot: a hash table with linear probing, at most half full. */
#ifndef VR_INDEX_H
#define VR_INDEX_H

#include "vr.h"

enum { VR_KEY_WORDS = 4, VR_NO_SLOT = -1 };

typedef struct {
    uint64_t key[VR_KEY_WORDS]; /* the head of a struct sockaddr, zero padded */
    int64_t slot;               /* VR_NO_SLOT: free */
} vr_index_entry;

typedef struct {
    vr_index_entry *entries; /* size of them, the caller's memory */
    uint64_t size;           /* a power of two */
    uint64_t used;
    uint64_t seed; /* an address cannot be chosen to fall on another's place */
    uint64_t key_bytes;
} vr_index;

int64_t vr_index_find(const vr_index *index, const void *name);

#endif
