public import PluginABI

/// A batch in memory, as the host would lay it out.
///
/// The C struct comes first in its memory and the object's address behind it: calls like `row_fail` find their way back by it.
public final class BatchMemory {
    static let rowStride = MemoryLayout<cdcp_row>.stride + 16
    static let transactionStride = MemoryLayout<cdcp_txn>.stride + 24

    public let pointer: UnsafeMutablePointer<cdcp_batch>
    let host: FakeHost
    let memory = GuardedMemory()
    /// The shape of each rel_index, as the stage that is being called sees it.
    private(set) var relations: [Relation] = []
    /// The shape of each rel_index behind that stage.
    private(set) var outputs: [Relation] = []
    var failures: [UInt32: RowResult.Failure] = [:]
    /// A codec's records: a failed row takes its own back.
    var emitter: EmitterMemory?
    private let arena: UnsafeMutablePointer<cdcp_arena>
    private let rowCount: Int
    private let arenaStart: UnsafeMutablePointer<UInt8>
    private var cells: [(row: Int, isNew: Bool, start: UnsafeMutablePointer<cdcp_cell>, copy: [cdcp_cell])] = []
    private var rowCopies: [cdcp_row] = []

    /// - Parameters:
    ///   - bindings: what the stage said to each relation, nil where the relation is not bound.
    ///   - wantsMarkers: markers get runs of their own.
    ///   - arenaRoom: bytes of the arena's first chunk; the next come one by one.
    init(
        _ rows: [RowSpec], transactions: [TransactionSpec], host: FakeHost, bindings: (Relation) throws -> StageInstance.Bound, wantsMarkers: Bool,
        arenaRoom: Int = 24
    ) throws {
        self.host = host
        rowCount = rows.count
        pointer = memory.piece(MemoryLayout<cdcp_batch>.stride + MemoryLayout<UnsafeRawPointer>.stride).bindMemory(to: cdcp_batch.self, capacity: 1)
        arena = memory.piece(MemoryLayout<cdcp_arena>.stride).bindMemory(to: cdcp_arena.self, capacity: 1)
        arenaStart = memory.piece(arenaRoom).assumingMemoryBound(to: UInt8.self)
        UnsafeMutableRawPointer(pointer + 1).storeBytes(of: Unmanaged.passUnretained(self).toOpaque(), as: UnsafeMutableRawPointer.self)

        var plans: [UnsafeMutableRawPointer?] = []
        var indices: [UInt32] = []
        for row in rows {
            guard let relation = row.relation else {
                indices.append(CDCP_NO_RELATION)
                continue
            }
            if let known = relations.firstIndex(where: { $0 === relation }) {
                indices.append(UInt32(known))
                continue
            }
            let bound = try bindings(relation)
            indices.append(UInt32(relations.count))
            relations.append(relation)
            outputs.append(bound.output)
            plans.append(bound.plan)
        }
        let rowMemory = memory.piece(rows.count * Self.rowStride)
        var sequence: [UInt32: UInt64] = [:]
        for (index, spec) in rows.enumerated() {
            sequence[spec.transaction, default: 0] += 1
            var row = cdcp_row()
            row.op = spec.op
            row.flags = spec.flags
            row.rel_index = indices[index]
            row.txn_index = spec.transaction
            row.topic = spec.topic
            row.seq = spec.seq ?? sequence[spec.transaction, default: 1]
            row.lsn = spec.lsn
            row.new_cells = spec.new.map { cellArray($0, row: index, isNew: true) }
            row.old_cells = spec.old.map { cellArray($0, row: index, isNew: false) }
            if !spec.headers.isEmpty {
                row.headers = headerArray(spec.headers)
                row.header_count = UInt32(spec.headers.count)
            }
            (rowMemory + index * Self.rowStride).initializeMemory(as: cdcp_row.self, to: row)
            rowCopies.append(row)
            if let relation = spec.relation, [spec.new, spec.old].contains(where: { $0 != nil && $0?.count != relation.spec.columns.count }) {
                throw HarnessError("row \(index): \(relation.spec.table) has \(relation.spec.columns.count) columns")
            }
        }
        let transactionMemory = memory.piece(transactions.count * Self.transactionStride)
        for (index, spec) in transactions.enumerated() {
            let record = cdcp_txn(
                xid: spec.xid, flags: spec.flags, commit_lsn: spec.commitLSN, end_lsn: spec.endLSN, previous_end_lsn: spec.previousEndLSN,
                commit_ts_us: spec.commitTime, origin: permanent(spec.origin), origin_lsn: spec.originLSN)
            (transactionMemory + index * Self.transactionStride).initializeMemory(as: cdcp_txn.self, to: record)
        }
        var runs: [cdcp_run] = []
        for index in rows.indices where wantsMarkers || rows[index].op < UInt8(CDCP_OP_BEGIN) {
            if let last = runs.last, last.rel_index == indices[index], last.first + last.count == UInt32(index) {
                runs[runs.count - 1].count += 1
            } else {
                let plan = indices[index] == CDCP_NO_RELATION ? nil : plans[Int(indices[index])]
                runs.append(cdcp_run(first: UInt32(index), count: 1, rel_index: indices[index], reserved: 0, plan: plan))
            }
        }
        let runMemory = memory.piece(runs.count * MemoryLayout<cdcp_run>.stride).bindMemory(to: cdcp_run.self, capacity: max(runs.count, 1))
        runMemory.initialize(from: runs, count: runs.count)
        let table = memory.piece(relations.count * MemoryLayout<UnsafeRawPointer>.stride)
            .bindMemory(to: UnsafePointer<cdcp_relation>?.self, capacity: max(relations.count, 1))
        for (index, relation) in relations.enumerated() { table[index] = relation.pointer }

        pointer.initialize(
            to: cdcp_batch(
                struct_size: UInt32(MemoryLayout<cdcp_batch>.size), flags: 0, batch_id: 1, row_count: UInt32(rows.count),
                row_stride: UInt32(Self.rowStride), run_count: UInt32(runs.count), relation_count: UInt32(relations.count),
                txn_count: UInt32(transactions.count), txn_stride: UInt32(Self.transactionStride), rows: rowMemory, runs: runMemory,
                relations: UnsafePointer(table), txns: UnsafeRawPointer(transactionMemory), arena: arena))
        arena.initialize(
            to: cdcp_arena(
                cur: arenaStart, end: arenaStart + arenaRoom, slow: BatchMemory.slow, host: Unmanaged.passUnretained(self).toOpaque()))
    }

