/* Extension "cdcp.state/1", got from lifecycle->get_extension: hands the state of an instance to its successor at a reload. */
#ifndef CDCPLUGIN_EXT_STATE_H
#define CDCPLUGIN_EXT_STATE_H
#include <cdcplugin/abi.h>

#define CDCP_EXT_STATE "cdcp.state/1"

/* Both [control], inside save and load only. write and read return the number of bytes done (fewer than asked is no error), 0 at the end, negative on failure. */
typedef struct cdcp_ostream {
  void *ctx;
  int64_t (*write)(const struct cdcp_ostream *, const void *, uint64_t);
} cdcp_ostream;
typedef struct cdcp_istream {
  void *ctx;
  int64_t (*read)(const struct cdcp_istream *, void *, uint64_t);
} cdcp_istream;
CDCP_ASSERT(sizeof(cdcp_ostream) == 16 && sizeof(cdcp_istream) == 16, "frozen");

typedef struct cdcp_ext_state {
  uint32_t struct_size;
  uint32_t state_version;
  cdcp_status (*save)(void *self, const cdcp_ostream *);                          /* [control] must not change the instance */
  cdcp_status (*load)(void *self, const cdcp_istream *, uint32_t state_version);  /* [control] before activate; CDCP_E_STATE: not understood */
} cdcp_ext_state;

#endif
