import PluginABI

// Insert, Update and Delete: what runs for every row.

extension Session {
    mutating func insert(_ cursor: inout Cursor, _ sink: Builder) throws(Refusal) {
        let relation = try self.relation(&cursor)
        guard try cursor.byte() == TupleKind.new else { throw .tupleKind }
        try cursor.columnCount(of: relation)
        let cells = try sink.row(UInt8(CDCP_OP_INSERT), relation, flags: 0, old: false)
        try cursor.columns(relation.columnCount, into: cells.new)
        try cursor.ended()
    }

    mutating func update(_ cursor: inout Cursor, _ sink: Builder) throws(Refusal) {
        let relation = try self.relation(&cursor)
        let kind = try cursor.byte()
        guard kind == TupleKind.new || kind == TupleKind.key || kind == TupleKind.old else { throw .tupleKind }
        try cursor.columnCount(of: relation)
        let flags = kind == TupleKind.key ? UInt16(CDCP_ROWF_OLD_IS_KEY) : 0
        let cells = try sink.row(UInt8(CDCP_OP_UPDATE), relation, flags: flags, old: kind != TupleKind.new)
        if kind != TupleKind.new {
            try cursor.columns(relation.columnCount, into: cells.old)
            if kind == TupleKind.key { keepIdentity(relation, in: cells.old) }
            guard try cursor.byte() == TupleKind.new else { throw .tupleKind }
            try cursor.columnCount(of: relation)
        }
        try cursor.columns(relation.columnCount, into: cells.new)
        try cursor.ended()
    }

    mutating func delete(_ cursor: inout Cursor, _ sink: Builder) throws(Refusal) {
        let relation = try self.relation(&cursor)
        let kind = try cursor.byte()
        guard kind == TupleKind.key || kind == TupleKind.old else { throw .tupleKind }
        try cursor.columnCount(of: relation)
        let flags = kind == TupleKind.key ? UInt16(CDCP_ROWF_OLD_IS_KEY) : 0
        let cells = try sink.row(UInt8(CDCP_OP_DELETE), relation, flags: flags, old: true)
        try cursor.columns(relation.columnCount, into: cells.old)
        if kind == TupleKind.key { keepIdentity(relation, in: cells.old) }
        try cursor.ended()
    }

    /// The table of a row, which must be known, inside a transaction.
    @inline(__always)
    private mutating func relation(_ cursor: inout Cursor) throws(Refusal) -> KnownRelation {
        guard inTransaction else { throw .outsideTransaction }
        return try relations.find(cursor.number(UInt32.self))
    }
}
