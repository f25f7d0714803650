// A driver over no card: the functions of libcuda that this crate calls, as its manual describes them, and no more forgiving than the real one.
// Kernels run on the processor. What the machine looks like is said by variables of the environment.
#include "../../kernels/kernels.cu"

#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace {

enum Result {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
    UNSUPPORTED_PTX_VERSION = 222, INVALID_HANDLE = 400, NOT_FOUND = 500, LAUNCH_FAILED = 719
};

struct Function { std::string name; int device; };
struct Module { int device; std::string text; std::map<std::string, Function> functions; };
struct Stream { int device; };
struct Room { std::unique_ptr<char[]> memory; size_t bytes; int device; };
struct Context { int device; int retained; u64 taken; };

std::mutex guard;
bool has_begun = false;
std::map<int, Context> contexts;
std::set<Module*> modules;
std::set<Stream*> streams;
std::map<u64, Room> rooms;
std::atomic<u64> launches;
thread_local Context* own_context = nullptr;

int setting(const char* name, int otherwise) {
    const char* value = getenv(name);
    return value ? atoi(value) : otherwise;
}

int count() { return setting("DRIVER_CARDS", 2); }
bool is_device(int device) { return has_begun && device >= 0 && device < count(); }
bool is_current() { return own_context && own_context->retained > 0; }

// Whether so many bytes lie in one allocation of this context's card.
bool is_owned(u64 address, size_t bytes) {
    auto found = rooms.upper_bound(address);
    if (found == rooms.begin()) return false;
    --found;
    return found->second.device == own_context->device && address - found->first + bytes <= found->second.bytes;
}

}  // namespace

extern "C" {

int cuDriverGetVersion(int* version) {
    *version = setting("DRIVER_VERSION", 11080);
    return SUCCESS;
}

int cuInit(unsigned flags) {
    if (flags != 0) return INVALID_VALUE;
    if (setting("DRIVER_FAILS", 0)) return setting("DRIVER_FAILS", 0);
    if (count() == 0) return NO_DEVICE;
    has_begun = true;
    return SUCCESS;
}

int cuGetErrorName(int error, const char** name) {
    switch (error) {
        case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return SUCCESS;
        case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; return SUCCESS;
        case LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; return SUCCESS;
        case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; return SUCCESS;
        default: *name = "CUDA_ERROR_SOMETHING_ELSE"; return SUCCESS;
    }
}

int cuDeviceGetCount(int* number) {
    if (!has_begun) return NOT_INITIALIZED;
    *number = count();
    return SUCCESS;
}

int cuDeviceGet(int* device, int number) {
    if (!is_device(number)) return INVALID_DEVICE;
    *device = number;
    return SUCCESS;
}

int cuDeviceGetName(char* name, int length, int device) {
    if (!is_device(device)) return INVALID_DEVICE;
    snprintf(name, static_cast<size_t>(length), "NVIDIA Test Card %d", device);
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t* bytes, int device) {
    if (!is_device(device)) return INVALID_DEVICE;
    *bytes = static_cast<size_t>(setting("DRIVER_MEMORY_MIB", 64)) << 20;
    return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
    if (!is_device(device)) return INVALID_DEVICE;
    const int capability = setting("DRIVER_CAPABILITY", 89);
    switch (attribute) {
        case 13: *value = 1700000 + 100000 * device; return SUCCESS;  // clock rate, kHz
        case 16: *value = 40; return SUCCESS;                         // multiprocessors
        case 75: *value = capability / 10; return SUCCESS;
        case 76: *value = capability % 10; return SUCCESS;
        default: return INVALID_VALUE;
    }
}

int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return is_device(device) && flags == 4 ? SUCCESS : INVALID_VALUE; }

int cuDevicePrimaryCtxRetain(void** context, int device) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_device(device)) return INVALID_DEVICE;
    Context& own = contexts[device];
    own.device = device;
    ++own.retained;
    *context = &own;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_device(device) || contexts[device].retained == 0) return INVALID_CONTEXT;
    --contexts[device].retained;
    return SUCCESS;
}

int cuCtxSetCurrent(void* context) {
    own_context = static_cast<Context*>(context);
    return is_current() ? SUCCESS : INVALID_CONTEXT;
}

int cuModuleLoadData(Module** module, const void* image) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_current()) return INVALID_CONTEXT;
    if (setting("DRIVER_REFUSES_PTX", 0)) return UNSUPPORTED_PTX_VERSION;
    const std::string text(static_cast<const char*>(image));
    const bool tensor = setting("DRIVER_CAPABILITY", 89) >= 75;
    if (text.find(".version 7.8") == std::string::npos) return UNSUPPORTED_PTX_VERSION;
    if (text.find(tensor ? ".target sm_75" : ".target sm_70") == std::string::npos) return INVALID_VALUE;
    *module = new Module{own_context->device, text, {}};
    modules.insert(*module);
    return SUCCESS;
}

