// Counts a program's allocations by the library whose code asked for them. Loaded with LD_PRELOAD; the counts lie in the file that
// ALLOCATION_COUNTS names, where another process reads them while the program runs.
//
//   cc -O2 -shared -fPIC -o allocations.so allocations.c
//
// The caller is the return address of malloc and its kin, looked up in a table of executable mappings. operator new and swift_allocObject call
// malloc themselves: what C++ and Swift code allocates shows under libstdc++ and libswiftCore.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

enum { RANGES = 256, NAME = 112 };

// One executable mapping; 128 bytes, as the reader knows.
struct range {
    char name[NAME];
    uint64_t count;
    uint64_t bytes;
};

static struct range *shared;
static uintptr_t begins[RANGES], ends[RANGES];
static volatile int known, reading;

static uintptr_t hex(const char **p) {
    uintptr_t value = 0;
    for (;; (*p)++) {
        char c = **p;
        if (c >= '0' && c <= '9') value = value * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f') value = value * 16 + (c - 'a' + 10);
        else return value;
    }
}

// One line of /proc/self/maps: begin-end perms offset device inode path.
static void take(const char *line) {
    uintptr_t begin = hex(&line);
    line++;
    uintptr_t end = hex(&line);
    if (line[3] != 'x') return;
    const char *path = strchr(line, '/');
    if (!path) return;
    for (int i = 0; i < known; i++)
        if (begins[i] == begin && ends[i] == end) return;
    if (known == RANGES) return;
    const char *slash = strrchr(path, '/');
    strncpy(shared[known].name, slash + 1, NAME - 1);
    begins[known] = begin;
    ends[known] = end;
    __sync_synchronize();
    known++;
}

// Without an allocation of its own.
static void readMappings(void) {
    if (__sync_lock_test_and_set(&reading, 1)) return;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    static char buffer[8192];
    size_t have = 0;
    for (;;) {
        ssize_t got = read(fd, buffer + have, sizeof buffer - 1 - have);
        if (got <= 0) break;
        have += got;
        buffer[have] = 0;
        char *line = buffer, *newline;
        while ((newline = memchr(line, '\n', buffer + have - line))) {
            *newline = 0;
            take(line);
            line = newline + 1;
        }
        have = buffer + have - line;
        memmove(buffer, line, have);
    }
    close(fd);
    __sync_lock_release(&reading);
}

static int find(uintptr_t caller) {
    for (int i = 0; i < known; i++)
        if (caller >= begins[i] && caller < ends[i]) return i;
    return -1;
}

static void count(void *address, size_t bytes) {
    if (!shared) return;
    int saved = errno;
    int i = find((uintptr_t)address);
    if (i < 0) {
        readMappings();
        i = find((uintptr_t)address);
    }
    if (i >= 0) {
        __sync_fetch_and_add(&shared[i].count, 1);
        __sync_fetch_and_add(&shared[i].bytes, bytes);
    }
    errno = saved;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ALLOCATION_COUNTS");
    if (!path) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *memory = mmap(0, RANGES * sizeof(struct range), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) shared = memory;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size) {
    count(CALLER, size);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    count(CALLER, n * size);
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    count(CALLER, size);
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count(CALLER, size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(CALLER, size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    count(CALLER, size);
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}
