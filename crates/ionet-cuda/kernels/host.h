// A processor in a card's place: the kernels' threads are taken in turns, and stop where they wait for each other. Slow, and for tests only.
// In which turns is the caller's choice, so that a barrier that is missing shows.
#pragma once
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>
#include <ucontext.h>

#define KERNEL(threads) static void
#define DEVICE static inline
#define DEVICE_MEMBER inline
#define SHARED alignas(256) static thread_local
#define UNROLL
#define NO_UNROLL

#define WARP 32
#define STACK_BYTES (64 << 10)

// Threads that wait for each other, and the words that they show each other.
struct Meeting {
    u32 size = 0, arrived = 0;
    u64 times = 0;
    u32 shown[2][WARP] = {};
};

struct Thread {
    ucontext_t start;
    jmp_buf left; // where it goes on
    std::unique_ptr<char[]> stack;
    bool has_begun = false, is_done = false;
};

struct Block {
    u32 number = 0, running = 0;
    u64 steps = 0; // grows with whatever gets on
    jmp_buf caller;
    std::vector<Thread> threads;
    Meeting all;
    std::vector<Meeting> warps, sixteens;
    void (*body)(const void*) = nullptr;
    const void* arguments = nullptr;
};

static thread_local Block* current = nullptr;

DEVICE u32 thread() { return current->running; }
DEVICE u32 threads() { return static_cast<u32>(current->threads.size()); }
DEVICE u32 block() { return current->number; }

// A context is entered only once: after that, jumps do, which ask nothing of the system.
__attribute__((noinline)) static void leave() {
    if (_setjmp(current->threads[current->running].left) == 0) _longjmp(current->caller, 1);
}

__attribute__((noinline)) static void go_on(Thread& thread) {
    if (_setjmp(current->caller) != 0) return;
    if (thread.has_begun) _longjmp(thread.left, 1);
    thread.has_begun = true;
    setcontext(&thread.start);
}

DEVICE void meet(Meeting& meeting) {
    const u64 before = meeting.times;
    if (++meeting.arrived == meeting.size) {
        meeting.arrived = 0;
        ++meeting.times;
        ++current->steps;
        return;
    }
    while (meeting.times == before) leave();
}

DEVICE void barrier() { meet(current->all); }

// Shows a word and sees another's. There are two places to show it, because nobody is more than one meeting ahead.
DEVICE u32 exchange(Meeting& meeting, u32 own, u32 word, u32 from) {
    u32* const shown = meeting.shown[meeting.times % 2];
    shown[own] = word;
    meet(meeting);
    return shown[from];
}

DEVICE u32 of_sixteen(u32 word, u32 from) { return exchange(current->sixteens[thread() / 16], thread() % 16, word, from); }
DEVICE u32 of_partner(u32 word, u32 bits) { return exchange(current->warps[thread() / WARP], thread() % WARP, word, (thread() % WARP) ^ bits); }

DEVICE u32 turned_left(u32 word, u32 by) { return word << by | word >> (32 - by); }
DEVICE u64 high_product(u64 one, u64 other) { return static_cast<u64>((static_cast<unsigned __int128>(one) * other) >> 64); }

struct alignas(16) Four { u32 words[4]; };
DEVICE Four load_four(const void* from) {
    // A card refuses such an address.
    if (reinterpret_cast<uintptr_t>(from) % 16 != 0) abort();
    return *static_cast<const Four*>(from);
}
DEVICE void store_four(void* to, Four four) {
    if (reinterpret_cast<uintptr_t>(to) % 16 != 0) abort();
    *static_cast<Four*>(to) = four;
}

#ifdef TENSOR

// A warp's tiles are its first thread's; the others look on.
struct Entries { s8 values[16][16]; };
struct Sums { int values[16][16]; };

DEVICE bool has_tiles() { return thread() % WARP == 0; }
DEVICE void read_tile(s8 (&to)[16][16], const s8* tile) {
    // As a card wants it.
    if (reinterpret_cast<uintptr_t>(tile) % 32 != 0) abort();
    for (int i = 0; i < 256; ++i) to[i / 16][i % 16] = tile[i];
}
DEVICE Entries load_rows(const s8* tile) {
    Entries e = {};
    if (has_tiles()) read_tile(e.values, tile);
    return e;
}
DEVICE Entries load_columns(const s8* tile) { return load_rows(tile); }
DEVICE void multiply_add(Sums& s, const Entries& rows, const Entries& columns) {
    if (!has_tiles()) return;
    for (int i = 0; i < 16; ++i) {
        for (int j = 0; j < 16; ++j) {
            for (int k = 0; k < 16; ++k) s.values[i][j] += rows.values[i][k] * columns.values[j][k];
        }
    }
}
DEVICE void clear(Sums& s) { s = {}; }
DEVICE void store_sums(int* to, const Sums& s, u32 pitch) {
    if (!has_tiles()) return;
    for (u32 i = 0; i < 16; ++i) {
        for (u32 j = 0; j < 16; ++j) to[static_cast<u64>(i) * pitch + j] = s.values[i][j];
    }
}

#else

DEVICE int four_products(u32 one, u32 other, int sum) {
    for (int i = 0; i < 4; ++i) sum += static_cast<s8>(one >> (8 * i)) * static_cast<s8>(other >> (8 * i));
    return sum;
}

#endif

static void begin_thread() {
    Block* const own = current;
    own->body(own->arguments);
    own->threads[own->running].is_done = true;
    ++own->steps;
    leave();
}

static void prepare(Thread& thread) {
    if (!thread.stack) thread.stack = std::make_unique<char[]>(STACK_BYTES);
    thread.has_begun = thread.is_done = false;
    getcontext(&thread.start);
    thread.start.uc_stack.ss_sp = thread.stack.get();
    thread.start.uc_stack.ss_size = STACK_BYTES;
    thread.start.uc_link = nullptr;
    makecontext(&thread.start, begin_thread, 0);
}

// Runs one block. False when its threads wait for each other for ever.
static bool run_block(Block& own, u32 count, u64 order) {
    if (own.threads.size() != count) own.threads = std::vector<Thread>(count);
    own.all = Meeting{};
    own.all.size = count;
    own.warps = std::vector<Meeting>((count + WARP - 1) / WARP);
    for (Meeting& warp : own.warps) warp.size = count < WARP ? count : WARP;
    own.sixteens = std::vector<Meeting>((count + 15) / 16);
    for (Meeting& sixteen : own.sixteens) sixteen.size = 16;
    current = &own;
    for (Thread& thread : own.threads) prepare(thread);
    for (u32 done = 0; done < count;) {
        const u64 before = own.steps;
        order = order * 6364136223846793005ull + 1442695040888963407ull;
        const u32 start = static_cast<u32>(order >> 33), stride = static_cast<u32>(order >> 40) | 1;
        done = 0;
        // A number of threads is a power of two: an odd stride comes to all of them.
        for (u32 i = 0; i < count; ++i) {
            own.running = (start + i * stride) % count;
            Thread& thread = own.threads[own.running];
            if (!thread.is_done) go_on(thread);
            done += thread.is_done;
        }
        if (own.steps == before && done < count) return false;
    }
    return true;
}
