import Chain
import Checkpoint
import Pipeline
import PluginABI
import PluginLoader
import Postgres
import Settings
import Snapshot
import Synchronization
import Telemetry

/// One host at work, from the first connection to the last status: the thread that owns the lane, the order of things, and what is tried again.
final class StreamRun {
    let context: HostContext
    let bridge: HostBridge
    let checkpointer: Checkpointer
    let source: SourceSession
    private(set) var assembled: AssembledPlan
    private var lane: Lane?
    private var inFlight: InFlight?
    private let gate = Gate()
    private let budget: BudgetBox
    private let queue: ReceiveQueue
    private let attempts: Attempts
    /// What was delivered when the sink was last made anew.
    private var rebuiltAt: UInt64?
    private var checkpointThread: Thread?
    /// For `/status` and the reloader; set before the first row.
    let shared: RunShared

    init(context: HostContext, bridge: HostBridge, checkpointer: Checkpointer, assembled: AssembledPlan, shared: RunShared) throws {
        self.context = context
        self.bridge = bridge
        self.checkpointer = checkpointer
        self.assembled = assembled
        self.shared = shared
        let decoder = assembled.plan.decoder.code.decoder?.output_plugin
        let interrupt = try Interrupt()
        source = SourceSession(context: context, decoderPlugin: decoder.map { String(cString: $0) } ?? "pgoutput", interrupt: interrupt)
        let limits = context.settings.limits
        budget = BudgetBox(ByteBudget(limit: limits.inFlight))
        queue = ReceiveQueue(gate: gate, budget: budget)
        attempts = Attempts(context: context, source: source, gate: gate)
        let gate = gate
        context.onStop { [shared, gate] forced in
            // Connecting, checking and waiting end at once; a running stream ends at its next boundary.
            if forced || !shared.isStreaming {
                interrupt.interrupt()
                shared.connecting?.interrupt()
            }
            shared.lane?.requestStop()
            if forced { shared.lane?.abandon() }
            gate.locked { gate.broadcast() }
        }
    }

    /// Runs until the end.
    func run() throws {
        let prepared = try attempts.retrying { try source.prepare(record: checkpointer.record) }
        attempts.walSenderTimeout = prepared.walSenderTimeout
        shared.leftOut = prepared.leftOut.map(\.shownName)
        bridge.connected(serverVersion: prepared.serverVersion, database: prepared.database, systemIdentifier: String(prepared.systemIdentifier))
        if prepared.decision != .finished {
            do throws(StageFailure) { try assembled.activate(maxRows: context.settings.batch.rows) } catch { throw ErrorPolicy.exit(atStart: error) }
        }
        switch prepared.decision {
        case .finished:
            context.log.info("snapshot_finished", ["message": "the snapshot was complete already; remove the state directory to read it again"])
            return
        case .begin, .beginAnew: try begin(prepared)
        case .snapshotAgain(let attempt):
            context.log.warning("snapshot_restarted", ["attempt": .number(Int64(attempt)), "message": "the last snapshot was cut short: it is read again behind the same slot"])
            try makeLane(StreamMark(position: checkpointer.record?.slotStart ?? 0), prepared)
            try snapshot(prepared, firstOrigin: nil, attempt: attempt)
        case .adopt(let position):
            context.log.warning("slot_adopted", ["slot": .text(slotName), "lsn": .lsn(position), "message": "the slot's own confirmed position is taken; older rows are not read"])
            try save(phase: .streaming, position: position, slotStart: position, prepared, slotByUs: false, follows: true)
            try makeLane(StreamMark(position: position), prepared)
        case .stream(let position, let lastCommitEnd):
            if var record = checkpointer.record, record.phase != .streaming {
                record.phase = .streaming
                try checkpoint { () throws(CheckpointError) in try self.checkpointer.enter(record, follows: true) }
            } else if let record = checkpointer.record {
                try checkpoint { () throws(CheckpointError) in try self.checkpointer.enter(record, follows: true) }
            }
            try makeLane(StreamMark(position: position, lastCommitEnd: lastCommitEnd), prepared)
        case .refuse(let code, let reason, let cure): throw HostExit(code, reason, cure: cure)
        }
        if context.settings.snapshot.mode == .initialOnly { return }
        do { try stream(prepared) } catch is Stopped {
            // The source was away: what the sink still has is waited for all the same.
            try finish(session: nil)
        }
    }

