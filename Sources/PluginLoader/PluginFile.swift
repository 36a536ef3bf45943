import Files
import Glibc

/// A library's bytes, taken from the disk once: what was checked and hashed is what is copied and loaded, whatever happens to the file meanwhile.
struct PluginFile: Sendable {
    /// More than this is no plugin.
    static let bytesMax = 256 << 20

    let path: String
    let bytes: [UInt8]
    let sha256: String

    /// Reads and checks `path`. No code of the library runs.
    init(_ path: String, sha256 pin: String?) throws(PluginError) {
        self.path = path
        self.bytes = try Self.read(path)
        let hash = SHA256.hex(bytes)
        self.sha256 = hash
        // Before the pin: "truncated" says more than "another hash".
        try ElfChecks.run(bytes, path: path)
        if let pin, pin.lowercased() != hash {
            throw PluginError(
                .hash, path, "its SHA-256 is \(hash), the stage pins \(pin.lowercased())",
                cure: "install the pinned file, or pin the new one after a review")
        }
    }

    private static func read(_ path: String) throws(PluginError) -> [UInt8] {
        let linked = try translating { () throws(FileError) in try FileSystem.status(of: path, followingLinks: false) }
        // Whoever may turn the link round chooses the code.
        if linked.kind == .symbolicLink { try checkDirectory(of: path, path) }
        let target = try translating { () throws(FileError) in try FileSystem.resolve(path) }
        try checkDirectory(of: target, path)
        let file = try translating { () throws(FileError) in try OpenFile(target, .readWithoutFollowing) }
        let before = try translating { () throws(FileError) in try file.status() }
        guard before.kind == .regular else {
            throw PluginError(.notALibrary, path, "is not a regular file", cure: "name the library's file")
        }
        try check(before, path, "the file")
        let bytes = try translating { () throws(FileError) in try file.readAll(limit: bytesMax) }
        let after = try translating { () throws(FileError) in try file.status() }
        guard after == before, bytes.count == before.size else {
            throw PluginError(
                .truncated, path, "was changed while it was read", cure: "reload when it is complete; install by writing a new file and renaming it")
        }
        return bytes
    }

    private static func checkDirectory(of file: String, _ path: String) throws(PluginError) {
        let directory = FilePath.directory(of: file)
        let status = try translating { () throws(FileError) in try FileSystem.status(of: directory) }
        if status.isSticky { return }
        try check(status, path, "its directory \(directory)")
    }

    /// Only root and the user that runs the host may be able to change it.
    private static func check(_ status: FileStatus, _ path: String, _ subject: String) throws(PluginError) {
        guard status.owner == 0 || status.owner == geteuid() else {
            throw PluginError(
                .permission, path, "\(subject) is owned by user \(status.owner), neither root nor the host's user \(geteuid())",
                cure: "chown it to root or to the host's user")
        }
        guard !status.isWritableByOthers else {
            throw PluginError(
                .permission, path, "\(subject) may be written by group or others (mode 0\(String(status.mode, radix: 8)))", cure: "chmod go-w it")
        }
    }
}
