/* One change. Frozen, but reached through batch->row_stride so that later minors may append. */
#ifndef CDCPLUGIN_ROW_H
#define CDCPLUGIN_ROW_H
#include <cdcplugin/cell.h>

/* op. An unknown op: leave the row as it is. */
#define CDCP_OP_INSERT 1
#define CDCP_OP_UPDATE 2
#define CDCP_OP_DELETE 3
#define CDCP_OP_TRUNCATE 4 /* one row a table; both cell arrays NULL */
#define CDCP_OP_MESSAGE 5  /* pg_logical_emit_message: rel_index is CDCP_NO_RELATION, new_cells[0] the prefix (text), [1] the content (binary) */
#define CDCP_OP_READ 6     /* a row of the snapshot */
/* Markers: rows without cells and without a relation (SCHEMA has one), seen only by stages with CDCP_STAGE_WANTS_MARKERS; nobody may drop them. */
#define CDCP_OP_BEGIN 16
#define CDCP_OP_COMMIT 17
#define CDCP_OP_SCHEMA 18  /* the relation has another shape from here on: relation->previous says which */
#define CDCP_OP_HEARTBEAT 19

#define CDCP_ROW_KEEP 0
#define CDCP_ROW_DROP 1
#define CDCP_ROW_FAIL 2 /* set by host->row_fail only */

#define CDCP_ROWF_OLD_IS_KEY 1 /* old_cells has the replica identity's columns only, the others are ABSENT */
#define CDCP_ROWF_TRANSACTIONAL 2 /* of a MESSAGE */
#define CDCP_ROWF_SNAPSHOT_FIRST 4
#define CDCP_ROWF_SNAPSHOT_LAST 8
#define CDCP_ROWF_SNAPSHOT_FIRST_IN_TABLE 16
#define CDCP_ROWF_SNAPSHOT_LAST_IN_TABLE 32

#define CDCP_NO_RELATION 4294967295u

typedef struct cdcp_row {
  uint8_t op;          /* a transform may turn UPDATE into DELETE or INSERT (and set the other cell array to NULL) */
  uint8_t disposition; /* CDCP_ROW_* */
  uint16_t flags;      /* CDCP_ROWF_* */
  uint32_t rel_index;  /* into batch->relations, or CDCP_NO_RELATION */
  uint32_t txn_index;  /* into batch->txns */
  uint32_t topic;      /* 0: the relation's own; a transform may set one that it got from host->topic */
  uint64_t seq;        /* from 1: place among the rows that the server sent in this transaction (of a snapshot: in this table), counted
                          before any transform. Ordinal of its event: 2*seq-1; of the create of a key change: 2*seq */
  uint64_t lsn;        /* of the change; neither unique nor rising across transactions: never compare with it */
  cdcp_cell *new_cells; /* relation->column_count cells, or NULL */
  cdcp_cell *old_cells; /* the same, or NULL where the server sent no old tuple */
  const cdcp_header *headers; /* read-only; append with host->row_add_header. Put on each of the row's records */
  uint32_t header_count;
  uint32_t reserved;
} cdcp_row;
CDCP_ASSERT(sizeof(cdcp_row) == 64 && offsetof(cdcp_row, new_cells) == 32, "frozen");

#endif
