import PluginABI
import PluginKit

/// Writes the records of one batch. Lives on the stack of one `encode` call.
struct BatchEncoder {
    let host: PluginHost
    let batch: UnsafeMutablePointer<cdcp_batch>
    let compact: Bool
    let tombstones: Bool
    let skipped: UInt32
    let messageBinary: BinaryText
    let memory: UnsafeMutablePointer<Scratch>
    let quoted: UnsafeMutablePointer<Scratch>
    let stream: StreamText
    let oldKey: UnsafeMutablePointer<cdcp_emitter>
    let newKey: UnsafeMutablePointer<cdcp_emitter>
    let contextHeaders: UnsafeMutablePointer<cdcp_header>?
    let contextHeaderCount: Int
    let messageTopic: String
    let clock: BatchClock
    /// `","ts_ms":…}` of the batch.
    let clockTail: Fragment
    var messageTopicNumber: UInt32 = 0
    var writer: RecordWriter
    var transaction: TransactionText
    /// Which transaction `transaction` holds.
    var transactionIndex = UInt32.max
    /// What the host answered when it refused a record.
    var status = CDCP_OK

    init(
        host: PluginHost, batch: UnsafeMutablePointer<cdcp_batch>, emitter: UnsafeMutablePointer<cdcp_emitter>, options: CodecOptions,
        resources: CodecResources
    ) throws(CellFailure) {
        self.host = host
        self.batch = batch
        compact = options.format == .compact
        tombstones = options.tombstones
        skipped = options.skipped
        messageBinary = options.binary.text
        memory = resources.memory
        quoted = resources.quoted
        stream = resources.stream
        oldKey = resources.oldKey
        newKey = resources.newKey
        contextHeaders = resources.contextHeaders?.headers
        contextHeaderCount = resources.contextHeaders?.count ?? 0
        messageTopic = resources.messageTopic
        clock = BatchClock()
        clockTail = try clock.tail(resources.clock)
        writer = try RecordWriter(emitter)
        transaction = try TransactionText(resources.transaction)
    }

    mutating func encode() -> cdcp_status {
        let view = batch.view
        for run in view.runs {
            for index in run.first..<(run.first &+ run.count) {
                let row = view.row(index)
                // An update may be a change of key, which is a delete and a create: `change` looks.
                if skips(row.pointee.op), row.pointee.op != UInt8(CDCP_OP_UPDATE) { continue }
                do throws(CellFailure) {
                    if row.pointee.txn_index != transactionIndex { try enter(row.pointee.txn_index) }
                    if let plan = run.plan {
                        try change(index, row, plan.assumingMemoryBound(to: RelationPlan.self))
                    } else if row.pointee.op == UInt8(CDCP_OP_MESSAGE) {
                        try message(index, row)
                    }
                } catch {
                    switch error {
                    case .stopped: return status
                    case .memory:
                        host.setError("no memory for a record")
                        return CDCP_E_FATAL
                    default:
                        let plan = run.plan?.assumingMemoryBound(to: RelationPlan.self)
                        host.fail(batch, row: index, code: error.code, error.sentence(plan, column: writer.column))
                        writer.rewind()
                    }
                }
            }
        }
        return CDCP_OK
    }

    @inline(__always)
    private func skips(_ op: UInt8) -> Bool { skipped &>> UInt32(op & 31) & 1 != 0 }

    private mutating func enter(_ index: UInt32) throws(CellFailure) {
        guard index < batch.pointee.txn_count else { throw .noTuple }
        let txn = batch.view.transaction(index)
        if compact { try transaction.compact(txn) } else { try transaction.debezium(txn, stream) }
        transactionIndex = index
    }

