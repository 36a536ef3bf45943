/* A library whose every statement about itself a test may bend with a -D. As it stands it keeps the contract. */
#include <cdcplugin/cdcplugin.h>
#include <stdlib.h>

#ifndef ROLE
#define ROLE CDCP_ROLE_TRANSFORM
#endif
#ifndef STAGE_ID
#define STAGE_ID "Fixture"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef SCHEMA
#define SCHEMA                                                                                            \
  "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"how\"],\"properties\":{"           \
  "\"how\":{\"enum\":[\"fixed\",\"hash\"],\"description\":\"What is done.\"},"                            \
  "\"wait\":{\"type\":\"string\",\"x-unit\":\"duration\",\"default\":\"5s\"}}}"
#endif
#ifndef ABI_VERSION
#define ABI_VERSION CDCP_ABI_1_0
#endif
#ifndef ABI_MIN
#define ABI_MIN CDCP_ABI_1_0
#endif
#ifndef RESERVED
#define RESERVED 0
#endif
#ifndef LIBRARY_SIZE
#define LIBRARY_SIZE sizeof(cdcp_library)
#endif
#ifndef STAGE_SIZE
#define STAGE_SIZE sizeof(cdcp_stage_desc)
#endif
#ifndef LIFE_SIZE
#define LIFE_SIZE sizeof(cdcp_lifecycle)
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(OPS)
#endif
#ifndef STAGES
#define STAGES &stage.table
#endif
#ifndef STAGE_COUNT
#define STAGE_COUNT 1
#endif
#ifndef BIND
#define BIND bind_relation
#endif
#ifndef LIFE
#define LIFE &life.table
#endif
#ifndef OPS_POINTER
#define OPS_POINTER &ops.table
#endif

/* What a later minor may have appended. Read by a host of 1.0 it is a crash. */
#define POISON ((void *)0xdeadbeefdeadbeefu)
#define WITH_TAIL(type) struct { type table; void *tail[8]; }

static int initialised;
static cdcp_status init(const cdcp_host *host) { (void)host; initialised++; return CDCP_OK; }
static void deinit(void) { initialised--; }

static cdcp_status create(const cdcp_host *host, const cdcp_stage_desc *desc, void **self) {
  (void)host;
  (void)desc;
  *self = &initialised;
  return CDCP_OK;
}
static cdcp_status configure(void *self, const cdcp_config *config) { (void)self; (void)config; return CDCP_OK; }
static cdcp_status activate(void *self, uint32_t lane, uint32_t rows) {
  (void)self;
  (void)lane;
  return (cdcp_status)(1000 + rows + (uint32_t)initialised);
}
static cdcp_status bind_relation(void *self, const cdcp_relation *in, const cdcp_relation **out, void **plan) {
  (void)self;
  (void)in;
  (void)out;
  (void)plan;
  return CDCP_OK;
}
static void unbind_relation(void *self, void *plan) { (void)self; (void)plan; }
static cdcp_status bindings_complete(void *self) { (void)self; return CDCP_OK; }
static cdcp_status deactivate(void *self, uint64_t timeout) { (void)self; (void)timeout; return CDCP_OK; }
static void destroy(void *self) { (void)self; }
static const void *get_extension(void *self, const char *id) { (void)id; return self; }

static const WITH_TAIL(cdcp_lifecycle) life = {
  {LIFE_SIZE, RESERVED, create, configure, activate, BIND, unbind_relation, bindings_complete, deactivate, destroy, get_extension},
  {POISON, POISON, POISON, POISON, POISON, POISON, POISON, POISON}};

