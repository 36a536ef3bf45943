import Files
import Pipeline
import PluginABI

/// Runs one batch through the stages of a plan: transforms, codec, partitioner. Stage thread only; no I/O but what a stage does.
final class StageChain {
    struct Outcome {
        /// Rows from here on were not handed on.
        var cut: Int
        var refusal: RowRefusal?
    }

    private let batch: BatchMemory
    private let emitter: Emitter
    private let observer: any LaneObserver
    private let topics: TopicTable
    private let whereabouts: Whereabouts
    private let shouldAbandon: () -> Bool
    /// By stage: the decoder's, the stages', the sink's.
    private(set) var nanoseconds: UnsafeMutableBufferPointer<UInt64>

    init(
        batch: BatchMemory, emitter: Emitter, observer: any LaneObserver, topics: TopicTable, whereabouts: Whereabouts, shouldAbandon: @escaping () -> Bool
    ) {
        self.batch = batch
        self.emitter = emitter
        self.observer = observer
        self.topics = topics
        self.whereabouts = whereabouts
        self.shouldAbandon = shouldAbandon
        nanoseconds = .allocate(capacity: 128)
        nanoseconds.initialize(repeating: 0)
    }

    deinit { nanoseconds.deallocate() }

    /// Transforms and codec; afterwards the emitter's submission holds the records.
    func encode(_ plan: Plan) throws(LaneStop) -> Outcome {
        var outcome = Outcome(cut: batch.rowCount, refusal: nil)
        fit(plan.stages.count + 2)
        cutColumns()
        for index in 0..<plan.codecIndex {
            try run(plan, index) { instance, pointer in instance.code.transform?.process?(instance.pointer, pointer) ?? CDCP_E_UNSUPPORTED }
            applyPolicy(plan, index, &outcome)
        }
        batch.takeBack = { [emitter] row in emitter.takeBack(row) }
        defer { batch.takeBack = nil }
        try run(plan, plan.codecIndex) { [emitter] instance, pointer in
            let status = instance.code.codec?.encode?(instance.pointer, pointer, emitter.pointer) ?? CDCP_E_UNSUPPORTED
            // What the host saw says more than what the codec made of the host's refusal.
            return emitter.violation == nil ? status : CDCP_OK
        }
        if let violation = emitter.violation { throw .stage(garbage(plan.stages[plan.codecIndex], violation)) }
        applyPolicy(plan, plan.codecIndex, &outcome)
        for (row, size) in emitter.oversized where row < outcome.cut {
            guard batch.rows[row].disposition == UInt8(CDCP_ROW_KEEP) else { continue }
            batch.rows[row].disposition = UInt8(CDCP_ROW_FAIL)
            refuse(plan, stage: plan.sink, row: row, code: CDCP_CODE_TOO_LARGE, message: "the record is larger than limits.record", size: size, &outcome)
        }
        if outcome.cut < batch.rowCount || !emitter.oversized.isEmpty {
            emitter.keep { [batch, outcome] in $0 < outcome.cut && batch.rows[$0].disposition == UInt8(CDCP_ROW_KEEP) }
        }
        emitter.finish()
        return outcome
    }

