/* A transaction that has committed, and the stream that it belongs to. Cold. */
#ifndef CDCPLUGIN_TRANSACTION_H
#define CDCPLUGIN_TRANSACTION_H
#include <cdcplugin/abi.h>

#define CDCP_TXNF_SNAPSHOT 1 /* rows read by the snapshot: commit_lsn is its consistent point, commit_ts_us when it was taken, xid 0 */
#define CDCP_TXNF_MESSAGE 2  /* a logical message outside transactions: xid 0, commit_lsn is its own position */

typedef struct cdcp_txn {
  uint32_t xid;
  uint32_t flags;
  uint64_t commit_lsn;       /* of the commit record, as the server announces it at the transaction's beginning */
  uint64_t end_lsn;          /* end of the commit record; 0 until its COMMIT was seen */
  uint64_t previous_end_lsn; /* of the commit before it, kept across restarts; 0: none yet */
  int64_t commit_ts_us;      /* microseconds since 1970-01-01 UTC */
  cdcp_str origin;           /* replication origin, or empty */
  uint64_t origin_lsn;
} cdcp_txn;

/* host->stream: what is the same for every row. (host), valid as long as the instance. server_version, database and system_identifier are known
 * from activate() on. */
typedef struct cdcp_stream {
  uint32_t struct_size;
  uint32_t server_version;   /* as PQserverVersion: 150018 */
  cdcp_str name;             /* `name` of host.yaml */
  cdcp_str topic_prefix;
  cdcp_str database;
  cdcp_str system_identifier;
  cdcp_str version;          /* the host's */
} cdcp_stream;

#endif
