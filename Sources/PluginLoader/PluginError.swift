public import Files

/// Why a library is not used: what, where and the cure. Nothing of it has run unless `kind` says so. Exit 81.
public struct PluginError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, for tests and metrics.
    public enum Kind: Equatable, Sendable {
        /// There is no such file.
        case missing
        /// Owner, mode or place: somebody else could change it.
        case permission
        /// Not a shared library at all.
        case notALibrary
        /// The file is cut, or was being written while it was read.
        case truncated
        /// For another machine.
        case machine
        /// Exports other symbols than the one entry.
        case exports
        /// Needs an executable stack or writes to its code.
        case insecure
        /// Not the file that the stage pins.
        case hash
        /// The loader refuses it, e.g. a library that it needs is missing. Constructors may have run.
        case loading
        /// Built for a version of the contract that this host does not speak. Its entry has run.
        case version
        /// What it says of itself breaks the contract. Its entry has run.
        case contract
        /// The place for private copies cannot be used.
        case directory
        /// Too many libraries are mapped.
        case limit
        /// The disk refuses.
        case io(FileError)
    }

    /// What is wrong.
    public let kind: Kind
    /// The file, as the configuration names it.
    public let path: String
    /// What is wrong, in words.
    public let what: String
    /// What to do about it.
    public let cure: String

    init(_ kind: Kind, _ path: String, _ what: String, cure: String) {
        self.kind = kind
        self.path = path
        self.what = what
        self.cure = cure
    }

    init(_ error: FileError) {
        self.init(error.isMissing ? .missing : .io(error), error.path, "\(error)", cure: "")
    }

    /// One line.
    public var description: String {
        if case .io = kind { return "plugin: \(what)" }
        return "plugin \(path): \(what)" + (cure.isEmpty ? "" : "; \(cure)")
    }
}

/// A file error becomes a plugin error.
func translating<Result: ~Copyable>(_ body: () throws(FileError) -> Result) throws(PluginError) -> Result {
    do throws(FileError) { return try body() } catch { throw PluginError(error) }
}
