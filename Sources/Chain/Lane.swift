public import Pipeline
public import PluginABI
import Synchronization

/// How a lane is cut.
public struct LaneSettings: Sendable {
    /// `batch.rows`
    public var batchRows: Int
    /// `batch.bytes`, of what was received.
    public var batchBytes: Int
    /// `limits.record`
    public var recordBytes: Int

    /// As the settings say.
    public init(batchRows: Int, batchBytes: Int, recordBytes: Int) {
        self.batchRows = batchRows
        self.batchBytes = batchBytes
        self.recordBytes = recordBytes
    }
}

/// What the queue holds: the stream, or the snapshot before it.
public enum LaneMode: Sendable, Equatable {
    case stream
    /// Rows as of `point`, read at `time` (microseconds since 1970).
    case snapshot(point: UInt64, time: Int64)
}

/// The stage thread's work: takes what was received, runs it through the plan, hands it to the sink, and marks what is complete.
///
/// `run` belongs to one thread; the requests may come from any.
public final class Lane: @unchecked Sendable {
    // SAFETY: builder, chain and plan are the stage thread's; requests go through the gate and the atomic.
    private let gate: Gate
    private let queue: ReceiveQueue
    private let inFlight: InFlight
    private let settings: LaneSettings
    private let services: any HostServices
    private let observer: any LaneObserver
    private let batch: BatchMemory
    private let emitter: Emitter
    private let builder: BatchBuilder
    private let chain: StageChain
    private let attention: Attention
    private let whereabouts = Whereabouts()
    private let outlet: Outlet
    private var held: [ReceivedSlice] = []
    private var mode: LaneMode = .stream
    private var snapshotTable: UInt32 = 0
    private var snapshotSeq: UInt64 = 0
    /// Called whenever the stage thread comes round, waiting or working: its sign of life. Set before `run`; stage thread.
    public var onTurn: (() -> Void)? { didSet { outlet.onTurn = onTurn } }
    // Requests, under the gate.
    private var reloads = ReloadBarrier()
    private var pendingPlan: Plan?
    private var reloadOutcome: ReloadOutcome?

    /// What became of a reload at the barrier.
    public enum ReloadOutcome: Sendable {
        /// The new plan runs; the stream paused so many nanoseconds.
        case swapped(pause: UInt64)
        case refused(StageFailure)
        /// The stream ended before a boundary came.
        case gone
    }

    /// - Parameters:
    ///   - start: where the stream begins.
    ///   - resolve: completes an announced shape with the catalog's knowledge; stage thread.
    public init(
        gate: Gate, queue: ReceiveQueue, inFlight: InFlight, plan: Plan, settings: LaneSettings, start: StreamMark, services: any HostServices,
        observer: any LaneObserver, resolve: @escaping (RelationShape) throws(LaneStop) -> ResolvedShape
    ) {
        self.gate = gate
        self.queue = queue
        self.inFlight = inFlight
        self.settings = settings
        self.services = services
        self.observer = observer
        attention = Attention()
        batch = BatchMemory(rowsMax: settings.batchRows)
        emitter = Emitter(memory: inFlight.memory, batch: batch, recordLimit: settings.recordBytes)
        builder = BatchBuilder(batch: batch, plan: plan, start: start, whereabouts: whereabouts, resolve: resolve)
        outlet = Outlet(gate: gate, inFlight: inFlight, services: services, observer: observer, attention: attention, whereabouts: whereabouts)
        chain = StageChain(batch: batch, emitter: emitter, observer: observer, topics: services.topics, whereabouts: whereabouts) { [attention, outlet] in
            outlet.onTurn?()
            return attention.isAbandoned
        }
        builder.onLive = { [weak self] place, relation in
            self?.shared.withLock {
                if place == $0.relations.count { $0.relations.append(relation) } else { $0.relations[place] = relation }
            }
        }
        shared.withLock { $0.stages = plan.instances.map(\.name) }
    }

    // MARK: requests, any thread

    /// Stop at the next boundary.
    public func requestStop() {
        attention.raise(Attention.stop)
        gate.locked { gate.broadcast() }
    }

    /// Stop at once.
    public func abandon() {
        attention.raise(Attention.abandon)
        gate.locked { gate.broadcast() }
    }

    /// Nothing more will be appended to the queue, until it is cleared or the lane is rewound. May come before `run` does.
    public func sourceEnded() { queue.end() }

