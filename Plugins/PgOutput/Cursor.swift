/// A reading position inside one message. Every read is checked against what is left; numbers are big-endian, as the protocol has them.
struct Cursor {
    private let start: UnsafePointer<UInt8>
    private(set) var at: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    /// - Parameter start: the message, `count` bytes that outlive the cursor.
    init(_ start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        at = start
        end = start + count
    }

    /// Bytes read so far.
    var offset: Int { at - start }
    var remaining: Int { end - at }

    /// Moves on to a place that the caller has checked to lie between `at` and `end`.
    @inline(__always)
    mutating func moved(to place: UnsafePointer<UInt8>) { at = place }

    @inline(__always)
    mutating func byte() throws(Refusal) -> UInt8 {
        guard at < end else { throw .short }
        let value = at.pointee
        at += 1
        return value
    }

    @inline(__always)
    mutating func number<Value: FixedWidthInteger>(_: Value.Type) throws(Refusal) -> Value {
        guard remaining >= MemoryLayout<Value>.size else { throw .short }
        let value = UnsafeRawPointer(at).loadUnaligned(as: Value.self)
        at += MemoryLayout<Value>.size
        return Value(bigEndian: value)
    }

    /// Bytes with a length of 32 bits before them.
    @inline(__always)
    mutating func counted() throws(Refusal) -> UnsafeBufferPointer<UInt8> {
        let length = try number(UInt32.self)
        guard Int(length) <= remaining, length <= UInt32(Int32.max) else { throw .length }
        defer { at += Int(length) }
        return UnsafeBufferPointer(start: at, count: Int(length))
    }

    /// The protocol's microseconds since 2000-01-01 as microseconds since 1970-01-01.
    mutating func timestamp() throws(Refusal) -> Int64 {
        let (value, overflow) = try number(Int64.self).addingReportingOverflow(946_684_800_000_000)
        guard !overflow else { throw .timestamp }
        return value
    }

    /// The message must end here.
    @inline(__always)
    func ended() throws(Refusal) {
        guard at == end else { throw .trailing }
    }
}
