import Chain
import Glibc
import PluginABI
import Postgres
import Settings
import Synchronization
import Telemetry

/// What the host offers the stages, and what the stage thread tells it: services and counters. Any thread.
final class HostBridge: HostServices, LaneObserver, @unchecked Sendable {
    // SAFETY: the C structs are written in init, but for server_version, database and system_identifier, which are written before the first row.
    let registry: RelationRegistry
    let topics = TopicTable()
    let version: UnsafePointer<CChar>
    private let streamBox: UnsafeMutablePointer<cdcp_stream>
    private let context: HostContext
    private let counters = Mutex(Counters())
    private let inFlightBox = Mutex<InFlight?>(nil)

    private struct Counters {
        var rows: [String: RowCounters] = [:]
        var snapshotRows: [String: Counter] = [:]
        var topics: [UInt32: Counter] = [:]
        var stages: [String: TimeCounter] = [:]
        var delayed: Set<String> = []
    }

    init(context: HostContext) {
        self.context = context
        let topics = context.settings.topics
        registry = RelationRegistry { schema, table in TopicNames.name(topics, schema: schema, table: table) }
        version = HostBridge.text(hostVersion).0
        streamBox = .allocate(capacity: 1)
        streamBox.initialize(to: cdcp_stream())
        streamBox.pointee.struct_size = UInt32(MemoryLayout<cdcp_stream>.size)
        streamBox.pointee.name = HostBridge.text(context.settings.name).1
        streamBox.pointee.topic_prefix = HostBridge.text(topics.prefix).1
        streamBox.pointee.version = HostBridge.text(hostVersion).1
    }

    var stream: UnsafePointer<cdcp_stream> { UnsafePointer(streamBox) }

    /// Before the first row.
    func connected(serverVersion: Int, database: String, systemIdentifier: String) {
        streamBox.pointee.server_version = UInt32(serverVersion)
        if streamBox.pointee.database.len == 0 { streamBox.pointee.database = HostBridge.text(database).1 }
        if streamBox.pointee.system_identifier.len == 0 { streamBox.pointee.system_identifier = HostBridge.text(systemIdentifier).1 }
    }

    func attach(_ inFlight: InFlight) { inFlightBox.withLock { $0 = inFlight } }

    /// Kept as long as the process.
    private static func text(_ value: String) -> (UnsafePointer<CChar>, cdcp_str) {
        let bytes = Array(value.utf8CString)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return (UnsafePointer(copy), cdcp_str(ptr: copy, len: UInt32(bytes.count - 1), reserved: 0))
    }

    // MARK: HostServices

    var logLevel: Int32 {
        if context.log.writes(.debug) { return CDCP_LOG_DEBUG }
        if context.log.writes(.info) { return CDCP_LOG_INFO }
        return context.log.writes(.warning) ? CDCP_LOG_WARNING : CDCP_LOG_ERROR
    }

    func log(stage: String, level: Int32, text: String) {
        let severity: LogLevel = level <= CDCP_LOG_DEBUG ? .debug : level == CDCP_LOG_INFO ? .info : level == CDCP_LOG_WARNING ? .warning : .error
        context.log.limited(severity, "plugin", stage: stage, ["message": .text(text)])
    }

    func completed(_ instance: StageInstance, submission: UInt64, failures: [DeliveryFailure]) {
        inFlightBox.withLock { $0 }?.completed(submission, failures: failures)
    }

    func sinkHealth(well: Bool, reason: String) {
        let was = context.withHealth { health, now in
            let wasAway = health.reasons(at: now).contains { $0.code == "sink_away" }
            if well { health.present(.sink, at: now) } else { health.away(.sink, reason, at: now) }
            return wasAway
        }
        if !well, !was {
            context.log.warning("reconnecting", ["side": "sink", "reason": .text(reason)])
        } else if well, was {
            context.metrics.reconnects(.sink).add()
            context.log.info("reconnected", ["side": "sink"])
        }
    }

