/* One column's value in one row, and one header. Frozen. */
#ifndef CDCPLUGIN_CELL_H
#define CDCPLUGIN_CELL_H
#include <cdcplugin/abi.h>

/* kind. An unknown kind: fail the row. */
#define CDCP_CELL_ABSENT 0    /* not sent by the server: a column outside the replica identity in an old tuple. Not NULL */
#define CDCP_CELL_NULL 1      /* SQL NULL */
#define CDCP_CELL_VALUE 2
#define CDCP_CELL_UNCHANGED 3 /* a TOASTed value that did not change and that the server therefore did not send. Not NULL */

/* format of a VALUE's bytes */
#define CDCP_FMT_TEXT 0   /* PostgreSQL's text output under DateStyle ISO, IntervalStyle postgres, TimeZone UTC, bytea_output hex, UTF-8 */
#define CDCP_FMT_BINARY 1 /* PostgreSQL's binary output; the content of a logical message */

/* flags */
#define CDCP_CELLF_REWRITTEN 1 /* a stage replaced the bytes: they are text of the output relation's type */
#define CDCP_CELLF_MASKED 2    /* safe to show in dead letters and logs */

typedef struct cdcp_cell {
  const uint8_t *ptr; /* (host) input, arena or the plugin's constant data; read-only; valid as long as the batch */
  uint32_t len;
  uint8_t kind;
  uint8_t format;
  uint16_t flags;
} cdcp_cell;
CDCP_ASSERT(sizeof(cdcp_cell) == 16, "frozen");

#define CDCP_HEADER_NULL 4294967295u
typedef struct cdcp_header {
  const uint8_t *key;
  const uint8_t *value;
  uint32_t key_len;
  uint32_t value_len; /* CDCP_HEADER_NULL: a null value */
} cdcp_header;
CDCP_ASSERT(sizeof(cdcp_header) == 24, "frozen");

#endif
