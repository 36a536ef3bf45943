/* What every other header stands on: the version of the contract, the result of a call, text.
 *
 * Rules of the whole contract
 *  - fixed-width integers only; no C enum, bool, long, size_t, bit-field, varargs, by-value struct in a signature, errno, FILE;
 *  - "cold" structs begin with struct_size, set by whoever fills them, and grow at their end only: test CDCP_HAS before reading a field
 *    that a later minor added; "frozen" structs never change size within a major;
 *  - reserved fields are zero;
 *  - a slot of a table is never NULL: what one side does not offer is a function that returns CDCP_E_UNSUPPORTED;
 *  - nothing is freed across the border: memory comes from the batch's arena, the emitter, or its owner keeps it;
 *  - no exception, panic, longjmp or Swift error crosses.
 *
 * Thread tags, on every function:
 *  [any]     from any thread, at any time
 *  [control] one call at a time for an instance; may block; not on the data path
 *  [lane]    on the data path: never two at once for an instance, but the thread may differ from call to call
 * Ownership tags, at every pointer:
 *  (host)    the host's, valid during the call unless more is said
 *  (plugin)  the plugin's, valid as long as the comment says
 */
#ifndef CDCPLUGIN_ABI_H
#define CDCPLUGIN_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CDCP_EXTERN extern "C"
#define CDCP_ASSERT(condition, text) static_assert(condition, text)
#else
#define CDCP_EXTERN extern
#define CDCP_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define CDCP_EXPORT __attribute__((visibility("default")))

/* major << 16 | minor. Plain literals: some languages import nothing else. */
#define CDCP_ABI_1_0 65536u
#define CDCP_ABI_CURRENT 65536u

/* Does the struct behind p, as its maker knew it, have field f? */
#define CDCP_HAS(p, f) ((p)->struct_size >= offsetof(__typeof__(*(p)), f) + sizeof((p)->f))

/* Result of a call on an instance. What happens to single rows is in cdcp_row.disposition, to single records in cdcp_failure. */
typedef int32_t cdcp_status;
#define CDCP_OK 0
#define CDCP_NOT_SET 1          /* configuration only: the key is not there (and its schema has no default) */
#define CDCP_E_UNSUPPORTED (-1) /* not offered by the other side; also a row of an unknown relation, an unknown option */
#define CDCP_E_CONFIG (-2)      /* configure, bind, bindings_complete: keep the old plan, report, do not start. Say why with host->set_error first */
#define CDCP_E_RETRY (-3)       /* nothing was changed or accepted; the host backs off and repeats the same call */
#define CDCP_E_AGAIN (-4)       /* sink only: full at the moment, no error */
#define CDCP_E_FATAL (-5)       /* this instance cannot go on: the host stops before the row at hand is acknowledged, and never skips */
#define CDCP_E_STATE (-6)       /* a state blob that is not understood: refuse the reload */
#define CDCP_E_PERMISSION (-8)  /* the other side refuses the client or the right that is needed. The host stops with exit code 77 */
#define CDCP_E_DATA (-7)        /* decoder: the bytes do not keep their format. The host stops with exit code 65 */

/* Text: UTF-8, not ended by NUL. ptr may be NULL where len is 0. Frozen. */
typedef struct cdcp_str {
  const char *ptr;
  uint32_t len;
  uint32_t reserved;
} cdcp_str;
CDCP_ASSERT(sizeof(cdcp_str) == 16, "frozen");

#endif
