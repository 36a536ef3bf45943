import PluginABI

// Relation and Type: seldom, once a table, a connection and a change of shape.

extension Session {
    /// Reads a table's shape and returns its number.
    mutating func relation(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) -> AnnouncedRelation {
        let oid = try cursor.number(UInt32.self)
        guard oid != 0 else { throw .relationNumber }
        let schema = try cursor.schemaName()
        let name = try cursor.text()
        let identity = try cursor.byte()
        switch Int32(identity) {
        case CDCP_REPLICA_IDENTITY_DEFAULT, CDCP_REPLICA_IDENTITY_NOTHING, CDCP_REPLICA_IDENTITY_FULL, CDCP_REPLICA_IDENTITY_INDEX: break
        default: throw .replicaIdentity
        }
        let count = try Int(cursor.number(UInt16.self))
        guard count <= RelationTable.maximumColumns else { throw .tooManyColumns }
        let columns = UnsafeMutableBufferPointer<cdcp_column>.allocate(capacity: count)
        defer { columns.deallocate() }
        for index in 0..<count {
            columns.initializeElement(at: index, to: try column(&cursor, full: Int32(identity) == CDCP_REPLICA_IDENTITY_FULL))
        }
        try cursor.ended()
        try builder.relation(oid, schema: schema, name: name, replicaIdentity: identity, columns: UnsafeBufferPointer(columns))
        try relations.insert(oid, UnsafeBufferPointer(columns))
        return AnnouncedRelation(oid: oid, schema: schema, name: name)
    }

    private func column(_ cursor: inout Cursor, full: Bool) throws(Refusal) -> cdcp_column {
        var column = cdcp_column()
        let flags = try cursor.byte()
        column.flags = full || flags & 1 != 0 ? UInt32(CDCP_COL_IDENTITY) : 0
        column.name = try cursor.text()
        column.type_oid = try cursor.number(UInt32.self)
        column.typmod = try cursor.number(Int32.self)
        return column
    }

    func type(_ cursor: inout Cursor, _ builder: Builder) throws(Refusal) {
        let oid = try cursor.number(UInt32.self)
        let schema = try cursor.schemaName()
        let name = try cursor.text()
        try cursor.ended()
        try builder.type(oid, schema: schema, name: name)
    }
}

/// What a Relation message named; the texts point into it.
struct AnnouncedRelation {
    let oid: UInt32
    let schema: cdcp_str
    let name: cdcp_str
}
