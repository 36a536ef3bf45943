import Files
import Glibc
import Synchronization

/// Keeps the record of one stream on disk, and the one before it. From any thread, one call at a time.
///
/// `NAME.checkpoint` is replaced atomically and synced with its directory; `NAME.checkpoint.previous` is the record that it replaced. A failed
/// write makes the store unusable: after a failed sync nobody knows what the disk holds, so nothing is ever tried twice.
public final class CheckpointStore: Sendable {
    /// What was found.
    public struct Found: Equatable, Sendable {
        /// The record; nil where this stream has never written one.
        public let record: CheckpointRecord?
        /// Why the copy before the last was taken, for a warning in the log; nil for the usual case.
        public let recovery: String?

        /// What a store would find.
        public init(record: CheckpointRecord?, recovery: String?) {
            self.record = record
            self.recovery = recovery
        }
    }

    private enum Current { case unknown, sound, unsound, poisoned }

    /// The file of the last record.
    public let path: String
    /// The file of the record before it.
    public let previousPath: String
    private let directory: String
    private let streamName: String
    private let current = Mutex(Current.unknown)

    /// A store in `directory`, which is made (mode 0700) where missing.
    public init(directory: String, streamName: String) throws(CheckpointError) {
        try checkStreamName(streamName)
        do throws(FileError) { try FileSystem.makePrivateDirectory(directory) } catch { throw .io(error) }
        self.directory = directory
        self.streamName = streamName
        self.path = FilePath.join(directory, streamName + ".checkpoint")
        self.previousPath = path + ".previous"
    }

    /// Reads the last record; a damaged one is replaced by the one before it, where that is sound.
    public func load() throws(CheckpointError) -> Found {
        try current.withLock { (current: inout Current) throws(CheckpointError) in
            if current == .poisoned { throw .poisoned(path: path) }
            let (found, state) = try read()
            current = state
            return found
        }
    }

    /// Makes `record` the last one. When this returns, it is on disk.
    public func save(_ record: CheckpointRecord) throws(CheckpointError) {
        if let reason = record.contradiction { throw .contradiction(path: path, reason: reason) }
        guard record.streamName == streamName else {
            throw .contradiction(path: path, reason: "the record is of the stream \"\(record.streamName)\"")
        }
        try current.withLock { (current: inout Current) throws(CheckpointError) in
            if current == .poisoned { throw .poisoned(path: path) }
            // Never over a file that nobody has looked at: it may be another stream's.
            if current == .unknown { current = try read().1 }
            do throws(FileError) {
                if current == .sound { try keepPrevious() }
                try FileSystem.atomicReplace(path, with: CheckpointText.encode(record))
                current = .sound
            } catch {
                current = .poisoned
                throw .io(error)
            }
        }
    }

    /// Forgets the stream: both files go. For a start that was cut short before its slot was made.
    public func remove() throws(CheckpointError) {
        try current.withLock { (current: inout Current) throws(CheckpointError) in
            if current == .poisoned { throw .poisoned(path: path) }
            do throws(FileError) {
                try FileSystem.removeIfPresent(previousPath)
                try FileSystem.removeIfPresent(path)
                try FileSystem.syncDirectory(directory)
                current = .unsound
            } catch {
                current = .poisoned
                throw .io(error)
            }
        }
    }

    private enum Reading {
        case sound(CheckpointRecord)
        case missing
        case damaged(String)
    }

    private func read() throws(CheckpointError) -> (Found, Current) {
        let reason: String
        switch try read(path) {
        case .sound(let record): return (Found(record: record, recovery: nil), .sound)
        case .damaged(let text): reason = text
        case .missing: reason = "it is missing"
        }
        switch (try read(previousPath), reason) {
        case (.missing, "it is missing"): return (Found(record: nil, recovery: nil), .unsound)
        case (.sound(let record), _):
            return (Found(record: record, recovery: "\(path): \(reason); the copy before it is used"), .unsound)
        case (.missing, _): throw .damaged(path: path, reason: reason, previous: "it is missing")
        case (.damaged(let text), _): throw .damaged(path: path, reason: reason, previous: text)
        }
    }

    private func read(_ path: String) throws(CheckpointError) -> Reading {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(path, limit: 64 << 10)
        } catch {
            if error.code == ENOENT { return .missing }
            if error.code == EFBIG { return .damaged("it is larger than a checkpoint can be") }
            throw .io(error)
        }
        let record: CheckpointRecord
        do throws(CheckpointText.Damage) {
            record = try CheckpointText.decode(bytes)
        } catch {
            switch error {
            case .damaged(let reason): return .damaged(reason)
            case .newer(let version): throw .newer(path: path, version: version)
            }
        }
        guard record.streamName == streamName else { throw .otherStream(path: path, found: record.streamName, expected: streamName) }
        return .sound(record)
    }

    /// The present record gets the second name; at each moment both names point to whole records.
    private func keepPrevious() throws(FileError) {
        let temporary = previousPath + ".new"
        try FileSystem.removeIfPresent(temporary)
        do throws(FileError) {
            try FileSystem.link(path, as: temporary)
        } catch {
            // File systems without hard links.
            guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.code) else { throw error }
            try FileSystem.writeNew(temporary, try FileSystem.read(path, limit: 64 << 10), mode: 0o600)
        }
        try FileSystem.rename(temporary, to: previousPath)
        // Two names of one file: rename leaves both.
        try FileSystem.removeIfPresent(temporary)
    }
}
