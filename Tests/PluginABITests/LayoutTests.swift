import PluginABI
import Testing

/// The same literals as in layout_v1_0.c, as Swift sees the structs.
@Suite struct LayoutTests {
    func layout<Struct>(_ type: Struct.Type, size: Int, _ offsets: [(PartialKeyPath<Struct>, Int)]) {
        #expect(MemoryLayout<Struct>.size == size && MemoryLayout<Struct>.stride == size, "\(type)")
        for (index, (field, offset)) in offsets.enumerated() {
            #expect(MemoryLayout<Struct>.offset(of: field) == offset, "\(type), field \(index)")
        }
    }

    @Test func textAndCells() {
        layout(
            cdcp_str.self, size: 16,
            [
                (\.ptr, 0), (\.len, 8), (\.reserved, 12),
            ])
        layout(
            cdcp_cell.self, size: 16,
            [
                (\.ptr, 0), (\.len, 8), (\.kind, 12), (\.format, 13), (\.flags, 14),
            ])
        layout(
            cdcp_header.self, size: 24,
            [
                (\.key, 0), (\.value, 8), (\.key_len, 16), (\.value_len, 20),
            ])
        layout(
            cdcp_arena.self, size: 32,
            [
                (\.cur, 0), (\.end, 8), (\.slow, 16), (\.host, 24),
            ])
    }

    @Test func shapesAndTransactions() {
        layout(
            cdcp_column.self, size: 64,
            [
                (\.name, 0), (\.type_name, 16), (\.type_oid, 32), (\.typmod, 36), (\.flags, 40), (\.key_ordinal, 44), (\.base_type_oid, 48),
                (\.base_typmod, 52), (\.element_oid, 56), (\.type_kind, 60),
            ])
        layout(
            cdcp_relation.self, size: 104,
            [
                (\.struct_size, 0), (\.column_stride, 4), (\.schema_id, 8), (\.rel_oid, 16), (\.column_count, 20), (\.columns, 24),
                (\.nspname, 32), (\.relname, 48), (\.base, 64), (\.previous, 72), (\.topic, 80), (\.replica_identity, 96), (\.reserved, 97),
            ])
        layout(
            cdcp_txn.self, size: 64,
            [
                (\.xid, 0), (\.flags, 4), (\.commit_lsn, 8), (\.end_lsn, 16), (\.previous_end_lsn, 24), (\.commit_ts_us, 32),
                (\.origin, 40), (\.origin_lsn, 56),
            ])
        layout(
            cdcp_stream.self, size: 88,
            [
                (\.struct_size, 0), (\.server_version, 4), (\.name, 8), (\.topic_prefix, 24), (\.database, 40), (\.system_identifier, 56),
                (\.version, 72),
            ])
    }

    @Test func rowsAndBatches() {
        layout(
            cdcp_row.self, size: 64,
            [
                (\.op, 0), (\.disposition, 1), (\.flags, 2), (\.rel_index, 4), (\.txn_index, 8), (\.topic, 12), (\.seq, 16), (\.lsn, 24),
                (\.new_cells, 32), (\.old_cells, 40), (\.headers, 48), (\.header_count, 56), (\.reserved, 60),
            ])
        layout(
            cdcp_run.self, size: 24,
            [
                (\.first, 0), (\.count, 4), (\.rel_index, 8), (\.reserved, 12), (\.plan, 16),
            ])
        layout(
            cdcp_batch.self, size: 80,
            [
                (\.struct_size, 0), (\.flags, 4), (\.batch_id, 8), (\.row_count, 16), (\.row_stride, 20), (\.run_count, 24),
                (\.relation_count, 28), (\.txn_count, 32), (\.txn_stride, 36), (\.rows, 40), (\.runs, 48), (\.relations, 56), (\.txns, 64),
                (\.arena, 72),
            ])
    }

    @Test func recordsAndSubmissions() {
        layout(
            cdcp_emitter.self, size: 56,
            [
                (\.base, 0), (\.cur, 8), (\.end, 16), (\.grow, 24), (\.header, 32), (\.record, 40), (\.host, 48),
            ])
        layout(
            cdcp_record.self, size: 64,
            [
                (\.key, 0), (\.value, 8), (\.key_len, 16), (\.value_len, 20), (\.topic, 24), (\.header_count, 28), (\.partition, 32),
                (\.flags, 36), (\.headers, 40), (\.timestamp_us, 48), (\.row, 56), (\.table, 60),
            ])
        layout(
            cdcp_submission.self, size: 32,
            [
                (\.struct_size, 0), (\.record_count, 4), (\.record_stride, 8), (\.flags, 12), (\.id, 16), (\.records, 24),
            ])
        layout(
            cdcp_failure.self, size: 24,
            [
                (\.index, 0), (\.cls, 4), (\.reserved, 6), (\.code, 8), (\.msg_len, 12), (\.msg, 16),
            ])
        layout(
            cdcp_topic.self, size: 24,
            [
                (\.struct_size, 0), (\.partition_count, 4), (\.name, 8),
            ])
    }

