import Glibc
import PluginABI

/// The header of a key change: the other key as text, made by `keyChanged`.
struct KeyHeader {
    let name: StaticString
    let text: UnsafeMutablePointer<cdcp_emitter>

    var header: cdcp_header {
        let length = text.pointee.cur - text.pointee.base
        return cdcp_header(
            key: name.utf8Start, value: text.pointee.base, key_len: UInt32(name.utf8CodeUnitCount), value_len: UInt32(truncatingIfNeeded: length))
    }
}

extension BatchEncoder {
    /// The key as a JSON object; 0 bytes where the table has none.
    ///
    /// - Parameter fallback: where a column is taken from that `cells` does not have.
    @inline(__always)
    mutating func key(
        _ plan: UnsafePointer<RelationPlan>, _ cells: UnsafeMutablePointer<cdcp_cell>, _ fallback: UnsafeMutablePointer<cdcp_cell>?
    ) throws(CellFailure) -> Int {
        guard plan.pointee.keyCount > 0 else { return 0 }
        for index in 0..<plan.pointee.keyCount {
            let key = plan.pointee.key + index
            let column = key.pointee.column
            writer.column = column
            try writer.room(key.pointee.name.count &+ RecordWriter.cellRoom)
            writer.put(key.pointee.name)
            var cell = cells + column
            if cell.pointee.kind != UInt8(CDCP_CELL_VALUE), cell.pointee.kind != UInt8(CDCP_CELL_NULL) {
                guard let fallback else { throw .keyNotSent }
                cell = fallback + column
            }
            switch Int32(cell.pointee.kind) {
            case CDCP_CELL_VALUE: try writer.cell(cell, plan.pointee.columns + column, memory, quoted)
            case CDCP_CELL_NULL: writer.null()
            default: throw .keyNotSent
            }
        }
        try writer.room(8)
        writer.byte(UInt8(ascii: "}"))
        return writer.count
    }

    /// Whether an update moves the row to another key. If so, `oldKey` and `newKey` hold both as headers show them.
    @inline(__always)
    mutating func keyChanged(
        _ plan: UnsafePointer<RelationPlan>, _ old: UnsafeMutablePointer<cdcp_cell>, _ new: UnsafeMutablePointer<cdcp_cell>
    ) throws(CellFailure) -> Bool {
        for index in 0..<plan.pointee.keyCount {
            let column = plan.pointee.key[index].column
            let before = old + column
            let after = new + column
            if after.pointee.kind == UInt8(CDCP_CELL_UNCHANGED) { continue }
            if before.pointee.kind == after.pointee.kind, before.pointee.len == after.pointee.len {
                guard before.pointee.kind == UInt8(CDCP_CELL_VALUE), let left = before.pointee.ptr, let right = after.pointee.ptr else { continue }
                if memcmp(left, right, Int(before.pointee.len)) == 0 { continue }
            }
            return try keysDiffer(plan, old, new)
        }
        return false
    }

    /// The bytes differ; the keys need not: 1.50 and 1.5 may be one key. What is written decides.
    @inline(never)
    private mutating func keysDiffer(
        _ plan: UnsafePointer<RelationPlan>, _ old: UnsafeMutablePointer<cdcp_cell>, _ new: UnsafeMutablePointer<cdcp_cell>
    ) throws(CellFailure) -> Bool {
        try headerText(oldKey, plan, old, nil)
        try headerText(newKey, plan, new, old)
        let length = oldKey.pointee.cur - oldKey.pointee.base
        return length != newKey.pointee.cur - newKey.pointee.base || memcmp(oldKey.pointee.base, newKey.pointee.base, length) != 0
    }

    private mutating func headerText(
        _ emitter: UnsafeMutablePointer<cdcp_emitter>, _ plan: UnsafePointer<RelationPlan>, _ cells: UnsafeMutablePointer<cdcp_cell>,
        _ fallback: UnsafeMutablePointer<cdcp_cell>?
    ) throws(CellFailure) {
        var text = try RecordWriter(emitter)
        text.rewind()
        for index in 0..<plan.pointee.keyCount {
            let key = plan.pointee.key[index]
            let column = plan.pointee.columns + key.column
            writer.column = key.column
            try text.room(key.name.count &+ RecordWriter.cellRoom)
            text.put(key.name)
            var cell = cells + key.column
            if cell.pointee.kind == UInt8(CDCP_CELL_UNCHANGED), let fallback { cell = fallback + key.column }
            switch Int32(cell.pointee.kind) {
            case CDCP_CELL_VALUE:
                guard cell.pointee.format == UInt8(CDCP_FMT_TEXT) else { throw .binary }
                let start = try RecordWriter.start(of: cell, column)
                try text.value(start, Int(cell.pointee.len), key.headerEncoding, column, memory, quoted)
            case CDCP_CELL_NULL: text.null()
            default: throw .keyNotSent
            }
        }
        try text.room(8)
        text.byte(UInt8(ascii: "}"))
        emitter.pointee.cur = text.cursor
    }
}
