/* What partitioner and sink see: encoded records, the submission that carries them, and what became of them. */
#ifndef CDCPLUGIN_RECORD_H
#define CDCPLUGIN_RECORD_H
#include <cdcplugin/cell.h>

typedef struct cdcp_record { /* reached through a stride */
  const uint8_t *key;   /* NULL: none */
  const uint8_t *value; /* NULL: tombstone */
  uint32_t key_len;
  uint32_t value_len;
  uint32_t topic;       /* as announced through cdcp_sink_ops.topic; from 1 */
  uint32_t header_count;
  int32_t partition;    /* -1: not assigned */
  uint32_t flags;       /* CDCP_RECORDF_* */
  const cdcp_header *headers;
  int64_t timestamp_us; /* 0: the sink's clock */
  uint32_t row;         /* into the batch that it was made from */
  uint32_t table;       /* the same number for records of one table (the host's own; 0: no table) */
} cdcp_record;

#define CDCP_SUBMITF_LAST 1 /* the host has nothing more at hand: do not wait for more before sending */

/* (host) Pinned, with all that it points to, until host->sink_complete names its id. */
typedef struct cdcp_submission {
  uint32_t struct_size;
  uint32_t record_count;
  uint32_t record_stride;
  uint32_t flags;       /* CDCP_SUBMITF_* */
  uint64_t id;
  const void *records;  /* use cdcp_submission_record */
} cdcp_submission;

static inline const cdcp_record *cdcp_submission_record(const cdcp_submission *submission, uint32_t i) {
  return (const cdcp_record *)((const uint8_t *)submission->records + (uint64_t)i * submission->record_stride);
}

/* class of a failure */
#define CDCP_FAIL_RETRYABLE 1 /* not delivered, may be later: the host makes a new instance of the sink and sends again from the last acknowledged transaction */
#define CDCP_FAIL_RECORD 2    /* this record can never succeed: on_error decides */
#define CDCP_FAIL_FATAL 3     /* nothing will (authorisation, unknown topic): the host stops with the code's exit code */

/* code of a failure, where the host acts on it */
#define CDCP_CODE_OTHER 0
#define CDCP_CODE_TOO_LARGE 1   /* exit 65 */
#define CDCP_CODE_PERMISSION 2  /* exit 77 */
#define CDCP_CODE_CONFIG 3      /* exit 78 */
#define CDCP_CODE_VALUE 4       /* row_fail: a value that cannot be converted; exit 65 */
#define CDCP_CODE_SHAPE 5       /* row_fail, bind: a table's shape that the stage cannot work with; exit 65 */

typedef struct cdcp_failure {
  uint32_t index; /* of the record in its submission */
  uint16_t cls;   /* CDCP_FAIL_* */
  uint16_t reserved;
  int32_t code;   /* CDCP_CODE_* */
  uint32_t msg_len;
  const char *msg; /* (plugin) copied during the call; never a value of a row */
} cdcp_failure;
CDCP_ASSERT(sizeof(cdcp_failure) == 24, "frozen: plugins hand over arrays of it");

typedef struct cdcp_topic {
  uint32_t struct_size;
  int32_t partition_count; /* as it was when the topic was first used in this run; 0: the sink has no partitions */
  cdcp_str name;
} cdcp_topic;

#endif
