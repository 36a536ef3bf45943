import Chain
import Checkpoint
import Files
import Postgres
import Settings

/// What `check` asks the server: settings, role, slot, publication, tables. Nothing is changed there.
struct ServerCheck {
    let settings: HostSettings
    let places: SettingPlaces
    /// What the decoder's slot needs.
    let outputPlugin: String
    /// False when the files have errors: no start would come as far as changing anything.
    let mayStart: Bool
    let say: (Finding) -> Void

    private var source: SourceSettings { settings.source }

    /// - Returns: true when the tables are known, so that the stages can be tried on them.
    func run() -> Bool {
        let control: Connection
        let interrupt: Interrupt
        do throws(PostgresError) {
            interrupt = try Interrupt()
            control = try connect(interrupt)
        } catch {
            fail("source.connection", error)
            return false
        }
        transport(control)
        do throws(PostgresError) {
            let record = checkpoint()
            let slot = try Slot.state(of: source.slot.name, on: control)
            let facts = try ServerFacts(of: control)
            let hasPublication = try Publication.state(of: source.publication.name, on: control) != nil
            let findings = ServerChecks.findings(facts, needsSlot: slot == nil, needsPublication: source.publication.manage && !hasPublication)
            findings.forEach(report)
            let mayStream = !findings.contains { ["role", "wal_level", "max_wal_senders"].contains($0.name) && $0.verdict != .passed }
            if mayStream {
                do throws(PostgresError) { try start(record, slot, control, interrupt) } catch { fail("source.connection", error) }
            }
            try tables(record, slot, control)
            return true
        } catch {
            fail("source.connection", error)
            return false
        }
    }

    private func connect(_ interrupt: Interrupt, replication: Bool = false) throws(PostgresError) -> Connection {
        let options = ConnectionOptions(
            applicationName: "cdc-host \(settings.name) check", connectTimeout: source.connectTimeout, replication: replication,
            silenceTimeout: source.silenceTimeout)
        return try Connection(connecting: source.connection.exposed, options: options, interrupt: interrupt)
    }

    private func transport(_ control: Connection) {
        let place = "\(control.host):\(control.port), database \(control.database), role \(control.user)"
        say(.ok("server", "connected to \(place)"))
        guard !control.isLocal, control.sslMode != "verify-full" else { return }
        let link = control.isEncrypted ? "encrypted, but nobody checks that the server is the right one" : "not encrypted"
        say(
            .problem(
                places.problem(
                    "source.connection",
                    "the link to \(control.host) is \(link) (sslmode \(control.sslMode)); set sslmode=verify-full and sslrootcert", severity: .warning
                )))
    }

    private func report(_ finding: ServerFinding) {
        switch finding.verdict {
        case .passed: say(.ok("server", finding.message))
        case .warning: say(.warning("server", finding.message, cure: finding.cure))
        case .configuration: say(.error(.configuration, "server", finding.message, cure: finding.cure))
        case .authentication: say(.error(.permission, "server", finding.message, cure: finding.cure))
        }
    }

    private func fail(_ key: String, _ error: PostgresError) {
        switch ErrorPolicy.judge(error) {
        case .retry(let text), .slotHeld(let text): say(.problem(places.problem(key, text), code: .unavailable))
        case .interrupted: break
        case .exit(let exit):
            say(.problem(places.problem(key, exit.reason + (exit.cure.isEmpty ? "" : "; " + exit.cure)), code: exit.code))
        }
    }

    // MARK: what a start would do

    /// Looked at only where there is something: a check makes no state directory.
    private func checkpoint() -> CheckpointRecord? {
        let base = FilePath.join(settings.stateDirectory, settings.name + ".checkpoint")
        guard FileSystem.exists(base) || FileSystem.exists(base + ".previous") else { return nil }
        do throws(CheckpointError) {
            let found = try CheckpointStore(directory: settings.stateDirectory, streamName: settings.name).load()
            if let recovery = found.recovery { say(.warning("state", recovery)) }
            return found.record
        } catch {
            say(.error(ErrorPolicy.exit(error).code, "state", error.description))
            return nil
        }
    }

