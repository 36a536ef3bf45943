/* Role: transform. Rows in, the same rows out: changed, dropped or failed, never reordered or added. When process returns nothing is in flight. */
#ifndef CDCPLUGIN_TRANSFORM_H
#define CDCPLUGIN_TRANSFORM_H
#include <cdcplugin/batch.h>

typedef struct cdcp_transform_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* [lane] Edits the rows of batch->runs in place. Rewrite: allocate from batch->arena and repoint the cell. Drop: disposition = CDCP_ROW_DROP.
   * Fail: host->row_fail. Other columns than it was given (bind_relation's out): repoint new_cells and old_cells to arrays of that many cells. */
  cdcp_status (*process)(void *self, cdcp_batch *);
} cdcp_transform_ops;

#endif