#if ROLE == 1
#ifndef OUTPUT_PLUGIN
#define OUTPUT_PLUGIN "pgoutput"
#endif
#define OPS cdcp_decoder_ops
static cdcp_status start_options(void *self, uint32_t version, const cdcp_start_option **out, uint32_t *count) {
  (void)self;
  (void)version;
  (void)out;
  *count = 0;
  return CDCP_OK;
}
static cdcp_status decode(void *self, const uint8_t *msg, uint64_t len, uint64_t start, const cdcp_builder_ops *ops, cdcp_batch_builder *builder) {
  (void)self;
  (void)msg;
  (void)len;
  (void)start;
  (void)ops;
  (void)builder;
  return CDCP_OK;
}
#define SLOTS start_options, decode, OUTPUT_PLUGIN
#elif ROLE == 3
#define OPS cdcp_codec_ops
static cdcp_status encode(void *self, cdcp_batch *batch, cdcp_emitter *emitter) { (void)self; (void)batch; (void)emitter; return CDCP_OK; }
#define SLOTS encode
#elif ROLE == 4
#define OPS cdcp_partitioner_ops
static cdcp_status assign(void *self, const cdcp_batch *batch, void *records, uint32_t count, uint32_t stride,
    const cdcp_topic *const *topics, uint32_t topic_count) {
  (void)self;
  (void)batch;
  (void)records;
  (void)count;
  (void)stride;
  (void)topics;
  (void)topic_count;
  return CDCP_OK;
}
#define SLOTS assign
#elif ROLE == 5
#define OPS cdcp_sink_ops
static cdcp_status topic(void *self, uint32_t number, cdcp_str name, int32_t *partitions) {
  (void)self;
  (void)number;
  (void)name;
  *partitions = 0;
  return CDCP_OK;
}
static cdcp_status submit(void *self, const cdcp_submission *submission) { (void)self; (void)submission; return CDCP_OK; }
static cdcp_status flush(void *self, uint64_t timeout) { (void)self; (void)timeout; return CDCP_OK; }
#define SLOTS topic, submit, flush
#else
#define OPS cdcp_transform_ops
static cdcp_status process(void *self, cdcp_batch *batch) { (void)self; (void)batch; return CDCP_OK; }
#ifndef PROCESS
#define PROCESS process
#endif
#define SLOTS PROCESS
#endif

static const WITH_TAIL(OPS) ops = {{OPS_SIZE, RESERVED, SLOTS}, {POISON, POISON, POISON, POISON, POISON, POISON, POISON, POISON}};

static const WITH_TAIL(cdcp_stage_desc) stage = {
  {STAGE_SIZE, ROLE, CDCP_STAGE_SENSITIVE | CDCP_STAGE_DETERMINISTIC, STAGE_ID, VERSION, "A fixture.", SCHEMA, LIFE, OPS_POINTER},
  {POISON, POISON, POISON, POISON, POISON, POISON, POISON, POISON}};

static const cdcp_stage_desc *const stages[] = {STAGES};

static const WITH_TAIL(cdcp_library) library = {
  {LIBRARY_SIZE, ABI_VERSION, ABI_MIN, STAGE_COUNT, "fixture", VERSION, "Tests", NULL, stages, init, deinit},
  {POISON, POISON, POISON, POISON, POISON, POISON, POISON, POISON}};

__attribute__((constructor)) static void constructed(void) { setenv("CDC_FIXTURE_CONSTRUCTED", VERSION, 1); }

#ifndef NO_ENTRY
const cdcp_library *cdcp_entry_v1(uint32_t host_abi) {
  (void)host_abi;
#ifdef NULL_ENTRY
  return NULL;
#else
  return &library.table;
#endif
}
#endif

#ifdef SECOND_EXPORT
CDCP_EXPORT int leaked(void);
int leaked(void) { return 1; }
#endif
#ifdef ENTRY_V2
CDCP_EXPORT const void *cdcp_entry_v2(uint32_t host_abi);
const void *cdcp_entry_v2(uint32_t host_abi) { (void)host_abi; return &library; }
#endif
#ifdef TEXT_RELOCATION
__asm__(".text\n.quad cdcp_entry_v1\n");
#endif
#ifdef UNDEFINED
extern int nobody_has_this(void);
int (*volatile used)(void) __attribute__((visibility("hidden"))) = nobody_has_this;
#endif
