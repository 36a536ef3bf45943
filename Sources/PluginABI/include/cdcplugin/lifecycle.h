/* The life of an instance, the same for every role:
 *
 *   create -> configure -> activate -> { bind_relation ..., bindings_complete, then the role's calls and further bind_relation }
 *          -> unbind_relation ... -> deactivate -> destroy
 *
 * destroy() may follow any of them. Threads may be started only between activate and deactivate, and deactivate joins them. */
#ifndef CDCPLUGIN_LIFECYCLE_H
#define CDCPLUGIN_LIFECYCLE_H
#include <cdcplugin/host.h>

typedef struct cdcp_stage_desc cdcp_stage_desc;

typedef struct cdcp_lifecycle {
  uint32_t struct_size;
  uint32_t reserved;
  cdcp_status (*create)(const cdcp_host *, const cdcp_stage_desc *, void **self); /* [control] (plugin) *self until destroy */
  cdcp_status (*configure)(void *self, const cdcp_config *);                      /* [control] once; no I/O: `check` calls it too */
  cdcp_status (*activate)(void *self, uint32_t lane, uint32_t max_rows);          /* [control] max_rows: of one batch, as a hint for buffers */
  /* [lane] Once a shape, before its first row: resolve names, compile patterns, decide the output shape. *out: NULL or `in` for "unchanged", else from
   * relation_derive. *plan comes back in the runs. Refuse with CDCP_E_CONFIG what cannot work, e.g. a configured column that is gone. */
  cdcp_status (*bind_relation)(void *self, const cdcp_relation *in, const cdcp_relation **out, void **plan);
  void (*unbind_relation)(void *self, void *plan);                                /* [lane] the shape is not used any more */
  /* [lane] Every table known at this start or reload has been bound: the last moment to refuse, e.g. a pattern that matched nothing. */
  cdcp_status (*bindings_complete)(void *self);
  cdcp_status (*deactivate)(void *self, uint64_t timeout_ns);                     /* [control] */
  void (*destroy)(void *self);                                                    /* [control] */
  const void *(*get_extension)(void *self, const char *id);                       /* [control] NULL: not offered */
} cdcp_lifecycle;

#endif
