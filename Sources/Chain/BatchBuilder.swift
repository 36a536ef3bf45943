import Pipeline
import PluginABI

/// A mark inside a batch: the transactions that are complete once all rows before `rows` are delivered.
struct BatchMark {
    let rows: Int
    let mark: StreamMark
    let transactions: Int
}

/// What stands behind `cdcp_builder_ops`: takes what the decoder says and makes rows, transactions and marks of it. Stage thread only.
///
/// The hot calls (row, begin, commit) touch plain memory; a new shape is interned and bound through the running plan.
final class BatchBuilder {
    /// Where a relation of the stream stands at the moment.
    private struct Live {
        /// As the server sends it.
        var relation: UnsafePointer<cdcp_relation>
        /// As the stages get it.
        var seen: UnsafePointer<cdcp_relation>
        var bound: UnsafeMutablePointer<BoundRelation>
        var columnCount: UInt32
        /// Its index in the batch whose serial this is.
        var index: UInt32
        var serial: UInt64
        /// Announced again, and not looked at yet.
        var isStale: Bool
        /// A table that the publication holds for somebody else: its rows are counted and left out.
        var isForeign: Bool
    }

    let batch: BatchMemory
    var plan: Plan
    var tracker: TransactionTracker
    private(set) var marks: [BatchMark] = []
    /// Told what a live relation is from now on, by its place; nil: captured by somebody else.
    var onLive: ((_ place: Int, UnsafePointer<cdcp_relation>?) -> Void)?
    private let whereabouts: Whereabouts
    /// Why a callback refused: more than a status can say.
    var refusal: LaneStop?
    private let resolve: (RelationShape) throws(LaneStop) -> ResolvedShape
    private var live: UnsafeMutablePointer<Live>
    private var liveCount = 0
    private var liveCapacity = 64
    private var oids = OIDTable()
    private var lastOID: UInt32 = 0
    private var lastLive: Int32 = -1
    private var transaction = cdcp_txn()
    private var transactionIndex: UInt32 = 0
    /// Of the transaction that was begun last.
    var commitLSN: UInt64 { transaction.commit_lsn }
    private var transactionSerial: UInt64 = 0
    private var transactionsSinceMark = 0
    private let ops: UnsafeMutablePointer<cdcp_builder_ops>
    var walStart: UInt64 = 0

    /// - Parameter resolve: completes a shape that the server announced with what the catalog says of it.
    init(
        batch: BatchMemory, plan: Plan, start: StreamMark, whereabouts: Whereabouts, resolve: @escaping (RelationShape) throws(LaneStop) -> ResolvedShape
    ) {
        self.whereabouts = whereabouts
        self.batch = batch
        self.plan = plan
        self.resolve = resolve
        tracker = TransactionTracker(start: start)
        live = .allocate(capacity: liveCapacity)
        ops = .allocate(capacity: 1)
        ops.initialize(to: BuilderCallbacks.table)
    }

    deinit {
        live.deallocate()
        oids.free()
        ops.deallocate()
    }

    var opsPointer: UnsafePointer<cdcp_builder_ops> { UnsafePointer(ops) }
    var handle: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    // MARK: relations

    /// Announced shapes that have had no row yet. The server also announces what never gets rows (partitions that go by their root), and
    /// announces again what has not changed: nothing is asked of the catalog or of a stage before a row is there.
    private var announced: [UInt32: RelationShape] = [:]

    func announceLazily(_ shape: RelationShape) {
        announced[shape.oid] = shape
        let slot = oids.find(shape.oid)
        if slot >= 0 { live[Int(slot)].isStale = true }
        lastLive = -1
    }

    /// The first row after an announcement.
    /// - Returns: its place among the live relations; -1: never announced, or refused (see `refusal`).
    private func settle(_ oid: UInt32) -> Int32 {
        guard let shape = announced[oid] else { return -1 }
        // The decoder waits; what is called now is the catalog and other stages.
        whereabouts.leave()
        defer { whereabouts.enter(0) }
        do throws(LaneStop) { try announce(shape) } catch {
            refusal = error
            return -1
        }
        announced[oid] = nil
        return oids.find(oid)
    }