    @inline(__always)
    private mutating func change(
        _ index: UInt32, _ row: UnsafeMutablePointer<cdcp_row>, _ plan: UnsafePointer<RelationPlan>
    ) throws(CellFailure) {
        writer.column = -1
        switch Int32(row.pointee.op) {
        case CDCP_OP_INSERT, CDCP_OP_READ:
            guard let new = row.pointee.new_cells else { throw .noTuple }
            let key = try key(plan, new, nil)
            let op = row.pointee.op == UInt8(CDCP_OP_READ) ? UInt8(ascii: "r") : UInt8(ascii: "c")
            try value(op, row, plan, before: nil, after: new, fill: nil, ordinal: row.pointee.seq &* 2 &- 1)
            try emit(index, key)
        case CDCP_OP_UPDATE:
            guard let new = row.pointee.new_cells else { throw .noTuple }
            let old = row.pointee.old_cells
            if let old, try keyChanged(plan, old, new) {
                try keyChange(index, row, plan, old, new)
            } else if !skips(row.pointee.op) {
                let key = try key(plan, new, old)
                try value(UInt8(ascii: "u"), row, plan, before: old, after: new, fill: old, ordinal: row.pointee.seq &* 2 &- 1)
                try emit(index, key)
            }
        case CDCP_OP_DELETE:
            guard let old = row.pointee.old_cells else { throw .noTuple }
            try delete(index, row, plan, old, header: nil)
        case CDCP_OP_TRUNCATE:
            try value(UInt8(ascii: "t"), row, plan, before: nil, after: nil, fill: nil, ordinal: row.pointee.seq &* 2 &- 1)
            try emit(index, 0)
        default: break
        }
    }

    /// A delete and, where wanted, its tombstone.
    private mutating func delete(
        _ index: UInt32, _ row: UnsafeMutablePointer<cdcp_row>, _ plan: UnsafePointer<RelationPlan>, _ old: UnsafeMutablePointer<cdcp_cell>,
        header: KeyHeader?
    ) throws(CellFailure) {
        let length = try key(plan, old, nil)
        try value(UInt8(ascii: "d"), row, plan, before: old, after: nil, fill: nil, ordinal: row.pointee.seq &* 2 &- 1)
        try emit(index, length, header: header)
        guard tombstones else { return }
        let again = try key(plan, old, nil)
        try emit(index, again, flags: CDCP_RECORDF_NULL_VALUE, header: header)
    }

    /// Delete under the old key, tombstone, create under the new one; each says in a header what the other key is. `skipped_operations` speaks of
    /// the records, so it may leave either half out.
    private mutating func keyChange(
        _ index: UInt32, _ row: UnsafeMutablePointer<cdcp_row>, _ plan: UnsafePointer<RelationPlan>, _ old: UnsafeMutablePointer<cdcp_cell>,
        _ new: UnsafeMutablePointer<cdcp_cell>
    ) throws(CellFailure) {
        if !skips(UInt8(CDCP_OP_DELETE)) { try delete(index, row, plan, old, header: KeyHeader(name: "__debezium.newkey", text: newKey)) }
        if skips(UInt8(CDCP_OP_INSERT)) { return }
        let length = try key(plan, new, old)
        try value(UInt8(ascii: "c"), row, plan, before: nil, after: new, fill: old, ordinal: row.pointee.seq &* 2)
        try emit(index, length, header: KeyHeader(name: "__debezium.oldkey", text: oldKey))
    }

    @inline(__always)
    mutating func emit(_ row: UInt32, _ key: Int, topic: UInt32 = 0, flags: Int32 = 0, header: KeyHeader? = nil) throws(CellFailure) {
        if writer.count > Int(UInt32.max) { throw .tooLarge }
        if header != nil || contextHeaders != nil { try headers(header) }
        let answer = writer.emit(row: row, topic: topic, key: key, flags: key == 0 ? flags | CDCP_RECORDF_NULL_KEY : flags)
        if answer != CDCP_OK {
            status = answer
            throw .stopped
        }
    }

    @inline(never)
    private mutating func headers(_ key: KeyHeader?) throws(CellFailure) {
        let emitter = writer.emitter
        emitter.pointee.cur = writer.cursor
        if let key {
            var header = key.header
            try check(emitter.pointee.header(emitter, &header))
        }
        if let contextHeaders {
            for index in 0..<contextHeaderCount { try check(emitter.pointee.header(emitter, contextHeaders + index)) }
        }
    }

    private mutating func check(_ answer: cdcp_status) throws(CellFailure) {
        if answer != CDCP_OK {
            status = answer
            throw .stopped
        }
    }
}
