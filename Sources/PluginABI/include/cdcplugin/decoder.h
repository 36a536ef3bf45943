/* Role: decoder. Bytes of the replication protocol in, rows out. */
#ifndef CDCPLUGIN_DECODER_H
#define CDCPLUGIN_DECODER_H
#include <cdcplugin/builder.h>

typedef struct cdcp_decoder_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* [control] The options that it wants for this server, without publication_names. (plugin) valid until the next call or destroy. */
  cdcp_status (*start_options)(void *self, uint32_t server_version, const cdcp_start_option **out, uint32_t *count);
  /* [lane] One message, as it came inside XLogData. Cells must point into msg or at constant data. Never trusts a length: CDCP_E_DATA with set_error.
   * A new connection may begin between two calls: relations are announced again then. */
  cdcp_status (*decode)(void *self, const uint8_t *msg, uint64_t len, uint64_t wal_start, const cdcp_builder_ops *, cdcp_batch_builder *);
  const char *output_plugin; /* of the slot: "pgoutput" */
} cdcp_decoder_ops;

#endif