int cuModuleGetFunction(Function** function, Module* module, const char* name) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_current() || !modules.count(module) || module->device != own_context->device) return INVALID_HANDLE;
    if (module->text.find(std::string(".visible .entry ") + name + "(") == std::string::npos) return NOT_FOUND;
    module->functions[name] = Function{name, module->device};
    *function = &module->functions[name];
    return SUCCESS;
}

int cuModuleUnload(Module* module) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_current() || !modules.erase(module)) return INVALID_HANDLE;
    delete module;
    return SUCCESS;
}

int cuStreamCreate(Stream** stream, unsigned flags) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_current() || flags > 1) return INVALID_CONTEXT;
    *stream = new Stream{own_context->device};
    streams.insert(*stream);
    return SUCCESS;
}

static int of_stream(Stream* stream) {
    if (!is_current() || !streams.count(stream) || stream->device != own_context->device) return INVALID_HANDLE;
    return SUCCESS;
}

int cuStreamSynchronize(Stream* stream) {
    std::lock_guard<std::mutex> lock(guard);
    return of_stream(stream);
}

int cuStreamDestroy_v2(Stream* stream) {
    std::lock_guard<std::mutex> lock(guard);
    if (of_stream(stream)) return INVALID_HANDLE;
    streams.erase(stream);
    delete stream;
    return SUCCESS;
}

int cuMemAlloc_v2(u64* address, size_t bytes) {
    std::lock_guard<std::mutex> lock(guard);
    if (!is_current()) return INVALID_CONTEXT;
    if (bytes == 0) return INVALID_VALUE;
    if (own_context->taken + bytes > static_cast<u64>(setting("DRIVER_MEMORY_MIB", 64)) << 20) return OUT_OF_MEMORY;
    auto memory = std::make_unique<char[]>(bytes + 256);
    memset(memory.get(), 0xa5, bytes + 256);
    *address = (reinterpret_cast<u64>(memory.get()) + 255) / 256 * 256;
    own_context->taken += bytes;
    rooms[*address] = Room{std::move(memory), bytes, own_context->device};
    return SUCCESS;
}

int cuMemFree_v2(u64 address) {
    std::lock_guard<std::mutex> lock(guard);
    const auto found = rooms.find(address);
    if (!is_current() || found == rooms.end() || found->second.device != own_context->device) return INVALID_VALUE;
    own_context->taken -= found->second.bytes;
    rooms.erase(found);
    return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(u64 to, const void* from, size_t bytes, Stream* stream) {
    std::lock_guard<std::mutex> lock(guard);
    if (of_stream(stream)) return INVALID_HANDLE;
    if (!is_owned(to, bytes)) return INVALID_VALUE;
    memcpy(reinterpret_cast<void*>(to), from, bytes);
    return SUCCESS;
}

int cuMemcpyDtoHAsync_v2(void* to, u64 from, size_t bytes, Stream* stream) {
    std::lock_guard<std::mutex> lock(guard);
    if (of_stream(stream)) return INVALID_HANDLE;
    if (!is_owned(from, bytes)) return INVALID_VALUE;
    memcpy(to, reinterpret_cast<const void*>(from), bytes);
    return SUCCESS;
}

int cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                   unsigned shared, Stream* stream, void** arguments, void** extra) {
    std::lock_guard<std::mutex> lock(guard);
    if (of_stream(stream) || function->device != own_context->device) return INVALID_HANDLE;
    if (grid_x == 0 || grid_y != 1 || grid_z != 1 || block_y != 1 || block_z != 1 || shared != 0 || extra) return INVALID_VALUE;
    const std::map<std::string, u64> lengths = {
        {"hash_groups", sizeof(HashGroups)}, {"merge_nodes", sizeof(MergeNodes)}, {"begin_lanes", sizeof(BeginLanes)},
        {"fill_lanes", sizeof(FillLanes)}, {"sum_blocks", sizeof(SumBlocks)}, {"read_rows", sizeof(ReadFactor)},
        {"read_columns", sizeof(ReadFactor)}, {"multiply", sizeof(Multiply)},
    };
    const u64 bytes = lengths.at(function->name);
    if (++launches == static_cast<u64>(setting("DRIVER_FAILS_AT", 0))) return LAUNCH_FAILED;
    return run_kernel(function->name.c_str(), arguments[0], bytes, grid_x, block_x, launches) == 0 ? SUCCESS : LAUNCH_FAILED;
}

// What is left in the driver: contexts, modules, streams and allocations.
u64 driver_left() {
    std::lock_guard<std::mutex> lock(guard);
    u64 left = modules.size() + streams.size() + rooms.size();
    for (const auto& context : contexts) left += static_cast<u64>(context.second.retained);
    return left;
}

u64 driver_launches() { return launches; }

}  // extern "C"
