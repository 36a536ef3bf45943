@testable import Chain
import PluginABI

/// Writes each row as text: the key is its first cell, the value `op seq cell,cell`.
enum FakeCodec {
    static func make() -> FakeStage {
        let stage = FakeStage(CDCP_ROLE_CODEC, "40-codec")
        stage.encode = { batch, emitter in
            var status = CDCP_OK
            FakeStage.rows(batch) { index, row, relation in
                guard status == CDCP_OK else { return }
                // Messages have no table, and so no topic of their own.
                let topic = relation == nil ? messageTopic(stage) : 0
                status = emit(emitter, row: index, topic: topic, key: key(row, relation), value: text(row, relation))
            }
            return status
        }
        return stage
    }

    private static func messageTopic(_ stage: FakeStage) -> UInt32 {
        var number: UInt32 = 0
        _ = stage.host!.pointee.topic(stage.host, PermanentText.make("cdc.message"), &number)
        return number
    }

    static func key(_ row: UnsafeMutablePointer<cdcp_row>, _ relation: FakeStage.Relation?) -> String? {
        (row.pointee.new_cells ?? row.pointee.old_cells).map { shown($0[0]) }
    }

    static func text(_ row: UnsafeMutablePointer<cdcp_row>, _ relation: FakeStage.Relation?) -> String {
        let count = Int(relation?.pointee.column_count ?? (row.pointee.new_cells == nil ? 0 : 2))
        let cells = (row.pointee.new_cells ?? row.pointee.old_cells).map { cells in (0..<count).map { shown(cells[$0]) } } ?? []
        return "\(row.pointee.op) \(row.pointee.seq) \(cells.joined(separator: ","))"
    }

    /// One record, written as the contract says.
    static func emit(
        _ emitter: UnsafeMutablePointer<cdcp_emitter>, row: UInt32, topic: UInt32 = 0, key: String?, value: String?, claim: Int = 0
    ) -> cdcp_status {
        let bytes = Array((key ?? "").utf8) + Array((value ?? "").utf8)
        if emitter.pointee.end - emitter.pointee.cur < bytes.count {
            let status = emitter.pointee.grow(emitter, UInt64(bytes.count))
            guard status == CDCP_OK else { return status }
        }
        emitter.pointee.cur.update(from: bytes, count: bytes.count)
        emitter.pointee.cur += bytes.count
        let flags = (key == nil ? CDCP_RECORDF_NULL_KEY : 0) | (value == nil ? CDCP_RECORDF_NULL_VALUE : 0)
        return emitter.pointee.record(emitter, row, topic, UInt32((key ?? "").utf8.count), UInt32((value ?? "").utf8.count + claim), UInt32(flags))
    }

    static func header(_ emitter: UnsafeMutablePointer<cdcp_emitter>, _ key: String, _ value: String?) -> cdcp_status {
        var keyText = key
        var valueText = value ?? ""
        return keyText.withUTF8 { key in
            valueText.withUTF8 { text in
                var header = cdcp_header(
                    key: key.baseAddress, value: text.baseAddress, key_len: UInt32(key.count), value_len: value == nil ? CDCP_HEADER_NULL : UInt32(text.count))
                return emitter.pointee.header(emitter, &header)
            }
        }
    }
}