    /// Takes a shape, and binds it.
    func announce(_ shape: RelationShape) throws(LaneStop) { try take(resolve(shape)) }

    /// Takes a shape that is known already, and binds it.
    func take(_ resolved: ResolvedShape) throws(LaneStop) {
        let slot = oids.find(resolved.shape.oid)
        let previous = slot >= 0 ? live[Int(slot)].relation : nil
        let relation = plan.services.registry.intern(resolved.shape, previous: previous)
        if slot >= 0, live[Int(slot)].relation == relation, live[Int(slot)].isForeign == resolved.isForeign {
            live[Int(slot)].isStale = false
            return
        }
        // What the host cuts, no stage ever sees.
        var seen = relation
        if let kept = resolved.keptColumns { seen = plan.services.registry.derive(relation, kept.map { resolved.shape.columns[$0] }) }
        let bound: UnsafeMutablePointer<BoundRelation>
        do throws(StageFailure) {
            guard !resolved.isForeign else { throw StageFailure(stage: "", call: "", status: CDCP_OK, message: "") }
            guard let made = try plan.bind(seen) else { throw StageFailure(stage: "", call: "bind", status: CDCP_E_FATAL, message: "not bound") }
            bound = made
            if let kept = resolved.keptColumns {
                let cut = UnsafeMutableBufferPointer<Int32>.allocate(capacity: kept.count)
                _ = cut.initialize(from: kept.map(Int32.init))
                cuts[seen.pointee.schema_id] = UnsafeBufferPointer(cut)
                bound.pointee.cut = UnsafeBufferPointer(cut)
            }
        } catch {
            guard resolved.isForeign else { throw .shapeRefused(table: resolved.shape.qualifiedName, failure: error) }
            bound = foreign
        }
        place(
            Live(
                relation: relation, seen: seen, bound: bound, columnCount: relation.pointee.column_count, index: 0, serial: 0, isStale: false,
                isForeign: resolved.isForeign), slot, resolved.shape.oid)
        if plan.wantsMarkers, previous != nil, !resolved.isForeign {
            appendMarker(UInt8(CDCP_OP_SCHEMA), relation: index(of: oids.find(resolved.shape.oid)))
        }
    }

    /// Which columns of a shape are kept, by schema_id of what is left.
    private var cuts: [UInt64: UnsafeBufferPointer<Int32>] = [:]
    /// Stands where a foreign table's binding would.
    private let foreign = BoundRelation.none()

    private func place(_ entry: Live, _ slot: Int32, _ oid: UInt32) {
        let place = slot >= 0 ? Int(slot) : liveCount
        if slot >= 0 {
            live[place] = entry
        } else {
            if liveCount == liveCapacity {
                let larger = UnsafeMutablePointer<Live>.allocate(capacity: liveCapacity * 2)
                larger.moveInitialize(from: live, count: liveCount)
                live.deallocate()
                live = larger
                liveCapacity *= 2
            }
            (live + liveCount).initialize(to: entry)
            oids.set(oid, Int32(liveCount))
            liveCount += 1
        }
        lastLive = -1
        onLive?(place, entry.isForeign ? nil : entry.seen)
    }

    /// At the reload barrier: every live relation in the new plan. Throws before anything changed.
    func adopt(_ new: Plan) throws(StageFailure) {
        var fresh: [UnsafeMutablePointer<BoundRelation>] = []
        for index in 0..<liveCount {
            guard !live[index].isForeign, let bound = try new.bind(live[index].seen, takingOver: plan, mayCallKept: true) else {
                fresh.append(live[index].bound)
                continue
            }
            bound.pointee.cut = cuts[live[index].seen.pointee.schema_id]
            fresh.append(bound)
        }
        try new.completeBindings()
        for index in 0..<liveCount {
            live[index].bound = fresh[index]
            live[index].serial = 0
        }
        plan = new
    }