    // MARK: first start

    private var slotName: String { context.settings.source.slot.name }

    private func begin(_ prepared: PreparedSource) throws {
        let mode = context.settings.snapshot.mode
        let temporary = mode == .initialOnly
        if case .beginAnew = prepared.decision {
            context.log.warning("begin_anew", ["slot": .text(slotName), "message": "a first start was cut short: its slot is dropped and made again"])
            try attempts.retrying { try dropLeftover() }
        }
        // Bound before anything is made: a stage that refuses a table leaves neither an intent nor a slot behind.
        try makeLane(StreamMark(position: 0), prepared)
        if !temporary { try save(phase: .slotIntended, position: 0, slotStart: 0, prepared, slotByUs: true, follows: false) }
        var isFirst = true
        let (slot, connection) = try attempts.retrying {
            defer { isFirst = false }
            return try createSlot(temporary: temporary, exporting: mode != .never, again: !isFirst)
        }
        let point = slot.consistentPoint
        guard let lane, let inFlight else { return }
        lane.rewind(to: StreamMark(position: point.rawValue))
        inFlight.restart(at: StreamMark(position: point.rawValue))
        context.log.info("slot_created", ["slot": .text(slot.name), "lsn": .lsn(point.rawValue), "temporary": .flag(temporary)])
        if mode == .never {
            try save(phase: .streaming, position: point.rawValue, slotStart: point.rawValue, prepared, slotByUs: true, follows: true)
            return
        }
        try snapshot(prepared, firstOrigin: (slot, connection), attempt: 1)
    }

    private func dropLeftover() throws {
        do throws(PostgresError) { try Slot.drop(slotName, on: source.control()) } catch {
            // A server that was still making it takes it away itself when it finds that nobody waits any more.
            if error.sqlstate != "42704" { throw error }
        }
    }

    private func createSlot(temporary: Bool, exporting: Bool, again: Bool) throws -> (CreatedSlot, Connection) {
        // Left by an attempt whose answer was lost. At the first attempt there was none: one that is there now is somebody else's.
        if again, !temporary { try dropLeftover() }
        let replication = try source.connect(replication: true)
        let observer = try source.control()
        let name = temporary ? "\(slotName.prefix(50))_snapshot" : slotName
        defer { context.enter(.starting) }
        let slot = try Slot.create(name, on: replication, exportingSnapshot: exporting, temporary: temporary, observer: observer) { wait in
            context.enter(.slotCreationWaiting, "PostgreSQL waits for transactions that were open before")
            var fields: [(key: String, value: LogValue)] = [("slot", .text(name)), ("waited", .duration(wait.waited))]
            if let pid = wait.pid { fields.append(("pid", .number(Int64(pid)))) }
            if let age = wait.transactionAge { fields.append(("transaction_open", .duration(age))) }
            if let prepared = wait.preparedTransaction { fields.append(("prepared_transaction", .text(prepared))) }
            fields.append(("message", .text("slot creation waits for a transaction that was open before it; commit or end it")))
            context.log.write(.warning, "slot_creation_waiting", fields: fields)
        }
        return (slot, replication)
    }

    // MARK: lane

    private func makeLane(_ start: StreamMark, _ prepared: PreparedSource) throws {
        let settings = context.settings
        let inFlight = InFlight(
            gate: gate, budget: budget, budgetBytes: settings.limits.inFlight, start: start, sinkPolicy: policy(of: assembled.plan.sink),
            sinkName: assembled.plan.sink.name, topics: bridge.topics, observer: bridge)
        bridge.attach(inFlight)
        let lane = Lane(
            gate: gate, queue: queue, inFlight: inFlight, plan: assembled.plan,
            settings: LaneSettings(batchRows: settings.batch.rows, batchBytes: settings.batch.bytes, recordBytes: settings.limits.record), start: start,
            services: bridge, observer: bridge
        ) { [source] shape throws(LaneStop) in try source.resolve(shape) }
        lane.onTurn = { [context] in context.stageTurned() }
        self.lane = lane
        attempts.whileWaiting = { lane.serveReload() }
        self.inFlight = inFlight
        try announce(prepared.tables, to: lane)
        do throws(StageFailure) { try assembled.plan.prepare(lane.liveRelations) } catch { throw ErrorPolicy.exit(atStart: error) }
        try checkTopics(prepared)
        checkpointThread = checkpointer.follow(inFlight) { [lane] in lane.abandon() }
        shared.attach(lane: lane, inFlight: inFlight)
        context.runs()
        if context.isStopping { lane.requestStop() }
    }