    /// Hands over a prepared plan and waits for the boundary.
    /// - Parameter whileWaiting: called about once a second; false: give up.
    public func reload(_ plan: Plan, whileWaiting: () -> Bool) -> ReloadOutcome {
        let accepted = gate.locked {
            guard reloads.request() else { return false }
            pendingPlan = plan
            reloadOutcome = nil
            return true
        }
        guard accepted else { return .gone }
        attention.raise(Attention.reload)
        gate.locked { gate.broadcast() }
        while true {
            let outcome: ReloadOutcome? = gate.locked {
                if reloadOutcome == nil { _ = gate.wait(until: monotonicNow() + 1_000_000_000) }
                return reloadOutcome
            }
            if let outcome { return outcome }
            if !whileWaiting() {
                let withdrawn = gate.locked {
                    let withdrawn = reloads.withdraw()
                    if withdrawn { pendingPlan = nil }
                    return withdrawn
                }
                if withdrawn {
                    attention.clear(Attention.reload)
                    return .gone
                }
            }
        }
    }

    // MARK: stage thread

    /// The plan that runs.
    public var plan: Plan { builder.plan }
    /// Where a new connection of this process has to start.
    public var resumeMark: StreamMark { builder.tracker.mark }
    /// Rows of a transaction were handed on, and the connection broke before its end: they will be repeated.
    public var isHalfDelivered: Bool { builder.tracker.isCutOff }
    /// Between begin and commit.
    public var isInTransaction: Bool { builder.tracker.isOpen }

    /// Announces a table before any row, as the catalog knows it; no question is asked back.
    public func announce(_ shape: ResolvedShape) throws(LaneStop) { try builder.take(shape) }
    /// The relations that rows may come of, as they were a moment ago. Any thread.
    public var liveRelations: [UnsafePointer<cdcp_relation>] { shared.withLock { $0.relations }.compactMap { $0 } }
    /// The stage whose code the stage thread is in at this moment, and where in the stream; nil: it is in the host's own. Any thread.
    public var presentCall: (stage: String, position: UInt64)? {
        guard let index = whereabouts.stage else { return nil }
        let names = shared.withLock { $0.stages }
        return names.indices.contains(index) ? (names[index], whereabouts.position) : nil
    }

    private struct Shared: @unchecked Sendable {
        // SAFETY: relations are immutable and live as long as the process.
        /// By their place in the builder; nil: captured by somebody else.
        var relations: [UnsafePointer<cdcp_relation>?] = []
        /// Names in the order of the path.
        var stages: [String] = []
    }
    private let shared = Mutex(Shared())

    /// Between two runs, on the stage thread: a reload need not wait for the stream to come back, unless a transaction was cut off:
    /// its other half goes the way of the first.
    public func serveReload() {
        if attention.isRaised(Attention.reload), !builder.tracker.isCutOff { swap() }
    }

    /// The connection is gone: the open transaction will come again, its rows so far are skipped then.
    public func disconnected() { builder.tracker.disconnected() }

    /// Another instance of the sink, between two runs, on the stage thread.
    public func replaceSink(_ sink: StageInstance) { builder.plan.sink = sink }

    /// The sink lost what was on the way: everything behind the mark comes again.
    public func rewind(to mark: StreamMark) {
        builder.tracker.rewind(to: mark)
        builder.startNext()
        outlet.forget()
        queue.release(held)
        held.removeAll()
        queue.reopen()
    }

    /// Works until there is a reason to stop.
    public func run(_ mode: LaneMode) -> LaneStop {
        self.mode = mode
        do throws(LaneStop) {
            if case .snapshot(let point, let time) = mode {
                snapshotTable = 0
                do throws(TransactionTracker.Violation) { try builder.beginSnapshot(point: point, time: time) } catch {
                    throw .data(stage: "snapshot", message: "\(error)", position: point)
                }
            }
            while true {
                let slice = try nextOrTheRest()
                held.append(slice)
                try process(slice)
                // Inside a transaction the rest is on its way: it was committed before its first row was sent.
                let comesMore = gate.locked { queue.hasMoreLocked || (mode == .stream && builder.tracker.isOpen && !queue.producerWaitsLocked) }
                if !comesMore { try flush(isLast: true) }
            }
        } catch {
            releaseHeld()
            // Whoever waits for a boundary of this run waits for the next one; only an end of the process ends the wait.
            return error
        }
    }

    /// The process ends: a reload that waits is told.
    public func end() {
        gate.locked {
            if reloads.state == .waiting { reloadOutcome = .gone }
            gate.broadcast()
        }
    }

    /// How long the rows of an open transaction wait for the rest of it, in nanoseconds.
    private static let patience: UInt64 = 2_000_000

