import Chain
import PluginABI
import Postgres

/// From the catalog's words to the contract's.
enum Shapes {
    /// A table as the stream will announce it: its columns as published.
    /// - Parameter columns: names that the publication carries, in the table's order.
    static func shape(_ table: Table, columns: [String]) -> RelationShape {
        let identity = Set(table.identityColumns)
        let full = table.replicaIdentity == .full
        return RelationShape(
            oid: table.oid, schema: table.schema, table: table.name, replicaIdentity: table.replicaIdentity.rawValue,
            columns: columns.compactMap { name in
                guard let column = table.columns.first(where: { $0.name == name }) else { return nil }
                return shape(column, isIdentity: full || identity.contains(name))
            })
    }

    private static func shape(_ column: Column, isIdentity: Bool) -> ColumnShape {
        var flags: Int32 = column.isNotNull ? CDCP_COL_NOT_NULL : CDCP_COL_NULLABLE
        if isIdentity { flags |= CDCP_COL_IDENTITY }
        if column.isGenerated { flags |= CDCP_COL_GENERATED }
        if column.isPrimaryKey { flags |= CDCP_COL_PRIMARY_KEY }
        return ColumnShape(
            name: column.name, typeName: column.typeName, typeOID: column.typeOID, typmod: column.typmod, flags: UInt32(bitPattern: flags),
            keyOrdinal: UInt32(column.keyOrdinal), baseTypeOID: column.baseTypeOID, baseTypmod: column.baseTypmod, elementOID: column.elementOID,
            typeKind: UInt32(column.baseTypeKind))
    }

    /// What the server announced, completed with what the catalog says. The catalog may be newer than the WAL: only what still fits is taken.
    static func complete(_ announced: RelationShape, _ table: Table?) -> RelationShape {
        var result = announced
        for index in result.columns.indices {
            let wanted = result.columns[index]
            let isIdentity = wanted.flags & UInt32(CDCP_COL_IDENTITY) != 0
            if let column = table?.columns.first(where: { $0.name == wanted.name && $0.typeOID == wanted.typeOID }) {
                var known = shape(column, isIdentity: isIdentity)
                known.typmod = wanted.typmod
                if column.baseTypeOID == column.typeOID { known.baseTypmod = wanted.typmod }
                result.columns[index] = known
            } else {
                result.columns[index].typeName = BuiltinTypes.name(wanted.typeOID)
                result.columns[index].elementOID = BuiltinTypes.element(wanted.typeOID)
            }
        }
        // The key must be whole, or the identity stands in for it: half a key would be a wrong one.
        let expected = table?.keyColumns ?? []
        let present = result.columns.filter { $0.keyOrdinal > 0 }.count
        let usesIdentity = announced.replicaIdentity == UInt8(CDCP_REPLICA_IDENTITY_DEFAULT) || announced.replicaIdentity == UInt8(CDCP_REPLICA_IDENTITY_INDEX)
        let identity = result.columns.indices.filter { result.columns[$0].flags & UInt32(CDCP_COL_IDENTITY) != 0 }
        let keyIsIdentity = identity.allSatisfy { result.columns[$0].keyOrdinal > 0 } && present == identity.count
        if present != expected.count || (usesIdentity && !keyIsIdentity) || table == nil {
            for index in result.columns.indices { result.columns[index].keyOrdinal = 0 }
            if usesIdentity { for (ordinal, index) in identity.enumerated() { result.columns[index].keyOrdinal = UInt32(ordinal + 1) } }
        }
        return result
    }
}

/// Types whose OIDs never change, for tables that the catalog no longer has.
enum BuiltinTypes {
    private static let names: [UInt32: String] = [
        16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid", 114: "json", 142: "xml", 700: "float4",
        701: "float8", 790: "money", 829: "macaddr", 869: "inet", 650: "cidr", 1042: "bpchar", 1043: "varchar", 1082: "date", 1083: "time",
        1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1266: "timetz", 1560: "bit", 1562: "varbit", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
    ]
    private static let elements: [UInt32: UInt32] = [
        1000: 16, 1001: 17, 1002: 18, 1003: 19, 1016: 20, 1005: 21, 1007: 23, 1009: 25, 1028: 26, 199: 114, 143: 142, 1021: 700, 1022: 701, 791: 790,
        1040: 829, 1041: 869, 651: 650, 1014: 1042, 1015: 1043, 1182: 1082, 1183: 1083, 1115: 1114, 1185: 1184, 1187: 1186, 1270: 1266, 1561: 1560,
        1563: 1562, 1231: 1700, 2951: 2950, 3807: 3802,
    ]

    static func name(_ oid: UInt32) -> String { names[oid] ?? elements[oid].flatMap { names[$0] }.map { "_" + $0 } ?? "" }
    static func element(_ oid: UInt32) -> UInt32 { elements[oid] ?? 0 }
}
