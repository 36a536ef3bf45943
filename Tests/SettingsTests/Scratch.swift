import Glibc

@testable import Settings

/// A directory of its own for one test, removed with it.
final class ScratchDirectory {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        var template = Array("/tmp/cdc-settings-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure() }
        path = String(cString: made)
        for (name, text) in files { try write(name, text) }
    }

    struct Failure: Error {}

    func write(_ name: String, _ text: String) throws {
        guard let file = fopen("\(path)/\(name)", "w") else { throw Failure() }
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Failure() }
    }

    func read(environment: [String: String] = [:]) -> PluginsDirectory {
        PluginsDirectory.read(path: path, environment: environment)
    }

    /// Problems, one a line, without the directory's name.
    func problems(environment: [String: String] = [:]) -> [String] {
        read(environment: environment).problems.map { $0.description.replacing(path + "/", with: "").replacing(path, with: "DIR") }
    }

    deinit {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                unlink("\(path)/\(name)")
            }
            closedir(stream)
        }
        rmdir(path)
    }
}

/// The tree of a YAML text.
func tree(_ text: String, environment: [String: String] = [:]) -> OptionTree {
    OptionTree.reading(yaml: text, file: "t.yaml", environment: environment).tree
}

/// A password with every awkward character, a blank at its end.
let hostilePassword = #"%I\a: {b} [c] #d 'e' "f" $HOME ${X} &*!|>@/?=g "#
