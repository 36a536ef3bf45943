import Glibc

/// What was asked of the system when a file operation failed.
public enum FileOperation: String, Sendable, CaseIterable {
    case open, read, write, sync, rename, link, remove, truncate, seek, lock, status, list, resolve, makeDirectory, changeMode, syncDirectory
}

/// A file operation that failed: which one, where, and the system's error number.
///
/// The text holds the path and the system's words, never the file's content.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The step that failed.
    public let operation: FileOperation
    /// The path as it was given.
    public let path: String
    /// `errno` of the failed call; `EFBIG` where a file is larger than the reader allows.
    public let code: Int32

    /// Values as the system reported them.
    public init(operation: FileOperation, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// The path, or a directory on the way to it, does not exist.
    public var isMissing: Bool { code == ENOENT || code == ENOTDIR }

    /// The system's words for `code`.
    public var reason: String { String(cString: strerror(code)) }

    /// What an operator can do about it; empty where the reason says it all.
    public var cure: String {
        switch code {
        case ENOSPC, EDQUOT: "make room on that file system"
        case EROFS: "that file system is mounted read-only"
        case EACCES, EPERM: "check owner and mode of the file and of the directories above it"
        case EIO: "the disk reports errors: look at the kernel's log"
        case EMFILE, ENFILE: "raise the limit of open files"
        case EFBIG: "the file is larger than is sensible here"
        default: ""
        }
    }

    /// One line: operation, path, reason, number and cure.
    public var description: String {
        "cannot \(operation.phrase) \(path): \(reason) (errno \(code))" + (cure.isEmpty ? "" : "; \(cure)")
    }
}

extension FileOperation {
    fileprivate var phrase: String {
        switch self {
        case .makeDirectory: "make directory"
        case .changeMode: "change the mode of"
        case .syncDirectory: "sync directory"
        case .status: "look at"
        default: rawValue
        }
    }
}