    private func fit(_ count: Int) {
        guard count > nanoseconds.count else { return }
        let larger = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count * 2)
        larger.initialize(repeating: 0)
        larger[0] = nanoseconds[0]
        nanoseconds.deallocate()
        nanoseconds = larger
    }

    /// Columns that the publication could not leave out.
    private func cutColumns() {
        guard (0..<batch.relationCount).contains(where: { batch.bound[$0].pointee.cut != nil }) else { return }
        for index in 0..<batch.rowCount {
            let row = batch.rows + index
            guard row.pointee.rel_index != CDCP_NO_RELATION, let kept = batch.bound[Int(row.pointee.rel_index)].pointee.cut else { continue }
            for cells in [row.pointee.new_cells, row.pointee.old_cells] {
                guard let cells else { continue }
                for (target, source) in kept.enumerated() { cells[target] = cells[Int(source)] }
            }
        }
    }

    /// Partitions; the topics of all records are resolved.
    func assign(_ plan: Plan) throws(LaneStop) {
        let submission = emitter.submission
        guard submission.count > 0, let index = plan.partitionerIndex else { return }
        let instance = plan.stages[index]
        let start = monotonicNow()
        _ = present(plan, index)
        whereabouts.enter(index + 1)
        let status = instance.code.partitioner?.assign?(
            instance.pointer, UnsafePointer(batch.pointer), submission.records, UInt32(submission.count), UInt32(MemoryLayout<cdcp_record>.stride),
            UnsafePointer(topics.array), UInt32(topics.count))
        whereabouts.leave()
        if status != CDCP_OK { throw .stage(instance.failure("assign", status ?? CDCP_E_UNSUPPORTED, "answered \(StageInstance.meaning(status ?? CDCP_E_UNSUPPORTED))")) }
        for index in 0..<submission.count {
            let record = submission.records + index
            let count = topics.array[Int(record.pointee.topic)]?.pointee.partition_count ?? 0
            let partition = record.pointee.partition
            if partition < 0 || (count > 0 && partition >= count) {
                throw .stage(garbage(instance, "partition \(partition) of topic \(topics.name(record.pointee.topic)), which has \(count)"))
            }
        }
        nanoseconds[index + 1] &+= monotonicNow() &- start
    }

    private func present(_ plan: Plan, _ index: Int) -> Bool {
        let stage = plan.stages[index]
        return batch.present(stage: index, wantsMarkers: stage.wantsMarkers, opsMask: stage.opsMask, filtersTables: stage.matches != nil)
    }

    private func run(_ plan: Plan, _ index: Int, _ call: (StageInstance, UnsafeMutablePointer<cdcp_batch>) -> cdcp_status) throws(LaneStop) {
        guard present(plan, index) else { return }
        let instance = plan.stages[index]
        let start = monotonicNow()
        var pause: UInt64 = 10_000_000
        while true {
            whereabouts.enter(index + 1)
            let status = call(instance, batch.pointer)
            whereabouts.leave()
            if status == CDCP_OK { break }
            let failure = instance.failure("process", status, "answered \(StageInstance.meaning(status))")
            guard status == CDCP_E_RETRY else { throw .stage(failure) }
            // It changed nothing: the same call again.
            if shouldAbandon() { throw .abandoned }
            sleepMonotonic(pause)
            pause = min(pause * 2, 5_000_000_000)
        }
        nanoseconds[index + 1] &+= monotonicNow() &- start
        // A row that is failed without a word would be lost without a trace.
        if batch.failedRows != batch.failures.count { throw .stage(garbage(instance, "a row is marked as failed, and row_fail was not called for it")) }
    }

    private func applyPolicy(_ plan: Plan, _ index: Int, _ outcome: inout Outcome) {
        guard !batch.failures.isEmpty else { return }
        for failure in batch.failures.sorted(by: { $0.row < $1.row }) where failure.row < outcome.cut {
            refuse(plan, stage: plan.stages[index], row: failure.row, code: failure.code, message: failure.message, size: nil, &outcome)
        }
        for failure in batch.failures { batch.rows[failure.row].disposition = UInt8(CDCP_ROW_DROP) }
        batch.failures.removeAll(keepingCapacity: true)
    }

    private func refuse(_ plan: Plan, stage: StageInstance, row: Int, code: Int32, message: String, size: Int?, _ outcome: inout Outcome) {
        guard stage.onError == .stop else {
            observer.skipped(stage: stage.name, code: code, rows: 1)
            return
        }
        guard row < outcome.cut else { return }
        outcome.cut = row
        outcome.refusal = describe(plan, stage: stage, row: row, code: code, message: message, size: size)
        for index in row..<batch.rowCount { batch.rows[index].disposition = UInt8(CDCP_ROW_DROP) }
    }

    private func describe(_ plan: Plan, stage: StageInstance, row: Int, code: Int32, message: String, size: Int?) -> RowRefusal {
        let source = batch.rows[row]
        var table = ""
        var hash = ""
        if source.rel_index != CDCP_NO_RELATION {
            let bound = batch.bound[Int(source.rel_index)]
            table = bound.pointee.qualifiedName
            // The row's cells lie as the stage saw them, unless it may have begun to lay them out anew.
            let index = min(plan.stages.firstIndex { $0 === stage } ?? plan.codecIndex, plan.codecIndex)
            if let seen = bound.pointee.inputs[index], index == plan.codecIndex || stage.code.flags & UInt64(CDCP_STAGE_RESHAPES) == 0
                || bound.pointee.inputs[index + 1]?.pointee.column_count == seen.pointee.column_count
            {
                hash = keyHash(source, seen)
            }
        }
        return RowRefusal(
            stage: stage.name, table: table, keyHash: hash, commitLSN: batch.txns[Int(source.txn_index)].commit_lsn, ordinal: source.seq &* 2 &- 1,
            code: code, message: message, size: size)
    }

    private func keyHash(_ row: cdcp_row, _ relation: UnsafePointer<cdcp_relation>) -> String {
        var keys: [(UInt32, [UInt8])] = []
        for index in 0..<relation.pointee.column_count {
            guard let column = cdcp_relation_column(relation, index), column.pointee.key_ordinal > 0 else { continue }
            for cells in [row.new_cells, row.old_cells] {
                guard let cell = cells.map({ $0[Int(index)] }), cell.kind == UInt8(CDCP_CELL_VALUE), let start = cell.ptr else { continue }
                keys.append((column.pointee.key_ordinal, Array(UnsafeBufferPointer(start: start, count: Int(cell.len)))))
                break
            }
        }
        guard !keys.isEmpty else { return "" }
        let joined = keys.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: [31])
        return String(SHA256.hex(Array(joined)).prefix(16))
    }

    private func garbage(_ instance: StageInstance, _ what: String) -> StageFailure {
        StageFailure(stage: instance.name, call: "process", status: CDCP_E_FATAL, message: "the plugin breaks the contract: \(what)")
    }
}