    private func start(_ record: CheckpointRecord?, _ slot: SlotState?, _ control: Connection, _ interrupt: Interrupt) throws(PostgresError) {
        let identity = try Slot.identity(on: try connect(interrupt, replication: true))
        let found = StartDecision.Found(
            record: record, slot: slot, systemIdentifier: UInt64(identity.systemIdentifier) ?? 0, timeline: Int(identity.timeline),
            database: control.database, outputPlugin: outputPlugin)
        let name = source.slot.name
        switch StartDecision.make(found, source: source, mode: settings.snapshot.mode) {
        case .begin:
            let rows = settings.snapshot.mode == .never ? "without the rows that are there" : "with a snapshot (\(settings.snapshot.mode.rawValue))"
            say(
                .ok(
                    "slot",
                    settings.snapshot.mode == .initialOnly ? "a start reads a snapshot and ends" : "a start makes slot \(name) and begins \(rows)"))
        case .beginAnew: say(.ok("slot", "the first start was cut short: the next drops slot \(name) and begins anew"))
        case .snapshotAgain(let attempt):
            say(.ok("slot", "the snapshot was cut short: the next start reads it again (attempt \(attempt)) behind slot \(name)"))
        case .stream(let position, _): say(.ok("slot", "slot \(name) goes on at \(LSN(rawValue: position))"))
        case .adopt(let position):
            say(.warning("slot", "slot \(name) is taken at its own position \(LSN(rawValue: position)): older rows are not read"))
        case .finished: say(.ok("slot", "the snapshot is complete; a start has nothing to do"))
        case .refuse(let code, let reason, let cure): say(.error(code, "slot", reason, cure: cure))
        }
        guard let slot, slot.isActive else { return }
        let holder = try? InstanceLock.read(directory: settings.stateDirectory, name: settings.name)
        if holder?.isRunning == true {
            say(.ok("slot", "the running host (process \(holder?.info?.pid ?? 0)) streams from it"))
        } else {
            say(
                .warning(
                    "slot", "slot \(name) is held by another reader (server process \(slot.activePID ?? 0))",
                    cure: "stop that one, or name another slot in source.slot.name"))
        }
    }

    // MARK: tables

    private func tables(_ record: CheckpointRecord?, _ slot: SlotState?, _ control: Connection) throws(PostgresError) {
        let capture = try PlannedCapture(settings, createdByUs: record?.publicationCreatedByUs ?? false, on: control)
        let key = "source.tables.include"
        for pattern in capture.unmatched {
            let isExact = pattern.exactName != nil
            let message =
                isExact
                ? "there is no table \(pattern); make it, or take it out of the list"
                : "\(pattern) matches no table yet; a table that is made later is streamed from the next start or reload on"
            say(.problem(places.problem(key, element: pattern.text, message, severity: isExact ? .error : .warning)))
        }
        for (key, message, cure) in capture.refused { say(.problem(places.problem(key, "\(message); \(cure)"))) }
        publication(capture, hasStateAndSlot: slot != nil && record != nil)
        for problem in try Publication.filterProblems(capture.wanted, on: control) {
            say(.problem(places.problem("source.rows", "\(problem.message); \(problem.cure)")))
        }
        for table in capture.captured {
            if settings.snapshot.mode != .never, !table.isReadable {
                let cure =
                    "GRANT SELECT ON \(table.quotedName) TO \(Identifier.quoted(control.user)), and USAGE on its schema; or snapshot.mode: never"
                say(.error(.permission, "tables", "role \(control.user) may not read \(table.shownName), which the snapshot needs", cure: cure))
            } else if settings.snapshot.mode != .never, table.hidesRows {
                say(
                    .warning(
                        "tables", "row security hides rows of \(table.shownName) from role \(control.user): the snapshot will lack them",
                        cure: "ALTER ROLE \(Identifier.quoted(control.user)) BYPASSRLS"))
            }
        }
        topics(capture.captured)
    }

    private func publication(_ capture: PlannedCapture, hasStateAndSlot: Bool) {
        let name = source.publication.name
        if capture.state == nil, hasStateAndSlot {
            say(
                .error(
                    .slot, "publication",
                    "\(name) does not exist any more, and slot \(source.slot.name) does: changes since it was dropped cannot be decoded",
                    cure: "drop the slot and remove the state directory to begin with a new snapshot"))
        } else {
            for problem in capture.plan.problems { say(.problem(places.problem("source.publication", "\(problem.message); run: \(problem.cure)"))) }
            if capture.plan.statements.isEmpty, capture.plan.problems.isEmpty {
                say(.ok("publication", "\(name) has all that is wanted"))
            }
            for statement in capture.plan.statements where mayStart { say(.ok("publication", "a start runs: \(statement)")) }
        }
        for table in capture.plan.leftOut {
            let message =
                "\(table.shownName) has no usable replica identity: published, the server would refuse its updates and deletes, so it is left out"
            say(.warning("tables", message, cure: table.cures.joined(separator: "; or ")))
        }
    }

    private func topics(_ tables: [Table]) {
        var owners: [String: String] = [:]
        for table in tables {
            let topic = TopicNames.name(settings.topics, schema: table.schema, table: table.name)
            if let other = owners[topic] {
                let message =
                    "\(other) and \(table.shownName) would share the topic \(topic); change the template, or leave one of them out of source.tables"
                say(.problem(places.problem("topics.template", message)))
            }
            if topic.utf8.count > TopicTable.nameBytesMax {
                say(
                    .problem(
                        places.problem("topics.template", "the topic name of \(table.shownName) is longer than \(TopicTable.nameBytesMax) bytes")))
            }
            owners[topic] = table.shownName
        }
        let shown = tables.prefix(20).map { "\($0.schema).\($0.name) to \(TopicNames.name(settings.topics, schema: $0.schema, table: $0.name))" }
        let more = tables.count > shown.count ? " and \(tables.count - shown.count) more" : ""
        if tables.isEmpty {
            say(.warning("tables", "none is captured", cure: "see source.tables.include"))
        } else {
            say(.ok("tables", "\(tables.count) captured: \(shown.joined(separator: ", "))\(more)"))
        }
    }
}
