import Files
import Glibc

/// Libraries run from copies of the host's own, named by their content: whatever is done to the original, the running code stays whole, and no path
/// ever stands for two contents.
struct PrivateCopies: Sendable {
    let directory: String

    /// Prepares `directory` (mode 0700).
    init(directory: String) throws(PluginError) {
        self.directory = try translating { () throws(FileError) in
            try FileSystem.makePrivateDirectory(directory)
            return try FileSystem.resolve(directory)
        }
        if try translating({ () throws(FileError) in try FileSystem.forbidsExecution(directory) }) {
            throw PluginError(
                .directory, directory, "is on a file system mounted with noexec, so that no library can run from it",
                cure: "choose another state.directory, or mount that one without noexec")
        }
    }

    /// The copy's path; made and synced unless it is there. Its content is read back and hashed either way.
    func keep(_ file: PluginFile) throws(PluginError) -> String {
        let path = FilePath.join(directory, file.sha256 + ".so")
        if isIntact(path, file.sha256) { return path }
        let temporary = path + ".new.\(getpid())"
        try translating { () throws(FileError) in
            try FileSystem.removeIfPresent(temporary)
            try FileSystem.writeNew(temporary, file.bytes, mode: 0o500)
            try FileSystem.rename(temporary, to: path)
            try FileSystem.syncDirectory(directory)
        }
        guard isIntact(path, file.sha256) else {
            throw PluginError(.directory, path, "the private copy differs from what was written", cure: "look at the disk and the kernel's log")
        }
        return path
    }

    private func isIntact(_ path: String, _ sha256: String) -> Bool {
        do throws(FileError) {
            let file = try OpenFile(path, .readWithoutFollowing)
            let status = try file.status()
            guard status.kind == .regular, status.owner == geteuid(), !status.isWritableByOthers else { return false }
            return SHA256.hex(try file.readAll(limit: PluginFile.bytesMax)) == sha256
        } catch { return false }
    }
}
