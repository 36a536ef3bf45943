import PluginABI

/// The host's builder for one call; each function passes on the status of what the host did not take.
struct Builder {
    let ops: UnsafePointer<cdcp_builder_ops>
    let pointer: OpaquePointer

    /// Opens a row and gives its cells, as many as the relation has columns.
    @inline(__always)
    func row(
        _ op: UInt8, _ relation: KnownRelation, flags: UInt16, old: Bool
    ) throws(Refusal) -> (new: UnsafeMutablePointer<cdcp_cell>?, old: UnsafeMutablePointer<cdcp_cell>?) {
        var newCells: UnsafeMutablePointer<cdcp_cell>?
        var oldCells: UnsafeMutablePointer<cdcp_cell>?
        guard let call = ops.pointee.row else { throw .builder(CDCP_E_UNSUPPORTED) }
        try check(call(pointer, op, relation.oid, flags, old ? 1 : 0, relation.columnCount, &newCells, &oldCells))
        return (newCells, oldCells)
    }

    func begin(xid: UInt32, commitLSN: UInt64, timestamp: Int64) throws(Refusal) {
        try check(ops.pointee.begin?(pointer, xid, commitLSN, timestamp))
    }

    func commit(_ commitLSN: UInt64, end: UInt64, timestamp: Int64) throws(Refusal) {
        try check(ops.pointee.commit?(pointer, commitLSN, end, timestamp))
    }

    func origin(_ name: cdcp_str, lsn: UInt64) throws(Refusal) { try check(ops.pointee.origin?(pointer, name, lsn)) }

    func type(_ oid: UInt32, schema: cdcp_str, name: cdcp_str) throws(Refusal) { try check(ops.pointee.type?(pointer, oid, schema, name)) }

    func relation(
        _ oid: UInt32, schema: cdcp_str, name: cdcp_str, replicaIdentity: UInt8, columns: UnsafeBufferPointer<cdcp_column>
    ) throws(Refusal) {
        try check(
            ops.pointee.relation?(
                pointer, oid, schema, name, replicaIdentity, columns.baseAddress, UInt32(columns.count), UInt32(MemoryLayout<cdcp_column>.stride)))
    }

    func truncate(_ oids: UnsafeBufferPointer<UInt32>, flags: UInt32) throws(Refusal) {
        try check(ops.pointee.truncate?(pointer, oids.baseAddress, UInt32(oids.count), flags))
    }

    func message(_ message: cdcp_message) throws(Refusal) {
        var message = message
        try check(ops.pointee.message?(pointer, &message))
    }

    @inline(__always)
    private func check(_ status: cdcp_status?) throws(Refusal) {
        guard status == CDCP_OK else { throw .builder(status ?? CDCP_E_UNSUPPORTED) }
    }
}
