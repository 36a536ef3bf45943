/// Reads columns and what stands behind their types.
enum CatalogColumns {
    /// The columns of each table by number, without their keys.
    static func read(of oids: Set<UInt32>, on connection: Connection) throws(PostgresError) -> [UInt32: [Column]] {
        let sql = """
            SELECT a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated <> '' AS generated
            FROM pg_attribute a WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
            """
        let rows = try connection.query(sql, [oids.arrayText], what: "read the columns of the tables")
        let types = try CatalogTypes(of: Set(rows.compactMap { $0.integer("atttypid") }), on: connection)
        var result: [UInt32: [Column]] = [:]
        for row in rows {
            guard let table: UInt32 = row.integer("attrelid"), let name = row["attname"], let number: Int16 = row.integer("attnum"),
                let type: UInt32 = row.integer("atttypid"), let typmod: Int32 = row.integer("atttypmod")
            else { continue }
            let base = types.base(of: type, typmod: typmod)
            let element = types.element(of: base.oid)
            result[table, default: []].append(
                Column(
                    name: name, number: number, typeOID: type, typmod: typmod, typeName: types.name(of: type), isNotNull: row.bool("attnotnull"),
                    isGenerated: row.bool("generated"), isPrimaryKey: false, keyOrdinal: 0, baseTypeOID: base.oid, baseTypmod: base.typmod,
                    elementOID: element, baseTypeKind: types.kind(of: element != 0 ? element : base.oid)))
        }
        return result
    }
}

/// The types of some columns, those behind domains and of array elements included.
struct CatalogTypes {
    private struct Entry {
        let name: String
        let kind: UInt8
        let base: UInt32
        let typmod: Int32
        let element: UInt32
    }

    private var entries: [UInt32: Entry] = [:]

    /// A chain of domains and arrays longer than this is cut; PostgreSQL's users do not build one.
    private static let depthMax = 32

    init(of oids: Set<UInt32>, on connection: Connection) throws(PostgresError) {
        let sql = """
            SELECT oid, typname, typtype, typbasetype, typtypmod,
              CASE WHEN typcategory = 'A' AND typlen = -1 THEN typelem ELSE 0 END AS element
            FROM pg_type WHERE oid = ANY($1::oid[])
            """
        var wanted = oids
        for _ in 0..<CatalogTypes.depthMax where !wanted.isEmpty {
            var next: Set<UInt32> = []
            for row in try connection.query(sql, [wanted.arrayText], what: "read the types of the columns") {
                guard let oid: UInt32 = row.integer("oid") else { continue }
                let entry = Entry(
                    name: row["typname"] ?? "", kind: row["typtype"]?.utf8.first ?? 0, base: row.integer("typbasetype") ?? 0,
                    typmod: row.integer("typtypmod") ?? -1, element: row.integer("element") ?? 0)
                entries[oid] = entry
                next.formUnion([entry.base, entry.element].filter { $0 != 0 })
            }
            wanted = next.subtracting(entries.keys)
        }
    }

    func name(of oid: UInt32) -> String { entries[oid]?.name ?? "" }

    func kind(of oid: UInt32) -> UInt8 { entries[oid]?.kind ?? 0 }

    /// The type behind all domains, and the modifier in force: a domain's innermost one, else the column's.
    func base(of oid: UInt32, typmod: Int32) -> (oid: UInt32, typmod: Int32) {
        var current = oid
        var modifier = typmod
        for _ in 0..<CatalogTypes.depthMax {
            guard let entry = entries[current], entry.kind == UInt8(ascii: "d"), entry.base != 0 else { break }
            if entry.typmod != -1 { modifier = entry.typmod }
            current = entry.base
        }
        return (current, modifier)
    }

    /// The base type of an array's elements; 0 for what is no array.
    func element(of oid: UInt32) -> UInt32 {
        guard let element = entries[oid]?.element, element != 0 else { return 0 }
        return base(of: element, typmod: -1).oid
    }
}
