import Chain
import Postgres
import Settings
import Snapshot

/// What a start or a reload would capture: read from the server, nothing changed there. `check` shows it, `SourceSession` acts on it.
struct PlannedCapture {
    let wanted: [PublishedTable]
    let state: PublicationState?
    let plan: PublicationPlan
    /// This stream made the publication, or would.
    let isOurs: Bool
    /// Patterns of `source.tables.include` that fit no table.
    let unmatched: [TablePattern]
    /// What `source.columns` and `source.rows` ask that cannot be: the key, and what is wrong.
    let refused: [(key: String, message: String, cure: String)]

    /// - Parameter createdByUs: what the checkpoint says of the publication.
    init(_ settings: HostSettings, createdByUs: Bool, on connection: Connection) throws(PostgresError) {
        let source = settings.source
        let tables = try Catalog.tables(on: connection) { source.tables.selects(schema: $0, table: $1) }
        unmatched = source.tables.unmatched(by: tables.map { ($0.schema, $0.name) })
        var refused: [(key: String, message: String, cure: String)] = []
        wanted = tables.map { table in
            let conditions = source.rows.filter { $0.table.matches(schema: table.schema, table: table.name) }
            if conditions.count > 1 { refused.append(("source.rows", "\(table.shownName) is named twice", "join the conditions with AND")) }
            let kept = table.columns.map(\.name).filter { source.columns.selects(schema: table.schema, table: table.name, column: $0) }
            let lost = Set(table.identityColumns).union(table.keyColumns).subtracting(kept)
            if table.replicaIdentity != .full, !lost.isEmpty {
                refused.append(
                    (
                        "source.columns", "leaves out \(lost.sorted().joined(separator: ", ")) of \(table.shownName), which its key needs",
                        "key columns cannot be excluded: take them out of source.columns.exclude"
                    ))
            }
            return PublishedTable(table, columns: kept.count == table.columns.count ? nil : kept, rowFilter: conditions.first?.condition)
        }
        self.refused = refused
        let state = try Publication.state(of: source.publication.name, on: connection)
        isOurs = createdByUs || state?.comment == Publication.mark(stream: settings.name) || (state == nil && source.publication.manage)
        let policy = PublicationPlan.Policy(
            name: source.publication.name, stream: settings.name, manage: source.publication.manage, createdByUs: isOurs,
            serverVersion: connection.serverVersion)
        plan = PublicationPlan.make(policy, state: state, wanted: wanted)
        self.state = state
    }

    /// The tables whose rows would come.
    var captured: [Table] {
        let left = Set(plan.leftOut.map(\.oid))
        return wanted.map(\.table).filter { !left.contains($0.oid) }
    }

    /// Their shapes as the first stage would see them.
    func shapes(_ columns: ColumnSelection) -> [RelationShape] {
        captured.map { table in
            let published = SnapshotTable(table, in: plan.statements.isEmpty ? state : nil).columns
            let kept = published.filter { name in
                columns.selects(schema: table.schema, table: table.name, column: name) || table.keyColumns.contains(name)
            }
            return Shapes.shape(table, columns: kept)
        }
    }
}
