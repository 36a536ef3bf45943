import Glibc
import PluginABI

/// What all rows of a transaction have in common, rendered when its first row comes and copied from then on.
///
/// In the debezium format these pieces stand around the row's own parts:
///
///     head  snapshot  middle  <lsn>  times  <schema, table>  ids  <lsn>  tail
///
/// in the compact one `times` and `tail` alone around the ordinal.
struct TransactionText {
    private let emitter: UnsafeMutablePointer<cdcp_emitter>
    private(set) var start: UnsafeMutablePointer<UInt8>
    /// Lengths of the pieces, one behind the other from `start` on.
    private(set) var head = 0
    private(set) var snapshot = 0
    private(set) var middle = 0
    private(set) var times = 0
    private(set) var ids = 0
    private(set) var tail = 0
    private(set) var total = 0

    /// - Parameter emitter: memory of our own, reused from transaction to transaction.
    init(_ emitter: UnsafeMutablePointer<cdcp_emitter>) throws(CellFailure) {
        self.emitter = emitter
        start = try RecordWriter(emitter).emitter.pointee.base
    }

    mutating func debezium(_ transaction: UnsafePointer<cdcp_txn>, _ stream: StreamText) throws(CellFailure) {
        var writer = try RecordWriter(emitter)
        writer.rewind()
        let origin = transaction.pointee.origin
        try writer.room(stream.head.count &+ stream.database.count &+ Int(origin.len) &* 6 &+ 512)
        let commit = transaction.pointee.commit_ts_us
        writer.put(stream.head)
        writer.signed(TimeUnit.milliseconds.value(commit) ?? 0)
        writer.put(#","snapshot":""#)
        head = writer.count
        writer.put("false")
        snapshot = writer.count &- head
        writer.put(#"","db":"#)
        writer.put(stream.database)
        writer.put(#","sequence":"["#)
        if transaction.pointee.previous_end_lsn == 0 {
            writer.null()
        } else {
            writer.put(#"\""#)
            writer.unsigned(transaction.pointee.previous_end_lsn)
            writer.put(#"\""#)
        }
        writer.put(#",\""#)
        middle = writer.count &- head &- snapshot
        writer.put(#"\"]","ts_us":"#)
        writer.signed(commit)
        writer.put(#","ts_ns":"#)
        writer.signed(commit &* 1000)
        writer.put(#","schema":"#)
        times = writer.count &- head &- snapshot &- middle
        if transaction.pointee.flags & UInt32(CDCP_TXNF_MESSAGE) != 0 { writer.null() } else { writer.unsigned(UInt64(transaction.pointee.xid)) }
        writer.put(#","lsn":"#)
        ids = writer.count &- head &- snapshot &- middle &- times
        writer.put(#","xmin":null,"origin":"#)
        if let name = origin.ptr, origin.len > 0 {
            try name.withMemoryRebound(to: UInt8.self, capacity: Int(origin.len)) { bytes throws(CellFailure) in
                try writer.quoted(bytes, Int(origin.len))
            }
            try writer.room(128)
            writer.put(#","origin_lsn":"#)
            writer.signed(Int64(bitPattern: transaction.pointee.origin_lsn))
        } else {
            writer.put(#"null,"origin_lsn":null"#)
        }
        writer.put(#"},"transaction":null"#)
        finish(writer)
    }

    mutating func compact(_ transaction: UnsafePointer<cdcp_txn>) throws(CellFailure) {
        var writer = try RecordWriter(emitter)
        writer.rewind()
        try writer.room(256)
        (head, snapshot, middle, ids) = (0, 0, 0, 0)
        writer.put(#","commit_lsn":"#)
        writer.unsigned(transaction.pointee.commit_lsn)
        writer.put(#","ordinal":"#)
        times = writer.count
        writer.put(#","xid":"#)
        writer.unsigned(UInt64(transaction.pointee.xid))
        writer.put(#","ts_us":"#)
        writer.signed(transaction.pointee.commit_ts_us)
        writer.byte(UInt8(ascii: "}"))
        finish(writer)
    }

    private mutating func finish(_ writer: RecordWriter) {
        total = writer.count
        tail = total &- head &- snapshot &- middle &- times &- ids
        start = writer.emitter.pointee.base
    }
}

/// What is the same in every record of the stream.
struct StreamText {
    /// `,"source":{"version":…,"connector":"postgresql","name":…,"ts_ms":`
    var head: Fragment
    /// The database's name, quoted.
    var database: Fragment
    /// What a logical message has in place of schema and table.
    var messageTable = Fragment(Array(#""","table":"","txId":"#.utf8))

    init(_ stream: cdcp_stream) {
        var text = Array(#","source":{"version":"#.utf8) + jsonString(stream.version)
        text += Array(#","connector":"postgresql","name":"#.utf8) + jsonString(stream.topic_prefix) + Array(#","ts_ms":"#.utf8)
        head = Fragment(text)
        database = Fragment(jsonString(stream.database))
    }

    func free() {
        head.free()
        database.free()
        messageTable.free()
    }
}

/// The envelope's own times: when the batch was encoded.
struct BatchClock {
    let microseconds: Int64

    init() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        microseconds = Int64(now.tv_sec) &* 1_000_000 &+ Int64(now.tv_nsec) / 1000
    }

    var milliseconds: Int64 { microseconds / 1000 }

    /// `","ts_ms":…,"ts_us":…,"ts_ns":…}` into memory of our own.
    func tail(_ emitter: UnsafeMutablePointer<cdcp_emitter>) throws(CellFailure) -> Fragment {
        var writer = try RecordWriter(emitter)
        writer.rewind()
        try writer.room(128)
        writer.put(#"","ts_ms":"#)
        writer.signed(milliseconds)
        writer.put(#","ts_us":"#)
        writer.signed(microseconds)
        writer.put(#","ts_ns":"#)
        writer.signed(microseconds &* 1000)
        writer.byte(UInt8(ascii: "}"))
        return Fragment(borrowing: writer.emitter.pointee.base, count: writer.count)
    }
}
