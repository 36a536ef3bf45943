/* Memory that lives as long as the batch. The fast path is inline; slow() is called when a chunk is spent. Frozen. */
#ifndef CDCPLUGIN_ARENA_H
#define CDCPLUGIN_ARENA_H
#include <cdcplugin/abi.h>

typedef struct cdcp_arena {
  uint8_t *cur;
  uint8_t *end;
  void *(*slow)(struct cdcp_arena *, uint64_t size, uint32_t align); /* [lane] NULL: no memory, return CDCP_E_FATAL */
  void *host;
} cdcp_arena;
CDCP_ASSERT(sizeof(cdcp_arena) == 32, "frozen");

/* size bytes, aligned to align (a power of two). [lane] */
static inline void *cdcp_arena_alloc(cdcp_arena *arena, uint64_t size, uint32_t align) {
  uintptr_t start = ((uintptr_t)arena->cur + (align - 1u)) & ~(uintptr_t)(align - 1u);
  if (start > (uintptr_t)arena->end || (uint64_t)((uintptr_t)arena->end - start) < size) return arena->slow(arena, size, align);
  arena->cur = (uint8_t *)(start + size);
  return (void *)start;
}

#endif
