/* TOML 1.0 by toml++, walked through callbacks: C has no way to hold its tree. Lines and columns count from 1; texts are UTF-8, not terminated, and
 * valid during the call only. */
#ifndef TOML_SHIM_H
#define TOML_SHIM_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct toml_shim_mark {
  uint32_t line, column;
} toml_shim_mark;

/* Entries come in the order of the file: key(), then the value's own call. No callback may be NULL. */
typedef struct toml_shim_visitor {
  void *context;
  void (*key)(void *context, const char *text, size_t length, toml_shim_mark);
  void (*table_begin)(void *context, toml_shim_mark);
  void (*table_end)(void *context);
  void (*array_begin)(void *context, toml_shim_mark);
  void (*array_end)(void *context);
  void (*string)(void *context, const char *text, size_t length, toml_shim_mark);
  void (*integer)(void *context, int64_t, toml_shim_mark);
  void (*floating)(void *context, double, toml_shim_mark);
  void (*boolean)(void *context, int, toml_shim_mark);
  void (*date)(void *context, const char *text, size_t length, toml_shim_mark);
  void (*failed)(void *context, const char *text, size_t length, toml_shim_mark); /* syntax error: the only call then */
} toml_shim_visitor;

/* Parses `length` bytes and calls the visitor before it returns; nothing is kept. [any thread] */
void toml_shim_parse(const char *text, size_t length, const toml_shim_visitor *visitor);

#ifdef __cplusplus
}
#endif
#endif
