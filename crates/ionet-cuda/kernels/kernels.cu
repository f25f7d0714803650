// All kernels of the proofs on a card, one file for the compiler.
#include "tree.h"
#include "memory.h"
#include "product.h"

#ifndef __CUDACC__

#include <cstring>

template <class Arguments, void (*kernel)(Arguments)> static void body(const void* arguments) {
    kernel(*static_cast<const Arguments*>(arguments));
}

// Runs a kernel by its name: 0 when all is well, 1 when there is none of this name, number of threads and length of arguments, 2 when threads
// wait for ever.
extern "C" int run_kernel(const char* name, const void* arguments, u64 bytes, u32 blocks, u32 threads, u64 order) {
    const struct { const char* name; u32 threads; u64 bytes; void (*body)(const void*); } all[] = {
        {"hash_groups", HASH_THREADS, sizeof(HashGroups), body<HashGroups, hash_groups>},
        {"merge_nodes", MERGE_THREADS, sizeof(MergeNodes), body<MergeNodes, merge_nodes>},
        {"begin_lanes", FILL_THREADS, sizeof(BeginLanes), body<BeginLanes, begin_lanes>},
        {"fill_lanes", FILL_THREADS, sizeof(FillLanes), body<FillLanes, fill_lanes>},
        {"sum_blocks", SUM_THREADS, sizeof(SumBlocks), body<SumBlocks, sum_blocks>},
        {"read_rows", FACTOR_THREADS, sizeof(ReadFactor), body<ReadFactor, read_rows>},
        {"read_columns", FACTOR_THREADS, sizeof(ReadFactor), body<ReadFactor, read_columns>},
        {"multiply", MULTIPLY_THREADS, sizeof(Multiply), body<Multiply, multiply>},
    };
    for (const auto& kernel : all) {
        if (strcmp(kernel.name, name) != 0) continue;
        if (kernel.threads != threads || kernel.bytes != bytes) return 1;
        Block own;
        own.body = kernel.body;
        own.arguments = arguments;
        for (u32 i = 0; i < blocks; ++i) {
            // In any order, too: blocks do not wait for each other.
            own.number = order % 2 ? blocks - 1 - i : i;
            if (!run_block(own, kernel.threads, order + i)) return 2;
        }
        return 0;
    }
    return 1;
}

#endif