    /// The next slice. Rows at hand wait a moment for it, then go without it; before an end of the source is told they go too.
    private func nextOrTheRest() throws(LaneStop) -> ReceivedSlice {
        while true {
            do throws(LaneStop) {
                let isPending = batch.rowCount > 0 || !builder.marks.isEmpty || outlet.isHolding
                if let slice = try next(until: isPending ? monotonicNow() + Self.patience : .max) { return slice }
            } catch {
                if case .sourceEnded = error { try flush(isLast: true) }
                throw error
            }
            try flush(isLast: true)
        }
    }

    /// A transaction that was cut off and is still to come again is half delivered: neither a stop nor another plan may come between.
    private var atBoundary: Bool { (!builder.tracker.isOpen && !builder.tracker.isCutOff) || mode != .stream }

    /// The next slice, nil when none has come until `deadline`; between slices the requests are looked at.
    private func next(until deadline: UInt64) throws(LaneStop) -> ReceivedSlice? {
        while true {
            onTurn?()
            if attention.isRaised { try attend() }
            let slice: ReceivedSlice? = try gate.locked { () throws(LaneStop) in
                if inFlight.lossLocked != nil { throw .abandoned }
                if let slice = queue.takeLocked() { return slice }
                if queue.isEndedLocked { throw .sourceEnded }
                _ = gate.wait(until: min(deadline, monotonicNow() + 250_000_000))
                return nil
            }
            if let slice { return slice }
            if monotonicNow() >= deadline { return nil }
        }
    }

    /// Looks at requests; called between items too, so that a boundary inside a slice is not missed.
    /// - Parameter keeping: slices that are still being read.
    private func attend(keeping: Int = 0) throws(LaneStop) {
        if attention.isAbandoned { throw .abandoned }
        guard atBoundary else { return }
        if attention.isRaised(Attention.stop), mode == .stream {
            try flush(isLast: true, keeping: keeping)
            throw .boundary
        }
        if attention.isRaised(Attention.reload) {
            try flush(isLast: false, keeping: keeping)
            swap()
        }
    }

    private func swap() {
        let plan: Plan? = gate.locked { reloads.reachedBoundary() ? pendingPlan : nil }
        attention.clear(Attention.reload)
        guard let plan else { return }
        let start = monotonicNow()
        // A rewind may have made the sink anew since the plan was prepared.
        plan.sink = builder.plan.sink
        var outcome = ReloadOutcome.swapped(pause: 0)
        do throws(StageFailure) {
            let old = builder.plan
            try builder.adopt(plan)
            old.unbindForgotten(by: plan)
            shared.withLock { $0.stages = plan.instances.map(\.name) }
            outcome = .swapped(pause: monotonicNow() &- start)
        } catch {
            // Here and not by whoever discards the plan: instances that both plans share are this thread's.
            plan.unbindShared(with: builder.plan)
            outcome = .refused(error)
        }
        gate.locked {
            reloads.swapped()
            pendingPlan = nil
            reloadOutcome = outcome
            gate.broadcast()
        }
    }

    private func process(_ slice: ReceivedSlice) throws(LaneStop) {
        var offset = slice.from
        let headerSize = MemoryLayout<ItemHeader>.size
        let decoder = builder.plan.decoder
        guard let decode = decoder.code.decoder?.decode else { throw .stage(decoder.failure("decode", CDCP_E_UNSUPPORTED, "it is no decoder")) }
        let ops = builder.opsPointer
        let handle = builder.handle
        var start = monotonicNow()
        whereabouts.reached(slice.chunk.memory.load(fromByteOffset: offset, as: ItemHeader.self).lsn)
        whereabouts.enter(0)
        defer { whereabouts.leave() }
        while offset < slice.to {
            if attention.isRaised {
                try attend(keeping: 1)
                whereabouts.enter(0)
            }
            let header = slice.chunk.memory.load(fromByteOffset: offset, as: ItemHeader.self)
            let bytes = (slice.chunk.memory + offset + headerSize).assumingMemoryBound(to: UInt8.self)
            switch header.kind {
            case ReceivedKind.message.rawValue:
                builder.walStart = header.lsn
                let point = builder.point
                let status = decode(decoder.pointer, bytes, UInt64(header.length), header.lsn, ops, handle)
                if status != CDCP_OK { try refused(status, decoder, header.lsn, since: point) }
            case ReceivedKind.idle.rawValue:
                builder.idle(at: header.lsn)
            case ReceivedKind.copyRow.rawValue:
                try snapshotRow(header, bytes)
            default:
                try flush(isLast: true)
                throw .snapshotEnded
            }
            batch.inputBytes &+= Int(header.length)
            offset += (headerSize + Int(header.length) + 7) & ~7
            if batch.rowCount >= settings.batchRows || batch.inputBytes >= settings.batchBytes || batch.arena.extraBytes >= Self.cellBytesMax {
                chain.nanoseconds[0] &+= monotonicNow() &- start
                // The slice at hand is not done yet: what is released are those before it.
                try flush(isLast: false, keeping: offset < slice.to ? 1 : 0)
                start = monotonicNow()
                whereabouts.enter(0)
            }
        }
        chain.nanoseconds[0] &+= monotonicNow() &- start
    }

