/* What the host offers an instance. Cold; (host), valid from create() to the end of destroy(). Its slots are never NULL. */
#ifndef CDCPLUGIN_HOST_H
#define CDCPLUGIN_HOST_H
#include <cdcplugin/batch.h>
#include <cdcplugin/record.h>

#define CDCP_LOG_DEBUG 0
#define CDCP_LOG_INFO 1
#define CDCP_LOG_WARNING 2
#define CDCP_LOG_ERROR 3

/* The options of one stage, or a part of them. (host), valid during configure(). Checked against the descriptor's schema and filled with its
 * defaults before the plugin sees them; a key that is not there gives CDCP_NOT_SET. */
typedef struct cdcp_config cdcp_config;

typedef struct cdcp_host {
  uint32_t struct_size;
  uint32_t abi_version;
  void *ctx;
  const char *name;    /* the stage's: its file's name without suffix, "30-masking" */
  const char *version; /* the host's */
  const cdcp_stream *stream;
  void (*log)(const struct cdcp_host *, int32_t level, const char *text, uint64_t len); /* [any] never a value of a row, never a secret */
  int32_t (*log_level)(const struct cdcp_host *);                                        /* [any] lowest level that is written */
  void (*set_error)(const struct cdcp_host *, const char *text, uint64_t len);           /* [control|lane] why the call that is about to return an error fails: what, where, what to do */
  const void *(*get_extension)(const struct cdcp_host *, const char *id);                /* [control] NULL: not offered */

  /* Configuration: [control], inside configure() only. `key` is one key, never a path. Text of any scalar may be read with config_str. */
  cdcp_status (*config_str)(const cdcp_config *, const char *key, cdcp_str *out);
  cdcp_status (*config_i64)(const cdcp_config *, const char *key, int64_t *out); /* sizes in bytes, durations in nanoseconds where the schema says so */
  cdcp_status (*config_f64)(const cdcp_config *, const char *key, double *out);
  cdcp_status (*config_bool)(const cdcp_config *, const char *key, int32_t *out);
  cdcp_status (*config_keys)(const cdcp_config *, const cdcp_str **out, uint32_t *count);                 /* of a map, in the order of the file */
  cdcp_status (*config_list)(const cdcp_config *, const char *key, const cdcp_str **out, uint32_t *count); /* a list of scalars, as text */
  cdcp_status (*config_count)(const cdcp_config *, const char *key, uint32_t *count);                     /* elements of a list; 1 for a map */
  cdcp_status (*config_child)(const cdcp_config *, const char *key, uint32_t index, const cdcp_config **out); /* the map under key, or the index-th map of the list under it */
  cdcp_status (*config_origin)(const cdcp_config *, const char *key, cdcp_str *out);                      /* "FILE:LINE:COLUMN: options.key": put it before what is wrong with the value */

  /* Relations: an instance may keep one beyond the call only between retain and release. [any] */
  void (*relation_retain)(const struct cdcp_host *, const cdcp_relation *);
  void (*relation_release)(const struct cdcp_host *, const cdcp_relation *);
  /* The output shape of a transform, for bind_relation's `out`. Equal shapes give the same relation. (host) [control|lane] */
  cdcp_status (*relation_derive)(const struct cdcp_host *, const cdcp_relation *base, const cdcp_column *columns, uint32_t count,
                                 uint32_t column_size, const cdcp_relation **out);
  cdcp_status (*topic)(const struct cdcp_host *, cdcp_str name, uint32_t *out); /* [control|lane] number of a topic; the same for the same name. Characters that Kafka refuses become '_' */

  cdcp_status (*row_add_header)(cdcp_batch *, uint32_t row, const cdcp_header *); /* [lane] copied into the arena */
  /* [lane] This row cannot be done; on_error decides. In a codec it takes back the row's records. Codes: CDCP_CODE_*. Never a value in the text. */
  cdcp_status (*row_fail)(cdcp_batch *, uint32_t row, int32_t code, const char *text, uint64_t len);

  /* Sinks only. [any] */
  void (*sink_complete)(const struct cdcp_host *, uint64_t submission, const cdcp_failure *failures, uint32_t count); /* exactly once a submission; no failures: all durable */
  void (*sink_health)(const struct cdcp_host *, int32_t state, const char *reason, uint64_t len);                    /* 0: away, 1: well; on every change */
  void (*topic_grew)(const struct cdcp_host *, uint32_t topic, int32_t partition_count);
} cdcp_host;

#endif
