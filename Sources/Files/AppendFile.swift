import Synchronization

/// A file that only grows, such as a log, which can be opened again after somebody has moved it away. From any thread.
public final class AppendFile: Sendable {
    /// The path as it was given.
    public let path: String
    private let mode: UInt32
    private let file: Mutex<OpenFile>

    /// Opens or creates the file.
    public init(_ path: String, mode: UInt32 = 0o640) throws(FileError) {
        self.path = path
        self.mode = mode
        self.file = Mutex(try OpenFile(path, .append(mode: mode)))
    }

    /// Appends `bytes`; lines of several threads do not mix.
    public func write(_ bytes: [UInt8]) throws(FileError) {
        try file.withLock { (file: inout OpenFile) throws(FileError) in try file.write(bytes) }
    }

    /// Opens the path anew. On an error the old file stays in use.
    public func reopen() throws(FileError) {
        let fresh = try OpenFile(path, .append(mode: mode))
        swapIn(fresh)
    }

    /// What was appended is on disk, or an error.
    public func sync() throws(FileError) {
        try file.withLock { (file: inout OpenFile) throws(FileError) in try file.sync() }
    }

    private func swapIn(_ fresh: consuming OpenFile) {
        var next: OpenFile? = fresh
        file.withLock { file in
            if let taken = next.take() { file = taken }
        }
    }
}
