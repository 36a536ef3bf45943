import Files
public import Pipeline
import PluginABI

/// Why the sink's side cannot go on.
public enum SinkLoss: Sendable, Equatable {
    /// Make the sink anew and send again from the last acknowledged transaction.
    case rewind(String)
    /// A record can never be delivered, and the policy is to stop.
    case record(RecordRefusal)
    /// Nothing will be delivered.
    case fatal(code: Int32, message: String)
}

/// A record that can never be delivered: enough to find it, and nothing of what it holds.
public struct RecordRefusal: Sendable, Equatable {
    /// Where it was to go.
    public let topic: String
    /// Of the key as the record carries it; empty: no key.
    public let keyHash: String
    /// Key and value together.
    public let bytes: Int
    /// Everything up to here is acknowledged; the record is behind it.
    public let after: UInt64
    /// `CDCP_CODE_…`
    public let code: Int32
    /// The sink's own words.
    public let message: String

    /// Says what the sink said.
    public init(topic: String, keyHash: String, bytes: Int, after: UInt64, code: Int32, message: String) {
        self.topic = topic
        self.keyHash = keyHash
        self.bytes = bytes
        self.after = after
        self.code = code
        self.message = message
    }
}

/// What is on the way to the sink, and what has come back: submissions, ledger, budget. Any thread; the gate once a submission.
public final class InFlight: @unchecked Sendable {
    // SAFETY: everything under the gate.
    /// The lane's lock.
    public let gate: Gate
    let budget: BudgetBox
    let memory: RecordMemory
    private let topics: TopicTable
    private let observer: any LaneObserver
    private var ledger: AckLedger
    private var open: [UInt64: Submission] = [:]
    private var pool: [Submission] = []
    private var loss: SinkLoss?
    private let sinkPolicy: RowPolicy
    private let sinkName: String

    /// Nothing is on the way yet.
    /// - Parameters:
    ///   - start: what is delivered already.
    ///   - sinkPolicy: for records that can never be delivered.
    public init(gate: Gate, budget: BudgetBox, budgetBytes: Int, start: StreamMark, sinkPolicy: RowPolicy, sinkName: String, topics: TopicTable, observer: any LaneObserver) {
        self.gate = gate
        self.budget = budget
        self.topics = topics
        self.observer = observer
        self.sinkPolicy = sinkPolicy
        self.sinkName = sinkName
        memory = RecordMemory(gate: gate, budgetBytes: budgetBytes)
        ledger = AckLedger(start: start)
    }

    // MARK: what others read

    /// Gate held.
    public var durableLocked: StreamMark { ledger.durable }
    /// Gate held.
    public var lossLocked: SinkLoss? { loss }

    /// How things stood at one moment.
    public struct Snapshot: Sendable {
        /// Everything up to here has been delivered.
        public let durable: StreamMark
        /// Delivered since the process began.
        public let transactions: Int
        /// Submissions that wait for their completion, or behind one that does.
        public let outstanding: Int
        /// Microseconds since 1970; nil: nothing waits.
        public let oldestPendingCommitTime: Int64?
        /// Received and not encoded, and records on the way.
        public let inFlightBytes: Int
        /// Why the sink's side cannot go on; nil: it can.
        public let loss: SinkLoss?
    }

    /// Any thread.
    public func snapshot() -> Snapshot {
        gate.locked {
            Snapshot(
                durable: ledger.durable, transactions: ledger.transactions, outstanding: ledger.outstanding,
                oldestPendingCommitTime: ledger.oldestPendingCommitTime, inFlightBytes: budget.value.total, loss: loss)
        }
    }

    /// Waits until everything submitted has been completed.
    /// - Returns: false when the deadline passed, or the sink was lost.
    public func drain(until deadline: UInt64) -> Bool {
        gate.locked {
            while ledger.outstanding > 0 {
                if loss != nil { return false }
                if !gate.wait(until: deadline), ledger.outstanding > 0 { return false }
            }
            return loss == nil
        }
    }

    // MARK: stage thread

    func takeSubmission() -> Submission { gate.locked { pool.popLast() } ?? Submission() }

    func giveBack(_ submission: Submission) {
        gate.locked { recycleLocked(submission) }
    }

