/// A table that the stream wants, with what is to be pushed down into the publication.
public struct PublishedTable: Sendable, Equatable {
    /// The table.
    public var table: Table
    /// The columns that the stream wants; nil for all.
    public var columns: [String]?
    /// A SQL condition for its rows.
    public var rowFilter: String?

    /// Makes an entry.
    public init(_ table: Table, columns: [String]? = nil, rowFilter: String? = nil) {
        self.table = table
        self.columns = columns
        self.rowFilter = rowFilter
    }
}

/// Why a publication cannot be used, and the SQL that cures it.
public struct PublicationProblem: Sendable, Equatable {
    /// What is wrong.
    public var message: String
    /// What to run.
    public var cure: String
}

/// A table left out for want of a usable replica identity.
public struct TableWithoutIdentity: Sendable, Equatable {
    /// The table.
    public var oid: UInt32
    /// Its name, as people write it.
    public var shownName: String
    /// SQL of which one cures it.
    public var cures: [String]
}

/// What must be done so that a publication carries what a stream wants. Pure: the server's state and the wish come in, SQL comes out.
public struct PublicationPlan: Sendable, Equatable {
    /// The publication.
    public var name: String
    /// To be run in order, in one transaction.
    public var statements: [String] = []
    /// Why it cannot be used as it is: configuration, exit 78.
    public var problems: [PublicationProblem] = []
    /// Wanted tables that are not published, since the server would then refuse the application's updates.
    public var leftOut: [TableWithoutIdentity] = []
    /// Wanted tables that are published once the statements have run.
    public var published: Set<UInt32> = []
    /// Published tables whose column list could not be pushed down: the host cuts the columns.
    public var columnsCutByHost: Set<UInt32> = []

    /// How a stream treats its publication.
    public struct Policy: Sendable {
        /// The publication's name.
        public var name: String
        /// The stream's name, for the mark.
        public var stream: String
        /// `source.publication.manage`.
        public var manage: Bool
        /// Whether this stream made the publication: it may then take tables out and change what is published.
        public var createdByUs: Bool
        /// The server's version as a number.
        public var serverVersion: Int
        /// Operations that must be published.
        public var operations: [String]

        /// Makes a policy; the operations are those without which a table's copy goes wrong.
        public init(
            name: String, stream: String, manage: Bool, createdByUs: Bool, serverVersion: Int, operations: [String] = ["insert", "update", "delete"]
        ) {
            self.name = name
            self.stream = stream
            self.manage = manage
            self.createdByUs = createdByUs
            self.serverVersion = serverVersion
            self.operations = operations
        }
    }

    /// Plans for a publication as it is (`state`, nil where there is none) and the tables wanted.
    public static func make(_ policy: Policy, state: PublicationState?, wanted: [PublishedTable]) -> PublicationPlan {
        var plan = PublicationPlan(name: policy.name)
        plan.refuseFilters(policy, wanted)
        let publishesChanges = state.map { !$0.operations.isDisjoint(with: ["update", "delete"]) } ?? true
        let members = Dictionary((state?.members ?? []).map { ($0.oid, $0) }) { first, _ in first }
        let mayShape = policy.manage && (state == nil || policy.createdByUs)
        var usable: [PublishedTable] = []
        for item in wanted {
            let isPublished = state?.effective.contains(item.table.oid) == true || members[item.table.oid] != nil
            if publishesChanges, !item.table.hasUsableIdentity {
                plan.leftOut.append(
                    TableWithoutIdentity(oid: item.table.oid, shownName: item.table.shownName, cures: item.table.identityCures))
                // Somebody else's choice is not ours to undo; its rows come, whatever their updates meet.
                guard isPublished, !mayShape else { continue }
            }
            usable.append(plan.pushedDown(item, policy))
        }
        if let state {
            plan.change(state, members, usable, policy)
        } else {
            plan.create(usable, policy)
        }
        return plan
    }

    private var quoted: String { Identifier.quoted(name) }

    /// The wish as the server can keep it: a column list only where it covers the identity, without generated columns.
    private mutating func pushedDown(_ item: PublishedTable, _ policy: Policy) -> PublishedTable {
        guard let wanted = item.columns else { return item }
        var item = item
        let list = item.table.columns.filter { !$0.isGenerated && wanted.contains($0.name) }.map(\.name)
        let covers = item.table.replicaIdentity != .full && item.table.identityColumns.allSatisfy { list.contains($0) }
        if policy.serverVersion >= 15_00_00, covers, !list.isEmpty {
            item.columns = list
        } else {
            item.columns = nil
            columnsCutByHost.insert(item.table.oid)
        }
        return item
    }

    private mutating func refuseFilters(_ policy: Policy, _ wanted: [PublishedTable]) {
        guard policy.serverVersion < 15_00_00 else { return }
        for item in wanted where item.rowFilter != nil {
            problems.append(
                PublicationProblem(
                    message: "source.rows names \(item.table.shownName), but the server is older than 15 and knows no row filters",
                    cure: "take the condition out of source.rows, or upgrade the server"))
        }
    }

