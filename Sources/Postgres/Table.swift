/// How much of an old row the server sends with an update or a delete.
public enum ReplicaIdentity: UInt8, Sendable, Equatable {
    /// The primary key, where there is one.
    case primaryKey = 100  // 'd'
    /// Nothing.
    case nothing = 110  // 'n'
    /// Every column.
    case full = 102  // 'f'
    /// The columns of one unique index.
    case index = 105  // 'i'
}

/// A column as the catalog has it now; the WAL being read may be older.
public struct Column: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Its number in the table, from 1, dropped columns counted.
    public var number: Int16
    /// Its type, a domain's own.
    public var typeOID: UInt32
    /// The type's modifier, -1 for none.
    public var typmod: Int32
    /// `pg_type.typname` of `typeOID`.
    public var typeName: String
    /// Declared NOT NULL.
    public var isNotNull: Bool
    /// Computed by the server from other columns.
    public var isGenerated: Bool
    /// Part of the primary key.
    public var isPrimaryKey: Bool
    /// Place in the record's key, from 1; 0 where it is not part of it.
    public var keyOrdinal: Int
    /// The type behind all domains.
    public var baseTypeOID: UInt32
    /// The modifier in force there.
    public var baseTypmod: Int32
    /// Of an array: the elements' type behind all domains; else 0.
    public var elementOID: UInt32
    /// `pg_type.typtype` of the base type, of an array that of its elements: b, c, e, r, m, p; 0 where unknown.
    public var baseTypeKind: UInt8
}

/// A table that can be published: an ordinary one, or the root of a partitioned one, which stands for all its partitions.
public struct Table: Sendable, Equatable {
    /// Its oid.
    public var oid: UInt32
    /// Its schema.
    public var schema: String
    /// Its name.
    public var name: String
    /// Whether it is partitioned: it holds no rows itself.
    public var isPartitioned: Bool
    /// Whether it is a partition of another table.
    public var isPartition: Bool
    /// Its replica identity.
    public var replicaIdentity: ReplicaIdentity
    /// The primary key's columns in the index's order; empty for none.
    public var primaryKey: [String]
    /// Whether the primary key is deferrable: the server then does not use it as an identity.
    public var primaryKeyIsDeferrable: Bool
    /// The columns of the index chosen by REPLICA IDENTITY USING INDEX, in its order; empty for none, also where that index was dropped.
    public var identityIndex: [String]
    /// Partitions that lack a usable identity, as quoted names: the server refuses updates there.
    public var partitionsWithoutIdentity: [String]
    /// The planner's guess; 0 where the table was never analysed.
    public var estimatedRows: Int64
    /// Whether the session's role may read it.
    public var isReadable: Bool
    /// Whether a policy hides rows of it from the session's role.
    public var hidesRows: Bool
    /// Its columns by number, dropped ones left out.
    public var columns: [Column]

    /// `schema.table`, for messages: quoted only where it must be.
    public var shownName: String { Identifier.shown(schema, name) }
    /// `schema.table`, quoted for SQL.
    public var quotedName: String { Identifier.qualified(schema, name) }

    /// Whether the table itself lets the server find the row that an update or delete changed.
    var hasIdentityItself: Bool {
        switch replicaIdentity {
        case .primaryKey: !primaryKey.isEmpty && !primaryKeyIsDeferrable
        case .full: true
        case .index: !identityIndex.isEmpty
        case .nothing: false
        }
    }

    /// Whether the server lets a publication of updates and deletes hold the table without refusing the application's own.
    public var hasUsableIdentity: Bool { isPartitioned ? partitionsWithoutIdentity.isEmpty : hasIdentityItself }

    /// The columns that the server sends of an old row: all under FULL.
    public var identityColumns: [String] {
        switch replicaIdentity {
        case .primaryKey: primaryKeyIsDeferrable ? [] : primaryKey
        case .full: columns.map(\.name)
        case .index: identityIndex
        case .nothing: []
        }
    }

    /// The columns of the record's key, in order.
    public var keyColumns: [String] { Table.keyColumns(replicaIdentity, primaryKey: primaryKey, identityIndex: identityIndex) }

    /// The rule for keys: DEFAULT or FULL take the primary key, USING INDEX takes the index, NOTHING has none.
    static func keyColumns(_ identity: ReplicaIdentity, primaryKey: [String], identityIndex: [String]) -> [String] {
        switch identity {
        case .primaryKey, .full: primaryKey
        case .index: identityIndex
        case .nothing: []
        }
    }

    /// SQL that gives the table an identity, the best first.
    public var identityCures: [String] {
        if isPartitioned, !partitionsWithoutIdentity.isEmpty, hasIdentityItself {
            return partitionsWithoutIdentity.map { "ALTER TABLE \($0) REPLICA IDENTITY FULL" }
        }
        let first =
            primaryKey.isEmpty
            ? "ALTER TABLE \(quotedName) ADD PRIMARY KEY (…)" : "ALTER TABLE \(quotedName) REPLICA IDENTITY DEFAULT"
        return [
            first, "ALTER TABLE \(quotedName) REPLICA IDENTITY FULL",
            "ALTER TABLE \(quotedName) REPLICA IDENTITY USING INDEX … (a unique index over NOT NULL columns)",
        ]
    }
}