    private func announce(_ tables: [CapturedTable], to lane: Lane) throws {
        do throws(LaneStop) {
            for table in tables { try lane.announce(table.resolved) }
        } catch {
            if case .shapeRefused(_, let failure) = error { throw ErrorPolicy.exit(atStart: failure) }
            throw HostExit(.plugin, "\(error)")
        }
    }

    private func policy(of sink: StageInstance) -> RowPolicy { sink.onError }

    /// Two tables in one topic by the change of characters: nobody wants that unknowingly.
    private func checkTopics(_ prepared: PreparedSource) throws {
        var owners: [String: String] = [:]
        for table in prepared.tables {
            let topic = TopicNames.name(context.settings.topics, schema: table.table.schema, table: table.table.name)
            if let other = owners[topic] {
                throw HostExit(
                    .configuration, "\(other) and \(table.table.shownName) would share the topic \(topic)",
                    cure: "change topics.template, or leave one of them out of source.tables")
            }
            if topic.utf8.count > TopicTable.nameBytesMax {
                throw HostExit(.configuration, "the topic name of \(table.table.shownName) is longer than \(TopicTable.nameBytesMax)", cure: "change topics.template")
            }
            owners[topic] = table.table.shownName
        }
    }

    // MARK: snapshot

    private func snapshot(_ first: PreparedSource, firstOrigin: (CreatedSlot, Connection)?, attempt firstAttempt: Int) throws {
        guard let lane, let inFlight else { return }
        let temporary = context.settings.snapshot.mode == .initialOnly
        var prepared = first
        var origin = firstOrigin
        var attempt = firstAttempt
        let slotStart = firstOrigin?.0.consistentPoint.rawValue ?? checkpointer.record?.slotStart ?? 0
        while true {
            let run = SnapshotRun(context: context, bridge: bridge, source: source, queue: queue, tables: prepared.tables)
            let outcome = try run.read(lane: lane, shared: shared, origin: origin) { [self] start in
                if !temporary {
                    try save(
                        phase: .snapshotting(consistentPoint: start.consistentPoint.rawValue, attempt: attempt), position: slotStart, slotStart: slotStart,
                        prepared, slotByUs: true, follows: false)
                }
            }
            origin = nil
            if case .complete = outcome, drain(inFlight) {
                run.finish()
                let mark = StreamMark(position: slotStart)
                lane.rewind(to: mark)
                inFlight.restart(at: mark)
                let phase: CheckpointRecord.Phase = temporary ? .snapshotDone : .streaming
                try save(phase: phase, position: slotStart, slotStart: slotStart, prepared, slotByUs: !temporary, follows: !temporary)
                return
            }
            queue.clear()
            if context.isStopping, inFlight.snapshot().loss == nil, checkpointer.failure == nil {
                throw HostExit(.temporary, "stopped inside the snapshot", cure: "the snapshot will be read again from its beginning at the next start")
            }
            do {
                try recover(outcome, lane: lane, inFlight: inFlight)
                // Tables may have come, gone or changed since.
                prepared = try attempts.retrying { try source.prepare(record: checkpointer.record) }
                try announce(prepared.tables, to: lane)
                try checkTopics(prepared)
            } catch is Stopped {
                throw HostExit(.temporary, "stopped inside the snapshot", cure: "the snapshot will be read again from its beginning at the next start")
            }
            attempt += 1
            lane.rewind(to: StreamMark(position: slotStart))
            context.log.warning("snapshot_restarted", ["attempt": .number(Int64(attempt)), "message": "the snapshot was cut short: it is read again"])
        }
    }

