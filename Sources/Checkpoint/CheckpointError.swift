public import Files

/// Why the position cannot be read or kept.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The disk refuses. Exit 74.
    case io(FileError)
    /// The file, and the copy before it, cannot be trusted. Exit 74.
    case damaged(path: String, reason: String, previous: String)
    /// Written by a later version. Exit 74.
    case newer(path: String, version: Int)
    /// The file belongs to another stream. Exit 80.
    case otherStream(path: String, found: String, expected: String)
    /// Another process works in this directory for this stream. Exit 82.
    case held(path: String, pid: Int32?)
    /// A write failed before: what is on disk is not known any more. Exit 74.
    case poisoned(path: String)
    /// The record contradicts itself and was not written. Exit 70.
    case contradiction(path: String, reason: String)
    /// A name that cannot be that of a file. Exit 78.
    case name(String)

    /// One line: what, where and the cure.
    public var description: String {
        switch self {
        case .io(let error): "checkpoint: \(error)"
        case .damaged(let path, let reason, let previous):
            "checkpoint \(path) is damaged: \(reason); the copy before it: \(previous); "
                + "restore the file from a backup, or remove both files and the slot to begin with a new snapshot"
        case .newer(let path, let version):
            "checkpoint \(path) has version \(version), this host knows \(CheckpointText.version) at most; "
                + "run the version that wrote it, or a later one"
        case .otherStream(let path, let found, let expected):
            "checkpoint \(path) belongs to the stream \"\(found)\", not to \"\(expected)\"; give this stream a state.directory or name of its own"
        case .held(let path, let pid):
            "another cdc-host holds \(path)\(pid.map { " (process \($0))" } ?? ""); stop it, or give this stream a state.directory of its own"
        case .poisoned(let path):
            "checkpoint \(path) could not be written before, and what the disk holds is not known; start the host again"
        case .contradiction(let path, let reason): "checkpoint \(path) was not written: \(reason); this is a defect of the host"
        case .name(let name): "\"\(name)\" cannot name a state file: it is empty, begins with a dot, or has a slash or a control character"
        }
    }
}

/// Names become file names: nothing that could leave the directory.
func checkStreamName(_ name: String) throws(CheckpointError) {
    let sound =
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
        && name.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "/" && $0.value != 127 }
    if !sound { throw .name(name) }
}
