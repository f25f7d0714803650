// What the kernels need of a card, and nothing else. The same names are defined for a processor in host.h, so that the very same kernels run
// without a card, in tests.
#pragma once

typedef unsigned char u8;
typedef signed char s8;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef __CUDACC__

#define KERNEL(threads) extern "C" __global__ void __launch_bounds__(threads, 2)
#define DEVICE static __device__ __forceinline__
#define DEVICE_MEMBER __device__ __forceinline__
#define SHARED __shared__ __align__(256)
#define UNROLL _Pragma("unroll")
#define NO_UNROLL _Pragma("unroll 1")

DEVICE u32 thread() { return threadIdx.x; }
DEVICE u32 threads() { return blockDim.x; }
DEVICE u32 block() { return blockIdx.x; }

// Waits for all threads of the block.
DEVICE void barrier() { __syncthreads(); }

// The word that thread `from` of this thread's sixteen has.
DEVICE u32 of_sixteen(u32 word, u32 from) { return __shfl_sync(0xffffu << (threadIdx.x & 16), word, from, 16); }

// The word that the thread has whose number in the warp differs in the bits of `bits`.
DEVICE u32 of_partner(u32 word, u32 bits) { return __shfl_xor_sync(0xffffffffu, word, bits); }

DEVICE u32 turned_left(u32 word, u32 by) { return __funnelshift_l(word, word, by); }
DEVICE u64 high_product(u64 one, u64 other) { return __umul64hi(one, other); }

struct alignas(16) Four { u32 words[4]; };
DEVICE Four load_four(const void* from) {
    const uint4 read = *reinterpret_cast<const uint4*>(from);
    return Four{{read.x, read.y, read.z, read.w}};
}
DEVICE void store_four(void* to, Four four) {
    *reinterpret_cast<uint4*>(to) = make_uint4(four.words[0], four.words[1], four.words[2], four.words[3]);
}

#if __CUDA_ARCH__ >= 750
#define TENSOR 1

// Tiles of 16 by 16, spread over the warp's registers in a way that is the card's own matter.
struct Entries { u32 words[2]; };
struct Sums { int values[8]; };

DEVICE u32 shared_address(const s8* tile) { return static_cast<u32>(__cvta_generic_to_shared(tile)); }

// Sixteen rows of sixteen entries, one row after the other.
DEVICE Entries load_rows(const s8* tile) {
    Entries e;
    asm volatile("wmma.load.a.sync.aligned.row.m16n16k16.shared.s8 {%0, %1}, [%2], 16;"
                 : "=r"(e.words[0]), "=r"(e.words[1]) : "r"(shared_address(tile)) : "memory");
    return e;
}
// Sixteen columns of sixteen entries, one column after the other.
DEVICE Entries load_columns(const s8* tile) {
    Entries e;
    asm volatile("wmma.load.b.sync.aligned.col.m16n16k16.shared.s8 {%0, %1}, [%2], 16;"
                 : "=r"(e.words[0]), "=r"(e.words[1]) : "r"(shared_address(tile)) : "memory");
    return e;
}
DEVICE void multiply_add(Sums& s, const Entries& a, const Entries& b) {
    asm volatile("wmma.mma.sync.aligned.row.col.m16n16k16.s32.s8.s8.s32 {%0, %1, %2, %3, %4, %5, %6, %7}, {%8, %9}, {%10, %11}, "
                 "{%0, %1, %2, %3, %4, %5, %6, %7};"
                 : "+r"(s.values[0]), "+r"(s.values[1]), "+r"(s.values[2]), "+r"(s.values[3]),
                   "+r"(s.values[4]), "+r"(s.values[5]), "+r"(s.values[6]), "+r"(s.values[7])
                 : "r"(a.words[0]), "r"(a.words[1]), "r"(b.words[0]), "r"(b.words[1]));
}
DEVICE void clear(Sums& s) {
    UNROLL for (int i = 0; i < 8; ++i) s.values[i] = 0;
}
// Sixteen rows of sixteen sums; `pitch` values from one row to the next.
DEVICE void store_sums(int* to, const Sums& s, u32 pitch) {
    asm volatile("wmma.store.d.sync.aligned.row.m16n16k16.global.s32 [%0], {%1, %2, %3, %4, %5, %6, %7, %8}, %9;"
                 :: "l"(__cvta_generic_to_global(to)), "r"(s.values[0]), "r"(s.values[1]), "r"(s.values[2]), "r"(s.values[3]),
                    "r"(s.values[4]), "r"(s.values[5]), "r"(s.values[6]), "r"(s.values[7]), "r"(pitch) : "memory");
}

#else

// Four products of signed bytes, added up.
DEVICE int four_products(u32 one, u32 other, int sum) {
    asm("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(one), "r"(other));
    return sum;
}

#endif

#else
#include "host.h"
#endif
