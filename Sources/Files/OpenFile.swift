import Glibc

/// An open file; closed when the value goes away. Descriptors never pass to a child program.
///
/// What must not be lost is written with `write` and then `sync`: closing reports nothing.
public struct OpenFile: ~Copyable, Sendable {
    /// How a file is opened.
    public enum Access: Sendable {
        /// To read.
        case read
        /// To read, and the last component must not be a symbolic link.
        case readWithoutFollowing
        /// To write a file that must not exist yet.
        case createNew(mode: UInt32)
        /// To append, created where missing.
        case append(mode: UInt32)
        /// To read and write in place, created where missing.
        case update(mode: UInt32)
    }

    /// The path as it was given.
    public let path: String
    let descriptor: Int32

    /// Opens `path`.
    public init(_ path: String, _ access: Access) throws(FileError) {
        let (flags, mode): (Int32, UInt32) =
            switch access {
            case .read: (O_RDONLY, 0)
            // O_NONBLOCK: a FIFO in the place of the file must not hang the host.
            case .readWithoutFollowing: (O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
            case .createNew(let mode): (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
            case .append(let mode): (O_WRONLY | O_CREAT | O_APPEND, mode)
            case .update(let mode): (O_RDWR | O_CREAT | O_NOFOLLOW, mode)
            }
        self.descriptor = Int32(
            truncatingIfNeeded: try Syscall.run(.open, path) { Int(open(path, flags | O_CLOEXEC | O_NOCTTY, mode)) })
        self.path = path
    }

    deinit { _ = close(descriptor) }

    /// What the system knows of the open file, whatever its path names by now.
    public func status() throws(FileError) -> FileStatus {
        var raw = stat()
        try Syscall.run(.status, path) { Int(fstat(descriptor, &raw)) }
        return FileStatus(raw)
    }

    /// The whole content from the beginning. More than `limit` bytes: `EFBIG`.
    public func readAll(limit: Int) throws(FileError) -> [UInt8] {
        let known = try status()
        guard known.kind != .directory else { throw FileError(operation: .read, path: path, code: EISDIR) }
        guard known.size <= limit else { throw FileError(operation: .read, path: path, code: EFBIG) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(known.size + 1)
        let step = min(max(known.size + 1, 4096), 1 << 20)
        var chunk = [UInt8](repeating: 0, count: step)
        while true {
            let offset = off_t(bytes.count)
            let count = try Syscall.run(.read, path) {
                let taken = pread(descriptor, &chunk, step, offset)
                // Pipes and terminals have no offsets.
                return taken < 0 && errno == ESPIPE ? read(descriptor, &chunk, step) : taken
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw FileError(operation: .read, path: path, code: EFBIG) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes everything at the file's position.
    public func write(_ bytes: [UInt8]) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = Syscall.writable(path, bytes.count - done)
            let start = done
            done += try Syscall.run(.write, path) {
                bytes.withUnsafeBytes { raw in
                    raw.baseAddress.map { Glibc.write(descriptor, $0 + start, count) } ?? 0
                }
            }
        }
    }

    /// Replaces the content in place. Readers may see old and new mixed for a moment.
    public func rewrite(_ bytes: [UInt8]) throws(FileError) {
        try Syscall.run(.seek, path) { Int(lseek(descriptor, 0, SEEK_SET)) }
        try write(bytes)
        try Syscall.run(.truncate, path) { Int(ftruncate(descriptor, off_t(bytes.count))) }
    }

    /// On disk, or an error. After a failure the kernel may have forgotten what was not written: never try again, never trust the file.
    public func sync() throws(FileError) {
        try Syscall.run(.sync, path) { Int(fsync(descriptor)) }
    }

    /// Sets the permission bits, whatever the umask.
    public func setMode(_ mode: UInt32) throws(FileError) {
        try Syscall.run(.changeMode, path) { Int(fchmod(descriptor, mode)) }
    }
}
