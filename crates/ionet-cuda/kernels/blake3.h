// BLAKE3 in its keyed mode, as its specification gives it: one compression, and what is made of it here.
#pragma once
#include "device.h"

constexpr u32 CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8, KEYED_HASH = 16;

// 32 bytes: a key, or the hash of a part.
struct Hash { u32 words[8]; };

DEVICE u32 initial(u32 word) {
    const u32 words[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    return words[word];
}

DEVICE void mix(u32& a, u32& b, u32& c, u32& d, u32 one, u32 other) {
    a += b + one;
    d = turned_left(d ^ a, 16);
    c += d;
    b = turned_left(b ^ c, 20);
    a += b + other;
    d = turned_left(d ^ a, 24);
    c += d;
    b = turned_left(b ^ c, 25);
}

// All sixteen words of the state after the last round, before the halves are brought together.
DEVICE void compress(u32 (&v)[16], const Hash& before, u32 (&m)[16], u64 counter, u32 bytes, u32 flags) {
    UNROLL for (int i = 0; i < 8; ++i) v[i] = before.words[i];
    UNROLL for (int i = 0; i < 4; ++i) v[8 + i] = initial(i);
    v[12] = static_cast<u32>(counter);
    v[13] = static_cast<u32>(counter >> 32);
    v[14] = bytes;
    v[15] = flags;
    UNROLL for (int round = 0; round < 7; ++round) {
        mix(v[0], v[4], v[8], v[12], m[0], m[1]);
        mix(v[1], v[5], v[9], v[13], m[2], m[3]);
        mix(v[2], v[6], v[10], v[14], m[4], m[5]);
        mix(v[3], v[7], v[11], v[15], m[6], m[7]);
        mix(v[0], v[5], v[10], v[15], m[8], m[9]);
        mix(v[1], v[6], v[11], v[12], m[10], m[11]);
        mix(v[2], v[7], v[8], v[13], m[12], m[13]);
        mix(v[3], v[4], v[9], v[14], m[14], m[15]);
        const u32 next[16] = {m[2], m[6], m[3], m[10], m[7], m[0], m[4], m[13], m[1], m[11], m[12], m[5], m[9], m[14], m[15], m[8]};
        UNROLL for (int i = 0; i < 16; ++i) m[i] = next[i];
    }
}

DEVICE Hash chained(const Hash& before, u32 (&m)[16], u64 counter, u32 bytes, u32 flags) {
    u32 v[16];
    compress(v, before, m, counter, bytes, flags);
    Hash hash;
    UNROLL for (int i = 0; i < 8; ++i) hash.words[i] = v[i] ^ v[i + 8];
    return hash;
}

// The node over two nodes, never the root.
DEVICE Hash merged(const Hash& key, const Hash& left, const Hash& right) {
    u32 m[16];
    UNROLL for (int i = 0; i < 8; ++i) {
        m[i] = left.words[i];
        m[8 + i] = right.words[i];
    }
    return chained(key, m, 0, 64, KEYED_HASH | PARENT);
}

// Sixteen words of the endless stream that follows from a key, from the place `block * 64` on.
DEVICE void stream(u32 (&words)[16], const Hash& key, u64 block) {
    u32 v[16], m[16];
    UNROLL for (int i = 0; i < 16; ++i) m[i] = 0;
    compress(v, key, m, block, 0, KEYED_HASH | CHUNK_START | CHUNK_END | ROOT);
    UNROLL for (int i = 0; i < 8; ++i) {
        words[i] = v[i] ^ v[i + 8];
        words[i + 8] = v[i + 8] ^ key.words[i];
    }
}

DEVICE Hash load_hash(const u32* from) {
    Hash hash;
    const Four low = load_four(from), high = load_four(from + 4);
    UNROLL for (int i = 0; i < 4; ++i) {
        hash.words[i] = low.words[i];
        hash.words[4 + i] = high.words[i];
    }
    return hash;
}

DEVICE void store_hash(u32* to, const Hash& hash) {
    store_four(to, Four{{hash.words[0], hash.words[1], hash.words[2], hash.words[3]}});
    store_four(to + 4, Four{{hash.words[4], hash.words[5], hash.words[6], hash.words[7]}});
}
