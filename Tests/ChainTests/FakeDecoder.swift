@testable import Chain
import PluginABI

/// A protocol for tests, words separated by blanks; cells point into the message, as the contract wants.
///
///     R oid table col,col*      a shape; * marks the identity
///     B commit-lsn              begin
///     I oid cell|cell           insert; N alone is NULL
///     D oid cell|cell           delete
///     C commit-lsn end          commit
///     M lsn prefix content      message outside transactions; m: inside one
///     T oid,oid                 truncate
///     O name                    origin
///     X                         does not keep its format
///     P oid cell|cell           as I, and then it does not keep its format
///     K commit-lsn end          as C, and then it does not keep its format
enum FakeDecoder {
    static func make() -> FakeStage {
        let stage = FakeStage(CDCP_ROLE_DECODER, "10-decoder")
        stage.decode = decode
        return stage
    }

    private static func decode(_ bytes: UnsafeBufferPointer<UInt8>, _ ops: cdcp_builder_ops, _ builder: OpaquePointer?) -> cdcp_status {
        let words = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map(UnsafeBufferPointer.init(rebasing:))
        let text = words.map { String(decoding: $0, as: UTF8.self) }
        switch text[0] {
        case "R": return relation(UInt32(text[1])!, text[2], text[3].split(separator: ",").map(String.init), ops, builder)
        case "B": return ops.begin(builder, 7, UInt64(text[1])!, 1_000_000)
        case "I": return row(CDCP_OP_INSERT, words, ops, builder)
        case "D": return row(CDCP_OP_DELETE, words, ops, builder)
        case "C": return ops.commit(builder, UInt64(text[1])!, UInt64(text[2])!, 1_000_000)
        case "K": return ops.commit(builder, UInt64(text[1])!, UInt64(text[2])!, 1_000_000) == CDCP_OK ? CDCP_E_DATA : CDCP_E_FATAL
        case "M", "m":
            var message = cdcp_message(
                prefix: cdcp_str(
                    ptr: words[2].baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }, len: UInt32(words[2].count), reserved: 0),
                content: words[3].baseAddress, content_len: UInt32(words[3].count), flags: text[0] == "m" ? 1 : 0,
                lsn: UInt64(text[1])!)
            return ops.message(builder, &message)
        case "T":
            let oids = text[1].split(separator: ",").map { UInt32($0)! }
            return ops.truncate(builder, oids, UInt32(oids.count), 0)
        case "O":
            return words[1].withMemoryRebound(to: CChar.self) {
                ops.origin(builder, cdcp_str(ptr: $0.baseAddress, len: UInt32($0.count), reserved: 0), 5)
            }
        case "P":
            let status = row(CDCP_OP_INSERT, words, ops, builder)
            return status == CDCP_OK ? CDCP_E_DATA : status
        default: return CDCP_E_DATA
        }
    }

    private static func relation(_ oid: UInt32, _ table: String, _ columns: [String], _ ops: cdcp_builder_ops, _ builder: OpaquePointer?) -> cdcp_status {
        let list = columns.map { name in
            var column = cdcp_column()
            column.name = PermanentText.make(name.hasSuffix("*") ? String(name.dropLast()) : name)
            column.type_oid = 25
            column.typmod = -1
            column.flags = name.hasSuffix("*") ? UInt32(CDCP_COL_IDENTITY) : 0
            return column
        }
        return ops.relation(
            builder, oid, PermanentText.make("public"), PermanentText.make(table), UInt8(CDCP_REPLICA_IDENTITY_DEFAULT), list, UInt32(list.count),
            UInt32(MemoryLayout<cdcp_column>.stride))
    }

    private static func row(_ op: Int32, _ words: [UnsafeBufferPointer<UInt8>], _ ops: cdcp_builder_ops, _ builder: OpaquePointer?) -> cdcp_status {
        let values = words[2].split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        var new: UnsafeMutablePointer<cdcp_cell>?
        var old: UnsafeMutablePointer<cdcp_cell>?
        let oid = UInt32(String(decoding: words[1], as: UTF8.self))!
        let status = ops.row(builder, UInt8(op), oid, 0, op == CDCP_OP_DELETE ? 1 : 0, UInt32(values.count), &new, &old)
        guard status == CDCP_OK, let cells = op == CDCP_OP_DELETE ? old : new else { return status }
        for (index, value) in values.enumerated() {
            let isNull = value.elementsEqual([UInt8(ascii: "N")])
            cells[index] = cdcp_cell(
                ptr: isNull ? nil : UnsafeBufferPointer(rebasing: value).baseAddress, len: isNull ? 0 : UInt32(value.count),
                kind: UInt8(isNull ? CDCP_CELL_NULL : CDCP_CELL_VALUE), format: 0, flags: 0)
        }
        return CDCP_OK
    }
}
