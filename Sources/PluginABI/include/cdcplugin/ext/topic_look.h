/* Extension "cdcp.topic_look/1" of a sink, got from lifecycle->get_extension: `check` asks it, so that a topic that cannot be had is known before a start. */
#ifndef CDCPLUGIN_EXT_TOPIC_LOOK_H
#define CDCPLUGIN_EXT_TOPIC_LOOK_H
#include <cdcplugin/abi.h>

#define CDCP_EXT_TOPIC_LOOK "cdcp.topic_look/1"

typedef struct cdcp_ext_topic_look {
  uint32_t struct_size;
  uint32_t reserved;
  /* [control] Between activate and deactivate; looks for a topic and makes nothing. *partition_count: what it has; -1: it is not there, and cdcp_sink_ops.topic
   * would make it, as far as the other side says. Refuses as cdcp_sink_ops.topic would. */
  cdcp_status (*look)(void *self, cdcp_str name, int32_t *partition_count);
} cdcp_ext_topic_look;

#endif
