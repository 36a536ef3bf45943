import PluginABI
import PluginKit

/// One call of `assign`: walks the records, and beside them the runs that their rows lie in. Allocates nothing.
struct Assignment {
    let batch: UnsafePointer<cdcp_batch>
    let records: UnsafeMutableRawPointer
    let count: UInt32
    let stride: Int
    let topics: UnsafePointer<UnsafePointer<cdcp_topic>?>
    let topicCount: UInt32
    let turns: UnsafeMutablePointer<UInt32>
    let byTable: Bool
    let byColumns: Bool
    let roundRobin: Bool
    /// The run that the last row lay in.
    var current: UInt32 = 0

    /// Writes every record's partition. Returns what is wrong, or nil.
    mutating func assign() -> String? {
        for index in 0..<count {
            let record = record(index)
            let number = record.pointee.topic
            guard number < topicCount, let topic = topics[Int(number)] else { return "a record names a topic that was not announced" }
            let partitions = topic.pointee.partition_count
            guard partitions > 1 else {
                record.pointee.partition = 0
                continue
            }
            if !byTable, !byColumns, record.pointee.key != nil {
                record.pointee.partition = partition(of: keyHash(record), count: partitions)
                continue
            }
            if byColumns, let plan = plan(record.pointee.row), plan.pointee.columnCount > 0 {
                switch columnHash(index, record, plan) {
                case .hash(let hash):
                    record.pointee.partition = partition(of: hash, count: partitions)
                    continue
                case .noTuple: break
                case .noValue:
                    return "a row of table \(name(record.pointee.row)) lacks a value that options.columns partitions by: the server did not send it"
                }
            }
            if !byTable {
                if record.pointee.key != nil {
                    record.pointee.partition = partition(of: keyHash(record), count: partitions)
                    continue
                }
                if roundRobin {
                    let turn = turns[Int(number)]
                    turns[Int(number)] = turn &+ 1
                    record.pointee.partition = partition(of: turn, count: partitions)
                    continue
                }
            }
            record.pointee.partition = partition(of: tableHash(record, topic), count: partitions)
        }
        return nil
    }

    @inline(__always)
    private func record(_ index: UInt32) -> UnsafeMutablePointer<cdcp_record> {
        (records + Int(index) &* stride).assumingMemoryBound(to: cdcp_record.self)
    }

    @inline(__always)
    private func keyHash(_ record: UnsafeMutablePointer<cdcp_record>) -> UInt32 {
        murmur2(record.pointee.key, count: Int(record.pointee.key_len))
    }

    /// Of the table's name; what belongs to no table goes by its topic's.
    private mutating func tableHash(_ record: UnsafeMutablePointer<cdcp_record>, _ topic: UnsafePointer<cdcp_topic>) -> UInt32 {
        if let plan = plan(record.pointee.row) { return plan.pointee.tableHash }
        let name = topic.pointee.name
        guard let bytes = name.ptr else { return 0 }
        return murmur2(UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self), count: Int(name.len))
    }

    /// The plan of the run that a row lies in. Records come in the order of the rows, so the search goes on where it stopped.
    @inline(__always)
    private mutating func plan(_ row: UInt32) -> UnsafePointer<Plan>? {
        let runs = batch.runs
        if current >= runs.count || row < runs[Int(current)].first { current = 0 }
        while current < runs.count {
            let run = runs[Int(current)]
            if row < run.first { return nil }
            if row &- run.first < run.count { return UnsafePointer(run.plan?.assumingMemoryBound(to: Plan.self)) }
            current &+= 1
        }
        return nil
    }

    private enum ColumnHash {
        case hash(UInt32)
        /// A row without cells: a truncate.
        case noTuple
        case noValue
    }

    private func columnHash(_ index: UInt32, _ record: UnsafeMutablePointer<cdcp_record>, _ plan: UnsafePointer<Plan>) -> ColumnHash {
        guard record.pointee.row < batch.pointee.row_count else { return .noValue }
        let row = batch.row(record.pointee.row)
        let new = row.pointee.new_cells.map { UnsafePointer($0) }
        let old = row.pointee.old_cells.map { UnsafePointer($0) }
        let cells: UnsafePointer<cdcp_cell>
        let other: UnsafePointer<cdcp_cell>?
        if let old, new == nil || speaksOfOld(index, record) {
            cells = old
            other = nil
        } else if let new {
            cells = new
            other = old
        } else {
            return .noTuple
        }
        return hash(of: plan, in: cells, or: other).map { .hash($0) } ?? .noValue
    }

    /// Of the records that an update became, the last speaks of the new row; those before it with another key, of the old one:
    /// the delete and the tombstone of a key change.
    private func speaksOfOld(_ index: UInt32, _ record: UnsafeMutablePointer<cdcp_record>) -> Bool {
        var last = record
        var next = index &+ 1
        while next < count, self.record(next).pointee.row == record.pointee.row {
            last = self.record(next)
            next &+= 1
        }
        return last != record && !sameKey(last, record)
    }

    private func sameKey(_ one: UnsafeMutablePointer<cdcp_record>, _ other: UnsafeMutablePointer<cdcp_record>) -> Bool {
        guard one.pointee.key_len == other.pointee.key_len else { return false }
        guard let first = one.pointee.key, let second = other.pointee.key else { return one.pointee.key == other.pointee.key }
        return UnsafeBufferPointer(start: first, count: Int(one.pointee.key_len))
            .elementsEqual(UnsafeBufferPointer(start: second, count: Int(one.pointee.key_len)))
    }

    private func name(_ row: UInt32) -> String {
        guard row < batch.pointee.row_count else { return "?" }
        return batch.relation(batch.row(row).pointee.rel_index)?.qualifiedName ?? "?"
    }
}
