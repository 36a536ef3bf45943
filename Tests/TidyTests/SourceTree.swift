import Glibc

/// The files of the project, read once.
enum SourceTree {
    static let root: String = {
        var here = #filePath
        // As the file system knows it, whatever links led here.
        if let real = realpath(here, nil) {
            here = String(cString: real)
            free(real)
        }
        return "/" + here.split(separator: "/").dropLast(3).joined(separator: "/")
    }()

    /// Every tracked file; where there is no git, every file outside of what is built.
    static let paths: [String] = {
        let listed = Shell.lines("git -C '\(root)' ls-files --cached --others --exclude-standard 2>/dev/null").filter { exists($0) }
        let found = listed.isEmpty ? Shell.lines("cd '\(root)' && find . -type f -not -path '*/.*' -printf '%P\\n'") : listed
        return found.sorted()
    }()

    static let files: [SourceFile] = paths.filter { path in
        [".swift", ".h", ".c", ".cpp", ".py", ".md", ".yaml", ".toml", ".sh", ".map", ".modulemap"].contains { path.hasSuffix($0) } || !path.contains(".")
    }.map { SourceFile(path: $0, bytes: read($0)) }

    /// Swift that ships, and what the demo runs.
    static let swift = files.filter { $0.path.hasSuffix(".swift") && ["Sources/", "Plugins/", "Demo/"].contains(where: $0.path.hasPrefix) }
    static let manifest = Manifest(files.first { $0.path == "Package.swift" })

    static func exists(_ path: String) -> Bool { access(path.hasPrefix("/") ? path : root + "/" + path, F_OK) == 0 }

    private static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(root + "/" + path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
    }
}

/// What a shell command prints.
enum Shell {
    static func lines(_ command: String) -> [String] {
        guard let pipe = popen(command, "r") else { return [] }
        defer { pclose(pipe) }
        var lines: [String] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        while getline(&line, &capacity, pipe) > 0 {
            if let line { lines.append(String(String(cString: line).split(separator: "\n", omittingEmptySubsequences: false)[0])) }
        }
        free(line)
        return lines
    }
}
