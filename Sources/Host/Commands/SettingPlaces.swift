import Documents
import Files
import Settings

/// Where the keys of the host file stand, for what the server has to say about their values.
struct SettingPlaces {
    private let file: String
    private var root: Node?

    /// Reads the host file of a plugins.d again; without one, places are those of the directory.
    init(directory: String) {
        for name in ["host.yaml", "host.yml", "host.toml"] {
            let path = FilePath.join(directory, name)
            guard let bytes = try? FileSystem.read(path, limit: Document.bytesMax) else { continue }
            file = path
            root = Document(bytes, language: name.hasSuffix(".toml") ? .toml : .yaml).root
            return
        }
        file = directory
    }

    /// A finding about a key: `FILE:LINE:COLUMN: key.path: message`.
    /// - Parameter element: the text of one element of the key's list, where that is to blame.
    func problem(_ key: String, element: String? = nil, _ message: String, severity: Problem.Severity = .error) -> Problem {
        var node = root
        var path: [String] = []
        var place = SourcePlace(file: file)
        for word in key.split(separator: ".").map(String.init) {
            guard case .map(let entries) = node?.value, let entry = entries.first(where: { $0.key == word }) else { break }
            node = entry.node
            path.append(word)
            place = SourcePlace(file: file, line: entry.keyMark.line, column: entry.keyMark.column)
        }
        if let element, case .list(let elements) = node?.value, path.joined(separator: ".") == key,
            let found = elements.first(where: { $0.text == element })
        {
            place = SourcePlace(file: file, line: found.mark.line, column: found.mark.column)
        }
        return Problem(place, keyPath: key, message, severity: severity)
    }
}
