import Files
import Glibc
import PluginABI
import Synchronization

/// A library that was read, checked and copied. No code of it has run: what follows is best tried in a child process first.
public struct PluginCandidate: Sendable {
    /// The file as the configuration names it.
    public let path: String
    /// Of its content, 64 hexadecimal digits.
    public let sha256: String
    /// Bytes.
    public let size: Int
    /// The host's own copy, which is what would be loaded.
    public let copyPath: String
}

/// Brings libraries into the process, each content once, and never lets one go.
///
/// `examine` reads and checks the file and makes the private copy; `load` maps that copy and checks what the library says of itself. The same content
/// gives the same image whatever the path; another content under the same path gives another image beside the old one, which keeps running until its
/// last instance ends. Nothing is ever unmapped: code of a library may be on a stack, in a thread's exit handlers, or in the runtime's tables.
/// From any thread.
public final class PluginLoader: Sendable {
    /// Each change of a library keeps its old images; at this many it is time for a restart.
    public static let imagesMax = 256

    private let copies: PrivateCopies
    private let isTemporary: Bool
    private let images = Mutex<[String: LoadedImage]>([:])

    /// A loader whose private copies live in `directory` (`<state>/plugins`), which is made with mode 0700 where missing.
    public convenience init(directory: String) throws(PluginError) {
        try self.init(copies: PrivateCopies(directory: directory), isTemporary: false)
    }

    private init(copies: PrivateCopies, isTemporary: Bool) throws(PluginError) {
        self.copies = copies
        self.isTemporary = isTemporary
    }

    /// A loader that leaves nothing on the disk, for programs that only want to know what a library says of itself.
    public static func temporary() throws(PluginError) -> PluginLoader {
        var candidates = ["/tmp", "/var/tmp"]
        for variable in ["XDG_RUNTIME_DIR", "TMPDIR"] {
            if let value = getenv(variable) { candidates.insert(String(cString: value), at: 0) }
        }
        var last = PluginError(.directory, "/tmp", "no temporary directory can be used", cure: "set TMPDIR")
        for candidate in candidates {
            var template = Array((candidate + "/cdc-host-XXXXXX").utf8CString)
            guard let made = mkdtemp(&template) else { continue }
            let directory = String(cString: made)
            do throws(PluginError) {
                return try PluginLoader(copies: PrivateCopies(directory: directory), isTemporary: true)
            } catch {
                last = error
                _ = rmdir(directory)
            }
        }
        throw last
    }

    deinit {
        guard isTemporary else { return }
        // What is mapped stays mapped without its name.
        for name in (try? FileSystem.list(copies.directory)) ?? [] { _ = unlink(FilePath.join(copies.directory, name)) }
        _ = rmdir(copies.directory)
    }

    /// Libraries that are mapped, and their bytes on disk.
    public var mapped: (count: Int, bytes: Int) {
        images.withLock { ($0.count, $0.values.reduce(0) { $0 + $1.size }) }
    }

    /// Reads, checks and copies a library without running anything of it.
    /// - Parameter sha256: what the file must hash to; nil: anything.
    public func examine(_ path: String, sha256: String? = nil) throws(PluginError) -> PluginCandidate {
        let file = try PluginFile(path, sha256: sha256)
        return PluginCandidate(path: path, sha256: file.sha256, size: file.bytes.count, copyPath: try copies.keep(file))
    }

    /// Maps the library unless its content is mapped already, and asks it what it is.
    /// - Parameter generation: the number of the plan that it is loaded for.
    public func load(_ candidate: PluginCandidate, generation: Int = 1) throws(PluginError) -> LoadedLibrary {
        let image = try images.withLock { (images: inout [String: LoadedImage]) throws(PluginError) in
            if let known = images[candidate.sha256] { return known }
            guard images.count < Self.imagesMax else {
                throw PluginError(
                    .limit, candidate.path, "\(images.count) libraries are mapped already, and none is ever unmapped", cure: "restart the host")
            }
            let fresh = try Self.map(candidate)
            images[candidate.sha256] = fresh
            return fresh
        }
        return LoadedLibrary(
            try Descriptor(image.entry(CDCP_ABI_CURRENT), path: candidate.path), path: candidate.path, generation: generation, image: image)
    }

    /// `examine` and `load` in one.
    public func load(_ path: String, sha256: String? = nil, generation: Int = 1) throws(PluginError) -> LoadedLibrary {
        try load(try examine(path, sha256: sha256), generation: generation)
    }

    /// What a library says of itself. Its code is mapped into this process; nothing stays on the disk.
    public static func describe(_ path: String) throws(PluginError) -> LoadedLibrary {
        try temporary().load(path)
    }

    private static func map(_ candidate: PluginCandidate) throws(PluginError) -> LoadedImage {
        guard let handle = dlopen(candidate.copyPath, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw loading(candidate, failure())
        }
        guard let symbol = dlsym(handle, ElfChecks.entry) else {
            throw loading(candidate, failure())
        }
        return LoadedImage(sha256: candidate.sha256, size: candidate.size, entry: unsafeBitCast(symbol, to: LoadedImage.Entry.self))
    }

    private static func failure() -> String { dlerror().map { String(cString: $0) } ?? "no reason given" }

    private static func loading(_ candidate: PluginCandidate, _ reason: String) -> PluginError {
        let cure =
            reason.contains("GLIBC")
            ? "build it on the oldest system that it is to run on"
            : reason.contains("cannot open shared object file")
                ? "install the library that it needs"
                : reason.contains("undefined symbol") ? "link it with the library that has the symbol" : ""
        return PluginError(.loading, candidate.path, "cannot be loaded: \(reason.replacing(candidate.copyPath, with: "it"))", cure: cure)
    }
}
