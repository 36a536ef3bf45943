import Glibc

/// What the system knows of a file.
public struct FileStatus: Equatable, Sendable {
    /// The kinds that matter here.
    public enum Kind: Sendable { case regular, directory, symbolicLink, other }

    /// What it is.
    public let kind: Kind
    /// User id of its owner.
    public let owner: UInt32
    /// Permission bits, set-id and sticky bits included.
    public let mode: UInt32
    /// Bytes.
    public let size: Int
    /// With `inode`: the file's identity.
    public let device: UInt64
    /// With `device`: the file's identity.
    public let inode: UInt64
    /// Nanoseconds since 1970 of the last change of content.
    public let modifiedNanoseconds: Int64

    /// Group or others may write to it.
    public var isWritableByOthers: Bool { mode & 0o022 != 0 }
    /// Users that are neither its owner nor of its group may read or write it.
    public var isOpenToAll: Bool { mode & 0o006 != 0 }
    /// Files in this directory may be removed by their owners only.
    public var isSticky: Bool { mode & 0o1000 != 0 }

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        owner = raw.st_uid
        mode = raw.st_mode & 0o7777
        size = Int(raw.st_size)
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        modifiedNanoseconds = Int64(raw.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_mtim.tv_nsec)
    }
}
