// The matrix product: the factors out of their streams, and the product of small whole numbers.
#pragma once
#include "blake3.h"

#define FACTOR_THREADS 128

struct ReadFactor {
    u64 entries; // one byte for each
    u64 first_row;
    u32 rows;
    u32 side; // entries of a row
    Hash key;
};

// Four half-bytes, each in a byte of its own and eight too large, as signed bytes.
DEVICE u32 signed_bytes(u32 halves) {
    const u32 flipped = halves ^ 0x08080808;
    return flipped | ((flipped & 0x08080808) * 0x1e);
}

// Rows of the tall factor, one after the other: one thread for each 128 entries, 64 in each half of the row.
KERNEL(FACTOR_THREADS) read_rows(ReadFactor a) {
    const u64 number = static_cast<u64>(block()) * FACTOR_THREADS + thread();
    const u32 parts = a.side / 128;
    if (number >= static_cast<u64>(a.rows) * parts) return;
    u32 words[16];
    stream(words, a.key, a.first_row * parts + number);
    u8* to = reinterpret_cast<u8*>(a.entries) + number / parts * a.side + number % parts * 64;
    UNROLL for (int i = 0; i < 4; ++i) {
        Four low, high;
        UNROLL for (int j = 0; j < 4; ++j) {
            low.words[j] = signed_bytes(words[4 * i + j] & 0x0f0f0f0f);
            high.words[j] = signed_bytes((words[4 * i + j] >> 4) & 0x0f0f0f0f);
        }
        store_four(to + 16 * i, low);
        store_four(to + a.side / 2 + 16 * i, high);
    }
}

// The square factor, column after column, so that both factors are read along their rows. Threads beside each other have rows below each other.
KERNEL(FACTOR_THREADS) read_columns(ReadFactor a) {
    const u64 number = static_cast<u64>(block()) * FACTOR_THREADS + thread();
    const u32 parts = a.side / 128, row = static_cast<u32>(number % a.side), part = static_cast<u32>(number / a.side);
    if (part >= parts) return;
    u32 words[16];
    stream(words, a.key, static_cast<u64>(row) * parts + part);
    u8* low_to = reinterpret_cast<u8*>(a.entries) + static_cast<u64>(part) * 64 * a.side + row;
    u8* high_to = low_to + static_cast<u64>(a.side / 2) * a.side;
    UNROLL for (int i = 0; i < 16; ++i) {
        const u32 low = signed_bytes(words[i] & 0x0f0f0f0f), high = signed_bytes((words[i] >> 4) & 0x0f0f0f0f);
        UNROLL for (int j = 0; j < 4; ++j) {
            const u64 column = static_cast<u64>(4 * i + j) * a.side;
            low_to[column] = static_cast<u8>(low >> (8 * j));
            high_to[column] = static_cast<u8>(high >> (8 * j));
        }
    }
}

struct Multiply {
    u64 tall;    // its rows
    u64 square;  // its columns
    u64 product; // 32-bit values
    u32 rows;    // a multiple of 128
    u32 side;    // likewise
};

#define MULTIPLY_THREADS 256
// Rows and columns of the product that one block makes, and entries of either factor that it brings in at a time.
#define TILE 128
#define DEPTH 64
// Sixteen entries of each row or column stand together: a tile of 16 by 16 is then 256 bytes in one piece. The gap between the panels keeps
// threads that write beside each other out of one another's banks.
#define PANEL (TILE * 16 + 32)
#define PANELS (DEPTH / 16)

struct Brought { Four pieces[2]; };

// Each thread brings two pieces of sixteen entries of a factor.
DEVICE Brought bring(const s8* rows, u32 side, u32 at) {
    Brought brought;
    UNROLL for (u32 i = 0; i < 2; ++i) {
        const u32 piece = thread() + i * MULTIPLY_THREADS;
        brought.pieces[i] = load_four(rows + static_cast<u64>(piece / PANELS) * side + at + piece % PANELS * 16);
    }
    return brought;
}

DEVICE void put(s8* panels, const Brought& brought) {
    UNROLL for (u32 i = 0; i < 2; ++i) {
        const u32 piece = thread() + i * MULTIPLY_THREADS;
        store_four(panels + piece % PANELS * PANEL + piece / PANELS * 16, brought.pieces[i]);
    }
}

#ifdef TENSOR

// What one warp of eight makes of a tile: 64 rows and 32 columns.
struct Part {
    Sums sums[4][2];