    /// Waits for everything that was handed to the sink.
    private func drain(_ inFlight: InFlight) -> Bool {
        while true {
            let deadline = context.stopDeadline
            // In small steps: a second signal, the disk and the sink's own end are heeded too.
            if inFlight.drain(until: min(deadline ?? .max, monotonicNow() + 100_000_000)) { return true }
            if inFlight.snapshot().loss != nil || checkpointer.failure != nil || context.fatal != nil { return false }
            if context.isForced { return false }
            if let deadline, monotonicNow() >= deadline { return false }
        }
    }

    // MARK: stream

    private func stream(_ prepared: PreparedSource) throws {
        guard let lane, let inFlight else { return }
        // At a position of this stream's own, be it from the last run or from before the link broke.
        var resumed = if case .stream = prepared.decision { true } else { false }
        while true {
            let session = StreamSession(context: context, source: source, queue: queue, confirmed: checkpointer.confirmed)
            let stop: LaneStop
            do {
                stop = try session.run(
                    lane: lane, plan: lane.plan, prepared: prepared, record: checkpointer.record, resumed: resumed, shared: shared,
                    succeeded: { [attempts] in attempts.sourceSucceeded() })
            } catch let error as PostgresError {
                if context.isStopping { return try finish(session: nil) }
                try attempts.away(error)
                continue
            }
            resumed = true
            switch stop {
            case .boundary: return try finish(session: session)
            case .sourceEnded:
                let error = session.join()
                lane.disconnected()
                queue.clear()
                guard let error else {
                    try attempts.away(.retry("the server ended the stream"))
                    continue
                }
                if context.isStopping { return try finish(session: nil) }
                try attempts.away(error)
            default:
                session.cut()
                queue.clear()
                try recover(.stopped(stop), lane: lane, inFlight: inFlight)
            }
        }
    }

    /// After a stop of the lane that is neither a boundary nor the source's end: goes on, or throws what ends the process.
    private func recover(_ outcome: SnapshotRun.Outcome, lane: Lane, inFlight: InFlight) throws {
        if let failure = checkpointer.failure { throw ErrorPolicy.exit(failure) }
        if let fatal = context.fatal { throw fatal }
        if let loss = inFlight.snapshot().loss {
            if let exit = ErrorPolicy.exit(loss, sink: lane.plan.sink.name) {
                try checkpoint { () throws(CheckpointError) in try self.checkpointer.saveNow(inFlight.snapshot().durable) }
                throw exit
            }
            if case .rewind(let reason) = loss { try rebuildSink(reason, lane: lane, inFlight: inFlight) }
            return
        }
        switch outcome {
        case .complete: return
        case .source(let error):
            try attempts.away(error)
        case .stopped(let stop):
            if context.isStopping, case .abandoned = stop {
                throw HostExit(.temporary, unfinished(inFlight), cure: "the transactions after \(LSN(rawValue: checkpointer.confirmed.value)) will be repeated at the next start")
            }
            guard case .catalog(let error) = stop else {
                if let exit = ErrorPolicy.exit(stop) { try conclude(exit, inFlight) }
                return
            }
            lane.disconnected()
            let verdict = ErrorPolicy.judge(catalog: error)
            if case .exit(let exit) = verdict { try conclude(exit, inFlight) }
            try attempts.away(verdict)
        }
    }

    /// The end: what was handed on before it is worth its acknowledgement.
    private func conclude(_ exit: HostExit, _ inFlight: InFlight) throws {
        _ = inFlight.drain(until: monotonicNow() + 5_000_000_000)
        try checkpoint { () throws(CheckpointError) in try self.checkpointer.saveNow(inFlight.snapshot().durable) }
        throw exit
    }

    private func unfinished(_ inFlight: InFlight) -> String {
        let state = inFlight.snapshot()
        let isLate = context.stopDeadline.map { monotonicNow() >= $0 } ?? false
        let what = state.outstanding > 0 ? "\(state.outstanding) submissions not acknowledged" : "rows at hand that no sink took"
        return "stopped with \(what) and " + (isLate ? "limits.stop (\(context.settings.limits.stop.logText)) over" : "no time to wait for them")
    }

