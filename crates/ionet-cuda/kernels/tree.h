// The tree of a commitment, from the bytes upwards; its top is made by the host.
#pragma once
#include "blake3.h"

struct HashGroups {
    u64 bytes;       // what is hashed, groups of 16 KiB
    u64 nodes;       // 32 bytes for each group
    u64 groups;      // how many
    u64 first_group; // number of the first one in the whole buffer
    Hash key;
};

#define HASH_THREADS 128

// One thread for each chunk of 1 KiB, sixteen of them for each group.
KERNEL(HASH_THREADS) hash_groups(HashGroups a) {
    SHARED u32 found[HASH_THREADS * 8];
    const u64 chunk = static_cast<u64>(block()) * HASH_THREADS + thread();
    const u64 chunks = a.groups * 16;
    if (chunk < chunks) {
        const u32* from = reinterpret_cast<const u32*>(a.bytes) + chunk * 256;
        Hash hash = a.key;
        NO_UNROLL for (u32 i = 0; i < 16; ++i, from += 16) {
            u32 m[16];
            UNROLL for (int j = 0; j < 4; ++j) {
                const Four four = load_four(from + 4 * j);
                UNROLL for (int k = 0; k < 4; ++k) m[4 * j + k] = four.words[k];
            }
            const u32 flags = KEYED_HASH | (i == 0 ? CHUNK_START : 0) | (i == 15 ? CHUNK_END : 0);
            hash = chained(hash, m, a.first_group * 16 + chunk, 64, flags);
        }
        store_hash(found + thread() * 8, hash);
    }
    // Sixteen chunks are always whole: with half as many threads each time, every thread's two are there or neither is.
    NO_UNROLL for (u32 left = HASH_THREADS / 2; left >= HASH_THREADS / 16; left /= 2) {
        barrier();
        Hash hash;
        const bool works = thread() < left;
        if (works) hash = merged(a.key, load_hash(found + thread() * 16), load_hash(found + thread() * 16 + 8));
        barrier();
        if (works) store_hash(found + thread() * 8, hash);
    }
    barrier();
    const u64 group = static_cast<u64>(block()) * (HASH_THREADS / 16) + thread();
    if (thread() < HASH_THREADS / 16 && group < a.groups) {
        store_hash(reinterpret_cast<u32*>(a.nodes) + group * 8, load_hash(found + thread() * 8));
    }
}

struct MergeNodes {
    u64 below; // nodes of a level, two for each above
    u64 above; // nodes of the next
    u64 nodes; // how many above
    Hash key;
};

#define MERGE_THREADS 128

// One thread for each node above.
KERNEL(MERGE_THREADS) merge_nodes(MergeNodes a) {
    const u64 node = static_cast<u64>(block()) * MERGE_THREADS + thread();
    if (node >= a.nodes) return;
    const u32* below = reinterpret_cast<const u32*>(a.below) + node * 16;
    store_hash(reinterpret_cast<u32*>(a.above) + node * 8, merged(a.key, load_hash(below), load_hash(below + 8)));
}
