import Files
import Glibc
import Synchronization

/// `NAME.lock` in the state directory: one host at a time, and what it says of itself. Held until the value, at the latest the process, goes away.
public final class InstanceLock: Sendable {
    /// What a reader finds.
    public struct Holder: Equatable, Sendable {
        /// What the host wrote last; nil where it has not yet, or never did.
        public let info: LockInfo?
        /// A process holds the lock right now.
        public let isRunning: Bool

        /// What a reader would find.
        public init(info: LockInfo?, isRunning: Bool) {
            self.info = info
            self.isRunning = isRunning
        }
    }

    /// The lock file.
    public let path: String
    private let file: Mutex<OpenFile>

    private init(path: String, file: consuming OpenFile) {
        self.path = path
        self.file = Mutex(file)
    }

    deinit { file.withLock { $0.unlock() } }

    /// Takes the lock, or says who has it. `directory` is made (mode 0700) where missing.
    public static func acquire(directory: String, name: String) throws(CheckpointError) -> InstanceLock {
        let path = try self.path(directory: directory, name: name)
        do throws(FileError) {
            try FileSystem.makePrivateDirectory(directory)
            let file = try OpenFile(path, .update(mode: 0o600))
            guard try file.tryLock() else {
                throw FileError(operation: .lock, path: path, code: EWOULDBLOCK)
            }
            // What a host before this one said is not true any more.
            try file.rewrite([])
            return InstanceLock(path: path, file: file)
        } catch {
            if error.operation == .lock, error.code == EWOULDBLOCK {
                throw .held(path: path, pid: (try? content(path)).flatMap { $0?.pid })
            }
            throw .io(error)
        }
    }

    /// Replaces what the file says.
    public func update(_ info: LockInfo) throws(CheckpointError) {
        try file.withLock { (file: inout OpenFile) throws(CheckpointError) in
            do throws(FileError) { try file.rewrite(info.encode()) } catch { throw .io(error) }
        }
    }

    /// What the lock file says, and whether its host runs; nil where there is no such file.
    public static func read(directory: String, name: String) throws(CheckpointError) -> Holder? {
        let path = try self.path(directory: directory, name: name)
        do throws(FileError) {
            let isRunning = try OpenFile(path, .read).isLockedElsewhere()
            // The host may be writing: a moment later the text is whole.
            for _ in 0..<20 {
                if let info = try content(path) { return Holder(info: info, isRunning: isRunning) }
                usleep(5000)
            }
            return Holder(info: nil, isRunning: isRunning)
        } catch {
            if error.isMissing { return nil }
            throw .io(error)
        }
    }

    private static func path(directory: String, name: String) throws(CheckpointError) -> String {
        try checkStreamName(name)
        return FilePath.join(directory, name + ".lock")
    }

    private static func content(_ path: String) throws(FileError) -> LockInfo? {
        LockInfo.decode(try FileSystem.read(path, limit: 64 << 10))
    }
}
