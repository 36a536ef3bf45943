/* The shape of a table at one moment. Cold; immutable once seen. */
#ifndef CDCPLUGIN_RELATION_H
#define CDCPLUGIN_RELATION_H
#include <cdcplugin/abi.h>

/* flags of a column */
#define CDCP_COL_IDENTITY 1     /* part of the replica identity, as the server announces it; under REPLICA IDENTITY FULL every column */
#define CDCP_COL_NOT_NULL 2
#define CDCP_COL_NULLABLE 4     /* neither bit: unknown */
#define CDCP_COL_GENERATED 8
#define CDCP_COL_PRIMARY_KEY 16 /* from the catalog, which may be newer than the WAL that is being read */
#define CDCP_COL_MASKED 32      /* set by a SENSITIVE stage on the columns that it masks */

/* kind of a column's type: pg_type.typtype, 0 where unknown */
#define CDCP_TYPE_BASE 98       /* 'b' */
#define CDCP_TYPE_COMPOSITE 99  /* 'c' */
#define CDCP_TYPE_DOMAIN 100    /* 'd' */
#define CDCP_TYPE_ENUM 101      /* 'e' */
#define CDCP_TYPE_MULTIRANGE 109 /* 'm' */
#define CDCP_TYPE_RANGE 114     /* 'r' */

typedef struct cdcp_column {
  cdcp_str name;
  cdcp_str type_name;     /* pg_type.typname of type_oid; empty where unknown */
  uint32_t type_oid;      /* as the server announced it: a domain's own */
  int32_t typmod;         /* -1: none */
  uint32_t flags;         /* CDCP_COL_* */
  uint32_t key_ordinal;   /* from 1: place in the record's key (primary key or identity index, in the index's order); 0: not part of it */
  uint32_t base_type_oid; /* behind all domains; equal to type_oid where it is none or the catalog does not know */
  int32_t base_typmod;    /* that of the domain, where the type is one */
  uint32_t element_oid;   /* of an array: its elements' base type; else 0 */
  uint32_t type_kind;     /* CDCP_TYPE_* of base_type_oid, of an array that of element_oid */
} cdcp_column;

#define CDCP_REPLICA_IDENTITY_DEFAULT 100 /* 'd' */
#define CDCP_REPLICA_IDENTITY_NOTHING 110 /* 'n' */
#define CDCP_REPLICA_IDENTITY_FULL 102    /* 'f' */
#define CDCP_REPLICA_IDENTITY_INDEX 105   /* 'i' */

typedef struct cdcp_relation {
  uint32_t struct_size;
  uint32_t column_stride;               /* step from one cdcp_column to the next: use cdcp_relation_column */
  uint64_t schema_id;                   /* never reused in a process, equal shapes have equal ids: the key for a cache */
  uint32_t rel_oid;
  uint32_t column_count;
  const void *columns;
  cdcp_str nspname;
  cdcp_str relname;
  const struct cdcp_relation *base;     /* what a stage derived this from, or NULL: the shape as the server sent it */
  const struct cdcp_relation *previous; /* the shape before the last change of schema, or NULL */
  cdcp_str topic;                       /* where its records go unless a row says otherwise */
  uint8_t replica_identity;             /* CDCP_REPLICA_IDENTITY_* */
  uint8_t reserved[7];
} cdcp_relation;

static inline const cdcp_column *cdcp_relation_column(const cdcp_relation *relation, uint32_t i) {
  return (const cdcp_column *)((const uint8_t *)relation->columns + (uint64_t)i * relation->column_stride);
}

#endif
