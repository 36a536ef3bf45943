import PluginABI

/// Why a cell, and with it its row, cannot be written. Becomes a sentence in `RowFailure`; never holds a value.
enum CellFailure: Error {
    /// The bytes are not what the column's type prints.
    case malformed
    /// Text that is not UTF-8.
    case notUTF8
    /// NaN or an infinity where the output's type has none.
    case notFinite
    /// A moment outside of what 64 bits count in the chosen unit.
    case outOfRange
    /// Bytes in PostgreSQL's binary format.
    case binary
    /// A key column without a value: not sent by the server.
    case keyNotSent
    /// The row lacks the tuple that its op needs.
    case noTuple
    /// A record of more than 4 GiB.
    case tooLarge
    /// The host has no memory for the record.
    case memory
    /// The host refused a record; its status is kept beside.
    case stopped
}

/// A piece of output made once and copied often. Its memory has eight readable bytes more than `count`.
struct Fragment {
    var start: UnsafeMutablePointer<UInt8>
    var count: Int

    init(_ bytes: [UInt8]) {
        count = bytes.count
        start = .allocate(capacity: bytes.count + 16)
        start.initialize(repeating: 0, count: bytes.count + 16)
        for (index, byte) in bytes.enumerated() { start[index] = byte }
    }

    /// Over memory of somebody else, with readable bytes behind it. Not to be freed.
    init(borrowing start: UnsafeMutablePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    func free() { start.deallocate() }
}

/// Where one record is written: the emitter's memory, with its cursor in registers. Call `flush` before the emitter is used by anybody else.
struct RecordWriter {
    /// Bytes that every `room` leaves beyond what was asked for, so that whole words may be stored.
    static let slack = 32

    let emitter: UnsafeMutablePointer<cdcp_emitter>
    var cursor: UnsafeMutablePointer<UInt8>
    var end: UnsafeMutablePointer<UInt8>
    /// The column being written, for the text of a failure.
    var column = 0
    /// The cell being written was replaced by a stage, whose JSON nobody has checked.
    var isRewritten = false
    /// Set when a value was left out because the server had not sent it.
    var sawUnchanged = false

    init(_ emitter: UnsafeMutablePointer<cdcp_emitter>) throws(CellFailure) {
        self.emitter = emitter
        if emitter.pointee.cur == nil {
            guard emitter.pointee.grow(emitter, 4096) == CDCP_OK else { throw .memory }
        }
        guard let cursor = emitter.pointee.cur, let end = emitter.pointee.end else { throw .memory }
        self.cursor = cursor
        self.end = end
    }

    /// Bytes of the record so far.
    @inline(__always)
    var count: Int { cursor - emitter.pointee.base }

    /// Makes sure that `bytes` fit. May move what was written: hold counts, not pointers, across it.
    @inline(__always)
    mutating func room(_ bytes: Int) throws(CellFailure) {
        if end - cursor < bytes &+ RecordWriter.slack { try grow(bytes &+ RecordWriter.slack) }
    }

    @inline(never)
    private mutating func grow(_ bytes: Int) throws(CellFailure) {
        emitter.pointee.cur = cursor
        guard emitter.pointee.grow(emitter, UInt64(bytes)) == CDCP_OK, let cursor = emitter.pointee.cur, let end = emitter.pointee.end,
            end - cursor >= bytes
        else { throw .memory }
        self.cursor = cursor
        self.end = end
    }

    /// Hands the cursor to the emitter and makes the bytes since its base a record.
    @inline(__always)
    mutating func emit(row: UInt32, topic: UInt32 = 0, key: Int, flags: Int32 = 0) -> cdcp_status {
        emitter.pointee.cur = cursor
        let value = count &- key
        let status = emitter.pointee.record(emitter, row, topic, UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: value), UInt32(flags))
        if let cursor = emitter.pointee.cur, let end = emitter.pointee.end {
            self.cursor = cursor
            self.end = end
        }
        return status
    }

    /// Takes back what was written since the last record.
    mutating func rewind() {
        cursor = emitter.pointee.base
        end = emitter.pointee.end
        emitter.pointee.cur = cursor
    }

    // The calls below store without asking: `room` comes first.

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        cursor.pointee = value
        cursor += 1
    }

    /// A short constant, in whole words.
    @inline(__always)
    mutating func put(_ fragment: Fragment) {
        let out = cursor
        var offset = 0
        repeat {
            UnsafeMutableRawPointer(out + offset).storeBytes(
                of: UnsafeRawPointer(fragment.start + offset).loadUnaligned(as: UInt64.self), as: UInt64.self)
            offset &+= 8
        } while offset < fragment.count
        cursor = out + fragment.count
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        cursor.update(from: bytes, count: count)
        cursor += count
    }

    @inline(__always)
    mutating func put(_ constant: StaticString) { put(constant.utf8Start, constant.utf8CodeUnitCount) }

    @inline(__always)
    mutating func null() {
        UnsafeMutableRawPointer(cursor).storeBytes(of: UInt32(littleEndian: 0x6c6c_756e), as: UInt32.self)
        cursor += 4
    }
}
