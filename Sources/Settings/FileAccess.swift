internal import Files

/// Who besides the host's user may change a file of the configuration, or read a secret.
///
/// Warnings only: containers and orchestrators mount such files with modes of their own. What loads code is judged strictly, by the plugin loader.
struct FileAccess {
    /// The user that the host runs as.
    private let user: UInt32

    init(user: UInt32 = FileSystem.effectiveUser) { self.user = user }

    /// Whoever may write to it chooses the code that the host runs; nil: nobody else may, or nothing can be written there at all.
    func complaint(_ path: String) -> Problem? {
        guard let status = try? FileSystem.status(of: path), (try? FileSystem.isReadOnly(path)) != true else { return nil }
        let danger = "whoever can write it chooses what the host runs"
        if status.owner != 0, status.owner != user {
            return warning(path, "is owned by user \(status.owner), neither root nor the host's user \(user): \(danger); chown it")
        }
        guard status.isWritableByOthers else { return nil }
        return warning(path, "may be written by group or others (mode \(status.modeText)): \(danger); chmod go-w it")
    }

    /// What a reference names is taken for a secret.
    func complaint(secret path: String, _ place: SourcePlace, keyPath: String) -> Problem? {
        guard let status = try? FileSystem.status(of: path), status.isOpenToAll else { return nil }
        return Problem(
            place, keyPath: keyPath, "\(path) may be read or changed by every user (mode \(status.modeText)); chmod o-rw it", severity: .warning)
    }

    private func warning(_ path: String, _ message: String) -> Problem { Problem(SourcePlace(file: path), message, severity: .warning) }
}

extension FileStatus {
    /// As chmod writes it: `0644`.
    fileprivate var modeText: String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(1, 4 - digits.utf8.count)) + digits
    }
}
