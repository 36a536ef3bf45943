import PluginABI

/// A row that a stage failed.
struct RowFailure {
    let row: Int
    let code: Int32
    let message: String
}

/// One batch's rows, transactions, runs and relations: allocated once, used again and again by the stage thread.
final class BatchMemory {
    /// Lies in front of the struct that stages see, so that a pointer to the batch finds its way back.
    private struct Box {
        var batch: cdcp_batch
        var owner: UnsafeMutableRawPointer
    }

    private let box: UnsafeMutablePointer<Box>
    let arena = Arena()
    private(set) var rows: UnsafeMutablePointer<cdcp_row>
    private var rowCapacity: Int
    var rowCount = 0
    private(set) var txns: UnsafeMutablePointer<cdcp_txn>
    private var txnCapacity = 64
    var txnCount = 0
    /// As many as there may be rows.
    private(set) var runs: UnsafeMutablePointer<cdcp_run>
    /// Of the batch's relations, by rel_index.
    private(set) var bound: UnsafeMutablePointer<UnsafeMutablePointer<BoundRelation>>
    private(set) var stageRelations: UnsafeMutablePointer<UnsafePointer<cdcp_relation>?>
    private var relationCapacity = 64
    var relationCount = 0
    /// Which batch: tells a relation whether its index is of this one.
    var serial: UInt64 = 1
    /// Bytes of cells and input that the batch holds, to cut it in time.
    var inputBytes = 0
    var failures: [RowFailure] = []
    /// Called while a codec runs: takes back the row's records.
    var takeBack: ((Int) -> Void)?

    init(rowsMax: Int) {
        rowCapacity = rowsMax + 64
        rows = .allocate(capacity: rowCapacity)
        txns = .allocate(capacity: txnCapacity)
        runs = .allocate(capacity: rowCapacity)
        bound = .allocate(capacity: relationCapacity)
        stageRelations = .allocate(capacity: relationCapacity)
        box = .allocate(capacity: 1)
        box.initialize(to: Box(batch: cdcp_batch(), owner: Unmanaged.passUnretained(self).toOpaque()))
        box.pointee.batch.struct_size = UInt32(MemoryLayout<cdcp_batch>.size)
        box.pointee.batch.row_stride = UInt32(MemoryLayout<cdcp_row>.stride)
        box.pointee.batch.txn_stride = UInt32(MemoryLayout<cdcp_txn>.stride)
        box.pointee.batch.arena = arena.pointer
    }

    deinit {
        rows.deallocate()
        txns.deallocate()
        runs.deallocate()
        bound.deallocate()
        stageRelations.deallocate()
        box.deallocate()
    }

    var pointer: UnsafeMutablePointer<cdcp_batch> { UnsafeMutableRawPointer(box).assumingMemoryBound(to: cdcp_batch.self) }

    static func of(_ batch: UnsafeMutablePointer<cdcp_batch>) -> BatchMemory {
        Unmanaged<BatchMemory>.fromOpaque(UnsafeMutableRawPointer(batch).assumingMemoryBound(to: Box.self).pointee.owner).takeUnretainedValue()
    }

    /// The next batch begins; an open transaction's entry is the builder's to carry over.
    func reset() {
        arena.reset()
        rowCount = 0
        txnCount = 0
        relationCount = 0
        inputBytes = 0
        serial &+= 1
        failures.removeAll(keepingCapacity: true)
    }

    /// Room for one more row.
    @inline(__always)
    func appendRow() -> UnsafeMutablePointer<cdcp_row> {
        if rowCount == rowCapacity { growRows() }
        let row = rows + rowCount
        rowCount += 1
        return row
    }

    private func growRows() {
        let larger = UnsafeMutablePointer<cdcp_row>.allocate(capacity: rowCapacity * 2)
        larger.moveInitialize(from: rows, count: rowCount)
        rows.deallocate()
        rows = larger
        rowCapacity *= 2
        // Rows are added while no stage runs: nobody holds the runs.
        runs.deallocate()
        runs = .allocate(capacity: rowCapacity)
    }

    /// The last rows do not count.
    func truncate(to count: Int) { rowCount = min(rowCount, count) }

    func appendTransaction(_ transaction: cdcp_txn) {
        if txnCount == txnCapacity {
            let larger = UnsafeMutablePointer<cdcp_txn>.allocate(capacity: txnCapacity * 2)
            larger.moveInitialize(from: txns, count: txnCount)
            txns.deallocate()
            txns = larger
            txnCapacity *= 2
        }
        (txns + txnCount).initialize(to: transaction)
        txnCount += 1
    }

