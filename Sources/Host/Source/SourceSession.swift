import Chain
import Checkpoint
import Pipeline
import PluginABI
import Postgres
import Settings
import Snapshot
import Telemetry

/// What a start has found out about the server and made of it.
struct PreparedSource {
    var systemIdentifier: UInt64
    var timeline: Int
    var serverVersion: Int
    var database: String
    var walSenderTimeout: Duration?
    /// What the stream captures, as the publication carries it.
    var tables: [CapturedTable]
    /// Left out, with the SQL that cures it.
    var leftOut: [TableWithoutIdentity]
    var publicationCreatedByUs: Bool
    var decision: StartDecision
}

/// A table that the stream captures.
struct CapturedTable {
    var table: Table
    /// As published, in the table's order.
    var columns: [String]
    var rowFilter: String?
    var resolved: ResolvedShape
    var snapshot: SnapshotTable
}

/// The host's ordinary connection: checks, catalog, publication. Stage thread; it is made anew when it breaks.
final class SourceSession {
    let context: HostContext
    private let decoderPlugin: String
    let interrupt: Interrupt
    private var connection: Connection?
    private(set) var publication: PublicationState?

    init(context: HostContext, decoderPlugin: String, interrupt: Interrupt) {
        self.context = context
        self.decoderPlugin = decoderPlugin
        self.interrupt = interrupt
    }

    private var source: SourceSettings { context.settings.source }

    func connect(replication: Bool, interrupt: Interrupt? = nil) throws(PostgresError) -> Connection {
        let options = ConnectionOptions(
            applicationName: "cdc-host \(context.settings.name)", connectTimeout: source.connectTimeout, replication: replication,
            silenceTimeout: source.silenceTimeout)
        return try Connection(connecting: source.connection.exposed, options: options, interrupt: interrupt ?? self.interrupt)
    }

    /// The ordinary connection, connected if it is not.
    func control() throws(PostgresError) -> Connection {
        if let connection { return connection }
        let made = try connect(replication: false)
        connection = made
        return made
    }

    /// Does the server take connections? Keeps the one that says so.
    func isThere() -> Bool { (try? control()) != nil }

    /// It broke, or may have.
    func drop() { connection = nil }

    // MARK: start

    /// Everything up to the decision; makes or alters the publication, makes no slot.
    func prepare(record: CheckpointRecord?) throws -> PreparedSource {
        let control = try control()
        let slot = try Slot.state(of: source.slot.name, on: control)
        let hasPublication = try Publication.state(of: source.publication.name, on: control) != nil
        try check(control, needsSlot: slot == nil, needsPublication: source.publication.manage && !hasPublication)
        let replication = try connect(replication: true)
        let identity = try Slot.identity(on: replication)
        guard let system = UInt64(identity.systemIdentifier) else {
            throw HostExit(.data, "the server names no system identifier")
        }
        let found = StartDecision.Found(
            record: record, slot: slot, systemIdentifier: system, timeline: Int(identity.timeline), serverEnd: identity.position.rawValue,
            database: control.database, outputPlugin: decoderPlugin)
        let decision = StartDecision.make(found, source: source, mode: context.settings.snapshot.mode)
        if case .refuse(let code, let reason, let cure) = decision { throw HostExit(code, reason, cure: cure) }
        let created = record?.publicationCreatedByUs ?? false
        // A slot that is gone on with, an adopted one too, has WAL from before a publication that would be made now.
        let goesOn =
            switch decision {
            case .stream, .snapshotAgain, .adopt: true
            case .begin, .beginAnew, .finished, .refuse: false
            }
        let (tables, leftOut, byUs) = try publish(control, createdByUs: created, slotExists: goesOn)
        return PreparedSource(
            systemIdentifier: system, timeline: Int(identity.timeline), serverVersion: control.serverVersion, database: control.database,
            walSenderTimeout: try replication.walSenderTimeout(), tables: tables, leftOut: leftOut, publicationCreatedByUs: byUs, decision: decision)
    }

    private func check(_ control: Connection, needsSlot: Bool, needsPublication: Bool) throws {
        let facts = try ServerFacts(of: control)
        let findings = ServerChecks.findings(facts, needsSlot: needsSlot, needsPublication: needsPublication)
        for finding in findings where finding.verdict == .warning {
            context.log.warning("server", ["check": .text(finding.name), "message": .text(finding.message), "cure": .text(finding.cure)])
        }
        let bad = findings.filter { $0.verdict == .configuration || $0.verdict == .authentication }
        guard let first = bad.first else { return }
        for finding in bad.dropFirst() {
            context.log.error("server", ["check": .text(finding.name), "message": .text(finding.message), "cure": .text(finding.cure)])
        }
        throw HostExit(first.verdict == .authentication ? .permission : .configuration, first.message, cure: first.cure)
    }

    /// What the settings ask of the tables and cannot have ends a start; a pattern that fits none yet is only said.
    private func accept(_ capture: PlannedCapture) throws {
        for pattern in capture.unmatched where pattern.exactName == nil {
            context.log.warning("no_table", ["pattern": .text(pattern.text), "message": "source.tables.include matches no table yet"])
        }
        let missing = capture.unmatched.filter { $0.exactName != nil }.map { pattern in
            HostExit(.configuration, "source.tables.include: there is no table \(pattern)", cure: "make it, or take it out of the list")
        }
        let problems = missing + capture.refused.map { HostExit(.configuration, "\($0.key): \($0.message)", cure: $0.cure) }
        guard let first = problems.first else { return }
        for problem in problems.dropFirst() {
            context.log.error("configuration", ["message": .text(problem.reason), "cure": .text(problem.cure)])
        }
        throw first
    }