    private func snapshotRow(_ header: ItemHeader, _ bytes: UnsafeMutablePointer<UInt8>) throws(LaneStop) {
        let oid = UInt32(truncatingIfNeeded: header.aux)
        if oid != snapshotTable {
            snapshotTable = oid
            snapshotSeq = 0
        }
        snapshotSeq += 1
        guard let cells = builder.snapshotRow(oid: oid, flags: header.flags, seq: snapshotSeq) else {
            throw .data(stage: "snapshot", message: "a row of a table that was not announced (oid \(oid))", position: snapshotSeq)
        }
        guard CopyRows.split(bytes, Int(header.length), into: cells, count: builder.columnCount(oid: oid)) else {
            throw .data(stage: "snapshot", message: "row \(snapshotSeq) of oid \(oid) has another number of columns than its table", position: snapshotSeq)
        }
    }

    /// Cells of a batch, beyond the arena's first block: tables with a thousand columns cut it before its row count does.
    private static let cellBytesMax = 8 << 20

    private func refused(_ status: cdcp_status, _ decoder: StageInstance, _ lsn: UInt64, since point: BatchBuilder.Point) throws(LaneStop) {
        let failure = decoder.failure("decode", status, "answered \(StageInstance.meaning(status))")
        let reason = builder.refusal ?? (status == CDCP_E_DATA || status == CDCP_E_UNSUPPORTED
            ? .data(stage: decoder.name, message: failure.message, position: lsn) : .stage(failure))
        builder.refusal = nil
        // What stands before the message is sound and goes its way; what the message itself said does not count.
        builder.takeBack(to: point)
        try flush(isLast: true)
        throw reason
    }

    /// Runs the batch at hand through the plan and hands it to the sink.
    private func flush(isLast: Bool, keeping: Int = 0) throws(LaneStop) {
        defer { releaseHeld(keeping: keeping) }
        onTurn?()
        whereabouts.reached(builder.commitLSN)
        let plan = builder.plan
        if isLast { try outlet.settle(plan) }
        guard batch.rowCount > 0 else {
            if let last = builder.marks.last {
                let count = builder.marks.reduce(0) { $0 + $1.transactions }
                observer.transactions(count)
                inFlight.passed(last.mark, transactions: count)
            }
            builder.startNext()
            return
        }
        let submission = inFlight.takeSubmission()
        emitter.start(submission)
        let outcome = try chain.encode(plan)
        let marks = builder.marks.filter { $0.rows <= outcome.cut }
        let transactions = marks.reduce(0) { $0 + $1.transactions }
        submission.measure()
        if submission.count == 0 {
            inFlight.giveBack(submission)
            if let last = marks.last { inFlight.passed(last.mark, transactions: transactions) }
        } else {
            try outlet.resolveTopics(plan, submission)
            try chain.assign(plan)
            try outlet.waitForRoom(submission.bytes)
            inFlight.enter(submission, mark: marks.last?.mark, transactions: transactions, isLast: isLast)
            let start = monotonicNow()
            try outlet.submit(plan, submission)
            chain.nanoseconds[plan.stages.count + 1] &+= monotonicNow() &- start
        }
        report(plan, transactions)
        builder.startNext()
        if let refusal = outcome.refusal { throw .rowRefused(refusal) }
    }

    private func releaseHeld(keeping: Int = 0) {
        guard held.count > keeping else { return }
        let kept = Array(held.suffix(keeping))
        held.removeLast(keeping)
        queue.release(held)
        held = kept
    }

    private func report(_ plan: Plan, _ transactions: Int) {
        for index in 0..<batch.relationCount {
            let bound = batch.bound[index]
            for op in 1..<7 where bound.pointee.counts[op] > 0 {
                observer.rows(table: bound.pointee.qualifiedName, op: UInt8(op), count: bound.pointee.counts[op])
                bound.pointee.counts[op] = 0
            }
        }
        if builder.messages > 0 {
            observer.rows(table: "", op: UInt8(CDCP_OP_MESSAGE), count: builder.messages)
            builder.messages = 0
        }
        let count = plan.stages.count + 2
        observer.batch(plan: plan, nanoseconds: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(chain.nanoseconds)[..<count]))
        for index in 0..<count { chain.nanoseconds[index] = 0 }
        if transactions > 0 { observer.transactions(transactions) }
    }
}
