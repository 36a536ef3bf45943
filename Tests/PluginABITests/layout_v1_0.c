/* The layout of contract 1.0 on 64-bit machines, as literals. Compiled as C11 and as C++17; it needs no running.
 * A later minor appends to a cold struct: then its size here becomes a lower bound, and no offset changes, ever. */
#include <cdcplugin/cdcplugin.h>

#ifdef __cplusplus
#define LAYOUT_ASSERT(condition) static_assert(condition, #condition)
#else
#define LAYOUT_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define SIZE(type, size) LAYOUT_ASSERT(sizeof(type) == (size))
#define AT(type, field, offset) LAYOUT_ASSERT(offsetof(type, field) == (offset))

LAYOUT_ASSERT(sizeof(void *) == 8);
LAYOUT_ASSERT(CDCP_ABI_1_0 == 65536u);

/* abi.h */
SIZE(cdcp_str, 16);
AT(cdcp_str, ptr, 0);
AT(cdcp_str, len, 8);
AT(cdcp_str, reserved, 12);

/* cell.h */
SIZE(cdcp_cell, 16);
AT(cdcp_cell, ptr, 0);
AT(cdcp_cell, len, 8);
AT(cdcp_cell, kind, 12);
AT(cdcp_cell, format, 13);
AT(cdcp_cell, flags, 14);

/* cell.h */
SIZE(cdcp_header, 24);
AT(cdcp_header, key, 0);
AT(cdcp_header, value, 8);
AT(cdcp_header, key_len, 16);
AT(cdcp_header, value_len, 20);

/* arena.h */
SIZE(cdcp_arena, 32);
AT(cdcp_arena, cur, 0);
AT(cdcp_arena, end, 8);
AT(cdcp_arena, slow, 16);
AT(cdcp_arena, host, 24);

/* relation.h */
SIZE(cdcp_column, 64);
AT(cdcp_column, name, 0);
AT(cdcp_column, type_name, 16);
AT(cdcp_column, type_oid, 32);
AT(cdcp_column, typmod, 36);
AT(cdcp_column, flags, 40);
AT(cdcp_column, key_ordinal, 44);
AT(cdcp_column, base_type_oid, 48);
AT(cdcp_column, base_typmod, 52);
AT(cdcp_column, element_oid, 56);
AT(cdcp_column, type_kind, 60);

/* relation.h */
SIZE(cdcp_relation, 104);
AT(cdcp_relation, struct_size, 0);
AT(cdcp_relation, column_stride, 4);
AT(cdcp_relation, schema_id, 8);
AT(cdcp_relation, rel_oid, 16);
AT(cdcp_relation, column_count, 20);
AT(cdcp_relation, columns, 24);
AT(cdcp_relation, nspname, 32);
AT(cdcp_relation, relname, 48);
AT(cdcp_relation, base, 64);
AT(cdcp_relation, previous, 72);
AT(cdcp_relation, topic, 80);
AT(cdcp_relation, replica_identity, 96);
AT(cdcp_relation, reserved, 97);

/* transaction.h */
SIZE(cdcp_txn, 64);
AT(cdcp_txn, xid, 0);
AT(cdcp_txn, flags, 4);
AT(cdcp_txn, commit_lsn, 8);
AT(cdcp_txn, end_lsn, 16);
AT(cdcp_txn, previous_end_lsn, 24);
AT(cdcp_txn, commit_ts_us, 32);
AT(cdcp_txn, origin, 40);
AT(cdcp_txn, origin_lsn, 56);

/* transaction.h */
SIZE(cdcp_stream, 88);
AT(cdcp_stream, struct_size, 0);
AT(cdcp_stream, server_version, 4);
AT(cdcp_stream, name, 8);
AT(cdcp_stream, topic_prefix, 24);
AT(cdcp_stream, database, 40);
AT(cdcp_stream, system_identifier, 56);
AT(cdcp_stream, version, 72);

/* row.h */
SIZE(cdcp_row, 64);
AT(cdcp_row, op, 0);
AT(cdcp_row, disposition, 1);
AT(cdcp_row, flags, 2);
AT(cdcp_row, rel_index, 4);
AT(cdcp_row, txn_index, 8);
AT(cdcp_row, topic, 12);
AT(cdcp_row, seq, 16);
AT(cdcp_row, lsn, 24);
AT(cdcp_row, new_cells, 32);
AT(cdcp_row, old_cells, 40);
AT(cdcp_row, headers, 48);
AT(cdcp_row, header_count, 56);
AT(cdcp_row, reserved, 60);

