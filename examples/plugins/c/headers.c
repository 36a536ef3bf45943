/* A transform in C: puts a header on every record of the rows that it sees.
 *
 *   plugin: /usr/local/lib/cdc/headers.so     # anything with a slash is a file
 *   options: { header: origin, value: berlin-2 }
 *
 * Read it from the end: the entry, the descriptor, the lifecycle, the work. */
#include <cdcplugin/cdcplugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DEFAULT_VALUE
#define DEFAULT_VALUE "1"
#endif
#define VERSION "1.0." DEFAULT_VALUE

/* One instance: its host, and the header that was configured. */
typedef struct {
  const cdcp_host *host;
  char *text; /* key and value behind each other */
  cdcp_header header;
} instance;

/* Says why the call that is about to return an error fails: what, where, what to do. */
static cdcp_status refuse(const instance *me, cdcp_status status, const char *text) {
  me->host->set_error(me->host, text, strlen(text));
  return status;
}

/* ---- The work. On the data path: no allocation, no lock, no look-up a row. */

static cdcp_status process(void *self, cdcp_batch *batch) {
  const instance *me = self;
  /* Only rows that lie in the runs are ours: `match` has chosen them. */
  for (uint32_t r = 0; r < batch->run_count; r++) {
    const cdcp_run *run = &batch->runs[r];
    for (uint32_t i = run->first; i < run->first + run->count; i++) {
      /* The host copies key and value into the batch's memory. */
      cdcp_status status = me->host->row_add_header(batch, i, &me->header);
      if (status != CDCP_OK) return refuse(me, CDCP_E_FATAL, "the host could not add a header; lower batch.rows");
    }
  }
  return CDCP_OK;
}

/* ---- The life of an instance. */

static cdcp_status create(const cdcp_host *host, const cdcp_stage_desc *stage, void **self) {
  (void)stage;
  instance *me = calloc(1, sizeof *me);
  if (!me) return CDCP_E_FATAL;
  me->host = host;
  *self = me;
  return CDCP_OK;
}

/* Options were checked against the schema below and have its defaults; what a schema cannot say is checked here. */
static cdcp_status configure(void *self, const cdcp_config *config) {
  instance *me = self;
  cdcp_str key, value;
  if (me->host->config_str(config, "header", &key) != CDCP_OK || me->host->config_str(config, "value", &value) != CDCP_OK)
    return refuse(me, CDCP_E_CONFIG, "options.header and options.value must be text");
  if (key.len == 0) {
    char text[300];
    cdcp_str origin = {"options.header", 14, 0};
    me->host->config_origin(config, "header", &origin);
    snprintf(text, sizeof text, "%.*s: a header needs a name", (int)(origin.len < 200 ? origin.len : 200), origin.ptr);
    return refuse(me, CDCP_E_CONFIG, text);
  }
  /* Texts of the configuration are the host's and gone after this call: copy. */
  me->text = malloc((size_t)key.len + value.len);
  if (!me->text) return refuse(me, CDCP_E_FATAL, "no memory");
  memcpy(me->text, key.ptr, key.len);
  if (value.len > 0) memcpy(me->text + key.len, value.ptr, value.len);
  me->header.key = (const uint8_t *)me->text;
  me->header.key_len = key.len;
  me->header.value = (const uint8_t *)me->text + key.len;
  me->header.value_len = value.len;
  return CDCP_OK;
}

static cdcp_status activate(void *self, uint32_t lane, uint32_t max_rows) {
  (void)self, (void)lane, (void)max_rows;
  return CDCP_OK;
}

/* Rows keep their columns, and nothing has to be worked out for a table. */
static cdcp_status bind_relation(void *self, const cdcp_relation *in, const cdcp_relation **out, void **plan) {
  (void)self, (void)in;
  *out = NULL;
  *plan = NULL;
  return CDCP_OK;
}

static void unbind_relation(void *self, void *plan) { (void)self, (void)plan; }

static cdcp_status bindings_complete(void *self) {
  (void)self;
  return CDCP_OK;
}

static cdcp_status deactivate(void *self, uint64_t timeout_ns) {
  (void)self, (void)timeout_ns;
  return CDCP_OK;
}

static void destroy(void *self) {
  instance *me = self;
  free(me->text);
  free(me);
}

static const void *get_extension(void *self, const char *id) {
  (void)self, (void)id;
  return NULL;
}

/* ---- What the library says of itself. All of it static: the entry may be called at any time, and more than once. */

static const cdcp_lifecycle life = {
    .struct_size = sizeof life,
    .create = create,
    .configure = configure,
    .activate = activate,
    .bind_relation = bind_relation,
    .unbind_relation = unbind_relation,
    .bindings_complete = bindings_complete,
    .deactivate = deactivate,
    .destroy = destroy,
    .get_extension = get_extension,
};

static const cdcp_transform_ops ops = {.struct_size = sizeof ops, .process = process};

static const cdcp_stage_desc stage = {
    .struct_size = sizeof stage,
    .role = CDCP_ROLE_TRANSFORM,
    .flags = CDCP_STAGE_DETERMINISTIC,
    .id = "Headers",
    .version = VERSION,
    .summary = "Puts a header on every record",
    .config_schema_json =
        "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
        "\"header\": {\"type\": \"string\", \"minLength\": 1, \"default\": \"v\", \"description\": \"The header's name.\"},"
        "\"value\": {\"type\": \"string\", \"default\": \"" DEFAULT_VALUE "\", \"description\": \"The header's value.\"}}}",
    .life = &life,
    .ops = &ops,
};

static const cdcp_stage_desc *const stages[] = {&stage};

static const cdcp_library library = {
    .struct_size = sizeof library,
    .abi_version = CDCP_ABI_CURRENT,
    .abi_min = CDCP_ABI_1_0,
    .stage_count = 1,
    .id = "Headers",
    .version = VERSION,
    .vendor = "cdc-host",
    .license = "Apache-2.0",
    .stages = stages,
};

const cdcp_library *cdcp_entry_v1(uint32_t host_abi) {
  (void)host_abi; /* which version of the contract the host speaks: this plugin runs on all of them */
  return &library;
}