    private func publish(_ control: Connection, createdByUs: Bool, slotExists: Bool) throws -> ([CapturedTable], [TableWithoutIdentity], Bool) {
        let name = source.publication.name
        let capture = try PlannedCapture(context.settings, createdByUs: createdByUs, on: control)
        var state = capture.state
        if state == nil, slotExists {
            throw HostExit(
                .slot, "publication \(name) does not exist, and slot \(source.slot.name) does: changes from before it is made cannot be decoded",
                cure: "drop the slot and remove the state directory to begin with a new snapshot")
        }
        try accept(capture)
        let (wanted, plan) = (capture.wanted, capture.plan)
        let problems = plan.problems + (try Publication.filterProblems(wanted, on: control))
        if let first = problems.first {
            for problem in problems.dropFirst() { context.log.error("publication", ["message": .text(problem.message), "cure": .text(problem.cure)]) }
            throw HostExit(.configuration, first.message, cure: first.cure)
        }
        for table in plan.leftOut {
            let isPublished = !source.publication.manage && state?.effective.contains(table.oid) == true
            let what = isPublished ? "the server refuses its updates and deletes" : "it is not captured"
            context.log.warning(
                isPublished ? "no_identity" : "left_out",
                ["table": .text(table.shownName), "message": .text("it has no usable replica identity, so \(what)"), "cure": .text(table.cures.joined(separator: "; or "))])
        }
        let before = Set(state?.effective ?? [])
        if !plan.statements.isEmpty {
            try Publication.apply(plan, on: control)
            context.log.info("publication", ["publication": .text(name), "statements": .number(Int64(plan.statements.count))])
            state = try Publication.state(of: name, on: control)
        }
        if slotExists, let state {
            for table in wanted where state.effective.contains(table.table.oid) && !before.contains(table.table.oid) {
                context.log.warning("new_table", ["table": .text(table.table.shownName), "message": "it is streamed from now on; its older rows are not read"])
            }
        }
        publication = state
        // Where somebody else published such a table its rows come, so the snapshot has them too.
        let left = Set(plan.leftOut.map(\.oid)).subtracting(state?.effective ?? [])
        let tables = wanted.filter { !left.contains($0.table.oid) }.map { captured($0.table) }
        return (tables, plan.leftOut, capture.isOurs)
    }

    /// At a reload: tables that are new since the start join the publication.
    func refreshPublication(createdByUs: Bool) throws {
        _ = try publish(control(), createdByUs: createdByUs, slotExists: true)
    }

    private func captured(_ table: Table) -> CapturedTable {
        let snapshot = SnapshotTable(table, in: publication)
        let shape = Shapes.shape(table, columns: snapshot.columns)
        return CapturedTable(
            table: table, columns: snapshot.columns, rowFilter: snapshot.rowFilter, resolved: ResolvedShape(shape, keptColumns: keptColumns(shape)),
            snapshot: snapshot)
    }

    /// What `source.columns` leaves of the columns that come; nil: all of them.
    private func keptColumns(_ shape: RelationShape) -> [Int]? {
        let kept = shape.columns.indices.filter {
            source.columns.selects(schema: shape.schema, table: shape.table, column: shape.columns[$0].name) || shape.columns[$0].keyOrdinal > 0
        }
        return kept.count == shape.columns.count ? nil : kept
    }

    // MARK: while it streams

    /// A shape that the server announced, completed. Blocks for the catalog; tries a new connection once.
    func resolve(_ announced: RelationShape) throws(LaneStop) -> ResolvedShape {
        guard source.tables.selects(schema: announced.schema, table: announced.table) else { return ResolvedShape(announced, isForeign: true) }
        do throws(PostgresError) {
            let shape = Shapes.complete(announced, try details(announced.oid))
            return ResolvedShape(shape, keptColumns: keptColumns(shape))
        } catch { throw .catalog(error) }
    }

    private func details(_ oid: UInt32) throws(PostgresError) -> Table? {
        do throws(PostgresError) { return try Catalog.relationDetails(oid: oid, on: control()) } catch {
            guard error.failure == .retryable else { throw error }
            drop()
            context.stageTurned()
            return try Catalog.relationDetails(oid: oid, on: control())
        }
    }

    /// Before each connection of the stream, the first one too (a snapshot may have taken hours): is it still the same server and the same slot?
    func verify(_ record: CheckpointRecord, on replication: Connection) throws {
        let identity = try Slot.identity(on: replication)
        let control = try control()
        let found = StartDecision.Found(
            record: record, slot: try Slot.state(of: source.slot.name, on: control), systemIdentifier: UInt64(identity.systemIdentifier) ?? 0,
            timeline: Int(identity.timeline), serverEnd: identity.position.rawValue, database: control.database, outputPlugin: decoderPlugin)
        if case .refuse(let code, let reason, let cure) = StartDecision.make(found, source: source, mode: .never) {
            throw HostExit(code, reason, cure: cure)
        }
        guard try Publication.state(of: source.publication.name, on: control) != nil else {
            throw HostExit(
                .slot, "publication \(source.publication.name) was dropped: changes since then cannot be decoded",
                cure: "drop the slot and remove the state directory to begin with a new snapshot")
        }
    }
}
