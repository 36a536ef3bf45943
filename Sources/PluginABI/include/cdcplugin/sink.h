/* Role: sink. Takes submissions and completes each exactly once through host->sink_complete, from any thread. */
#ifndef CDCPLUGIN_SINK_H
#define CDCPLUGIN_SINK_H
#include <cdcplugin/record.h>

typedef struct cdcp_sink_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* [lane] Finds or makes a topic, before its first record; the number is what records carry. May block for some seconds, then CDCP_E_RETRY with set_error.
   * CDCP_E_CONFIG: cannot be had (unknown and may not be made). CDCP_E_PERMISSION: not authorised. *partition_count: 0 where there are no partitions. */
  cdcp_status (*topic)(void *self, uint32_t topic, cdcp_str name, int32_t *partition_count);
  /* [lane] All or nothing: CDCP_OK, CDCP_E_AGAIN (full: the host calls again after a completion), CDCP_E_FATAL. Never blocks. */
  cdcp_status (*submit)(void *self, const cdcp_submission *);
  /* [control] Returns when everything submitted has been completed or the time is over (CDCP_E_RETRY). */
  cdcp_status (*flush)(void *self, uint64_t timeout_ns);
} cdcp_sink_ops;

#endif
