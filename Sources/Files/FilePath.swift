import Glibc

/// Paths as text. Nothing here looks at the disk, except `absolute`, which asks for the working directory.
public enum FilePath {
    /// What is before the last slash: `.` for a bare name, `/` for a name in the root.
    public static func directory(of path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        var end = slash
        while end > 0, bytes[end - 1] == UInt8(ascii: "/") { end -= 1 }
        return end == 0 ? "/" : String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// What is behind the last slash.
    public static func name(of path: String) -> String {
        String(decoding: path.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed(), as: UTF8.self)
    }

    /// `relative` below `directory`; an absolute path stays as it is.
    public static func join(_ directory: String, _ relative: String) -> String {
        if relative.hasPrefix("/") || directory.isEmpty { return relative }
        return directory.hasSuffix("/") ? directory + relative : directory + "/" + relative
    }

    /// The path from the root; links and `..` stay.
    public static func absolute(_ path: String) throws(FileError) -> String {
        if path.hasPrefix("/") { return path }
        guard let raw = getcwd(nil, 0) else { throw FileError(operation: .resolve, path: path, code: errno) }
        defer { free(raw) }
        return join(String(cString: raw), path)
    }
}
