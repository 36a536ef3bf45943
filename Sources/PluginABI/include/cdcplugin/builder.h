/* What a decoder builds a batch with. One message a decode() call; what it said counts only when decode() returns CDCP_OK. */
#ifndef CDCPLUGIN_BUILDER_H
#define CDCPLUGIN_BUILDER_H
#include <cdcplugin/relation.h>
#include <cdcplugin/row.h>

typedef struct cdcp_batch_builder cdcp_batch_builder; /* (host) opaque, valid during decode() */

typedef struct cdcp_message {
  cdcp_str prefix;
  const uint8_t *content; /* into the input */
  uint32_t content_len;
  uint32_t flags;         /* 1: transactional */
  uint64_t lsn;
} cdcp_message;

/* All [lane], inside decode() only. A status other than CDCP_OK is passed on as decode()'s own. Texts are copied, cells point into the input. */
typedef struct cdcp_builder_ops {
  uint32_t struct_size;
  uint32_t column_size; /* sizeof(cdcp_column) as the host knows it */
  /* The shape of a table, before its first row and whenever it changes. Of the columns count name, type_oid, typmod and CDCP_COL_IDENTITY. */
  cdcp_status (*relation)(cdcp_batch_builder *, uint32_t rel_oid, cdcp_str nspname, cdcp_str relname, uint8_t replica_identity,
                          const cdcp_column *columns, uint32_t count, uint32_t column_size);
  cdcp_status (*type)(cdcp_batch_builder *, uint32_t type_oid, cdcp_str nspname, cdcp_str name);
  cdcp_status (*begin)(cdcp_batch_builder *, uint32_t xid, uint64_t commit_lsn, int64_t commit_ts_us);
  cdcp_status (*origin)(cdcp_batch_builder *, cdcp_str name, uint64_t origin_lsn);
  /* One row of a relation that was announced: the cells to fill come back, as many as the relation has columns, preset to ABSENT.
   * has_old: also an array for the old tuple; without it, and for what the op has not (INSERT no old, DELETE no new), NULL comes back.
   * A row of an unknown relation is CDCP_E_UNSUPPORTED, never a guess; more cells than column_count must not be written. */
  cdcp_status (*row)(cdcp_batch_builder *, uint8_t op, uint32_t rel_oid, uint16_t flags, uint32_t has_old, uint32_t column_count,
                     cdcp_cell **new_cells, cdcp_cell **old_cells);
  cdcp_status (*truncate)(cdcp_batch_builder *, const uint32_t *rel_oids, uint32_t count, uint32_t flags);
  cdcp_status (*message)(cdcp_batch_builder *, const cdcp_message *);
  cdcp_status (*commit)(cdcp_batch_builder *, uint64_t commit_lsn, uint64_t end_lsn, int64_t commit_ts_us);
} cdcp_builder_ops;

/* Goes into START_REPLICATION; the host adds publication_names and does the quoting. Frozen. */
typedef struct cdcp_start_option {
  cdcp_str name;
  cdcp_str value;
} cdcp_start_option;
CDCP_ASSERT(sizeof(cdcp_start_option) == 32, "frozen: decoders hand over arrays of it");

#endif
