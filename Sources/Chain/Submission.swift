import Pipeline
import PluginABI

/// The records of one batch on their way, and what they pin.
final class Submission {
    let pointer: UnsafeMutablePointer<cdcp_submission>
    var records: UnsafeMutablePointer<cdcp_record>
    var capacity: Int
    var count = 0
    /// Charged to the budget.
    var bytes = 0
    var chunks: [RecordChunk] = []
    /// How many records go to which topic.
    var topicCounts: [(topic: UInt32, count: Int)] = []

    init() {
        // Small: thousands of them wait with a few records each while a broker is away. Those of a busy stream grow once and are used again.
        capacity = 16
        records = .allocate(capacity: capacity)
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: cdcp_submission())
        pointer.pointee.struct_size = UInt32(MemoryLayout<cdcp_submission>.size)
        pointer.pointee.record_stride = UInt32(MemoryLayout<cdcp_record>.stride)
    }

    deinit {
        records.deallocate()
        pointer.deallocate()
    }

    func reset() {
        count = 0
        bytes = 0
        chunks.removeAll(keepingCapacity: true)
        topicCounts.removeAll(keepingCapacity: true)
    }

    func grow() {
        let larger = UnsafeMutablePointer<cdcp_record>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: records, count: count)
        records.deallocate()
        records = larger
        capacity *= 2
    }

    /// Fills in what the sink reads, once the records are final.
    func seal(id: UInt64, isLast: Bool) {
        pointer.pointee.id = id
        pointer.pointee.record_count = UInt32(count)
        pointer.pointee.records = UnsafeRawPointer(records)
        pointer.pointee.flags = isLast ? UInt32(CDCP_SUBMITF_LAST) : 0
    }

    private func headerBytes(_ record: cdcp_record) -> Int {
        UnsafeBufferPointer(start: record.headers, count: record.headers == nil ? 0 : Int(record.header_count)).reduce(0) {
            $0 + Int($1.key_len) + ($1.value_len == CDCP_HEADER_NULL ? 0 : Int($1.value_len)) + MemoryLayout<cdcp_header>.stride
        }
    }

    /// Counts records by topic and what they charge to the budget.
    func measure() {
        topicCounts.removeAll(keepingCapacity: true)
        bytes = count * ByteBudget.recordCharge
        var index = 0
        while index < count {
            let topic = records[index].topic
            var number = 0
            while index < count, records[index].topic == topic {
                bytes += Int(records[index].key_len) + Int(records[index].value_len)
                if records[index].header_count > 0 { bytes += headerBytes(records[index]) }
                number += 1
                index += 1
            }
            if let known = topicCounts.firstIndex(where: { $0.topic == topic }) {
                topicCounts[known].count += number
            } else {
                topicCounts.append((topic, number))
            }
        }
    }
}