    /// The sink lost its producer: a new instance, and everything behind the last durable transaction again.
    private func rebuildSink(_ reason: String, lane: Lane, inFlight: InFlight) throws {
        context.withHealth { $0.away(.sink, reason, at: $1) }
        lane.plan.sink.end(timeout: .seconds(1))
        let delivered = inFlight.snapshot().durable.position
        defer { rebuiltAt = delivered }
        try attempts.sinkLost(reason, delivered: rebuiltAt != delivered)
        let sink = assembled.stages.first { $0.resolved.role == UInt32(CDCP_ROLE_SINK) }
        guard let resolved = sink?.resolved else { return }
        do throws(StageFailure) {
            let instance = StageAssembly.instance(resolved, generation: lane.plan.generation, services: bridge)
            try instance.configure(resolved.options)
            try instance.activate(maxRows: context.settings.batch.rows)
            bridge.topics.forgetResolutions()
            let mark = inFlight.rewind()
            lane.rewind(to: mark)
            lane.replaceSink(instance)
            context.metrics.reconnects(.sink).add()
            context.withHealth { $0.present(.sink, at: $1) }
        } catch { throw ErrorPolicy.exit(atStart: error) }
    }

    private func finish(session: StreamSession?) throws {
        guard let inFlight else { return }
        context.enter(.stopping)
        let drained = drain(inFlight)
        if let failure = checkpointer.failure { throw ErrorPolicy.exit(failure) }
        try checkpoint { () throws(CheckpointError) in try self.checkpointer.saveNow(inFlight.snapshot().durable) }
        if context.isForced { session?.cut() } else { session?.stop() }
        if let fatal = context.fatal { throw fatal }
        if let loss = inFlight.snapshot().loss, let lane, let exit = ErrorPolicy.exit(loss, sink: lane.plan.sink.name) { throw exit }
        guard drained else {
            throw HostExit(.temporary, unfinished(inFlight), cure: "the transactions after \(LSN(rawValue: checkpointer.confirmed.value)) will be repeated at the next start")
        }
        if lane?.isHalfDelivered == true {
            throw HostExit(
                .temporary, "stopped inside a transaction whose other half the server had not sent",
                cure: "the transactions after \(LSN(rawValue: checkpointer.confirmed.value)) will be repeated at the next start")
        }
        if context.settings.source.slot.dropOnStop { try dropSlot() }
    }

    private func dropSlot() throws {
        source.interrupt.reset()
        source.drop()
        do { try Slot.drop(slotName, on: source.control()) } catch {
            throw HostExit(
                .temporary, "source.slot.drop_on_stop: \(error)", cure: "everything is acknowledged; drop the slot by hand, or start and stop the host once more")
        }
        try checkpoint { () throws(CheckpointError) in try self.checkpointer.remove() }
        context.log.info("slot_dropped", ["slot": .text(slotName)])
    }

    /// Ends threads and instances; after `run`, however it ended.
    func end() {
        checkpointer.stop()
        gate.locked { gate.broadcast() }
        checkpointThread?.join()
        lane?.end()
        // What is still on the way is repeated at the next start in any case: the time for it is over.
        let isDrained = (inFlight?.snapshot().outstanding ?? 0) == 0
        (lane?.plan ?? assembled.plan).retire(successor: nil, timeout: isDrained ? .seconds(2) : .zero)
    }

    // MARK: records

    private func checkpoint(_ body: () throws(CheckpointError) -> Void) throws {
        do throws(CheckpointError) { try body() } catch { throw ErrorPolicy.exit(error) }
    }

    private func save(
        phase: CheckpointRecord.Phase, position: UInt64, slotStart: UInt64, _ prepared: PreparedSource, slotByUs: Bool, follows: Bool
    ) throws {
        let settings = context.settings
        let record = CheckpointRecord(
            streamName: settings.name, systemIdentifier: prepared.systemIdentifier, timeline: prepared.timeline, slotName: settings.source.slot.name,
            publicationName: settings.source.publication.name, slotCreatedByUs: slotByUs, publicationCreatedByUs: prepared.publicationCreatedByUs,
            phase: phase, position: position, slotStart: slotStart, lastCommitEnd: 0, writtenAtMicroseconds: 0)
        try checkpoint { () throws(CheckpointError) in try self.checkpointer.enter(record, follows: follows) }
    }
}

/// A stop was asked for before anything ran that would have to drain.
struct Stopped: Error {}
