import Glibc

/// Operations on paths. All block; all may be called from any thread.
public enum FileSystem {
    /// The whole content of a file. More than `limit` bytes: an error with `EFBIG`.
    public static func read(_ path: String, limit: Int = 16 << 20) throws(FileError) -> [UInt8] {
        try OpenFile(path, .read).readAll(limit: limit)
    }

    /// What the system knows of a path; of the link itself with `followingLinks: false`.
    public static func status(of path: String, followingLinks: Bool = true) throws(FileError) -> FileStatus {
        var raw = stat()
        try Syscall.run(.status, path) { Int(followingLinks ? stat(path, &raw) : lstat(path, &raw)) }
        return FileStatus(raw)
    }

    /// Is there something at this path? Errors other than "missing" count as something.
    public static func exists(_ path: String) -> Bool {
        do throws(FileError) {
            _ = try status(of: path)
            return true
        } catch {
            return !error.isMissing
        }
    }

    /// Names in a directory, without `.` and `..`, sorted by their bytes.
    public static func list(_ path: String) throws(FileError) -> [String] {
        var stream: OpaquePointer?
        try Syscall.run(.list, path) {
            stream = opendir(path)
            return stream == nil ? -1 : 0
        }
        guard let stream else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileError(operation: .list, path: path, code: errno) }
                return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// The path without symbolic links, absolute.
    public static func resolve(_ path: String) throws(FileError) -> String {
        var resolved: String?
        try Syscall.run(.resolve, path) {
            guard let raw = realpath(path, nil) else { return -1 }
            resolved = String(cString: raw)
            free(raw)
            return 0
        }
        return resolved ?? path
    }

    /// Makes a directory with mode 0700 and the missing ones above it; one that is there is taken as it is.
    public static func makePrivateDirectory(_ path: String) throws(FileError) {
        do throws(FileError) {
            try Syscall.run(.makeDirectory, path) { Int(mkdir(path, 0o700)) }
        } catch {
            if error.code == EEXIST {
                guard try status(of: path).kind == .directory else { throw FileError(operation: .makeDirectory, path: path, code: ENOTDIR) }
                return
            }
            let above = FilePath.directory(of: path)
            guard error.code == ENOENT, above != path else { throw error }
            try makePrivateDirectory(above)
            // Once: below /proc it is missing however often it is made. Somebody else may have made it meanwhile.
            do throws(FileError) { try Syscall.run(.makeDirectory, path) { Int(mkdir(path, 0o700)) } } catch {
                guard error.code == EEXIST else { throw error }
            }
        }
        try syncDirectory(FilePath.directory(of: path))
    }

    /// Puts `bytes` in the place of `path`: the old content or the new one is there, whatever happens,
    /// and the new one is on disk when this returns.
    public static func atomicReplace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(FileError) {
        let temporary = path + ".new"
        try removeIfPresent(temporary)
        do throws(FileError) {
            try writeNew(temporary, bytes, mode: mode)
            try rename(temporary, to: path)
        } catch {
            // Best effort: the error that matters is the one at hand.
            _ = unlink(temporary)
            throw error
        }
        try syncDirectory(FilePath.directory(of: path))
    }

    /// Writes a file that must not exist yet, and syncs it (not its directory).
    public static func writeNew(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(FileError) {
        let file = try OpenFile(path, .createNew(mode: mode))
        try file.setMode(mode)
        try file.write(bytes)
        try file.sync()
    }

    /// Renames within one file system; what was at `target` is replaced.
    public static func rename(_ path: String, to target: String) throws(FileError) {
        try Syscall.run(.rename, target) { Int(Glibc.rename(path, target)) }
    }

    /// A second name for the same file. The file system may not know such names: `EPERM` or `EOPNOTSUPP`.
    public static func link(_ path: String, as second: String) throws(FileError) {
        try Syscall.run(.link, second) { Int(Glibc.link(path, second)) }
    }

    /// Removes a file.
    public static func remove(_ path: String) throws(FileError) {
        try Syscall.run(.remove, path) { Int(unlink(path)) }
    }

    /// Removes a file; one that is not there is no error.
    public static func removeIfPresent(_ path: String) throws(FileError) {
        do throws(FileError) { try remove(path) } catch { if error.code != ENOENT { throw error } }
    }

    /// Makes the names in a directory durable.
    public static func syncDirectory(_ path: String) throws(FileError) {
        let directory = try OpenFile(path, .read)
        try Syscall.run(.syncDirectory, path) { Int(fsync(directory.descriptor)) }
    }

    /// May this process make files in a directory?
    public static func mayWrite(in directory: String) -> Bool { access(directory, W_OK | X_OK) == 0 }

    /// The user whose rights this process has.
    public static var effectiveUser: UInt32 { geteuid() }

    // statvfs(3): ST_RDONLY and ST_NOEXEC, which the importer does not see.
    private static let readOnly: UInt = 1
    private static let noExecution: UInt = 8

    /// Is the file system of this path mounted so that nothing on it can be run or mapped as code?
    public static func forbidsExecution(_ path: String) throws(FileError) -> Bool {
        try flags(path) & noExecution != 0
    }

    /// Is the file system of this path mounted so that nobody can write to it?
    public static func isReadOnly(_ path: String) throws(FileError) -> Bool { try flags(path) & readOnly != 0 }

    private static func flags(_ path: String) throws(FileError) -> UInt {
        var raw = statvfs()
        try Syscall.run(.status, path) { Int(statvfs(path, &raw)) }
        return raw.f_flag
    }
}
