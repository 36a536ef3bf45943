public import PluginABI

/// A column, as the host thinks of it.
public struct ColumnShape: Hashable, Sendable {
    /// The column's, as the server says it.
    public var name: String
    /// `pg_type.typname`; empty where unknown.
    public var typeName: String
    /// As announced: a domain's own.
    public var typeOID: UInt32
    /// -1: none.
    public var typmod: Int32
    /// CDCP_COL_*
    public var flags: UInt32
    /// Place in the record's key from 1; 0: not part of it.
    public var keyOrdinal: UInt32
    /// Behind all domains.
    public var baseTypeOID: UInt32
    /// That of the domain, where the type is one.
    public var baseTypmod: Int32
    /// Of an array: its elements' base type; else 0.
    public var elementOID: UInt32
    /// CDCP_TYPE_*; 0: unknown.
    public var typeKind: UInt32

    /// What is left out is unknown; a type without domain is its own base.
    public init(
        name: String, typeName: String = "", typeOID: UInt32, typmod: Int32 = -1, flags: UInt32 = 0, keyOrdinal: UInt32 = 0,
        baseTypeOID: UInt32? = nil, baseTypmod: Int32? = nil, elementOID: UInt32 = 0, typeKind: UInt32 = 0
    ) {
        self.name = name
        self.typeName = typeName
        self.typeOID = typeOID
        self.typmod = typmod
        self.flags = flags
        self.keyOrdinal = keyOrdinal
        self.baseTypeOID = baseTypeOID ?? typeOID
        self.baseTypmod = baseTypmod ?? typmod
        self.elementOID = elementOID
        self.typeKind = typeKind
    }
}

/// A table's shape, as the host thinks of it.
public struct RelationShape: Hashable, Sendable {
    /// The table's.
    public var oid: UInt32
    /// Its name, unquoted.
    public var schema: String
    /// Its name, unquoted.
    public var table: String
    /// CDCP_REPLICA_IDENTITY_*
    public var replicaIdentity: UInt8
    /// In the order of the server.
    public var columns: [ColumnShape]

    /// As announced, or as the catalog says.
    public init(oid: UInt32, schema: String, table: String, replicaIdentity: UInt8, columns: [ColumnShape]) {
        self.oid = oid
        self.schema = schema
        self.table = table
        self.replicaIdentity = replicaIdentity
        self.columns = columns
    }

    /// `schema.table`
    public var qualifiedName: String { schema + "." + table }
}

/// A shape with what the host has decided about its table.
public struct ResolvedShape: Sendable {
    /// As the server sends its rows.
    public var shape: RelationShape
    /// Indexes of the columns that stages get to see, rising; nil: all.
    public var keptColumns: [Int]?
    /// In the publication, but not captured by this stream.
    public var isForeign: Bool

    /// Of a table that is captured whole, unless said otherwise.
    public init(_ shape: RelationShape, keptColumns: [Int]? = nil, isForeign: Bool = false) {
        self.shape = shape
        self.keptColumns = keptColumns
        self.isForeign = isForeign
    }
}

/// Shapes that were seen, each once: equal shapes have one `cdcp_relation`, and so one schema_id. They live as long as the process
/// (a shape is a few hundred bytes, and there are as many as there were changes of schema), so retain and release have nothing to do.
public final class RelationRegistry: @unchecked Sendable {
    // SAFETY: the dictionaries under the gate; the relations are immutable.
    private struct Key: Hashable {
        let base: UInt64
        let shape: RelationShape
    }

    private let gate = Gate()
    private var known: [Key: UnsafePointer<cdcp_relation>] = [:]
    private var nextID: UInt64 = 1
    private let topicName: @Sendable (_ schema: String, _ table: String) -> String

    /// - Parameter topicName: `topics.template` applied.
    public init(topicName: @escaping @Sendable (_ schema: String, _ table: String) -> String) { self.topicName = topicName }

    /// The relation of a shape that the server announced.
    /// - Parameter previous: the table's shape until now, remembered in a relation that is new.
    public func intern(_ shape: RelationShape, previous: UnsafePointer<cdcp_relation>? = nil) -> UnsafePointer<cdcp_relation> {
        relation(shape, base: nil, previous: previous, topic: nil)
    }

    /// The output shape of a transform.
    func derive(_ base: UnsafePointer<cdcp_relation>, _ columns: [ColumnShape]) -> UnsafePointer<cdcp_relation> {
        let shape = RelationShape(
            oid: base.pointee.rel_oid, schema: String(abi: base.pointee.nspname), table: String(abi: base.pointee.relname),
            replicaIdentity: base.pointee.replica_identity, columns: columns)
        return relation(shape, base: base, previous: nil, topic: base.pointee.topic)
    }

    private func relation(
        _ shape: RelationShape, base: UnsafePointer<cdcp_relation>?, previous: UnsafePointer<cdcp_relation>?, topic: cdcp_str?
    ) -> UnsafePointer<cdcp_relation> {
        let key = Key(base: base?.pointee.schema_id ?? 0, shape: shape)
        return gate.locked {
            if let relation = known[key] { return relation }
            let columns = UnsafeMutablePointer<cdcp_column>.allocate(capacity: max(shape.columns.count, 1))
            for (index, column) in shape.columns.enumerated() { columns.advanced(by: index).initialize(to: column.abi) }
            var relation = cdcp_relation()
            relation.struct_size = UInt32(MemoryLayout<cdcp_relation>.size)
            relation.column_stride = UInt32(MemoryLayout<cdcp_column>.stride)
            relation.schema_id = nextID
            relation.rel_oid = shape.oid
            relation.column_count = UInt32(shape.columns.count)
            relation.columns = UnsafeRawPointer(columns)
            relation.nspname = PermanentText.make(shape.schema)
            relation.relname = PermanentText.make(shape.table)
            relation.base = base
            relation.previous = previous
            relation.topic = topic ?? PermanentText.make(TopicTable.sanitized(topicName(shape.schema, shape.table)))
            relation.replica_identity = shape.replicaIdentity
            nextID += 1
            let pointer = UnsafeMutablePointer<cdcp_relation>.allocate(capacity: 1)
            pointer.initialize(to: relation)
            known[key] = UnsafePointer(pointer)
            return UnsafePointer(pointer)
        }
    }
}

extension ColumnShape {
    var abi: cdcp_column {
        cdcp_column(
            name: PermanentText.make(name), type_name: PermanentText.make(typeName), type_oid: typeOID, typmod: typmod, flags: flags,
            key_ordinal: keyOrdinal, base_type_oid: baseTypeOID, base_typmod: baseTypmod, element_oid: elementOID, type_kind: typeKind)
    }

    init(abi column: cdcp_column) {
        self.init(
            name: String(abi: column.name), typeName: String(abi: column.type_name), typeOID: column.type_oid, typmod: column.typmod,
            flags: column.flags, keyOrdinal: column.key_ordinal, baseTypeOID: column.base_type_oid, baseTypmod: column.base_typmod,
            elementOID: column.element_oid, typeKind: column.type_kind)
    }
}