    /// Enters a submission; it may complete before the sink's submit has returned.
    func enter(_ submission: Submission, mark: StreamMark?, transactions: Int, isLast: Bool) {
        gate.locked {
            let id = ledger.submitted(mark: mark, transactions: transactions)
            submission.seal(id: id, isLast: isLast)
            budget.value.add(records: submission.bytes)
            open[id] = submission
        }
    }

    /// No record, but a boundary.
    func passed(_ mark: StreamMark, transactions: Int) {
        gate.locked {
            if ledger.passed(mark, transactions: transactions) { gate.broadcast() }
        }
    }

    // MARK: the sink's threads

    /// Answers `sink_complete`.
    public func completed(_ id: UInt64, failures: [DeliveryFailure]) {
        var acknowledged: [(UInt32, Int)] = []
        var skipped: [(Int32, Int)] = []
        gate.locked {
            guard let submission = open.removeValue(forKey: id) else {
                // Of a sink that was replaced: what it says is of no interest any more.
                if id < ledger.firstID { return }
                loss = loss ?? .fatal(code: CDCP_CODE_OTHER, message: "the sink completed submission \(id), which is not open")
                gate.broadcast()
                return
            }
            budget.value.remove(records: submission.bytes)
            if let worst = judge(failures, submission) {
                loss = loss ?? worst
            } else {
                acknowledged = submission.topicCounts.map { ($0.topic, $0.count) }
                for failure in failures {
                    skipped.append((failure.code, 1))
                    let topic = submission.records[failure.index].topic
                    if let known = acknowledged.firstIndex(where: { $0.0 == topic }), acknowledged[known].1 > 0 { acknowledged[known].1 -= 1 }
                }
                _ = ledger.completed(id)
            }
            recycleLocked(submission)
            gate.broadcast()
        }
        for (topic, count) in acknowledged { observer.acknowledged(topic: topic, records: count) }
        for (code, count) in skipped { observer.skipped(stage: sinkName, code: code, rows: count) }
    }

    private func judge(_ failures: [DeliveryFailure], _ submission: Submission) -> SinkLoss? {
        var worst: SinkLoss?
        for failure in failures {
            guard failure.index < submission.count else {
                return .fatal(code: CDCP_CODE_OTHER, message: "the sink breaks the contract: it failed record \(failure.index) of \(submission.count)")
            }
            switch Int32(failure.kind) {
            case CDCP_FAIL_RECORD:
                if sinkPolicy == .skip { continue }
                return .record(refusal(of: submission.records[failure.index], failure))
            case CDCP_FAIL_RETRYABLE: worst = worst ?? .rewind(failure.message)
            default: return .fatal(code: failure.code, message: failure.message)
            }
        }
        return worst
    }

    private func refusal(of record: cdcp_record, _ failure: DeliveryFailure) -> RecordRefusal {
        let key = record.key.map { Array(UnsafeBufferPointer(start: $0, count: Int(record.key_len))) }
        return RecordRefusal(
            topic: topics.name(record.topic), keyHash: key.map { String(SHA256.hex($0).prefix(16)) } ?? "", bytes: Int(record.key_len) + Int(record.value_len),
            after: ledger.durable.position, code: failure.code, message: failure.message)
    }

    private func recycleLocked(_ submission: Submission) {
        for chunk in submission.chunks { memory.releaseLocked(chunk) }
        submission.reset()
        if pool.count < 64 { pool.append(submission) }
    }

    /// The stream begins at another place; nothing may be on the way.
    public func restart(at mark: StreamMark) {
        gate.locked { ledger = AckLedger(start: mark, transactions: ledger.transactions, nextID: ledger.nextID) }
    }

    /// A new sink: what was on the way is forgotten, and comes again from the last durable mark. The old sink must have ended.
    public func rewind() -> StreamMark {
        gate.locked {
            for submission in open.values {
                budget.value.remove(records: submission.bytes)
                recycleLocked(submission)
            }
            open.removeAll()
            loss = nil
            ledger = AckLedger(start: ledger.durable, transactions: ledger.transactions, nextID: ledger.nextID)
            return ledger.durable
        }
    }
}
