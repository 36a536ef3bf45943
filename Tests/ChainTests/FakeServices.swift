import Chain
import PluginABI
import Synchronization

/// What the host's process would offer, and what it would hear.
final class FakeServices: HostServices, LaneObserver, @unchecked Sendable {
    // SAFETY: the C structs are constant; what is heard is under the mutex.
    let registry = RelationRegistry { schema, table in "cdc.\(schema).\(table)" }
    let topics = TopicTable()
    let stream: UnsafePointer<cdcp_stream>
    let version: UnsafePointer<CChar>
    let logLevel = CDCP_LOG_ERROR
    private let inFlight = Mutex<InFlight?>(nil)
    private let heard = Mutex(Heard())
    struct Heard {
        var rows: [String: UInt64] = [:]
        var acknowledged = 0
        var skipped: [String] = []
        var transactions = 0
        var backpressure: [Bool] = []
        var delayed: [String] = []
    }

    init() {
        let stream = UnsafeMutablePointer<cdcp_stream>.allocate(capacity: 1)
        stream.initialize(to: cdcp_stream())
        self.stream = UnsafePointer(stream)
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        text.initialize(to: 0)
        version = UnsafePointer(text)
    }

    func attach(_ inFlight: InFlight) { self.inFlight.withLock { $0 = inFlight } }
    var ears: Heard { heard.withLock { $0 } }

    func log(stage: String, level: Int32, text: String) {}
    func completed(_ instance: StageInstance, submission: UInt64, failures: [DeliveryFailure]) {
        inFlight.withLock { $0 }?.completed(submission, failures: failures)
    }
    func sinkHealth(well: Bool, reason: String) {}
    func topicGrew(_ topic: UInt32, partitions: Int32) {}
    func begins(stage: String, call: String) {}
    func returned(stage: String, call: String) {}
    func rows(table: String, op: UInt8, count: UInt64) { heard.withLock { $0.rows["\(table) \(op)", default: 0] += count } }
    func batch(plan: Plan, nanoseconds: UnsafeBufferPointer<UInt64>) {}
    func acknowledged(topic: UInt32, records: Int) { heard.withLock { $0.acknowledged += records } }
    func skipped(stage: String, code: Int32, rows: Int) { heard.withLock { $0.skipped.append("\(stage) \(code) \(rows)") } }
    func backpressure(begins: Bool, nanoseconds: UInt64) { heard.withLock { $0.backpressure.append(begins) } }
    func topicDelayed(name: String, message: String) { heard.withLock { $0.delayed.append(name) } }
    func topicReady(name: String) {}
    func transactions(_ count: Int) { heard.withLock { $0.transactions += count } }
}
