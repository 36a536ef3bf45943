import PluginABI

/// A record as partitioner and sink see it.
public struct RecordSpec: Sendable {
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var topic: UInt32
    public var partition: Int32
    public var row: UInt32
    public var table: UInt32
    public var timestamp: Int64
    public var headers: [Header]

    public init(
        key: String?, value: String?, topic: UInt32, partition: Int32 = -1, row: UInt32 = 0, table: UInt32 = 1, timestamp: Int64 = 0,
        headers: [Header] = []
    ) {
        self.init(
            keyBytes: key.map { Array($0.utf8) }, valueBytes: value.map { Array($0.utf8) }, topic: topic, partition: partition, row: row,
            table: table, timestamp: timestamp, headers: headers)
    }

    public init(
        keyBytes: [UInt8]?, valueBytes: [UInt8]?, topic: UInt32, partition: Int32 = -1, row: UInt32 = 0, table: UInt32 = 1, timestamp: Int64 = 0,
        headers: [Header] = []
    ) {
        key = keyBytes
        value = valueBytes
        self.topic = topic
        self.partition = partition
        self.row = row
        self.table = table
        self.timestamp = timestamp
        self.headers = headers
    }
}

/// A topic as a partitioner sees it.
public struct TopicSpec: Sendable {
    public let name: String
    public let partitions: Int32

    public init(_ name: String, _ partitions: Int32) {
        self.name = name
        self.partitions = partitions
    }
}

/// Records in memory, overwritten as soon as the sink says that it is done with them.
final class SubmissionMemory {
    static let stride = MemoryLayout<cdcp_record>.stride + 16

    let id: UInt64
    let count: Int
    let records: UnsafeMutableRawPointer
    let pointer: UnsafeMutablePointer<cdcp_submission>
    private let memory = GuardedMemory()

    init(_ specs: [RecordSpec], id: UInt64, flags: Int32 = 0) {
        self.id = id
        count = specs.count
        records = memory.piece(specs.count * Self.stride)
        pointer = memory.piece(MemoryLayout<cdcp_submission>.stride).bindMemory(to: cdcp_submission.self, capacity: 1)
        for (index, spec) in specs.enumerated() {
            var record = cdcp_record()
            record.key = spec.key.map { memory.input($0) }
            record.value = spec.value.map { memory.input($0) }
            record.key_len = UInt32(spec.key?.count ?? 0)
            record.value_len = UInt32(spec.value?.count ?? 0)
            record.topic = spec.topic
            record.partition = spec.partition
            record.flags =
                UInt32(bitPattern: (spec.key == nil ? CDCP_RECORDF_NULL_KEY : 0) | (spec.value == nil ? CDCP_RECORDF_NULL_VALUE : 0))
            record.timestamp_us = spec.timestamp
            record.row = spec.row
            record.table = spec.table
            record.header_count = UInt32(spec.headers.count)
            record.headers = spec.headers.isEmpty ? nil : headerArray(spec.headers)
            (records + index * Self.stride).initializeMemory(as: cdcp_record.self, to: record)
        }
        pointer.initialize(
            to: cdcp_submission(
                struct_size: UInt32(MemoryLayout<cdcp_submission>.size), record_count: UInt32(specs.count), record_stride: UInt32(Self.stride),
                flags: UInt32(bitPattern: flags), id: id, records: UnsafeRawPointer(records)))
    }

    func record(_ index: Int) -> UnsafeMutablePointer<cdcp_record> { (records + index * Self.stride).assumingMemoryBound(to: cdcp_record.self) }

    private func headerArray(_ headers: [Header]) -> UnsafePointer<cdcp_header> {
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

    /// What was damaged; everything is overwritten.
    func retire() -> [String] {
        let lines = memory.damage()
        memory.poison()
        return lines
    }
}
