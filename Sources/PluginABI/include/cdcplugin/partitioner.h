/* Role: partitioner. Gives each record its partition. */
#ifndef CDCPLUGIN_PARTITIONER_H
#define CDCPLUGIN_PARTITIONER_H
#include <cdcplugin/batch.h>
#include <cdcplugin/record.h>

typedef struct cdcp_partitioner_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* [lane] Writes `partition` of each of `count` records (host) that lie `stride` bytes apart. topics[record->topic] is the record's topic;
   * the batch is the one that the records were made from: batch->relations and the rows as the codec saw them. batch->runs has this instance's plans. */
  cdcp_status (*assign)(void *self, const cdcp_batch *, void *records, uint32_t count, uint32_t stride, const cdcp_topic *const *topics, uint32_t topic_count);
} cdcp_partitioner_ops;

#endif
