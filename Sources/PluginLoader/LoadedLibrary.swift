public import PluginABI
import Synchronization

/// A library whose code is in this process, as one load of it found it. Never unloaded: its image outlives every value.
public final class LoadedLibrary: @unchecked Sendable {
    // SAFETY: immutable but for the count of users, which the image guards; the pointers lead to static storage that is never unmapped.

    /// The file as the configuration names it.
    public let path: String
    /// Of the content that executes, 64 hexadecimal digits.
    public let sha256: String
    /// The plan's number that this load was made for.
    public let generation: Int
    /// Its name for itself.
    public let id: String
    /// Its own version.
    public let version: String
    /// Who made it; may be empty.
    public let vendor: String
    /// Its licence; may be empty.
    public let license: String
    /// The contract it was built with, `major << 16 | minor`.
    public let abiVersion: UInt32
    /// The oldest host that it can run on.
    public let abiMin: UInt32
    /// At least one.
    public let stages: [LoadedStage]
    private let image: LoadedImage
    private let begin: (@convention(c) (UnsafePointer<cdcp_host>?) -> cdcp_status)?
    private let end: (@convention(c) () -> Void)?

    init(_ descriptor: Descriptor, path: String, generation: Int, image: LoadedImage) {
        self.path = path
        self.sha256 = image.sha256
        self.generation = generation
        self.id = descriptor.id
        self.version = descriptor.version
        self.vendor = descriptor.vendor
        self.license = descriptor.license
        self.abiVersion = descriptor.abiVersion
        self.abiMin = descriptor.abiMin
        self.stages = descriptor.stages
        self.begin = descriptor.begin
        self.end = descriptor.end
        self.image = image
    }

    /// The stage of this name, or the only one where `id` is nil.
    public func stage(_ id: String?) throws(PluginError) -> LoadedStage {
        let names = stages.map(\.id).joined(separator: ", ")
        guard let id else {
            if stages.count == 1, let only = stages.first { return only }
            throw PluginError(.contract, path, "has several stages", cure: "say `stage:` with one of \(names)")
        }
        guard let found = stages.first(where: { $0.id == id }) else {
            throw PluginError(.contract, path, "has no stage \(id)", cure: "it has \(names)")
        }
        return found
    }

    /// Calls the library's `init` for its first user, and counts the further ones. To be called before an instance is made. [control]
    /// - Parameter host: valid as long as the process.
    public func retain(_ host: UnsafePointer<cdcp_host>) throws(PluginError) {
        let status = image.users.withLock { users in
            let status = users == 0 ? begin?(host) ?? CDCP_OK : CDCP_OK
            if status == CDCP_OK { users += 1 }
            return status
        }
        if status != CDCP_OK {
            throw PluginError(.contract, path, "its init answered \(status)", cure: "look at what it logged")
        }
    }

    /// Ends one use; the last calls the library's `deinit`. Its code stays. [control]
    public func release() {
        image.users.withLock { users in
            guard users > 0 else { return }
            users -= 1
            if users == 0 { end?() }
        }
    }
}

/// A mapped library.
final class LoadedImage: @unchecked Sendable {
    // SAFETY: immutable but for the count; a function pointer into code that stays mapped.
    typealias Entry = @convention(c) (UInt32) -> UnsafePointer<cdcp_library>?

    let sha256: String
    let size: Int
    let entry: Entry
    let users = Mutex(0)

    init(sha256: String, size: Int, entry: @escaping Entry) {
        self.sha256 = sha256
        self.size = size
        self.entry = entry
    }
}