    // Every piece of its own, so that a write behind it is seen.
    private static let slow: @convention(c) (UnsafeMutablePointer<cdcp_arena>?, UInt64, UInt32) -> UnsafeMutableRawPointer? = { arena, size, align in
        guard let host = arena?.pointee.host, size < 1 << 31 else { return nil }
        let batch = Unmanaged<BatchMemory>.fromOpaque(host).takeUnretainedValue()
        if align == 0 || align & (align - 1) != 0 || align > 16 { batch.host.violation("arena: alignment \(align)") }
        return batch.memory.piece(Int(size))
    }

    /// The object behind a batch that came back over the border.
    static func of(_ batch: UnsafeMutablePointer<cdcp_batch>?) -> BatchMemory? {
        guard let batch else { return nil }
        return Unmanaged<BatchMemory>.fromOpaque(UnsafeRawPointer(batch + 1).load(as: UnsafeMutableRawPointer.self)).takeUnretainedValue()
    }

    func row(_ index: Int) -> UnsafeMutablePointer<cdcp_row> {
        (pointer.pointee.rows + index * Self.rowStride).assumingMemoryBound(to: cdcp_row.self)
    }

    private func cellArray(_ literals: [Cell], row: Int, isNew: Bool) -> UnsafeMutablePointer<cdcp_cell> {
        let size = literals.count * MemoryLayout<cdcp_cell>.stride
        let array = memory.piece(size).bindMemory(to: cdcp_cell.self, capacity: max(literals.count, 1))
        for (index, literal) in literals.enumerated() {
            var cell = cdcp_cell()
            switch literal {
            case .text(let text): fill(&cell, Array(text.utf8), CDCP_FMT_TEXT)
            case .bytes(let bytes): fill(&cell, bytes, CDCP_FMT_TEXT)
            case .rewritten(let bytes):
                fill(&cell, bytes, CDCP_FMT_TEXT)
                cell.flags = UInt16(CDCP_CELLF_REWRITTEN)
            case .binary(let bytes): fill(&cell, bytes, CDCP_FMT_BINARY)
            case .null: cell.kind = UInt8(CDCP_CELL_NULL)
            case .absent: cell.kind = UInt8(CDCP_CELL_ABSENT)
            case .unchanged: cell.kind = UInt8(CDCP_CELL_UNCHANGED)
            case .kind(let kind): cell.kind = kind
            }
            array.advanced(by: index).initialize(to: cell)
        }
        cells.append((row, isNew, array, Array(UnsafeBufferPointer(start: array, count: literals.count))))
        return array
    }

