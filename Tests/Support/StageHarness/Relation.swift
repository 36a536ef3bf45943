public import PluginABI

/// One column of a table. Key columns come from `.key`.
public struct ColumnSpec: Hashable, Sendable {
    public var name: String
    public var type: UInt32
    public var typeName: String
    public var typmod: Int32
    public var flags: UInt32
    /// From 1; 0: not part of the key.
    public var keyOrdinal: UInt32
    public var baseType: UInt32
    public var baseTypmod: Int32
    public var element: UInt32
    public var kind: UInt32

    public init(
        _ name: String, _ type: UInt32, typeName: String? = nil, typmod: Int32 = -1, flags: UInt32 = UInt32(CDCP_COL_NULLABLE),
        keyOrdinal: UInt32 = 0, baseType: UInt32? = nil, baseTypmod: Int32 = -1, element: UInt32 = 0, kind: UInt32 = UInt32(CDCP_TYPE_BASE)
    ) {
        self.name = name
        self.type = type
        self.typeName = typeName ?? ColumnSpec.names[type] ?? ""
        self.typmod = typmod
        self.flags = flags
        self.keyOrdinal = keyOrdinal
        self.baseType = baseType ?? type
        self.baseTypmod = baseTypmod
        self.element = element
        self.kind = kind
    }

    /// A column of the primary key that is the replica identity too.
    public static func key(_ name: String, _ type: UInt32, _ ordinal: UInt32 = 1) -> ColumnSpec {
        ColumnSpec(name, type, flags: UInt32(CDCP_COL_IDENTITY | CDCP_COL_NOT_NULL | CDCP_COL_PRIMARY_KEY), keyOrdinal: ordinal)
    }

    init(_ column: cdcp_column) {
        name = string(column.name)
        type = column.type_oid
        typeName = string(column.type_name)
        typmod = column.typmod
        flags = column.flags
        keyOrdinal = column.key_ordinal
        baseType = column.base_type_oid
        baseTypmod = column.base_typmod
        element = column.element_oid
        kind = column.type_kind
    }

    var record: cdcp_column {
        cdcp_column(
            name: permanent(name), type_name: permanent(typeName), type_oid: type, typmod: typmod, flags: flags, key_ordinal: keyOrdinal,
            base_type_oid: baseType, base_typmod: baseTypmod, element_oid: element, type_kind: kind)
    }

    private static let names: [UInt32: String] = [
        16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid", 114: "json", 142: "xml",
        700: "float4", 701: "float8", 790: "money", 869: "inet", 1007: "_int4", 1009: "_text", 1042: "bpchar", 1043: "varchar", 1082: "date",
        1083: "time", 1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1266: "timetz", 1560: "bit", 1562: "varbit", 1700: "numeric",
        2950: "uuid", 3802: "jsonb",
    ]
}

/// A table's shape, to be made a relation by `FakeHost.relation`.
public struct RelationSpec: Hashable, Sendable {
    public var schema: String
    public var table: String
    public var columns: [ColumnSpec]
    public var oid: UInt32
    public var replicaIdentity: UInt8
    /// Where its records go.
    public var topic: String

    public init(
        _ schema: String, _ table: String, columns: [ColumnSpec], oid: UInt32 = 16384, replicaIdentity: UInt8 = UInt8(CDCP_REPLICA_IDENTITY_DEFAULT),
        topic: String? = nil
    ) {
        self.schema = schema
        self.table = table
        self.columns = columns
        self.oid = oid
        self.replicaIdentity = replicaIdentity
        self.topic = topic ?? "shop.\(schema).\(table)"
    }
}

/// A relation as stages see it. Its memory is kept to the process's end.
public final class Relation {
    public let spec: RelationSpec
    public let pointer: UnsafePointer<cdcp_relation>

    // A step that is larger than the column: who computes with sizeof reads poison.
    static let columnStride = MemoryLayout<cdcp_column>.stride + 16

    init(_ spec: RelationSpec, id: UInt64, base: UnsafePointer<cdcp_relation>?, previous: UnsafePointer<cdcp_relation>?) {
        self.spec = spec
        let columns = UnsafeMutableRawPointer.allocate(byteCount: max(spec.columns.count * Relation.columnStride, 1), alignment: 16)
        columns.initializeMemory(as: UInt8.self, repeating: 0xA5, count: spec.columns.count * Relation.columnStride)
        for (index, column) in spec.columns.enumerated() {
            (columns + index * Relation.columnStride).initializeMemory(as: cdcp_column.self, to: column.record)
        }
        var record = cdcp_relation()
        record.struct_size = UInt32(MemoryLayout<cdcp_relation>.size)
        record.column_stride = UInt32(Relation.columnStride)
        record.schema_id = id
        record.rel_oid = spec.oid
        record.column_count = UInt32(spec.columns.count)
        record.columns = UnsafeRawPointer(columns)
        record.nspname = permanent(spec.schema)
        record.relname = permanent(spec.table)
        record.base = base
        record.previous = previous
        record.topic = permanent(spec.topic)
        record.replica_identity = spec.replicaIdentity
        let memory = UnsafeMutablePointer<cdcp_relation>.allocate(capacity: 1)
        memory.initialize(to: record)
        pointer = UnsafePointer(memory)
    }
}

/// Text that is never freed: a test's process is short.
func permanent(_ text: String) -> cdcp_str {
    let bytes = Array(text.utf8)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
    copy[bytes.count] = 0x7F  // not ended by NUL
    return cdcp_str(ptr: copy, len: UInt32(bytes.count), reserved: 0)
}

func permanentC(_ text: String) -> UnsafePointer<CChar> {
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.utf8.count + 1)
    for (index, byte) in text.utf8.enumerated() { copy[index] = CChar(bitPattern: byte) }
    copy[text.utf8.count] = 0
    return UnsafePointer(copy)
}

func string(_ text: cdcp_str) -> String {
    guard let start = text.ptr else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: Int(text.len)), as: UTF8.self)
}

func string(_ start: UnsafePointer<CChar>?, _ length: UInt64) -> String {
    guard let start else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: Int(length)), as: UTF8.self)
}