    private mutating func create(_ usable: [PublishedTable], _ policy: Policy) {
        let tables = usable.isEmpty ? "" : " FOR TABLE " + usable.map(Self.clause).joined(separator: ", ")
        let root = policy.serverVersion >= 13_00_00 ? " WITH (publish_via_partition_root = true)" : ""
        let sql = "CREATE PUBLICATION \(quoted)\(tables)\(root)"
        guard policy.manage else {
            problems.append(PublicationProblem(message: "publication \(quoted) does not exist", cure: sql))
            return
        }
        statements = [sql, "COMMENT ON PUBLICATION \(quoted) IS \(Identifier.literal(Publication.mark(stream: policy.stream)))"]
        published.formUnion(usable.map(\.table.oid))
    }

    private mutating func change(_ state: PublicationState, _ members: [UInt32: PublicationMember], _ usable: [PublishedTable], _ policy: Policy) {
        changeOptions(state, usable, policy)
        var missing: [PublishedTable] = []
        for item in usable {
            if let member = members[item.table.oid], !state.allTables {
                published.insert(item.table.oid)
                reshape(member, item, policy)
            } else if state.allTables || state.effective.contains(item.table.oid) {
                published.insert(item.table.oid)
                if item.columns != nil { columnsCutByHost.insert(item.table.oid) }
                complainOfFilter(item)
            } else {
                missing.append(item)
            }
        }
        add(missing, policy)
        drop(members, usable, policy)
    }

    private mutating func changeOptions(_ state: PublicationState, _ usable: [PublishedTable], _ policy: Policy) {
        let lacking = policy.operations.filter { !state.operations.contains($0) }
        if !lacking.isEmpty {
            let all = ["insert", "update", "delete", "truncate"].filter { state.operations.contains($0) || lacking.contains($0) }
            settle(
                "publication \(quoted) does not publish \(lacking.joined(separator: ", "))",
                "ALTER PUBLICATION \(quoted) SET (publish = \(Identifier.literal(all.joined(separator: ", "))))", policy)
        }
        if !state.viaRoot, policy.serverVersion >= 13_00_00, let root = usable.first(where: { $0.table.isPartitioned }) {
            settle(
                "publication \(quoted) sends the partitions of \(root.table.shownName) under their own names",
                "ALTER PUBLICATION \(quoted) SET (publish_via_partition_root = true)", policy)
        }
    }

    private mutating func reshape(_ member: PublicationMember, _ item: PublishedTable, _ policy: Policy) {
        let sameColumns = member.columns.map(Set.init) == item.columns.map(Set.init)
        let sameRows = item.rowFilter == member.rowFilter || item.rowFilter.map { "(\($0))" } == member.rowFilter
        if sameColumns && sameRows { return }
        if policy.manage && policy.createdByUs {
            statements.append("ALTER PUBLICATION \(quoted) DROP TABLE \(Self.target(item.table.quotedName, item.table.isPartitioned))")
            statements.append("ALTER PUBLICATION \(quoted) ADD TABLE \(Self.clause(item))")
            return
        }
        if !sameColumns {
            // What the publication's own list lacks cannot be had; what it has too much, the host cuts.
            if item.columns != nil { columnsCutByHost.insert(item.table.oid) }
        }
        if member.rowFilter == nil { complainOfFilter(item) }
    }

    private mutating func complainOfFilter(_ item: PublishedTable) {
        guard item.rowFilter != nil else { return }
        problems.append(
            PublicationProblem(
                message: "publication \(quoted) sends all rows of \(item.table.shownName), though source.rows wants some",
                cure: "ALTER PUBLICATION \(quoted) DROP TABLE \(item.table.quotedName); ALTER PUBLICATION \(quoted) ADD TABLE \(Self.clause(item))"))
    }

    private mutating func add(_ missing: [PublishedTable], _ policy: Policy) {
        guard !missing.isEmpty else { return }
        let sql = "ALTER PUBLICATION \(quoted) ADD TABLE \(missing.map(Self.clause).joined(separator: ", "))"
        guard policy.manage else {
            let names = missing.map(\.table.shownName).joined(separator: ", ")
            problems.append(PublicationProblem(message: "publication \(quoted) lacks \(names)", cure: sql))
            return
        }
        statements.append(sql)
        published.formUnion(missing.map(\.table.oid))
    }

    private mutating func drop(_ members: [UInt32: PublicationMember], _ usable: [PublishedTable], _ policy: Policy) {
        guard policy.manage && policy.createdByUs else { return }
        let kept = Set(usable.map(\.table.oid))
        let gone = members.values.filter { !kept.contains($0.oid) }.map(\.quotedName).sorted()
        guard !gone.isEmpty else { return }
        statements.append("ALTER PUBLICATION \(quoted) DROP TABLE \(gone.joined(separator: ", "))")
    }

    /// Done by us where the publication is ours to shape; else said.
    private mutating func settle(_ message: String, _ sql: String, _ policy: Policy) {
        if policy.manage && policy.createdByUs {
            statements.append(sql)
        } else {
            problems.append(PublicationProblem(message: message, cure: sql))
        }
    }

    private static func clause(_ item: PublishedTable) -> String {
        let filter = item.rowFilter.map { " WHERE (\($0))" } ?? ""
        return target(item.table.quotedName, item.table.isPartitioned) + Identifier.columnList(item.columns) + filter
    }

    /// ONLY keeps the heirs of an inherited table out; they are tables of their own here. A partitioned table stands for its tree.
    private static func target(_ name: String, _ isPartitioned: Bool) -> String { isPartitioned ? name : "ONLY " + name }
}