    private func fill(_ cell: inout cdcp_cell, _ bytes: [UInt8], _ format: Int32) {
        cell.kind = UInt8(CDCP_CELL_VALUE)
        cell.format = UInt8(format)
        cell.ptr = memory.input(bytes)
        cell.len = UInt32(bytes.count)
    }

    func headerArray(_ headers: [Header]) -> UnsafePointer<cdcp_header> {
        let array = memory.piece(headers.count * MemoryLayout<cdcp_header>.stride).bindMemory(to: cdcp_header.self, capacity: headers.count)
        for (index, header) in headers.enumerated() {
            let key = Array(header.key.utf8)
            array.advanced(by: index).initialize(
                to: cdcp_header(
                    key: memory.input(key), value: header.value.map { memory.input($0) }, key_len: UInt32(key.count),
                    value_len: header.value.map { UInt32($0.count) } ?? CDCP_HEADER_NULL))
        }
        return UnsafePointer(array)
    }

    /// Puts all rows back as they were, for another measurement.
    func reset() {
        for (index, copy) in rowCopies.enumerated() { row(index).pointee = copy }
        for array in cells { array.start.update(from: array.copy, count: array.copy.count) }
        arena.pointee.cur = arenaStart
    }

    /// What the stage left behind; checks that it kept to its rows and to memory of the batch.
    func results(isTransform: Bool) throws(ContractViolation) -> [RowResult] {
        let results = (0..<rowCount).map { result($0, isTransform: isTransform) }
        for line in memory.damage() { host.violation(line) }
        try host.checkViolations()
        return results
    }

    private func result(_ index: Int, isTransform: Bool) -> RowResult {
        let row = row(index).pointee
        let number = rowCopies[index].rel_index
        let relation = number == CDCP_NO_RELATION ? nil : (isTransform ? outputs : relations)[Int(number)]
        if row.rel_index != number { host.violation("row \(index): rel_index was changed") }
        let gap = UnsafeRawBufferPointer(start: self.row(index) + 1, count: Self.rowStride - MemoryLayout<cdcp_row>.stride)
        if gap.contains(where: { $0 != 0xCD }) { host.violation("row \(index): written behind the row, whose step is row_stride") }
        if row.disposition == UInt8(CDCP_ROW_FAIL), failures[UInt32(index)] == nil { host.violation("row \(index): FAIL without row_fail") }
        let width = relation?.spec.columns.count ?? (row.op == UInt8(CDCP_OP_MESSAGE) ? 2 : 0)
        let read: (UnsafeMutablePointer<cdcp_cell>?) -> ([Cell], [UInt16])? = { start in
            guard let start, row.disposition == UInt8(CDCP_ROW_KEEP) else { return nil }
            if !self.memory.contains(start, width * MemoryLayout<cdcp_cell>.stride) {
                self.host.violation("row \(index): its cells are fewer than the \(width) columns, or lie outside the batch's memory")
                return nil
            }
            let buffer = UnsafeBufferPointer(start: start, count: width)
            return (buffer.map { self.literal($0, index) }, buffer.map(\.flags))
        }
        let new = read(row.new_cells)
        let old = read(row.old_cells)
        return RowResult(
            op: row.op, disposition: row.disposition, flags: row.flags, topic: row.topic, relation: relation, new: new?.0, old: old?.0,
            newFlags: new?.1 ?? [], oldFlags: old?.1 ?? [],
            headers: UnsafeBufferPointer(start: row.headers, count: Int(row.header_count)).map { Header($0) },
            failure: failures[UInt32(index)])
    }

    private func literal(_ cell: cdcp_cell, _ row: Int) -> Cell {
        switch Int32(cell.kind) {
        case CDCP_CELL_ABSENT: return .absent
        case CDCP_CELL_NULL: return .null
        case CDCP_CELL_UNCHANGED: return .unchanged
        case CDCP_CELL_VALUE:
            let bytes = Array(UnsafeRawBufferPointer(start: cell.ptr, count: Int(cell.len)))
            if cell.format == UInt8(CDCP_FMT_BINARY) { return .binary(bytes) }
            return String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .bytes(bytes)
        default: return .kind(cell.kind)
        }
    }
}
