import PluginABI

/// A record that a codec wrote.
public struct EncodedRecord: Sendable {
    /// Into the rows of the call.
    public let row: UInt32
    /// nil: CDCP_RECORDF_NULL_KEY.
    public let key: [UInt8]?
    /// nil: a tombstone.
    public let value: [UInt8]?
    /// 0: the row's own; else see topicName.
    public let topic: UInt32
    /// Of the topic that the stage asked for; nil for the row's own.
    public let topicName: String?
    /// Those of the record; the row's own come before them in the real host.
    public let headers: [Header]

    public var keyText: String? { key.map { String(decoding: $0, as: UTF8.self) } }
    public var valueText: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}

/// The memory behind a `cdcp_emitter`: almost no room after each record, and another place after each `grow`.
final class EmitterMemory {
    let pointer: UnsafeMutablePointer<cdcp_emitter>
    private(set) var records: [EncodedRecord] = []
    private let host: FakeHost
    private let batch: BatchMemory
    private let room: Int
    private let keepsNothing: Bool
    private var headers: [Header] = []
    private var lastRow: UInt32 = 0
    private var chunk: UnsafeMutableRawPointer
    private var chunkSize: Int
    private static let guardSize = 16

    /// - Parameters:
    ///   - room: bytes that each record finds at first.
    ///   - keepsNothing: for measurements: records are counted by nobody, and the room is used again.
    init(_ batch: BatchMemory, room: Int, keepsNothing: Bool = false) {
        self.batch = batch
        self.host = batch.host
        self.room = room
        self.keepsNothing = keepsNothing
        pointer = .allocate(capacity: 1)
        chunkSize = room
        chunk = Self.chunk(room)
        let start = chunk.assumingMemoryBound(to: UInt8.self)
        pointer.initialize(
            to: cdcp_emitter(
                base: start, cur: start, end: start + room, grow: Self.grow, header: Self.header, record: Self.record,
                host: Unmanaged.passUnretained(self).toOpaque()))
    }

    deinit {
        chunk.deallocate()
        pointer.deallocate()
    }

    private static func chunk(_ size: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size + guardSize, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0xCD, count: size)
        (memory + size).initializeMemory(as: UInt8.self, repeating: 0xA5, count: guardSize)
        return memory
    }

    private func checkGuard() {
        let end = UnsafeRawBufferPointer(start: chunk + chunkSize, count: Self.guardSize)
        if end.contains(where: { $0 != 0xA5 }) { host.violation("emitter: written behind `end`") }
        if pointer.pointee.cur > pointer.pointee.end || pointer.pointee.cur < pointer.pointee.base {
            host.violation("emitter: cur is not in base...end")
        }
    }

    private func move(to size: Int, keeping count: Int) {
        checkGuard()
        let next = Self.chunk(size)
        let kept = min(count, size)
        if kept > 0 { next.copyMemory(from: pointer.pointee.base, byteCount: kept) }
        chunk.initializeMemory(as: UInt8.self, repeating: 0xDD, count: chunkSize)
        chunk.deallocate()
        chunk = next
        chunkSize = size
        let start = next.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.base = start
        pointer.pointee.cur = start + kept
        pointer.pointee.end = start + size
    }

    /// Takes back the records of a row that failed.
    func takeBack(_ row: UInt32) {
        records.removeAll { $0.row == row }
        headers = []
    }

    /// After encode(): nothing half-written may be left.
    func finish() {
        checkGuard()
        if pointer.pointee.cur != pointer.pointee.base { host.violation("emitter: bytes without a record at the end of encode()") }
        if !headers.isEmpty { host.violation("emitter: a header without a record at the end of encode()") }
    }

    private static func of(_ emitter: UnsafeMutablePointer<cdcp_emitter>?) -> EmitterMemory? {
        (emitter?.pointee.host).map { Unmanaged<EmitterMemory>.fromOpaque($0).takeUnretainedValue() }
    }

    private static let grow: @convention(c) (UnsafeMutablePointer<cdcp_emitter>?, UInt64) -> cdcp_status = { emitter, need in
        guard let memory = of(emitter), need < 1 << 31 else { return CDCP_E_FATAL }
        let written = memory.pointer.pointee.cur - memory.pointer.pointee.base
        memory.move(to: written + Int(need), keeping: written)
        return CDCP_OK
    }

    private static let header: @convention(c) (UnsafeMutablePointer<cdcp_emitter>?, UnsafePointer<cdcp_header>?) -> cdcp_status = { emitter, header in
        guard let memory = of(emitter), let header else { return CDCP_E_FATAL }
        if !memory.keepsNothing { memory.headers.append(Header(header.pointee)) }
        return CDCP_OK
    }

    private static let record:
        @convention(c) (UnsafeMutablePointer<cdcp_emitter>?, UInt32, UInt32, UInt32, UInt32, UInt32) -> cdcp_status = {
            emitter, row, topic, keyLength, valueLength, flags in
            guard let memory = of(emitter) else { return CDCP_E_FATAL }
            if memory.keepsNothing {
                memory.pointer.pointee.cur = memory.pointer.pointee.base
                return CDCP_OK
            }
            memory.take(row, topic, Int(keyLength), Int(valueLength), Int32(bitPattern: flags))
            return CDCP_OK
        }

    private func take(_ row: UInt32, _ topic: UInt32, _ keyLength: Int, _ valueLength: Int, _ flags: Int32) {
        let written = pointer.pointee.cur - pointer.pointee.base
        if keyLength + valueLength != written {
            host.violation("record(): key \(keyLength) + value \(valueLength) bytes, but \(written) were written")
        }
        if row >= batch.pointer.pointee.row_count { host.violation("record(): row \(row) is not in the batch") }
        if row < lastRow { host.violation("record(): row \(row) after row \(lastRow)") }
        if flags & CDCP_RECORDF_NULL_KEY != 0, keyLength != 0 { host.violation("record(): NULL_KEY with \(keyLength) bytes") }
        if flags & CDCP_RECORDF_NULL_VALUE != 0, valueLength != 0 { host.violation("record(): NULL_VALUE with \(valueLength) bytes") }
        if topic != 0, host.topicName(topic) == nil { host.violation("record(): topic \(topic) was not got from host->topic") }
        lastRow = row
        let bytes = Array(UnsafeRawBufferPointer(start: pointer.pointee.base, count: written))
        let key = Array(bytes.prefix(keyLength))
        let value = Array(bytes.dropFirst(keyLength).prefix(valueLength))
        records.append(
            EncodedRecord(
                row: row, key: flags & CDCP_RECORDF_NULL_KEY != 0 ? nil : key,
                value: flags & CDCP_RECORDF_NULL_VALUE != 0 ? nil : value, topic: topic,
                topicName: host.topicName(topic), headers: headers))
        headers = []
        move(to: room, keeping: 0)
    }
}
