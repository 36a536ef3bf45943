import Glibc
import PluginKit

/// A write that did not succeed.
struct WriteError: Error {
    let errno: Int32
    let what: String
}

/// The file behind the sink. Owns its descriptor; standard output is borrowed.
final class OutputFile {
    private let descriptor: Int32
    private let owned: Bool
    private let syncs: Bool
    /// Regular files only: where the next line begins.
    private var size: off_t = 0
    private let isRegular: Bool
    /// Bytes of an unfinished last line that a crash left, and what was done with it.
    private(set) var mended = 0
    private(set) var mendedHow = ""

    private static let lineStart = Array(#"{"topic":"#.utf8)

    /// - Throws: CDCP_E_CONFIG where the file cannot be opened, with the system's reason.
    init(_ path: String, syncs: Bool) throws(StageError) {
        owned = path != "-"
        descriptor = owned ? open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600) : STDOUT_FILENO
        guard descriptor >= 0 else { throw .config("\(path): cannot be opened for appending: \(String(cString: strerror(errno)))") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .config("\(path): \(String(cString: strerror(errno)))") }
        isRegular = owned && status.st_mode & S_IFMT == S_IFREG
        self.syncs = syncs && isRegular
        size = status.st_size
        if isRegular { try mend(path) }
    }

    deinit { if owned && descriptor >= 0 { close(descriptor) } }

    /// Appends whole lines; with `syncs` they are on the disk when it returns. On failure the file ends where it ended before.
    func append(_ bytes: UnsafeRawBufferPointer) throws(WriteError) {
        var done = 0
        while done < bytes.count {
            let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 {
                let reason = errno
                if reason == EINTR { continue }
                if reason == EAGAIN && !isRegular {
                    // A pipe that somebody else set to non-blocking.
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, 1000)
                    continue
                }
                if isRegular { ftruncate(descriptor, size) }
                throw WriteError(errno: reason, what: "write")
            }
            done += count
        }
        size += off_t(done)
        // What an fsync that failed has lost cannot be known: never tried again.
        guard !syncs || fdatasync(descriptor) == 0 else { throw WriteError(errno: errno == ENOSPC ? EIO : errno, what: "fsync") }
    }

    /// A crash may have cut the last line. One of ours was never acknowledged and goes; anything else is kept and ended.
    private func mend(_ path: String) throws(StageError) {
        let block = 65536
        var buffer = [UInt8](repeating: 0, count: block)
        var start = size
        search: while start > 0 {
            let length = min(off_t(block), start)
            guard pread(descriptor, &buffer, Int(length), start - length) == Int(length) else {
                throw .config("\(path): cannot be read: \(String(cString: strerror(errno)))")
            }
            for index in (0..<Int(length)).reversed() where buffer[index] == UInt8(ascii: "\n") {
                start = start - length + off_t(index) + 1
                break search
            }
            start -= length
        }
        mended = Int(size - start)
        guard mended > 0 else { return }
        let count = pread(descriptor, &buffer, Self.lineStart.count, start)
        if count > 0 && buffer.prefix(count).elementsEqual(Self.lineStart.prefix(count)) {
            guard ftruncate(descriptor, start) == 0 else { throw .config("\(path): cannot be cut: \(String(cString: strerror(errno)))") }
            size = start
            mendedHow = "cut off"
        } else {
            guard write(descriptor, "\n", 1) == 1 else { throw .config("\(path): cannot be written: \(String(cString: strerror(errno)))") }
            size += 1
            mendedHow = "ended with a newline: it is not this sink's"
        }
    }
}
