import PluginABI

// Begin, Origin, Commit, and what stands in or between transactions without being a row of a table.

extension Session {
    /// Opens a transaction. One that was left open is over: the connection broke, and the server sends it again.
    mutating func begin(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) {
        let lsn = try cursor.number(UInt64.self)
        let timestamp = try cursor.timestamp()
        let xid = try cursor.number(UInt32.self)
        try cursor.ended()
        try builder.begin(xid: xid, commitLSN: lsn, timestamp: timestamp)
        inTransaction = true
        commitLSN = lsn
    }

    func origin(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) {
        guard inTransaction else { throw .outsideTransaction }
        let lsn = try cursor.number(UInt64.self)
        let name = try cursor.text()
        try cursor.ended()
        try builder.origin(name, lsn: lsn)
    }

    mutating func commit(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) {
        guard inTransaction else { throw .outsideTransaction }
        guard try cursor.byte() == 0 else { throw .commitFlags }
        let lsn = try cursor.number(UInt64.self)
        guard lsn == commitLSN else { throw .commitOfAnother }
        let end = try cursor.number(UInt64.self)
        guard end >= lsn else { throw .commitEnd }
        let timestamp = try cursor.timestamp()
        try cursor.ended()
        try builder.commit(lsn, end: end, timestamp: timestamp)
        inTransaction = false
    }

    mutating func truncate(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) {
        guard inTransaction else { throw .outsideTransaction }
        let count = try Int(cursor.number(UInt32.self))
        let flags = try cursor.byte()
        guard count <= cursor.remaining / MemoryLayout<UInt32>.size else { throw .length }
        let oids = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: count)
        defer { oids.deallocate() }
        for index in 0..<count {
            let oid = try cursor.number(UInt32.self)
            oids.initializeElement(at: index, to: try relations.find(oid).oid)
        }
        try cursor.ended()
        try builder.truncate(UnsafeBufferPointer(oids), flags: UInt32(flags))
    }

    /// A logical message: in a transaction if it is transactional, else between two.
    func message(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) {
        let flags = try cursor.byte()
        guard flags <= 1 else { throw .messageFlags }
        guard flags == 0 || inTransaction else { throw .outsideTransaction }
        guard flags == 1 || !inTransaction else { throw .insideTransaction }
        let lsn = try cursor.number(UInt64.self)
        let prefix = try cursor.text()
        let content = try cursor.counted()
        try cursor.ended()
        try builder.message(
            cdcp_message(prefix: prefix, content: content.baseAddress, content_len: UInt32(content.count), flags: UInt32(flags), lsn: lsn))
    }
}
