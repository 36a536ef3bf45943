import Chain
import PluginABI
import Synchronization

/// Keeps what it is handed, and completes it when told to: at once, by the test, or from a thread of its own and out of order.
final class FakeSink: @unchecked Sendable {
    // SAFETY: everything under the mutex.
    enum Manner { case atOnce, byHand, fromThread }
    struct Record: Equatable {
        var topic: UInt32
        var partition: Int32
        var key: String?
        var value: String?
        var headers: [String] = []
    }

    let stage = FakeStage(CDCP_ROLE_SINK, "60-sink")
    private let manner: Manner
    private let state = Mutex(State())
    private struct State {
        var records: [Record] = []
        var open: [UInt64] = []
        var sizes: [Int] = []
        var flags: [UInt32] = []
        var refusals: [cdcp_status] = []
        var ends = false
    }
    private var worker: Worker?

    init(_ manner: Manner = .atOnce) {
        self.manner = manner
        stage.submit = { [unowned self] submission in
            let refusal: cdcp_status? = state.withLock { $0.refusals.isEmpty ? nil : $0.refusals.removeFirst() }
            if let refusal { return refusal }
            let id = submission.pointee.id
            state.withLock { state in
                for index in 0..<submission.pointee.record_count { state.records.append(Self.copy(cdcp_submission_record(submission, index).pointee)) }
                state.sizes.append(Int(submission.pointee.record_count))
                state.flags.append(submission.pointee.flags)
                if manner != .atOnce { state.open.append(id) }
            }
            if manner == .atOnce { complete(id) }
            return CDCP_OK
        }
        if manner == .fromThread {
            worker = Worker { [unowned self] in
                var random: UInt64 = 1
                while true {
                    let (id, ends): (UInt64?, Bool) = state.withLock { state in
                        random = random &* 6_364_136_223_846_793_005 &+ 1
                        return (state.open.isEmpty ? nil : state.open.remove(at: Int(random >> 33) % state.open.count), state.ends)
                    }
                    if let id { complete(id) } else if ends { return } else { _ = eventually { self.state.withLock { !$0.open.isEmpty || $0.ends } } }
                }
            }
        }
    }

    func end() {
        state.withLock { $0.ends = true }
        worker?.join()
    }

    var records: [Record] { state.withLock { $0.records } }
    var values: [String] { records.map { $0.value ?? "-" } }
    var open: [UInt64] { state.withLock { $0.open } }
    var sizes: [Int] { state.withLock { $0.sizes } }
    var flags: [UInt32] { state.withLock { $0.flags } }
    /// The next calls of submit answer this.
    func refuse(_ statuses: [cdcp_status]) { state.withLock { $0.refusals = statuses } }

    var refusalsLeft: Int { state.withLock { $0.refusals.count } }

    func complete(_ id: UInt64) {
        state.withLock { $0.open.removeAll { $0 == id } }
        stage.host!.pointee.sink_complete(stage.host, id, nil, 0)
    }

    func completeAll() { for id in open { complete(id) } }

    func fail(_ id: UInt64, index: UInt32, _ kind: Int32, code: Int32 = CDCP_CODE_OTHER) {
        state.withLock { $0.open.removeAll { $0 == id } }
        var failure = cdcp_failure(index: index, cls: UInt16(kind), reserved: 0, code: code, msg_len: 0, msg: nil)
        stage.host!.pointee.sink_complete(stage.host, id, &failure, 1)
    }

    private static func text(_ start: UnsafePointer<UInt8>?, _ count: UInt32) -> String? {
        start.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
    }

    private static func copy(_ record: cdcp_record) -> Record {
        let headers = (0..<Int(record.header_count)).map { index in
            let header = record.headers[index]
            return (text(header.key, header.key_len) ?? "") + "=" + (header.value_len == CDCP_HEADER_NULL ? "NULL" : text(header.value, header.value_len) ?? "")
        }
        return Record(topic: record.topic, partition: record.partition, key: text(record.key, record.key_len), value: text(record.value, record.value_len), headers: headers)
    }
}
