/* What a library says of itself, and its one export. */
#ifndef CDCPLUGIN_LIBRARY_H
#define CDCPLUGIN_LIBRARY_H
#include <cdcplugin/lifecycle.h>

#define CDCP_ROLE_DECODER 1
#define CDCP_ROLE_TRANSFORM 2
#define CDCP_ROLE_CODEC 3
#define CDCP_ROLE_PARTITIONER 4
#define CDCP_ROLE_SINK 5

#define CDCP_STAGE_SENSITIVE 1u     /* fail closed: rows that fail at or before it never show values in dead letters or logs */
#define CDCP_STAGE_DETERMINISTIC 2u /* same input, same output */
#define CDCP_STAGE_STATEFUL 4u      /* keeps something from batch to batch: offers cdcp.state/1, or a reload of it is refused */
#define CDCP_STAGE_WANTS_MARKERS 8u
#define CDCP_STAGE_RESHAPES 16u     /* may declare another output shape: `match.ops` is refused for it */

#define CDCP_STAGE_NEEDS_PARTITIONS 32u /* a sink that takes only records whose partition is assigned: the chain must have a partitioner */

struct cdcp_stage_desc { /* cold; (plugin) static */
  uint32_t struct_size;
  uint32_t role;
  uint64_t flags; /* CDCP_STAGE_* */
  const char *id; /* [A-Za-z][A-Za-z0-9_-]*, unique in the library */
  const char *version;
  const char *summary;            /* one line */
  const char *config_schema_json; /* JSON Schema of `options`; see docs/writing-a-plugin.md for the words that are understood */
  const cdcp_lifecycle *life;
  const void *ops;                /* cdcp_*_ops of the role */
};

typedef struct cdcp_library { /* cold; (plugin) static */
  uint32_t struct_size;
  uint32_t abi_version; /* built with */
  uint32_t abi_min;     /* oldest host that it can run on */
  uint32_t stage_count;
  const char *id;
  const char *version;
  const char *vendor;
  const char *license;
  const cdcp_stage_desc *const *stages;
  cdcp_status (*init)(const cdcp_host *); /* [control] counted; before the first create. NULL: none needed */
  void (*deinit)(void);                   /* [control] NULL: none needed */
} cdcp_library;

/* The only export. Pure: no threads, no I/O, returns static storage, may be called before init and more than once.
 * A later major is another symbol; a host looks for the newest first. [any] */
CDCP_EXTERN CDCP_EXPORT const cdcp_library *cdcp_entry_v1(uint32_t host_abi);

#endif