    func appendRelation(_ relation: UnsafeMutablePointer<BoundRelation>) -> UInt32 {
        if relationCount == relationCapacity {
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<BoundRelation>>.allocate(capacity: relationCapacity * 2)
            larger.moveInitialize(from: bound, count: relationCount)
            bound.deallocate()
            stageRelations.deallocate()
            bound = larger
            stageRelations = .allocate(capacity: relationCapacity * 2)
            relationCapacity *= 2
        }
        bound[relationCount] = relation
        relationCount += 1
        return UInt32(relationCount - 1)
    }

    /// Prepares what stage number `stage` of a plan sees.
    /// - Returns: whether it has any row to work on.
    func present(stage: Int, wantsMarkers: Bool, opsMask: UInt32, filtersTables: Bool) -> Bool {
        for index in 0..<relationCount { stageRelations[index] = UnsafePointer(bound[index].pointee.inputs[stage]) }
        var count = 0
        var previous: UInt32 = CDCP_NO_RELATION
        var extends = false
        for index in 0..<rowCount {
            let row = rows + index
            let relation = row.pointee.rel_index
            guard row.pointee.disposition == UInt8(CDCP_ROW_KEEP), opsMask & (1 << UInt32(row.pointee.op & 31)) != 0,
                row.pointee.op < UInt8(CDCP_OP_BEGIN) || wantsMarkers,
                !filtersTables || relation == CDCP_NO_RELATION || bound[Int(relation)].pointee.visible[stage]
            else {
                extends = false
                continue
            }
            if extends, relation == previous {
                runs[count - 1].count &+= 1
            } else {
                let plan = relation == CDCP_NO_RELATION ? nil : bound[Int(relation)].pointee.plans[stage]
                runs[count] = cdcp_run(first: UInt32(index), count: 1, rel_index: relation, reserved: 0, plan: plan)
                count += 1
                previous = relation
                extends = true
            }
        }
        let batch = pointer
        batch.pointee.batch_id = serial
        batch.pointee.rows = UnsafeMutableRawPointer(rows)
        batch.pointee.row_count = UInt32(rowCount)
        batch.pointee.runs = UnsafePointer(runs)
        batch.pointee.run_count = UInt32(count)
        batch.pointee.relations = UnsafePointer(stageRelations)
        batch.pointee.relation_count = UInt32(relationCount)
        batch.pointee.txns = UnsafeRawPointer(txns)
        batch.pointee.txn_count = UInt32(txnCount)
        return count > 0
    }

    /// Rows whose disposition is neither keep nor drop.
    var failedRows: Int {
        var count = 0
        for index in 0..<rowCount where rows[index].disposition > UInt8(CDCP_ROW_DROP) { count &+= 1 }
        return count
    }

    func fail(_ row: UInt32, code: Int32, message: String) -> cdcp_status {
        guard Int(row) < rowCount else { return CDCP_E_UNSUPPORTED }
        guard rows[Int(row)].disposition != UInt8(CDCP_ROW_FAIL) else { return CDCP_OK }
        rows[Int(row)].disposition = UInt8(CDCP_ROW_FAIL)
        failures.append(RowFailure(row: Int(row), code: code, message: message))
        takeBack?(Int(row))
        return CDCP_OK
    }

    func addHeader(_ row: UInt32, _ header: cdcp_header) -> cdcp_status {
        guard Int(row) < rowCount, header.key != nil || header.key_len == 0 else { return CDCP_E_UNSUPPORTED }
        let target = rows + Int(row)
        let count = Int(target.pointee.header_count)
        let valueBytes = header.value_len == CDCP_HEADER_NULL ? 0 : Int(header.value_len)
        guard count < 1024, let list = arena.allocate((count + 1) * MemoryLayout<cdcp_header>.stride, align: 8),
            let key = arena.allocate(Int(header.key_len), align: 1), let value = arena.allocate(valueBytes, align: 1)
        else { return CDCP_E_FATAL }
        let headers = list.assumingMemoryBound(to: cdcp_header.self)
        if count > 0, let old = target.pointee.headers { headers.update(from: old, count: count) }
        if let from = header.key { key.copyMemory(from: from, byteCount: Int(header.key_len)) }
        if let from = header.value { value.copyMemory(from: from, byteCount: valueBytes) }
        headers[count] = cdcp_header(
            key: UnsafePointer(key.assumingMemoryBound(to: UInt8.self)), value: UnsafePointer(value.assumingMemoryBound(to: UInt8.self)),
            key_len: header.key_len, value_len: header.value_len)
        target.pointee.headers = UnsafePointer(headers)
        target.pointee.header_count = UInt32(count + 1)
        return CDCP_OK
    }
}