    @Test func decoding() {
        layout(
            cdcp_message.self, size: 40,
            [
                (\.prefix, 0), (\.content, 16), (\.content_len, 24), (\.flags, 28), (\.lsn, 32),
            ])
        layout(
            cdcp_builder_ops.self, size: 72,
            [
                (\.struct_size, 0), (\.column_size, 4), (\.relation, 8), (\.type, 16), (\.begin, 24), (\.origin, 32), (\.row, 40),
                (\.truncate, 48), (\.message, 56), (\.commit, 64),
            ])
        layout(
            cdcp_start_option.self, size: 32,
            [
                (\.name, 0), (\.value, 16),
            ])
    }

    @Test func hostTable() {
        layout(
            cdcp_host.self, size: 216,
            [
                (\.struct_size, 0), (\.abi_version, 4), (\.ctx, 8), (\.name, 16), (\.version, 24), (\.stream, 32), (\.log, 40),
                (\.log_level, 48), (\.set_error, 56), (\.get_extension, 64), (\.config_str, 72), (\.config_i64, 80), (\.config_f64, 88),
                (\.config_bool, 96), (\.config_keys, 104), (\.config_list, 112), (\.config_count, 120), (\.config_child, 128),
                (\.config_origin, 136), (\.relation_retain, 144), (\.relation_release, 152), (\.relation_derive, 160), (\.topic, 168),
                (\.row_add_header, 176), (\.row_fail, 184), (\.sink_complete, 192), (\.sink_health, 200), (\.topic_grew, 208),
            ])
    }

    @Test func tables() {
        layout(
            cdcp_lifecycle.self, size: 80,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.create, 8), (\.configure, 16), (\.activate, 24), (\.bind_relation, 32),
                (\.unbind_relation, 40), (\.bindings_complete, 48), (\.deactivate, 56), (\.destroy, 64), (\.get_extension, 72),
            ])
        layout(
            cdcp_decoder_ops.self, size: 32,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.start_options, 8), (\.decode, 16), (\.output_plugin, 24),
            ])
        layout(
            cdcp_transform_ops.self, size: 16,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.process, 8),
            ])
        layout(
            cdcp_codec_ops.self, size: 16,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.encode, 8),
            ])
        layout(
            cdcp_partitioner_ops.self, size: 16,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.assign, 8),
            ])
        layout(
            cdcp_sink_ops.self, size: 32,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.topic, 8), (\.submit, 16), (\.flush, 24),
            ])
    }

    @Test func descriptors() {
        layout(
            cdcp_stage_desc.self, size: 64,
            [
                (\.struct_size, 0), (\.role, 4), (\.flags, 8), (\.id, 16), (\.version, 24), (\.summary, 32), (\.config_schema_json, 40),
                (\.life, 48), (\.ops, 56),
            ])
        layout(
            cdcp_library.self, size: 72,
            [
                (\.struct_size, 0), (\.abi_version, 4), (\.abi_min, 8), (\.stage_count, 12), (\.id, 16), (\.version, 24), (\.vendor, 32),
                (\.license, 40), (\.stages, 48), (\.`init`, 56), (\.deinit, 64),
            ])
    }

    @Test func stateExtension() {
        layout(
            cdcp_ostream.self, size: 16,
            [
                (\.ctx, 0), (\.write, 8),
            ])
        layout(
            cdcp_istream.self, size: 16,
            [
                (\.ctx, 0), (\.read, 8),
            ])
        layout(
            cdcp_ext_state.self, size: 24,
            [
                (\.struct_size, 0), (\.state_version, 4), (\.save, 8), (\.load, 16),
            ])
    }

    @Test func topicLookExtension() {
        layout(
            cdcp_ext_topic_look.self, size: 16,
            [
                (\.struct_size, 0), (\.reserved, 4), (\.look, 8),
            ])
    }
}
