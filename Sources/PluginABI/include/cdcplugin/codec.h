/* Role: codec. Rows in, records out. */
#ifndef CDCPLUGIN_CODEC_H
#define CDCPLUGIN_CODEC_H
#include <cdcplugin/batch.h>
#include <cdcplugin/emitter.h>

typedef struct cdcp_codec_ops {
  uint32_t struct_size;
  uint32_t reserved;
  cdcp_status (*encode)(void *self, cdcp_batch *, cdcp_emitter *); /* [lane] the rows of batch->runs, in their order */
} cdcp_codec_ops;

#endif