    @inline(__always)
    private func index(of slot: Int32) -> UInt32 {
        let entry = live + Int(slot)
        if entry.pointee.serial != batch.serial {
            entry.pointee.index = batch.appendRelation(entry.pointee.bound)
            entry.pointee.serial = batch.serial
        }
        return entry.pointee.index
    }

    @inline(__always)
    private func find(_ oid: UInt32) -> Int32 {
        if oid == lastOID, lastLive >= 0 { return lastLive }
        var slot = oids.find(oid)
        if slot < 0 || live[Int(slot)].isStale { slot = settle(oid) }
        lastOID = oid
        lastLive = slot
        return slot
    }

    // MARK: transactions

    func begin(xid: UInt32, commitLSN: UInt64, time: Int64) throws(TransactionTracker.Violation) {
        try tracker.begin(commitLSN: commitLSN)
        transaction.xid = xid
        transaction.flags = 0
        transaction.commit_lsn = commitLSN
        transaction.end_lsn = 0
        transaction.previous_end_lsn = tracker.mark.lastCommitEnd
        transaction.commit_ts_us = time
        transaction.origin = cdcp_str()
        transaction.origin_lsn = 0
        transactionSerial = 0
        if plan.wantsMarkers { appendMarker(UInt8(CDCP_OP_BEGIN)) }
    }

    /// The snapshot as one transaction: `commit_lsn` is its consistent point.
    func beginSnapshot(point: UInt64, time: Int64) throws(TransactionTracker.Violation) {
        try tracker.begin(commitLSN: point)
        transaction = cdcp_txn()
        transaction.flags = UInt32(CDCP_TXNF_SNAPSHOT)
        transaction.commit_lsn = point
        transaction.commit_ts_us = time
        transactionSerial = 0
    }

    func origin(_ name: cdcp_str, lsn: UInt64) {
        // Origins are few, and a transaction has one: kept as long as the process.
        transaction.origin = OriginNames.intern(String(abi: name))
        transaction.origin_lsn = lsn
        transactionSerial = 0
    }

    func commit(commitLSN: UInt64, end: UInt64, time: Int64) throws(TransactionTracker.Violation) {
        try tracker.commit(commitLSN: commitLSN, end: end, time: time)
        transaction.end_lsn = end
        if transactionSerial == batch.serial { batch.txns[Int(transactionIndex)].end_lsn = end }
        if plan.wantsMarkers { appendMarker(UInt8(CDCP_OP_COMMIT)) }
        addMark(transactions: 1)
    }

    /// The server is idle up to here.
    func idle(at position: UInt64) {
        if tracker.idle(at: position) { addMark(transactions: 0) }
    }

    private func addMark(transactions: Int) {
        if let last = marks.last, last.rows == batch.rowCount {
            marks[marks.count - 1] = BatchMark(rows: last.rows, mark: tracker.mark, transactions: last.transactions + transactions)
        } else {
            marks.append(BatchMark(rows: batch.rowCount, mark: tracker.mark, transactions: transactions))
        }
    }

    @inline(__always)
    private func currentTransaction() -> UInt32 {
        if transactionSerial != batch.serial {
            transactionIndex = UInt32(batch.txnCount)
            batch.appendTransaction(transaction)
            transactionSerial = batch.serial
        }
        return transactionIndex
    }

    // MARK: rows

