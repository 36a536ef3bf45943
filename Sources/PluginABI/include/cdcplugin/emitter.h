/* What a codec writes through. The bytes land in memory that the sink keeps, so nothing is copied again. Frozen.
 *
 * Write the key's bytes and then the value's at cur, advance cur, call record(); none, one or several records a row, in the order of the rows.
 * Where end - cur is too small call grow(): it keeps what was written since base contiguous and may move it, so hold offsets, not pointers, across it.
 * A row that fails half-way: call host->row_fail, which takes back the row's records, and set cur = base. */
#ifndef CDCPLUGIN_EMITTER_H
#define CDCPLUGIN_EMITTER_H
#include <cdcplugin/cell.h>

#define CDCP_RECORDF_NULL_VALUE 1 /* tombstone: value_len is 0 */
#define CDCP_RECORDF_NULL_KEY 2   /* key_len is 0 */

typedef struct cdcp_emitter {
  uint8_t *base; /* start of the record being written */
  uint8_t *cur;
  uint8_t *end;
  cdcp_status (*grow)(struct cdcp_emitter *, uint64_t need);                /* [lane] then end - cur >= need */
  cdcp_status (*header)(struct cdcp_emitter *, const cdcp_header *);        /* [lane] copied; belongs to the next record() */
  /* [lane] topic 0: the row's own, else one got from host->topic. key_len + value_len is cur - base; afterwards base is cur. */
  cdcp_status (*record)(struct cdcp_emitter *, uint32_t row, uint32_t topic, uint32_t key_len, uint32_t value_len, uint32_t flags);
  void *host;
} cdcp_emitter;
CDCP_ASSERT(sizeof(cdcp_emitter) == 56, "frozen");

#endif
