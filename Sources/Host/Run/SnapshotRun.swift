import Chain
import Pipeline
import PluginABI
import Postgres
import Settings
import Snapshot
import Synchronization
import Telemetry

/// One reading of the snapshot: a source thread that copies, and the lane on the caller's.
final class SnapshotRun: @unchecked Sendable {
    // SAFETY: `failure` is written by the source thread and read after it was joined; the rest is the caller's.
    enum Outcome {
        case complete
        /// The reader failed.
        case source(PostgresError)
        case stopped(LaneStop)
    }

    private let context: HostContext
    private let bridge: HostBridge
    private let source: SourceSession
    private let queue: ReceiveQueue
    private let tables: [CapturedTable]
    private var failure: PostgresError?
    private var start = monotonicNow()
    private let progress: Mutex<SnapshotProgress>
    private let over = Atomic<Bool>(false)

    init(context: HostContext, bridge: HostBridge, source: SourceSession, queue: ReceiveQueue, tables: [CapturedTable]) {
        self.context = context
        self.bridge = bridge
        self.source = source
        self.queue = queue
        self.tables = tables
        let estimate = tables.reduce(0) { $0 + Int(clamping: $1.table.estimatedRows) }
        progress = Mutex(SnapshotProgress(estimatedRows: estimate, tables: tables.count))
    }

    /// Reads all tables through the lane.
    /// - Parameters:
    ///   - origin: the slot that was just made, and the session that keeps its snapshot alive; nil: a snapshot of now.
    ///   - started: called when the snapshot stands, before its first row.
    func read(lane: Lane, shared: RunShared, origin: (CreatedSlot, Connection)?, started: (SnapshotStart) throws -> Void) throws -> Outcome {
        let connection: Connection
        let reader: CopyReader
        let begin: SnapshotStart
        let interrupt: Interrupt
        do throws(PostgresError) {
            interrupt = try Interrupt()
            // Until the first row a stop ends it at once; from then on one that finishes within `limits.stop` may.
            shared.connecting = interrupt
            defer { shared.connecting = nil }
            if context.isStopping { interrupt.interrupt() }
            connection = try source.connect(replication: false, interrupt: interrupt)
            reader = CopyReader(connection: connection, tables: tables.map(\.snapshot))
            if let (slot, _) = origin, let name = slot.snapshot {
                begin = try reader.begin(.exported(name: name, consistentPoint: slot.consistentPoint))
            } else {
                begin = try reader.begin(.fresh)
            }
        } catch { return .source(error) }
        try started(begin)
        context.enter(.snapshot)
        context.withHealth { $0.present(.source, at: $1) }
        start = monotonicNow()
        bridge.snapshotRows.withLock { $0 = 0 }
        context.log.info(
            "snapshot_started",
            ["tables": .number(Int64(tables.count)), "estimated_rows": .number(reader.estimatedRows), "lsn": .lsn(begin.consistentPoint.rawValue)])
        let oids = tables.map(\.table.oid)
        let names = tables.map(\.table.shownName)
        let feed = SnapshotFeed(
            queue: queue, oids: oids, isStopped: { [context] in context.isForced },
            renewedTable: { [context] index in
                context.log.warning(
                    "snapshot_renewed",
                    ["table": .text(names[index]), "message": "it was rewritten or truncated since: it and the tables after it are read as they are now"])
            }, finishedTables: { [self] in progress.withLock { $0.tableFinished() } })
        // SAFETY: handed over to the source thread, which alone uses them from here on.
        nonisolated(unsafe) let ownFeed = feed
        nonisolated(unsafe) let ownReader = reader
        let thread = Thread("snapshot") { [self] in
            do throws(PostgresError) {
                let totals = try ownReader.run(into: ownFeed)
                if totals.isComplete { _ = queue.append(.snapshotEnd, UnsafeRawBufferPointer(start: nil, count: 0), lsn: 0) }
            } catch { failure = error }
            queue.publish()
            lane.sourceEnded()
        }
        let reporter = report(lane: lane)
        let stop = context.watchingStageThread { lane.run(.snapshot(point: begin.consistentPoint.rawValue, time: begin.commitTimeMicroseconds)) }
        over.store(true, ordering: .relaxed)
        interrupt.interrupt()
        queue.close()
        thread.join()
        reporter.join()
        if case .snapshotEnded = stop { return .complete }
        if case .sourceEnded = stop, let failure { return .source(failure) }
        return .stopped(stop)
    }

    /// The last line of progress.
    func finish() {
        show(isLast: true)
        context.log.info(
            "snapshot_finished",
            ["rows": .number(Int64(bridge.snapshotRows.withLock { $0 })), "took": .duration(.nanoseconds(Int64(monotonicNow() - start)))])
    }

    /// Shows progress about once a second on a terminal, in the log every 10 s; ends a snapshot that a stop cannot wait for.
    private func report(lane: Lane) -> Thread {
        Thread("progress") { [self] in
            var ticks = 0
            while !over.load(ordering: .relaxed) {
                pause(200_000_000)
                ticks += 1
                if ticks % 5 == 0 { show(isLast: false, log: ticks % 50 == 0) }
                if context.isStopping, cannotWait { lane.abandon() }
            }
        }
    }

    /// A stop lets a snapshot finish that can within `limits.stop`; one that cannot is left at once.
    private var cannotWait: Bool {
        guard let deadline = context.stopDeadline else { return false }
        let now = monotonicNow()
        if now >= deadline { return true }
        guard let remaining = progress.withLock({ $0.remaining }) else { return false }
        return remaining > .nanoseconds(Int64(deadline - now))
    }

    private func show(isLast: Bool, log: Bool = false) {
        let total = bridge.snapshotRows.withLock { $0 }
        let (fraction, rate, remaining) = progress.withLock { progress in
            progress.add(rows: total - progress.rows)
            progress.sample(at: .nanoseconds(Int64(monotonicNow() - start)))
            return (isLast ? 1 : progress.fraction, progress.rate, progress.remaining)
        }
        context.metrics.snapshotFraction.set(fraction)
        context.snapshotStatus.withLock { $0 = RunShared.SnapshotStatus(fraction: fraction, rows: total, rowsPerSecond: rate, isComplete: isLast) }
        let percent = Int(fraction * 100)
        if let terminal = context.terminal {
            if isLast {
                terminal.clear()
            } else {
                terminal.show("snapshot \(percent) %  \(total) rows  \(Int(rate)) rows/s" + (remaining.map { "  \($0.logText) left" } ?? ""))
            }
        } else if log {
            var fields: [(key: String, value: LogValue)] = [
                ("percent", .number(Int64(percent))), ("rows", .number(Int64(total))), ("rows_per_second", .number(Int64(rate))),
            ]
            if let remaining { fields.append(("remaining", .duration(remaining))) }
            context.log.write(.info, "snapshot_progress", fields: fields)
        }
    }
}
