/* What the chain works on: rows in the order of the stream, grouped into runs of one relation. */
#ifndef CDCPLUGIN_BATCH_H
#define CDCPLUGIN_BATCH_H
#include <cdcplugin/arena.h>
#include <cdcplugin/relation.h>
#include <cdcplugin/row.h>
#include <cdcplugin/transaction.h>

/* Consecutive rows of one relation. A stage may touch only rows that lie in its runs: left out are rows that its `match` does not name, rows
 * dropped or failed, and markers unless it wants them. Frozen. */
typedef struct cdcp_run {
  uint32_t first;
  uint32_t count;
  uint32_t rel_index; /* CDCP_NO_RELATION: messages and markers */
  uint32_t reserved;
  void *plan;         /* (plugin) what this instance's bind_relation returned for the relation; NULL without a relation */
} cdcp_run;
CDCP_ASSERT(sizeof(cdcp_run) == 24, "frozen");

typedef struct cdcp_batch {
  uint32_t struct_size;
  uint32_t flags;
  uint64_t batch_id;
  uint32_t row_count;
  uint32_t row_stride;
  uint32_t run_count;
  uint32_t relation_count;
  uint32_t txn_count;
  uint32_t txn_stride;
  void *rows;           /* use cdcp_batch_row */
  const cdcp_run *runs; /* of the stage that is being called */
  const cdcp_relation *const *relations; /* as the stage that is being called sees them: the output of the stage before it */
  const void *txns;     /* use cdcp_batch_txn */
  cdcp_arena *arena;
} cdcp_batch;

static inline cdcp_row *cdcp_batch_row(const cdcp_batch *batch, uint32_t i) {
  return (cdcp_row *)((uint8_t *)batch->rows + (uint64_t)i * batch->row_stride);
}
static inline const cdcp_txn *cdcp_batch_txn(const cdcp_batch *batch, uint32_t i) {
  return (const cdcp_txn *)((const uint8_t *)batch->txns + (uint64_t)i * batch->txn_stride);
}

#endif