    func topicGrew(_ topic: UInt32, partitions: Int32) {
        context.log.warning(
            "topic_grew",
            ["topic": .text(topics.name(topic)), "partitions": .number(Int64(partitions)), "note": "keys keep their partitions until a restart"])
    }

    func begins(stage: String, call: String) { context.begins("\(stage): \(call)") }
    func returned(stage: String, call: String) { context.returned("\(stage): \(call)") }

    // MARK: LaneObserver

    func rows(table: String, op: UInt8, count: UInt64) {
        let word: Telemetry.RowOp =
            switch Int32(op) {
            case CDCP_OP_INSERT: .insert
            case CDCP_OP_UPDATE: .update
            case CDCP_OP_DELETE: .delete
            case CDCP_OP_TRUNCATE: .truncate
            case CDCP_OP_MESSAGE: .message
            default: .read
            }
        let (rows, snapshot) = counters.withLock { state in
            if state.rows[table] == nil { state.rows[table] = context.metrics.rows(table: table) }
            if word == .read, state.snapshotRows[table] == nil { state.snapshotRows[table] = context.metrics.snapshotRows(table: table) }
            return (state.rows[table], word == .read ? state.snapshotRows[table] : nil)
        }
        rows?[word].add(count)
        snapshot?.add(count)
        if word == .read { snapshotRows.withLock { $0 += Int(count) } }
    }

    /// Rows of the snapshot that were handed on, for its progress.
    let snapshotRows = Mutex(0)

    func batch(plan: Plan, nanoseconds: UnsafeBufferPointer<UInt64>) {
        context.metrics.batches.add()
        let names = plan.instances.map(\.name)
        counters.withLock { state in
            for (index, name) in names.enumerated() where index < nanoseconds.count && nanoseconds[index] > 0 {
                if state.stages[name] == nil { state.stages[name] = context.metrics.stageSeconds(stage: name) }
                state.stages[name]?.add(nanoseconds: nanoseconds[index])
            }
        }
    }

    func acknowledged(topic: UInt32, records: Int) {
        let counter = counters.withLock { state in
            if state.topics[topic] == nil { state.topics[topic] = context.metrics.recordsAcknowledged(topic: topics.name(topic)) }
            return state.topics[topic]
        }
        counter?.add(UInt64(records))
    }

    func skipped(stage: String, code: Int32, rows: Int) {
        context.metrics.skipped(stage: stage, code: String(code)).add(UInt64(rows))
        context.log.limited(.warning, "skipped", stage: stage, ["code": .number(Int64(code)), "rows": .number(Int64(rows))])
    }

    func backpressure(begins: Bool, nanoseconds: UInt64) {
        context.log.limited(
            begins ? .warning : .info, "backpressure", stage: "sink",
            ["state": begins ? "waiting" : "over", "for": .duration(.nanoseconds(Int64(nanoseconds)))])
    }

    func topicReady(name: String) {
        // Its own word of health may have been spoken before anyone needed it.
        if counters.withLock({ $0.delayed.remove(name) != nil }) { sinkHealth(well: true, reason: "") }
    }

    func topicDelayed(name: String, message: String) {
        if counters.withLock({ $0.delayed.insert(name).inserted }) { sinkHealth(well: false, reason: message) }
        context.log.limited(.warning, "topic_delayed", stage: "sink", ["topic": .text(name), "reason": .text(message)])
    }

    func transactions(_ count: Int) { context.metrics.transactions.add(UInt64(count)) }
}

/// `topics.template` applied.
enum TopicNames {
    static func name(_ settings: TopicSettings, schema: String, table: String) -> String {
        var result = ""
        var rest = settings.template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            switch rest[rest.index(after: open)..<close] {
            case "prefix": result += settings.prefix
            case "schema": result += schema
            case "table": result += table
            default: result += rest[open...close]
            }
            rest = rest[rest.index(after: close)...]
        }
        return TopicTable.sanitized(result + rest)
    }
}
