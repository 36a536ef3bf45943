import PluginABI

extension BatchEncoder {
    /// A row as a JSON object.
    ///
    /// - Parameter fill: the old tuple, which may have the values that the server did not send again.
    @inline(__always)
    mutating func object(
        _ plan: UnsafePointer<RelationPlan>, _ cells: UnsafeMutablePointer<cdcp_cell>, fill: UnsafeMutablePointer<cdcp_cell>?
    ) throws(CellFailure) {
        let start = writer.count
        let count = plan.pointee.outputCount
        for index in 0..<count {
            let column = plan.pointee.output[index]
            let columnPlan = plan.pointee.columns + column
            let cell = cells + column
            writer.column = column
            try writer.room(columnPlan.pointee.name.count &+ RecordWriter.cellRoom)
            switch Int32(cell.pointee.kind) {
            case CDCP_CELL_VALUE:
                writer.put(columnPlan.pointee.name)
                try writer.cell(cell, columnPlan, memory, quoted)
            case CDCP_CELL_NULL:
                writer.put(columnPlan.pointee.name)
                writer.null()
            case CDCP_CELL_ABSENT:
                if compact { continue }
                writer.put(columnPlan.pointee.name)
                writer.null()
            case CDCP_CELL_UNCHANGED: try unchanged(columnPlan, fill.map { $0 + column })
            default: throw .malformed
            }
        }
        try writer.room(8)
        if writer.count == start {
            writer.put("{}")
        } else {
            // The first name came with a comma.
            writer.emitter.pointee.base[start] = UInt8(ascii: "{")
            writer.byte(UInt8(ascii: "}"))
        }
    }

    @inline(never)
    private mutating func unchanged(_ plan: UnsafeMutablePointer<ColumnPlan>, _ old: UnsafeMutablePointer<cdcp_cell>?) throws(CellFailure) {
        if let old, old.pointee.kind == UInt8(CDCP_CELL_VALUE) {
            writer.put(plan.pointee.name)
            try writer.cell(old, plan, memory, quoted)
        } else if compact {
            writer.sawUnchanged = true
        } else {
            writer.put(plan.pointee.name)
            try writer.room(plan.pointee.placeholder.count)
            writer.put(plan.pointee.placeholder)
        }
    }

    /// The record's value, in the format of the options.
    @inline(__always)
    mutating func value(
        _ op: UInt8, _ row: UnsafeMutablePointer<cdcp_row>, _ plan: UnsafePointer<RelationPlan>, before: UnsafeMutablePointer<cdcp_cell>?,
        after: UnsafeMutablePointer<cdcp_cell>?, fill: UnsafeMutablePointer<cdcp_cell>?, ordinal: UInt64
    ) throws(CellFailure) {
        if compact {
            try compactValue(op, plan, before, after, fill, ordinal)
        } else {
            try debeziumValue(op, row, plan, before, after, fill)
        }
    }
}
