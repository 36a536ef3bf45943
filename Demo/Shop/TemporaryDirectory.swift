import Glibc

/// The folder that holds everything the demo writes: the throwaway server, the host's state, the logs.
struct TemporaryDirectory {
    let path: String

    /// Made in TMPDIR or /tmp. Others may pass through it (the server runs as another user), but not look into it.
    init(environment: [String: String]) throws(ShopError) {
        // A Unix socket's path has room for 107 bytes; ours adds about 40. Root's own TMPDIR may be closed to the server's user.
        var parent = environment["TMPDIR"] ?? "/tmp"
        if parent.isEmpty || parent.utf8.count > 60 || geteuid() == 0 { parent = "/tmp" }
        var template = Array("\(parent)/cdc-demo-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw ShopError("no temporary directory in \(parent): \(SystemText.of(errno))") }
        path = String(cString: made)
        guard chmod(path, 0o711) == 0 else { throw ShopError("chmod \(path): \(SystemText.of(errno))") }
    }

    /// Makes a folder in it, for `owner` alone.
    func folder(_ name: String, owner: passwd? = nil) throws(ShopError) -> String {
        let folder = "\(path)/\(name)"
        guard mkdir(folder, 0o700) == 0 else { throw ShopError("mkdir \(folder): \(SystemText.of(errno))") }
        if let owner, chown(folder, owner.pw_uid, owner.pw_gid) != 0 { throw ShopError("chown \(folder): \(SystemText.of(errno))") }
        return folder
    }

    /// Opens a new file in it for writing; the caller closes it.
    func newFile(_ name: String) throws(ShopError) -> Int32 {
        let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ShopError("\(path)/\(name): \(SystemText.of(errno))") }
        return descriptor
    }

    /// The last lines of a file in it.
    func lastLines(_ count: Int, of name: String) -> [String] {
        Self.text(of: "\(path)/\(name)", last: 65_536).split(separator: "\n").suffix(count).map(String.init)
    }

    /// The text of a small file, or of a large one's end.
    static func text(of file: String, last sizeMax: Int = 65_536) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        lseek(descriptor, max(0, size - sizeMax), SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: sizeMax)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    /// Removes it with all that is in it.
    func remove(environment: [String: String], _ session: Session) throws {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let command = try ChildProcess(
            name: "rm", command: ["rm", "-rf", "--", path], environment: environment, streams: .init(input: null, output: null, error: null))
        while command.exitCode == nil { session.pause(milliseconds: 10) }
        guard access(path, F_OK) != 0 else { throw ShopError("\(path) could not be removed; remove it by hand") }
    }
}