/* batch.h */
SIZE(cdcp_run, 24);
AT(cdcp_run, first, 0);
AT(cdcp_run, count, 4);
AT(cdcp_run, rel_index, 8);
AT(cdcp_run, reserved, 12);
AT(cdcp_run, plan, 16);

/* batch.h */
SIZE(cdcp_batch, 80);
AT(cdcp_batch, struct_size, 0);
AT(cdcp_batch, flags, 4);
AT(cdcp_batch, batch_id, 8);
AT(cdcp_batch, row_count, 16);
AT(cdcp_batch, row_stride, 20);
AT(cdcp_batch, run_count, 24);
AT(cdcp_batch, relation_count, 28);
AT(cdcp_batch, txn_count, 32);
AT(cdcp_batch, txn_stride, 36);
AT(cdcp_batch, rows, 40);
AT(cdcp_batch, runs, 48);
AT(cdcp_batch, relations, 56);
AT(cdcp_batch, txns, 64);
AT(cdcp_batch, arena, 72);

/* emitter.h */
SIZE(cdcp_emitter, 56);
AT(cdcp_emitter, base, 0);
AT(cdcp_emitter, cur, 8);
AT(cdcp_emitter, end, 16);
AT(cdcp_emitter, grow, 24);
AT(cdcp_emitter, header, 32);
AT(cdcp_emitter, record, 40);
AT(cdcp_emitter, host, 48);

/* record.h */
SIZE(cdcp_record, 64);
AT(cdcp_record, key, 0);
AT(cdcp_record, value, 8);
AT(cdcp_record, key_len, 16);
AT(cdcp_record, value_len, 20);
AT(cdcp_record, topic, 24);
AT(cdcp_record, header_count, 28);
AT(cdcp_record, partition, 32);
AT(cdcp_record, flags, 36);
AT(cdcp_record, headers, 40);
AT(cdcp_record, timestamp_us, 48);
AT(cdcp_record, row, 56);
AT(cdcp_record, table, 60);

/* record.h */
SIZE(cdcp_submission, 32);
AT(cdcp_submission, struct_size, 0);
AT(cdcp_submission, record_count, 4);
AT(cdcp_submission, record_stride, 8);
AT(cdcp_submission, flags, 12);
AT(cdcp_submission, id, 16);
AT(cdcp_submission, records, 24);

/* record.h */
SIZE(cdcp_failure, 24);
AT(cdcp_failure, index, 0);
AT(cdcp_failure, cls, 4);
AT(cdcp_failure, reserved, 6);
AT(cdcp_failure, code, 8);
AT(cdcp_failure, msg_len, 12);
AT(cdcp_failure, msg, 16);

/* record.h */
SIZE(cdcp_topic, 24);
AT(cdcp_topic, struct_size, 0);
AT(cdcp_topic, partition_count, 4);
AT(cdcp_topic, name, 8);

/* builder.h */
SIZE(cdcp_message, 40);
AT(cdcp_message, prefix, 0);
AT(cdcp_message, content, 16);
AT(cdcp_message, content_len, 24);
AT(cdcp_message, flags, 28);
AT(cdcp_message, lsn, 32);

/* builder.h */
SIZE(cdcp_builder_ops, 72);
AT(cdcp_builder_ops, struct_size, 0);
AT(cdcp_builder_ops, column_size, 4);
AT(cdcp_builder_ops, relation, 8);
AT(cdcp_builder_ops, type, 16);
AT(cdcp_builder_ops, begin, 24);
AT(cdcp_builder_ops, origin, 32);
AT(cdcp_builder_ops, row, 40);
AT(cdcp_builder_ops, truncate, 48);
AT(cdcp_builder_ops, message, 56);
AT(cdcp_builder_ops, commit, 64);

/* builder.h */
SIZE(cdcp_start_option, 32);
AT(cdcp_start_option, name, 0);
AT(cdcp_start_option, value, 16);

/* host.h */
SIZE(cdcp_host, 216);
AT(cdcp_host, struct_size, 0);
AT(cdcp_host, abi_version, 4);
AT(cdcp_host, ctx, 8);
AT(cdcp_host, name, 16);
AT(cdcp_host, version, 24);
AT(cdcp_host, stream, 32);
AT(cdcp_host, log, 40);
AT(cdcp_host, log_level, 48);
AT(cdcp_host, set_error, 56);
AT(cdcp_host, get_extension, 64);
AT(cdcp_host, config_str, 72);
AT(cdcp_host, config_i64, 80);
AT(cdcp_host, config_f64, 88);
AT(cdcp_host, config_bool, 96);
AT(cdcp_host, config_keys, 104);
AT(cdcp_host, config_list, 112);
AT(cdcp_host, config_count, 120);
AT(cdcp_host, config_child, 128);
AT(cdcp_host, config_origin, 136);
AT(cdcp_host, relation_retain, 144);
AT(cdcp_host, relation_release, 152);
AT(cdcp_host, relation_derive, 160);
AT(cdcp_host, topic, 168);
AT(cdcp_host, row_add_header, 176);
AT(cdcp_host, row_fail, 184);
AT(cdcp_host, sink_complete, 192);
AT(cdcp_host, sink_health, 200);
AT(cdcp_host, topic_grew, 208);