    DEVICE_MEMBER void begin() {
        UNROLL for (int i = 0; i < 4; ++i) {
            UNROLL for (int j = 0; j < 2; ++j) clear(sums[i][j]);
        }
    }
    DEVICE_MEMBER void add(const s8* tall, const s8* square) {
        const u32 warp = thread() / 32;
        UNROLL for (u32 panel = 0; panel < PANELS; ++panel) {
            Entries rows[4], columns[2];
            UNROLL for (u32 i = 0; i < 4; ++i) rows[i] = load_rows(tall + panel * PANEL + (warp / 4 * 64 + i * 16) * 16);
            UNROLL for (u32 j = 0; j < 2; ++j) columns[j] = load_columns(square + panel * PANEL + (warp % 4 * 32 + j * 16) * 16);
            UNROLL for (int i = 0; i < 4; ++i) {
                UNROLL for (int j = 0; j < 2; ++j) multiply_add(sums[i][j], rows[i], columns[j]);
            }
        }
    }
    DEVICE_MEMBER void end(int* tile, u32 side) {
        const u32 warp = thread() / 32;
        UNROLL for (u32 i = 0; i < 4; ++i) {
            UNROLL for (u32 j = 0; j < 2; ++j) {
                store_sums(tile + static_cast<u64>(warp / 4 * 64 + i * 16) * side + warp % 4 * 32 + j * 16, sums[i][j], side);
            }
        }
    }
};

#else

// What one thread makes of a tile: eight rows and eight columns, sixteen apart.
struct Part {
    int sums[8][8];

    DEVICE_MEMBER void begin() {
        UNROLL for (int i = 0; i < 8; ++i) {
            UNROLL for (int j = 0; j < 8; ++j) sums[i][j] = 0;
        }
    }
    DEVICE_MEMBER void add(const s8* tall, const s8* square) {
        const u32 row = thread() / 16, column = thread() % 16;
        NO_UNROLL for (u32 panel = 0; panel < PANELS; ++panel) {
            Four rows[8];
            UNROLL for (u32 i = 0; i < 8; ++i) rows[i] = load_four(tall + panel * PANEL + (row + i * 16) * 16);
            UNROLL for (u32 j = 0; j < 8; ++j) {
                const Four entries = load_four(square + panel * PANEL + (column + j * 16) * 16);
                UNROLL for (int i = 0; i < 8; ++i) {
                    UNROLL for (int k = 0; k < 4; ++k) sums[i][j] = four_products(rows[i].words[k], entries.words[k], sums[i][j]);
                }
            }
        }
    }
    DEVICE_MEMBER void end(int* tile, u32 side) {
        const u32 row = thread() / 16, column = thread() % 16;
        UNROLL for (u32 i = 0; i < 8; ++i) {
            UNROLL for (u32 j = 0; j < 8; ++j) tile[static_cast<u64>(row + i * 16) * side + column + j * 16] = sums[i][j];
        }
    }
};

#endif

// One block for each tile of the product. While it is multiplied, the next entries are on their way.
KERNEL(MULTIPLY_THREADS) multiply(Multiply a) {
    SHARED s8 tall[2][PANELS * PANEL];
    SHARED s8 square[2][PANELS * PANEL];
    const u32 tiles = a.side / TILE;
    const u64 row = static_cast<u64>(block() / tiles) * TILE, column = static_cast<u64>(block() % tiles) * TILE;
    const s8* rows = reinterpret_cast<const s8*>(a.tall) + row * a.side;
    const s8* columns = reinterpret_cast<const s8*>(a.square) + column * a.side;
    Part part;
    part.begin();
    put(tall[0], bring(rows, a.side, 0));
    put(square[0], bring(columns, a.side, 0));
    barrier();
    NO_UNROLL for (u32 at = 0; at < a.side; at += DEPTH) {
        const u32 now = at / DEPTH % 2;
        const bool more = at + DEPTH < a.side;
        Brought next_rows, next_columns;
        if (more) {
            next_rows = bring(rows, a.side, at + DEPTH);
            next_columns = bring(columns, a.side, at + DEPTH);
        }
        part.add(tall[now], square[now]);
        if (more) {
            put(tall[1 - now], next_rows);
            put(square[1 - now], next_columns);
        }
        barrier();
    }
    part.end(reinterpret_cast<int*>(a.product) + row * a.side + column, a.side);
}
