import Files
import Glibc

/// How a process was started, from /proc.
struct ProcessArguments {
    private let arguments: [String]
    private let workingDirectory: String

    /// nil: it is gone, or another user's.
    init?(pid: Int32) {
        // Files of /proc say that they are empty: read to the end, not to the size.
        let descriptor = open("/proc/\(pid)/cmdline", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let length = read(descriptor, &bytes, bytes.count)
        guard length > 0, let directory = try? FileSystem.resolve("/proc/\(pid)/cwd") else { return nil }
        arguments = bytes[..<length].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        workingDirectory = directory
    }

    /// Was it started with this plugins.d?
    func runs(_ directory: String) -> Bool {
        guard case .run(let plugins) = try? Command.parse(Array(arguments.dropFirst())) else { return false }
        return Self.whole(FilePath.join(workingDirectory, plugins)) == Self.whole((try? FilePath.absolute(directory)) ?? directory)
    }

    private static func whole(_ path: String) -> String { (try? FileSystem.resolve(path)) ?? path }
}