    /// One row; cells preset to ABSENT.
    @inline(__always)
    func row(
        op: UInt8, oid: UInt32, flags: UInt16, hasOld: Bool, columnCount: UInt32, new: UnsafeMutablePointer<UnsafeMutablePointer<cdcp_cell>?>?,
        old: UnsafeMutablePointer<UnsafeMutablePointer<cdcp_cell>?>?
    ) -> cdcp_status {
        let slot = find(oid)
        guard slot >= 0 else { return CDCP_E_UNSUPPORTED }
        let count = live[Int(slot)].columnCount
        guard count == columnCount else { return CDCP_E_DATA }
        let seq: UInt64
        let skip: Bool
        do throws(TransactionTracker.Violation) { (seq, skip) = try tracker.row() } catch { return violated(error) }
        let hasNew = op != UInt8(CDCP_OP_DELETE) && op != UInt8(CDCP_OP_TRUNCATE)
        let bytes = Int(count) &* MemoryLayout<cdcp_cell>.stride
        let total = (hasNew ? bytes : 0) &+ (hasOld ? bytes : 0)
        var cells: UnsafeMutablePointer<cdcp_cell>?
        if total > 0 {
            guard let memory = batch.arena.allocate(total, align: 16) else { return CDCP_E_FATAL }
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: total)
            cells = memory.assumingMemoryBound(to: cdcp_cell.self)
        }
        let newCells = hasNew ? cells : nil
        let oldCells = hasOld ? (hasNew ? cells.map { $0 + Int(count) } : cells) : nil
        let isForeign = live[Int(slot)].isForeign
        let relation = isForeign ? CDCP_NO_RELATION : index(of: slot)
        let transaction = currentTransaction()
        let leftOut = skip || isForeign
        batch.appendRow().initialize(
            to: cdcp_row(
                op: op, disposition: leftOut ? UInt8(CDCP_ROW_DROP) : UInt8(CDCP_ROW_KEEP), flags: flags, rel_index: relation, txn_index: transaction,
                topic: 0, seq: seq, lsn: walStart, new_cells: newCells, old_cells: oldCells, headers: nil, header_count: 0, reserved: 0))
        if !leftOut { live[Int(slot)].bound.pointee.counts[Int(op & 7)] &+= 1 }
        new?.pointee = newCells
        old?.pointee = oldCells
        return CDCP_OK
    }

    /// A row of the snapshot: numbered within its table.
    func snapshotRow(oid: UInt32, flags: UInt16, seq: UInt64) -> UnsafeMutablePointer<cdcp_cell>? {
        let slot = find(oid)
        guard slot >= 0 else { return nil }
        let count = Int(live[Int(slot)].columnCount)
        guard let memory = batch.arena.allocate(count &* MemoryLayout<cdcp_cell>.stride, align: 16) else { return nil }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: count &* MemoryLayout<cdcp_cell>.stride)
        let cells = memory.assumingMemoryBound(to: cdcp_cell.self)
        let relation = index(of: slot)
        let transaction = currentTransaction()
        batch.appendRow().initialize(
            to: cdcp_row(
                op: UInt8(CDCP_OP_READ), disposition: UInt8(CDCP_ROW_KEEP), flags: flags, rel_index: relation, txn_index: transaction, topic: 0,
                seq: seq, lsn: self.transaction.commit_lsn, new_cells: cells, old_cells: nil, headers: nil, header_count: 0, reserved: 0))
        live[Int(slot)].bound.pointee.counts[Int(CDCP_OP_READ)] &+= 1
        return cells
    }

    func columnCount(oid: UInt32) -> Int {
        let slot = find(oid)
        return slot < 0 ? -1 : Int(live[Int(slot)].columnCount)
    }

    func message(_ message: cdcp_message) -> cdcp_status {
        let transactional = message.flags & 1 != 0
        var seq: UInt64 = 1
        var skip = false
        do throws(TransactionTracker.Violation) {
            if transactional {
                (seq, skip) = try tracker.row()
            } else {
                // Before the mark moves: its predecessor is the last commit either way.
                transactionSerial = 0
                transaction = cdcp_txn()
                transaction.flags = UInt32(CDCP_TXNF_MESSAGE)
                transaction.commit_lsn = message.lsn
                transaction.previous_end_lsn = tracker.mark.lastCommitEnd
                transaction.commit_ts_us = wallClockMicroseconds()
                skip = message.lsn <= tracker.mark.position
                try tracker.standalone(lsn: message.lsn)
            }
        } catch { return violated(error) }
        guard let memory = batch.arena.allocate(2 * MemoryLayout<cdcp_cell>.stride, align: 16) else { return CDCP_E_FATAL }
        let cells = memory.assumingMemoryBound(to: cdcp_cell.self)
        cells.initialize(
            to: cdcp_cell(
                ptr: UnsafeRawPointer(message.prefix.ptr)?.assumingMemoryBound(to: UInt8.self), len: message.prefix.len, kind: UInt8(CDCP_CELL_VALUE),
                format: UInt8(CDCP_FMT_TEXT), flags: 0))
        (cells + 1).initialize(
            to: cdcp_cell(
                ptr: message.content, len: message.content_len, kind: UInt8(CDCP_CELL_VALUE), format: UInt8(CDCP_FMT_BINARY), flags: 0))
        let index = currentTransaction()
        batch.appendRow().initialize(
            to: cdcp_row(
                op: UInt8(CDCP_OP_MESSAGE), disposition: skip ? UInt8(CDCP_ROW_DROP) : UInt8(CDCP_ROW_KEEP),
                flags: transactional ? UInt16(CDCP_ROWF_TRANSACTIONAL) : 0, rel_index: CDCP_NO_RELATION, txn_index: index, topic: 0, seq: seq,
                lsn: message.lsn, new_cells: cells, old_cells: nil, headers: nil, header_count: 0, reserved: 0))
        if !skip { messages &+= 1 }
        if !transactional { addMark(transactions: 1) }
        return CDCP_OK
    }

    /// Logical messages since they were last counted.
    var messages: UInt64 = 0

    func truncate(_ oids: UnsafeBufferPointer<UInt32>) -> cdcp_status {
        for oid in oids {
            let slot = find(oid)
            guard slot >= 0 else { return CDCP_E_UNSUPPORTED }
            let status = row(
                op: UInt8(CDCP_OP_TRUNCATE), oid: oid, flags: 0, hasOld: false, columnCount: live[Int(slot)].columnCount, new: nil, old: nil)
            guard status == CDCP_OK else { return status }
        }
        return CDCP_OK
    }

    private func appendMarker(_ op: UInt8, relation: UInt32 = CDCP_NO_RELATION) {
        let index = currentTransaction()
        batch.appendRow().initialize(
            to: cdcp_row(
                op: op, disposition: UInt8(CDCP_ROW_KEEP), flags: 0, rel_index: relation, txn_index: index, topic: 0, seq: 0, lsn: walStart,
                new_cells: nil, old_cells: nil, headers: nil, header_count: 0, reserved: 0))
    }

    func violated(_ violation: TransactionTracker.Violation) -> cdcp_status {
        refusal = .data(stage: plan.decoder.name, message: "the stream's transactions do not fit: \(violation)", position: walStart)
        return CDCP_E_DATA
    }

    /// How far the batch was before a message.
    struct Point {
        let rows: Int
        let completed: Int
    }

    var point: Point { Point(rows: batch.rowCount, completed: tracker.completed) }

    /// The message since `point` was refused: its rows leave the batch again.
    func takeBack(to point: Point) {
        var counted: UInt64 = 0
        for index in point.rows..<batch.rowCount {
            let row = batch.rows[index]
            guard row.op < UInt8(CDCP_OP_BEGIN) else { continue }
            if row.op != UInt8(CDCP_OP_MESSAGE) || row.flags & UInt16(CDCP_ROWF_TRANSACTIONAL) != 0 { counted += 1 }
            if row.disposition == UInt8(CDCP_ROW_KEEP), row.rel_index != CDCP_NO_RELATION { batch.bound[Int(row.rel_index)].pointee.counts[Int(row.op & 7)] &-= 1 }
        }
        tracker.takeBack(rows: counted)
        // A commit that its own decoder refused: rather one mark too few, since what is behind one may be acknowledged.
        if tracker.completed != point.completed, !marks.isEmpty { marks.removeLast() }
        batch.truncate(to: point.rows)
    }

    /// The batch has gone its way; the next one begins.
    func startNext() {
        batch.reset()
        marks.removeAll(keepingCapacity: true)
    }
}

/// Names of replication origins, each kept once.
enum OriginNames {
    private static let gate = Gate()
    // SAFETY: under the gate.
    nonisolated(unsafe) private static var known: [String: cdcp_str] = [:]

    static func intern(_ name: String) -> cdcp_str {
        gate.locked {
            if let text = known[name] { return text }
            let text = PermanentText.make(name)
            known[name] = text
            return text
        }
    }
}
