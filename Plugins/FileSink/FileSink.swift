import Glibc
import PluginABI
import PluginKit

/// Appends records to a file, one JSON object a line:
/// `{"topic":…,"partition":…,"key":…,"value":…,"headers":{…}}`. Works inside `submit`: a local file is waited for, nothing else.
final class FileSink: SinkStage {
    private var path = ""
    private var syncs = true
    private var file: OutputFile?
    private let lines = LineBuffer()
    private var topics: [String] = []
    /// After a write that failed nothing more is written, or later records would stand before earlier ones.
    private var broken: (errno: Int32, what: String)?

    override func configure(_ options: Options) throws(StageError) {
        guard let path = options.string("path"), !path.isEmpty else {
            throw .config("\(options.origin("path")): give a file, or - for standard output")
        }
        guard !path.utf8.contains(0) else { throw .config("\(options.origin("path")): a path holds no NUL") }
        self.path = path
        syncs = options.string("fsync") != "never"
    }

    override func activate(lane: UInt32, maxRows: UInt32) throws(StageError) {
        let file = try OutputFile(path, syncs: syncs)
        if file.mended > 0 { host.log(.warning, "\(path): an unfinished last line of \(file.mended) bytes was \(file.mendedHow)") }
        self.file = file
        host.health(well: true, "\(path) is open")
    }

    override func topic(_ number: UInt32, name: String) throws(StageError) -> Int32 {
        guard number < 1 << 20 else { throw .fatal("topic number \(number) is out of range") }
        while topics.count <= Int(number) { topics.append("") }
        topics[Int(number)] = name
        return 0
    }

    override func submit(_ submission: UnsafePointer<cdcp_submission>) -> cdcp_status {
        guard let file else { return CDCP_E_FATAL }
        let id = submission.pointee.id
        let count = submission.pointee.record_count
        if let broken {
            fail(id, count, broken.errno, broken.what)
            return CDCP_OK
        }
        guard count > 0 else {
            host.complete(id)
            return CDCP_OK
        }
        guard let records = submission.pointee.records else { return CDCP_E_FATAL }
        lines.clear()
        for index in 0..<Int(count) {
            let record = (records + index &* Int(submission.pointee.record_stride)).assumingMemoryBound(to: cdcp_record.self)
            let topic = Int(record.pointee.topic)
            guard topic < topics.count else { return CDCP_E_FATAL }
            lines.append(record, topic: topics[topic])
        }
        do throws(WriteError) {
            try file.append(lines.bytes)
            host.complete(id)
        } catch {
            broken = (error.errno, error.what)
            fail(id, count, error.errno, error.what)
        }
        return CDCP_OK
    }

    override func deactivate(timeoutNanoseconds: UInt64) throws(StageError) { file = nil }

    /// A full disk may have room later; any other error needs somebody to look.
    private func fail(_ id: UInt64, _ count: UInt32, _ number: Int32, _ what: String) {
        let passes = number == ENOSPC || number == EDQUOT || number == EAGAIN
        let reason = "\(path): \(what): \(String(cString: strerror(number)))"
        host.health(well: false, reason)
        withString(reason) { text in
            let failures = (0..<count).map { index in
                cdcp_failure(
                    index: index, cls: UInt16(passes ? CDCP_FAIL_RETRYABLE : CDCP_FAIL_FATAL), reserved: 0, code: CDCP_CODE_OTHER,
                    msg_len: text.len, msg: text.ptr)
            }
            host.complete(id, failures: failures)
        }
    }
}