/* lifecycle.h */
SIZE(cdcp_lifecycle, 80);
AT(cdcp_lifecycle, struct_size, 0);
AT(cdcp_lifecycle, reserved, 4);
AT(cdcp_lifecycle, create, 8);
AT(cdcp_lifecycle, configure, 16);
AT(cdcp_lifecycle, activate, 24);
AT(cdcp_lifecycle, bind_relation, 32);
AT(cdcp_lifecycle, unbind_relation, 40);
AT(cdcp_lifecycle, bindings_complete, 48);
AT(cdcp_lifecycle, deactivate, 56);
AT(cdcp_lifecycle, destroy, 64);
AT(cdcp_lifecycle, get_extension, 72);

/* decoder.h */
SIZE(cdcp_decoder_ops, 32);
AT(cdcp_decoder_ops, struct_size, 0);
AT(cdcp_decoder_ops, reserved, 4);
AT(cdcp_decoder_ops, start_options, 8);
AT(cdcp_decoder_ops, decode, 16);
AT(cdcp_decoder_ops, output_plugin, 24);

/* transform.h */
SIZE(cdcp_transform_ops, 16);
AT(cdcp_transform_ops, struct_size, 0);
AT(cdcp_transform_ops, reserved, 4);
AT(cdcp_transform_ops, process, 8);

/* codec.h */
SIZE(cdcp_codec_ops, 16);
AT(cdcp_codec_ops, struct_size, 0);
AT(cdcp_codec_ops, reserved, 4);
AT(cdcp_codec_ops, encode, 8);

/* partitioner.h */
SIZE(cdcp_partitioner_ops, 16);
AT(cdcp_partitioner_ops, struct_size, 0);
AT(cdcp_partitioner_ops, reserved, 4);
AT(cdcp_partitioner_ops, assign, 8);

/* sink.h */
SIZE(cdcp_sink_ops, 32);
AT(cdcp_sink_ops, struct_size, 0);
AT(cdcp_sink_ops, reserved, 4);
AT(cdcp_sink_ops, topic, 8);
AT(cdcp_sink_ops, submit, 16);
AT(cdcp_sink_ops, flush, 24);

/* library.h */
SIZE(cdcp_stage_desc, 64);
AT(cdcp_stage_desc, struct_size, 0);
AT(cdcp_stage_desc, role, 4);
AT(cdcp_stage_desc, flags, 8);
AT(cdcp_stage_desc, id, 16);
AT(cdcp_stage_desc, version, 24);
AT(cdcp_stage_desc, summary, 32);
AT(cdcp_stage_desc, config_schema_json, 40);
AT(cdcp_stage_desc, life, 48);
AT(cdcp_stage_desc, ops, 56);

/* library.h */
SIZE(cdcp_library, 72);
AT(cdcp_library, struct_size, 0);
AT(cdcp_library, abi_version, 4);
AT(cdcp_library, abi_min, 8);
AT(cdcp_library, stage_count, 12);
AT(cdcp_library, id, 16);
AT(cdcp_library, version, 24);
AT(cdcp_library, vendor, 32);
AT(cdcp_library, license, 40);
AT(cdcp_library, stages, 48);
AT(cdcp_library, init, 56);
AT(cdcp_library, deinit, 64);

/* ext/state.h */
SIZE(cdcp_ostream, 16);
AT(cdcp_ostream, ctx, 0);
AT(cdcp_ostream, write, 8);

/* ext/state.h */
SIZE(cdcp_istream, 16);
AT(cdcp_istream, ctx, 0);
AT(cdcp_istream, read, 8);

/* ext/state.h */
SIZE(cdcp_ext_state, 24);
AT(cdcp_ext_state, struct_size, 0);
AT(cdcp_ext_state, state_version, 4);
AT(cdcp_ext_state, save, 8);
AT(cdcp_ext_state, load, 16);

/* ext/topic_look.h */
SIZE(cdcp_ext_topic_look, 16);
AT(cdcp_ext_topic_look, struct_size, 0);
AT(cdcp_ext_topic_look, reserved, 4);
AT(cdcp_ext_topic_look, look, 8);
