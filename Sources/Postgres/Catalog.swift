/// What the database says about its tables. Ordinary sessions; every name goes in as a parameter.
public enum Catalog {
    /// The tables that `matches` takes, ordered by schema and name. System schemas, unlogged and temporary tables cannot be published and are not
    /// asked for. A partition is left out when the root of its tree is taken: the root stands for it.
    public static func tables(on connection: Connection, where matches: (_ schema: String, _ table: String) -> Bool) throws(PostgresError) -> [Table]
    {
        let entries = try classes(on: connection)
        let chosen = Set(entries.values.filter { matches($0.schema, $0.name) }.map(\.oid))
        let kept = entries.values.filter { entry in
            chosen.contains(entry.oid) && !ancestors(of: entry, in: entries).contains { chosen.contains($0) }
        }
        return try describe(kept, among: entries, on: connection).sorted { ($0.schema, $0.name) < ($1.schema, $1.name) }
    }

    /// One relation, partition or not, as it is now; nil where it has been dropped.
    public static func relationDetails(oid: UInt32, on connection: Connection) throws(PostgresError) -> Table? {
        let entries = try classes(on: connection, only: oid)
        guard let entry = entries[oid] else { return nil }
        return try describe([entry], among: entries, on: connection).first
    }

    private static func classes(on connection: Connection, only oid: UInt32? = nil) throws(PostgresError) -> [UInt32: CatalogEntry] {
        // One relation is asked for together with its partitions.
        let tree = "WITH RECURSIVE tree(oid) AS (SELECT $1::oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid)"
        let sql = """
            \(oid == nil ? "" : tree) SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, c.relispartition,
              greatest(c.reltuples, 0)::bigint AS estimate, i.inhparent AS parent,
              has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS readable, row_security_active(c.oid) AS hides
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_inherits i ON c.relispartition AND i.inhrelid = c.oid
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
              AND \(oid == nil ? "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'" : "c.oid IN (SELECT oid FROM tree)")
            """
        let rows = try connection.query(sql, oid.map { [String($0)] } ?? [], what: "list the tables")
        var entries: [UInt32: CatalogEntry] = [:]
        for row in rows {
            guard let oid: UInt32 = row.integer("oid"), let schema = row["nspname"], let name = row["relname"] else { continue }
            entries[oid] = CatalogEntry(
                oid: oid, schema: schema, name: name, isPartitioned: row["relkind"] == "p", isPartition: row.bool("relispartition"),
                identity: row["relreplident"]?.utf8.first.flatMap { ReplicaIdentity(rawValue: $0) } ?? .nothing, parent: row.integer("parent"),
                estimate: row.integer("estimate") ?? 0, isReadable: row.bool("readable"), hidesRows: row.bool("hides"))
        }
        return entries
    }

    private static func describe(
        _ kept: some Collection<CatalogEntry>, among entries: [UInt32: CatalogEntry], on connection: Connection
    ) throws(PostgresError) -> [Table] {
        let leaves = leavesByRoot(kept, entries)
        let oids = Set(kept.map(\.oid))
        let indexes = try CatalogIndexes(of: oids.union(leaves.values.flatMap { $0 }), on: connection)
        let columns = try CatalogColumns.read(of: oids, on: connection)
        return kept.map { entry in
            var table = entry.table(indexes)
            let own = leaves[entry.oid] ?? []
            table.partitionsWithoutIdentity = own.compactMap { entries[$0]?.table(indexes) }.filter { !$0.hasIdentityItself }.map(\.quotedName)
                .sorted()
            if entry.isPartitioned { table.estimatedRows = own.reduce(0) { $0 &+ (entries[$1]?.estimate ?? 0) } }
            let key = table.keyColumns
            table.columns = (columns[entry.oid] ?? []).map { column in
                var column = column
                column.keyOrdinal = (key.firstIndex(of: column.name) ?? -1) + 1
                column.isPrimaryKey = table.primaryKey.contains(column.name)
                return column
            }
            return table
        }
    }

    private static func ancestors(of entry: CatalogEntry, in entries: [UInt32: CatalogEntry]) -> [UInt32] {
        var result: [UInt32] = []
        var parent = entry.parent
        while let oid = parent, result.count < 64 {
            result.append(oid)
            parent = entries[oid]?.parent
        }
        return result
    }

    private static func leavesByRoot(_ kept: some Collection<CatalogEntry>, _ entries: [UInt32: CatalogEntry]) -> [UInt32: [UInt32]] {
        let roots = Set(kept.filter(\.isPartitioned).map(\.oid))
        guard !roots.isEmpty else { return [:] }
        var leaves: [UInt32: [UInt32]] = [:]
        for entry in entries.values where entry.isPartition && !entry.isPartitioned {
            for ancestor in ancestors(of: entry, in: entries) where roots.contains(ancestor) { leaves[ancestor, default: []].append(entry.oid) }
        }
        return leaves
    }
}

/// A row of pg_class.
struct CatalogEntry {
    let oid: UInt32
    let schema: String
    let name: String
    let isPartitioned: Bool
    let isPartition: Bool
    let identity: ReplicaIdentity
    let parent: UInt32?
    let estimate: Int64
    let isReadable: Bool
    let hidesRows: Bool

    /// The table without its columns.
    func table(_ indexes: CatalogIndexes) -> Table {
        Table(
            oid: oid, schema: schema, name: name, isPartitioned: isPartitioned, isPartition: isPartition, replicaIdentity: identity,
            primaryKey: indexes.primaryKeys[oid] ?? [], primaryKeyIsDeferrable: indexes.deferrable.contains(oid),
            identityIndex: indexes.identities[oid] ?? [], partitionsWithoutIdentity: [], estimatedRows: estimate, isReadable: isReadable,
            hidesRows: hidesRows, columns: [])
    }
}

/// The indexes that matter for identities, by table.
struct CatalogIndexes {
    private(set) var primaryKeys: [UInt32: [String]] = [:]
    private(set) var identities: [UInt32: [String]] = [:]
    private(set) var deferrable: Set<UInt32> = []

    init(of oids: Set<UInt32>, on connection: Connection) throws(PostgresError) {
        let sql = """
            SELECT i.indrelid, i.indisprimary, i.indisreplident, i.indimmediate, a.attname
            FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indrelid = ANY($1::oid[]) AND (i.indisprimary OR i.indisreplident) AND i.indisvalid AND k.place <= i.indnkeyatts
            ORDER BY i.indrelid, k.place
            """
        for row in try connection.query(sql, [oids.arrayText], what: "read the keys of the tables") {
            guard let oid: UInt32 = row.integer("indrelid"), let name = row["attname"] else { continue }
            if row.bool("indisprimary") {
                primaryKeys[oid, default: []].append(name)
                if !row.bool("indimmediate") { deferrable.insert(oid) }
            }
            if row.bool("indisreplident") && row.bool("indimmediate") { identities[oid, default: []].append(name) }
        }
    }
}

extension Set<UInt32> {
    /// As the text of an array of oids.
    var arrayText: String { "{" + sorted().map(String.init).joined(separator: ",") + "}" }
}
