/// The languages that a file may be written in.
public enum DocumentLanguage: Sendable {
    /// YAML 1.2, core schema, one document a file.
    case yaml
    /// TOML 1.0.
    case toml
}

/// Something in a text that is not YAML or not TOML, or a key that stands there twice.
public struct DocumentProblem: Error, Sendable, Hashable {
    /// Where.
    public var mark: Mark
    /// The keys that lead there, empty where the text itself is broken.
    public var keyPath: [String]
    /// What is wrong, and what to write instead. Never a value.
    public var message: String
}

/// A text read into a tree.
public struct Document: Sendable {
    /// The tree, as far as it could be read; nil when nothing could.
    public var root: Node?
    /// Everything that is wrong with the text itself, in order.
    public var problems: [DocumentProblem]
    /// False when reading ended before the end of the text: keys that seem to be missing may stand behind that place.
    public var isWhole: Bool

    /// Most bytes a text may have: far beyond any configuration, small enough to read at once.
    public static let bytesMax = 1 << 20
    /// Deepest nesting. libfyaml promises 64.
    public static let depthMax = 48
    /// Most values a text may have, those that aliases repeat included.
    public static let valuesMax = 50_000

    /// Reads `bytes` (UTF-8, with or without a byte order mark). Never traps, whatever they hold.
    public init(_ bytes: [UInt8], language: DocumentLanguage) {
        guard bytes.count <= Document.bytesMax else {
            self.init(failed: Mark(line: 1, column: 1), "the file has \(bytes.count) bytes; at most \(Document.bytesMax) are read")
            return
        }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        if let (mark, what) = Document.firstBadByte(body) {
            self.init(failed: mark, "\(what); the file must be UTF-8 text")
            return
        }
        switch language {
        case .yaml: self = readYAML(body)
        case .toml: self = readTOML(body)
        }
    }

    init(root: Node?, problems: [DocumentProblem], isWhole: Bool) {
        self.root = root
        self.problems = problems
        self.isWhole = isWhole
    }

    init(failed mark: Mark, _ message: String) {
        self.init(root: nil, problems: [DocumentProblem(mark: mark, keyPath: [], message: message)], isWhole: false)
    }

    /// The first byte that is not UTF-8, or a control character that neither language allows.
    private static func firstBadByte(_ bytes: [UInt8]) -> (Mark, String)? {
        var line = 1
        var lineStart = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            var length = 1
            var isGood = true
            switch byte {
            case 0x0A:
                line += 1
                lineStart = index + 1
            case 0x09, 0x0D, 0x20...0x7E: break
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF: length = 3
            case 0xF0...0xF4: length = 4
            default: isGood = false
            }
            if isGood, length > 1 {
                let end = index + length
                isGood = end <= bytes.count && String(validating: bytes[index..<end], as: UTF8.self) != nil
            }
            guard isGood else {
                let column = bytes[lineStart..<index].count(where: { $0 & 0xC0 != 0x80 }) + 1
                let isControl = byte < 0x20 || byte == 0x7F
                return (
                    Mark(line: line, column: column), "\(isControl ? "control character" : "byte") 0x\(String(byte, radix: 16)) is not allowed here"
                )
            }
            index += length
        }
        return nil
    }
}
