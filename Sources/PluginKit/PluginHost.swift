public import PluginABI

/// The host's services for one instance, over `cdcplugin/host.h`. A value of one pointer; copy it freely.
///
/// Threads: `log`, `complete`, `health`, `topicGrew` from any; the others as tagged there.
public struct PluginHost: @unchecked Sendable {
    // SAFETY: the host's table is immutable and valid as long as the instance.
    /// Valid from create to the end of destroy.
    public let pointer: UnsafePointer<cdcp_host>

    /// Around what create was given.
    @inlinable public init(_ pointer: UnsafePointer<cdcp_host>) { self.pointer = pointer }

    /// The stage's name: its file's name without suffix.
    public var name: String { pointer.pointee.name.map { String(cString: $0) } ?? "" }
    /// What is the same for every row.
    public var stream: cdcp_stream { pointer.pointee.stream?.pointee ?? cdcp_stream() }

    /// CDCP_LOG_*
    public enum Level: Int32 {
        case debug = 0
        case info = 1
        case warning = 2
        case error = 3
    }

    /// Writes a line to the host's log. Never a value of a row, never a secret.
    public func log(_ level: Level, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { pointer.pointee.log?(pointer, level.rawValue, $0.baseAddress, UInt64($0.count)) }
        }
    }

    /// Says why the call that is about to return an error fails.
    public func setError(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { pointer.pointee.set_error?(pointer, $0.baseAddress, UInt64($0.count)) }
        }
    }

    /// Number of a topic, the same for the same name.
    public func topic(_ name: String) throws(StageError) -> UInt32 {
        var number: UInt32 = 0
        let status = withString(name) { pointer.pointee.topic?(pointer, $0, &number) ?? CDCP_E_UNSUPPORTED }
        guard status == CDCP_OK else { throw StageError(status, "the host refuses the topic name") }
        return number
    }

    /// The output shape of a transform: `base` with other columns. Owned by the host.
    public func derive(_ base: UnsafePointer<cdcp_relation>, columns: [cdcp_column]) throws(StageError) -> UnsafePointer<cdcp_relation> {
        var out: UnsafePointer<cdcp_relation>?
        let status = columns.withUnsafeBufferPointer {
            pointer.pointee.relation_derive?(
                pointer, base, $0.baseAddress, UInt32($0.count), UInt32(MemoryLayout<cdcp_column>.stride), &out) ?? CDCP_E_UNSUPPORTED
        }
        guard status == CDCP_OK, let out else { throw StageError(status == CDCP_OK ? CDCP_E_FATAL : status, "the host cannot derive the shape") }
        return out
    }

    /// This row cannot be done; `on_error` decides. Never a value in the text.
    public func fail(_ batch: UnsafeMutablePointer<cdcp_batch>, row: UInt32, code: Int32, _ text: String) {
        var text = text
        _ = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                pointer.pointee.row_fail?(batch, row, code, $0.baseAddress, UInt64($0.count)) ?? CDCP_E_UNSUPPORTED
            }
        }
    }

    /// Completes a submission: durable, all of it.
    @inlinable public func complete(_ submission: UInt64) { pointer.pointee.sink_complete?(pointer, submission, nil, 0) }

    /// Completes a submission with the records that were not delivered.
    public func complete(_ submission: UInt64, failures: [cdcp_failure]) {
        failures.withUnsafeBufferPointer { pointer.pointee.sink_complete?(pointer, submission, $0.baseAddress, UInt32($0.count)) }
    }

    /// The other side is away, or well again.
    public func health(well: Bool, _ reason: String) {
        var reason = reason
        reason.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                pointer.pointee.sink_health?(pointer, well ? 1 : 0, $0.baseAddress, UInt64($0.count))
            }
        }
    }

    /// The broker has more partitions than were seen at first. Any thread.
    public func topicGrew(_ topic: UInt32, partitions: Int32) { pointer.pointee.topic_grew?(pointer, topic, partitions) }
}

/// Calls `body` with the text as the contract carries it, valid during the call.
public func withString<R>(_ text: String, _ body: (cdcp_str) -> R) -> R {
    var text = text
    return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { body(cdcp_str(ptr: $0.baseAddress, len: UInt32($0.count), reserved: 0)) }
    }
}

extension String {
    /// A copy of text that came over the border.
    public init(_ text: cdcp_str) {
        guard let start = text.ptr, text.len > 0 else {
            self = ""
            return
        }
        self = String(decoding: UnsafeRawBufferPointer(start: start, count: Int(text.len)), as: UTF8.self)
    }
}
