import PluginABI

extension BatchEncoder {
    /// One line for people: what is not there is not said.
    mutating func compactValue(
        _ op: UInt8, _ plan: UnsafePointer<RelationPlan>, _ before: UnsafeMutablePointer<cdcp_cell>?, _ after: UnsafeMutablePointer<cdcp_cell>?,
        _ fill: UnsafeMutablePointer<cdcp_cell>?, _ ordinal: UInt64
    ) throws(CellFailure) {
        try writer.room(plan.pointee.table.count &+ 64)
        writer.put(#"{"op":""#)
        writer.byte(op)
        writer.byte(UInt8(ascii: "\""))
        writer.put(plan.pointee.table)
        if let before {
            writer.put(#","before":"#)
            try object(plan, before, fill: nil)
            try writer.room(32)
        }
        if let after {
            writer.sawUnchanged = false
            writer.put(#","after":"#)
            try object(plan, after, fill: fill)
            if writer.sawUnchanged { try unchangedNames(plan, after, fill) }
        }
        try commit(ordinal)
    }

    /// `,"commit_lsn":…}`: the rest of the line.
    mutating func commit(_ ordinal: UInt64) throws(CellFailure) {
        try writer.room(transaction.total &+ 32)
        writer.put(transaction.start, transaction.times)
        writer.unsigned(ordinal)
        writer.put(transaction.start + transaction.times, transaction.tail)
    }

    @inline(never)
    private mutating func unchangedNames(
        _ plan: UnsafePointer<RelationPlan>, _ cells: UnsafeMutablePointer<cdcp_cell>, _ fill: UnsafeMutablePointer<cdcp_cell>?
    ) throws(CellFailure) {
        try writer.room(32)
        writer.put(#","unchanged":["#)
        var first = true
        for index in 0..<plan.pointee.outputCount {
            let column = plan.pointee.output[index]
            guard cells[column].kind == UInt8(CDCP_CELL_UNCHANGED) else { continue }
            if let fill, fill[column].kind == UInt8(CDCP_CELL_VALUE) { continue }
            let name = plan.pointee.columns[column].quotedName
            try writer.room(name.count &+ 8)
            if !first { writer.byte(UInt8(ascii: ",")) }
            writer.put(name)
            first = false
        }
        writer.byte(UInt8(ascii: "]"))
    }
}
