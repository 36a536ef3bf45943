internal import Documents
internal import Files

/// One file of the configuration: read, parsed, references replaced.
struct SettingsFile {
    /// As shown in messages.
    let path: String
    /// The values, as far as they could be read; nil when nothing could.
    private(set) var root: OptionTree?
    /// False when a syntax error hides the end of the file: what seems to be missing may stand there.
    private(set) var isWhole = false
    private(set) var problems: [Problem] = []

    private let sources: Substitution.Sources
    private let access = FileAccess()
    /// Keys whose value is a connection string, with the rules of one for what is substituted into it.
    private static let connectionPath = "source.connection"

    init(path: String, environment: [String: String]) {
        self.path = path
        sources = Substitution.Sources(environment: environment, directory: FilePath.directory(of: path))
        do {
            read(try FileSystem.read(path, limit: Document.bytesMax + 1), language: path.hasSuffix(".toml") ? .toml : .yaml)
        } catch {
            problems.append(Problem(SourcePlace(file: path), "cannot be read: \(error.reason)"))
        }
    }

    /// The same from memory.
    init(path: String, bytes: [UInt8], language: DocumentLanguage, environment: [String: String]) {
        self.path = path
        sources = Substitution.Sources(environment: environment, directory: FilePath.directory(of: path))
        read(bytes, language: language)
    }

    private mutating func read(_ bytes: [UInt8], language: DocumentLanguage) {
        let document = Document(bytes, language: language)
        isWhole = document.isWhole
        problems += document.problems.map { Problem(place($0.mark), keyPath: DottedPath.text($0.keyPath), $0.message) }
        if let node = document.root {
            let tree = self.tree(node, keyPath: "")
            switch tree.kind {
            case .map: root = tree
            case .null: root = .empty(place: tree.place)
            default: problems.append(tree.problem("the file must hold keys with values, such as name: shop"))
            }
        } else if document.problems.isEmpty {
            root = .empty(place: place(Mark(line: 1, column: 1)))
        }
    }

    private func place(_ mark: Mark) -> SourcePlace {
        SourcePlace(file: path, line: mark.line, column: mark.column)
    }

    private mutating func tree(_ node: Node, keyPath: String) -> OptionTree {
        let place = place(node.mark)
        switch node.value {
        case .null: return OptionTree(.null, text: node.text, place: place, keyPath: keyPath)
        case .bool(let truth): return OptionTree(.boolean(truth), text: node.text, place: place, keyPath: keyPath)
        case .integer(let number): return OptionTree(.integer(number), text: node.text, place: place, keyPath: keyPath)
        case .float(let number): return OptionTree(.number(number), text: node.text, place: place, keyPath: keyPath)
        case .string(let text): return string(text, place: place, keyPath: keyPath)
        case .list(let nodes):
            var elements: [OptionTree] = []
            for (index, node) in nodes.enumerated() { elements.append(tree(node, keyPath: "\(keyPath)[\(index)]")) }
            return OptionTree(.list(elements), place: place, keyPath: keyPath)
        case .map(let nodes):
            var entries: [OptionTree.MapEntry] = []
            for entry in nodes {
                let inner = tree(entry.node, keyPath: DottedPath.join(keyPath, entry.key))
                entries.append(OptionTree.MapEntry(key: entry.key, place: self.place(entry.keyMark), tree: inner))
            }
            return OptionTree(.map(entries), place: place, keyPath: keyPath)
        }
    }

    private mutating func string(_ template: String, place: SourcePlace, keyPath: String) -> OptionTree {
        var tree = OptionTree(.string, text: template, place: place, keyPath: keyPath)
        guard template.contains("${") else { return tree }
        do {
            let result = try Substitution(template, sources)
            tree.text = keyPath == SettingsFile.connectionPath ? ConnectionTemplate.text(result.parts) : result.text
            tree.isSecret = result.holdsFile
            tree.holdsFile = result.holdsFile
            tree.isSubstituted = result.isSubstituted
            problems += result.files.compactMap { access.complaint(secret: $0, place, keyPath: keyPath) }
        } catch {
            problems.append(tree.problem(error.message))
            // One message is enough: whatever this value should have been is not asked again.
            tree.content = .null
            tree.isUnresolved = true
        }
        return tree
    }
}

extension OptionTree {
    /// The tree of a YAML text in memory, as if it were a file of that name; references are replaced. Checked by no schema.
    public static func reading(yaml text: String, file: String, environment: [String: String] = [:]) -> (tree: OptionTree, problems: [Problem]) {
        let read = SettingsFile(path: file, bytes: Array(text.utf8), language: .yaml, environment: environment)
        return (read.root ?? .empty(place: SourcePlace(file: file)), read.problems)
    }
}

/// Dotted paths for messages; a key that is not a plain word stands in quotes.
enum DottedPath {
    static func join(_ path: String, _ key: String) -> String {
        let isPlain =
            !key.isEmpty
            && key.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            }
        let shown = isPlain ? key : "\"\(key)\""
        return path.isEmpty ? shown : "\(path).\(shown)"
    }

    static func text(_ keys: [String]) -> String {
        keys.reduce("") { $1.hasPrefix("[") ? $0 + $1 : join($0, $1) }
    }
}
