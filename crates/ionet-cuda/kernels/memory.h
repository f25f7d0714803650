// The memory job: lanes of blocks, each made of two earlier ones; and weighted sums of blocks.
#pragma once
#include "blake3.h"

#define BLOCK_WORDS 256
#define COLUMNS 16
#define FILL_THREADS 32

struct BeginLanes {
    u64 blocks; // the lanes, one after the other
    u64 keys;   // 32 bytes for each lane: what its first block follows from
    u32 lanes;
    u32 lane_blocks;
};

// First block of each lane: one thread for 64 bytes.
KERNEL(FILL_THREADS) begin_lanes(BeginLanes a) {
    const u64 number = static_cast<u64>(block()) * FILL_THREADS + thread();
    const u64 lane = number / 16, part = number % 16;
    if (lane >= a.lanes) return;
    u32 words[16];
    stream(words, load_hash(reinterpret_cast<const u32*>(a.keys) + lane * 8), part);
    u32* to = reinterpret_cast<u32*>(a.blocks) + lane * a.lane_blocks * BLOCK_WORDS + part * 16;
    UNROLL for (int i = 0; i < 4; ++i) {
        store_four(to + 4 * i, Four{{words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]}});
    }
}

struct FillLanes {
    u64 blocks;     // the lanes, one after the other; all places before `from` are made
    u64 references; // what the references follow from
    u32 lanes;
    u32 lane_blocks;
    u32 first_lane; // number of the first one in the whole job
    u32 from;       // places to make, at least 1
    u32 until;
    u32 rounds; // a multiple of four
};

// Which block of its lane the one at `place` refers to.
DEVICE u32 reference(u64 references, u32 lane, u32 place) {
    u64 mixed = (references ^ (static_cast<u64>(lane) << 32 | place)) + 0x9e3779b97f4a7c15ull;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    mixed ^= mixed >> 31;
    return static_cast<u32>(high_product(mixed, place > 2 ? place - 1 : 1));
}

DEVICE void load_column(u32 (&column)[16], const u32* block_and_column) {
    UNROLL for (int i = 0; i < 16; ++i) column[i] = block_and_column[i * COLUMNS];
}

DEVICE void quarter(u32& a, u32& b, u32& c, u32& d) {
    a += b;
    d = turned_left(d ^ a, 16);
    c += d;
    b = turned_left(b ^ c, 12);
    a += b;
    d = turned_left(d ^ a, 8);
    c += d;
    b = turned_left(b ^ c, 7);
}

DEVICE void permute(u32 (&s)[16], u32 rounds) {
    NO_UNROLL for (u32 i = 0; i < rounds / 2; ++i) {
        quarter(s[0], s[4], s[8], s[12]);
        quarter(s[1], s[5], s[9], s[13]);
        quarter(s[2], s[6], s[10], s[14]);
        quarter(s[3], s[7], s[11], s[15]);
        quarter(s[0], s[5], s[10], s[15]);
        quarter(s[1], s[6], s[11], s[12]);
        quarter(s[2], s[7], s[8], s[13]);
        quarter(s[3], s[4], s[9], s[14]);
    }
}

// Sixteen threads for each lane, each with one column of the block. A thread reads only words that it wrote itself, except for the first block.
KERNEL(FILL_THREADS) fill_lanes(FillLanes a) {
    const u32 lane = (block() * FILL_THREADS + thread()) / COLUMNS, column = thread() % COLUMNS;
    if (lane >= a.lanes) return;
    u32* const start = reinterpret_cast<u32*>(a.blocks) + static_cast<u64>(lane) * a.lane_blocks * BLOCK_WORDS + column;
    const u32 number = a.first_lane + lane;
    u32 made[16], referred[16];
    load_column(made, start + static_cast<u64>(a.from - 1) * BLOCK_WORDS);
    load_column(referred, start + static_cast<u64>(reference(a.references, number, a.from)) * BLOCK_WORDS);
    NO_UNROLL for (u32 place = a.from; place < a.until; ++place) {
        u32 before[16], state[16];
        UNROLL for (int i = 0; i < 16; ++i) before[i] = made[i] + turned_left(referred[i], 7);
        if (column == 0) before[0] ^= place;
        if (column == 1) before[0] ^= number;
        // What the next block refers to lies at least two before it and is there already: it is read while this one is made.
        if (place + 1 < a.until) load_column(referred, start + static_cast<u64>(reference(a.references, number, place + 1)) * BLOCK_WORDS);
        UNROLL for (int i = 0; i < 16; ++i) state[i] = before[i];
        permute(state, a.rounds / 2);
        UNROLL for (int i = 1; i < 16; ++i) state[i] = of_sixteen(state[i], (column + i) % COLUMNS);
        permute(state, a.rounds / 2);
        u32* const to = start + static_cast<u64>(place) * BLOCK_WORDS;
        UNROLL for (int i = 0; i < 16; ++i) {
            made[i] = state[i] + before[i];
            to[i * COLUMNS] = made[i];
        }
    }
}

struct SumBlocks {
    u64 memory;  // blocks of 1 KiB
    u64 weights; // 256 words
    u64 sums;    // one word for each block
    u64 blocks;
};

#define SUM_THREADS 256
#define BLOCKS_OF_WARP 32

// One warp for 32 blocks: of each, a thread reads 16 bytes of either half.
KERNEL(SUM_THREADS) sum_blocks(SumBlocks a) {
    const u32 lane = thread() % 32;
    const u64 first = (static_cast<u64>(block()) * (SUM_THREADS / 32) + thread() / 32) * BLOCKS_OF_WARP;
    if (first >= a.blocks) return;
    const u32 count = a.blocks - first < BLOCKS_OF_WARP ? static_cast<u32>(a.blocks - first) : BLOCKS_OF_WARP;
    const u32* weights = reinterpret_cast<const u32*>(a.weights) + lane * 4;
    const Four low = load_four(weights), high = load_four(weights + 128);
    const u32* from = reinterpret_cast<const u32*>(a.memory) + first * BLOCK_WORDS + lane * 4;
    u32 own = 0;
    // A number of blocks is a multiple of four: four are under way at once.
    NO_UNROLL for (u32 i = 0; i < count; i += 4, from += 4 * BLOCK_WORDS) {
        Four words[8];
        UNROLL for (int j = 0; j < 8; ++j) words[j] = load_four(from + j * 128);
        UNROLL for (int j = 0; j < 4; ++j) {
            u32 sum = 0;
            UNROLL for (int k = 0; k < 4; ++k) {
                sum += words[2 * j].words[k] * low.words[k] + words[2 * j + 1].words[k] * high.words[k];
            }
            UNROLL for (u32 bits = 16; bits > 0; bits /= 2) sum += of_partner(sum, bits);
            if (lane == i + j) own = sum;
        }
    }
    if (lane < count) reinterpret_cast<u32*>(a.sums)[first + lane] = own;
}
