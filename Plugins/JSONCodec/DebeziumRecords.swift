import PluginABI
import PluginKit

extension BatchEncoder {
    /// Debezium's envelope.
    mutating func debeziumValue(
        _ op: UInt8, _ row: UnsafeMutablePointer<cdcp_row>, _ plan: UnsafePointer<RelationPlan>, _ before: UnsafeMutablePointer<cdcp_cell>?,
        _ after: UnsafeMutablePointer<cdcp_cell>?, _ fill: UnsafeMutablePointer<cdcp_cell>?
    ) throws(CellFailure) {
        try writer.room(64)
        if let before {
            writer.put(#"{"before":"#)
            try object(plan, before, fill: nil)
            try writer.room(32)
            writer.put(#","after":"#)
        } else {
            writer.put(#"{"before":null,"after":"#)
        }
        if let after { try object(plan, after, fill: fill) } else { writer.null() }
        try source(row, plan.pointee.table)
        writer.put(#","op":""#)
        writer.byte(op)
        writer.put(clockTail.start, clockTail.count)
    }

    /// `,"source":{…},"transaction":null`, with room behind it for the envelope's end.
    @inline(__always)
    mutating func source(_ row: UnsafeMutablePointer<cdcp_row>, _ table: Fragment) throws(CellFailure) {
        try writer.room(transaction.total &+ table.count &+ clockTail.count &+ 128)
        var piece = UnsafePointer(transaction.start)
        var lsn = row.pointee.lsn
        if row.pointee.op == UInt8(CDCP_OP_READ) {
            if lsn == 0 { lsn = batch.view.transaction(row.pointee.txn_index).pointee.commit_lsn }
            writer.put(piece, transaction.head)
            writer.put(BatchEncoder.snapshotWord(row.pointee.flags))
            piece += transaction.head &+ transaction.snapshot
            writer.put(piece, transaction.middle)
            piece += transaction.middle
        } else {
            let length = transaction.head &+ transaction.snapshot &+ transaction.middle
            writer.put(piece, length)
            piece += length
        }
        let digits = writer.cursor
        writer.unsigned(lsn)
        let digitCount = writer.cursor - digits
        writer.put(piece, transaction.times)
        piece += transaction.times
        writer.put(table)
        writer.put(piece, transaction.ids)
        piece += transaction.ids
        writer.put(digits, digitCount)
        writer.put(piece, transaction.tail)
    }

    /// What `source.snapshot` says of a row that the snapshot read.
    private static func snapshotWord(_ flags: UInt16) -> StaticString {
        let flags = Int32(flags)
        if flags & CDCP_ROWF_SNAPSHOT_LAST != 0 { return "last" }
        if flags & CDCP_ROWF_SNAPSHOT_FIRST != 0 { return "first" }
        if flags & CDCP_ROWF_SNAPSHOT_LAST_IN_TABLE != 0 { return "last_in_data_collection" }
        if flags & CDCP_ROWF_SNAPSHOT_FIRST_IN_TABLE != 0 { return "first_in_data_collection" }
        return "true"
    }
}
