/// A table inside a publication.
public struct PublicationMember: Sendable, Equatable {
    /// The table.
    public var oid: UInt32
    /// Its name, quoted for SQL.
    public var quotedName: String
    /// The column list, by number; nil for all columns.
    public var columns: [String]?
    /// The row filter as the server prints it.
    public var rowFilter: String?
}

/// A publication as the server has it.
public struct PublicationState: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// FOR ALL TABLES.
    public var allTables: Bool
    /// What it publishes: of insert, update, delete, truncate.
    public var operations: Set<String>
    /// publish_via_partition_root.
    public var viaRoot: Bool
    /// Its comment.
    public var comment: String?
    /// Tables named one by one.
    public var members: [PublicationMember]
    /// Every table whose changes it carries, those by schema or FOR ALL TABLES included.
    public var effective: Set<UInt32>
}

/// Publications and what can be asked of them. Ordinary sessions.
public enum Publication {
    /// The comment that marks a publication as made by a stream.
    public static func mark(stream: String) -> String { "cdc-host stream \(stream)" }

    /// Reads a publication; nil where there is none of that name.
    public static func state(of name: String, on connection: Connection) throws(PostgresError) -> PublicationState? {
        let what = "read publication \(name)"
        let sql = """
            SELECT p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, coalesce(to_jsonb(p)->>'pubviaroot', 'false') AS viaroot,
              obj_description(p.oid, 'pg_publication') AS comment FROM pg_publication p WHERE p.pubname = $1
            """
        guard let row = try connection.query(sql, [name], what: what).first else { return nil }
        let operations = ["insert", "update", "delete", "truncate"].filter { row.bool("pub" + $0) }
        let effective = try connection.query("SELECT relid FROM pg_get_publication_tables($1)", [name], what: what)
        return PublicationState(
            name: name, allTables: row.bool("puballtables"), operations: Set(operations), viaRoot: row["viaroot"] == "true", comment: row["comment"],
            members: try members(of: name, on: connection), effective: Set(effective.compactMap { $0.integer("relid") }))
    }

    private static func members(of name: String, on connection: Connection) throws(PostgresError) -> [PublicationMember] {
        let hasLists = connection.serverVersion >= 15_00_00
        let sql = """
            SELECT r.prrelid, n.nspname, c.relname, \(hasLists ? "pg_get_expr(r.prqual, r.prrelid)" : "NULL") AS filter,
              \(hasLists ? "r.prattrs IS NOT NULL" : "false") AS has_list, a.attname
            FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute a ON \(hasLists ? "a.attrelid = r.prrelid AND a.attnum = ANY(r.prattrs::int2[])" : "false")
            WHERE p.pubname = $1 ORDER BY n.nspname, c.relname, r.prrelid, a.attnum
            """
        var members: [PublicationMember] = []
        for row in try connection.query(sql, [name], what: "read the tables of publication \(name)") {
            guard let oid: UInt32 = row.integer("prrelid"), let schema = row["nspname"], let table = row["relname"] else { continue }
            if members.last?.oid != oid {
                members.append(
                    PublicationMember(
                        oid: oid, quotedName: Identifier.qualified(schema, table), columns: row.bool("has_list") ? [] : nil, rowFilter: row["filter"])
                )
            }
            if let column = row["attname"] { members[members.count - 1].columns?.append(column) }
        }
        return members
    }

    /// Runs a plan's statements in one transaction: the application never sees half of them.
    public static func apply(_ plan: PublicationPlan, on connection: Connection) throws(PostgresError) {
        guard !plan.statements.isEmpty else { return }
        try connection.transaction(doing: .publication) { () throws(PostgresError) in
            for statement in plan.statements { try connection.execute(statement, doing: .publication, what: "manage publication \(plan.name)") }
        }
    }

    /// The columns that a row filter reads, by letting the server parse it in a view that is rolled back; nil where the role may not make one.
    /// A filter that the server refuses throws `.server`.
    public static func columns(ofFilter filter: String, on table: Table, _ connection: Connection) throws(PostgresError) -> [String]? {
        let what = "read the row filter of \(table.quotedName)"
        try connection.execute("BEGIN", doing: .publication, what: what)
        defer { try? connection.execute("ROLLBACK", doing: .publication, what: what) }
        do throws(PostgresError) {
            let view = "CREATE TEMPORARY VIEW cdc_host_row_filter AS SELECT 1 AS one FROM \(table.quotedName) WHERE (\(filter)\n)"
            try connection.execute(view, doing: .publication, what: what)
        } catch {
            if error.sqlstate == "42501" { return nil }
            throw error
        }
        let sql = """
            SELECT DISTINCT a.attname FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE r.ev_class = 'pg_temp.cdc_host_row_filter'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid
              AND d.refobjsubid <> 0
            """
        return try connection.query(sql, [String(table.oid)], doing: .publication, what: what).compactMap { $0[0] }
    }

    /// What speaks against the row filters of `wanted`: each as a problem of configuration.
    public static func filterProblems(_ wanted: [PublishedTable], on connection: Connection) throws(PostgresError) -> [PublicationProblem] {
        var problems: [PublicationProblem] = []
        for item in wanted {
            guard let filter = item.rowFilter else { continue }
            do throws(PostgresError) {
                let read = try columns(ofFilter: filter, on: item.table, connection) ?? []
                let outside = read.filter { !item.table.identityColumns.contains($0) }
                guard !outside.isEmpty else { continue }
                let names = outside.sorted().joined(separator: ", ")
                problems.append(
                    PublicationProblem(
                        message:
                            "the row filter of \(item.table.quotedName) reads \(names), outside the replica identity",
                        cure: "ALTER TABLE \(item.table.quotedName) REPLICA IDENTITY FULL; or take the condition out of source.rows"))
            } catch {
                guard error.kind == .server else { throw error }
                problems.append(
                    PublicationProblem(
                        message: "the row filter of \(item.table.quotedName) is refused by the server: \(error.message)",
                        cure: "correct it in source.rows"))
            }
        }
        return problems
    }
}
