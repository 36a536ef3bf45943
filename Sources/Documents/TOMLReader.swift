internal import TOMLShim

/// The longest run of key parts that toml++ is given: it nests a table a part, and its recursion knows no bound there.
private let keyPartsMax = 64

func readTOML(_ bytes: [UInt8]) -> Document {
    if let mark = overlongKey(bytes) {
        return Document(failed: mark, "a key of more than \(keyPartsMax) parts; no setting needs that")
    }
    let walk = TOMLWalk(lines: bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false))
    var visitor = toml_shim_visitor(
        context: Unmanaged.passUnretained(walk).toOpaque(),
        key: { context, text, length, mark in TOMLWalk.of(context).key(string(text, length), mark) },
        table_begin: { context, mark in TOMLWalk.of(context).begin(mark, isList: false) },
        table_end: { context in TOMLWalk.of(context).end() },
        array_begin: { context, mark in TOMLWalk.of(context).begin(mark, isList: true) },
        array_end: { context in TOMLWalk.of(context).end() },
        string: { context, text, length, mark in
            let written = string(text, length)
            TOMLWalk.of(context).scalar(.string(written), written, mark)
        },
        integer: { context, number, mark in TOMLWalk.of(context).scalar(.integer(number), String(number), mark) },
        floating: { context, number, mark in TOMLWalk.of(context).float(number, mark) },
        boolean: { context, truth, mark in TOMLWalk.of(context).scalar(.bool(truth != 0), truth != 0 ? "true" : "false", mark) },
        date: { context, text, length, mark in
            let written = string(text, length)
            TOMLWalk.of(context).scalar(.string(written), written, mark)
        },
        failed: { context, text, length, mark in TOMLWalk.of(context).fail(string(text, length), mark) })
    withExtendedLifetime(walk) {
        bytes.withUnsafeBytes { buffer in
            toml_shim_parse(buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count, &visitor)
        }
    }
    return walk.document()
}

private func string(_ text: UnsafePointer<CChar>?, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: text, count: text == nil ? 0 : length), as: UTF8.self)
}

/// What the callbacks fill; lives for one parse on one thread.
private final class TOMLWalk {
    private var builder = TreeBuilder()
    private var failure: DocumentProblem?
    private let lines: [ArraySlice<UInt8>]

    init(lines: [ArraySlice<UInt8>]) { self.lines = lines }

    static func of(_ context: UnsafeMutableRawPointer?) -> TOMLWalk {
        guard let context else { preconditionFailure("the shim hands back the context that it was given") }
        return Unmanaged<TOMLWalk>.fromOpaque(context).takeUnretainedValue()
    }

    func key(_ text: String, _ mark: toml_shim_mark) {
        if failure == nil { builder.key(text, Mark(mark)) }
    }

    func begin(_ mark: toml_shim_mark, isList: Bool) {
        attempt { () throws(DocumentProblem) in
            if isList { try builder.beginList(Mark(mark)) } else { try builder.beginMap(Mark(mark)) }
        }
    }

    func end() {
        attempt { () throws(DocumentProblem) in _ = try builder.end() }
    }

    func scalar(_ value: Value, _ text: String, _ mark: toml_shim_mark) {
        attempt { () throws(DocumentProblem) in try builder.scalar(Node(value: value, mark: Mark(mark), text: text)) }
    }

    func float(_ number: Double, _ mark: toml_shim_mark) {
        scalar(.float(number), written(at: Mark(mark)) ?? String(number), mark)
    }

    func fail(_ description: String, _ mark: toml_shim_mark) {
        let mark = Mark(mark)
        let redefinition = "cannot redefine existing "
        if description.contains("key-value pair: " + redefinition), let key = description.split(separator: "'").last {
            let message = "this key stands here a second time: keep one of them (TOML is read no further)"
            failure = DocumentProblem(
                mark: Mark(line: mark.line, column: indentation(of: mark.line) + 1), keyPath: table(above: mark.line) + [String(key)],
                message: message)
        } else {
            failure = DocumentProblem(mark: mark, keyPath: [], message: "not TOML: \(description)")
        }
    }

    private func indentation(of line: Int) -> Int {
        lines.indices.contains(line - 1) ? lines[line - 1].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count : 0
    }

    /// The parts of the nearest header above a line. Only for a message: a header with quoted parts may come out roughly.
    private func table(above line: Int) -> [String] {
        for bytes in lines.prefix(max(0, line - 1)).reversed() {
            let text = String(decoding: bytes, as: UTF8.self).prefix { $0 != "#" }.filter { !$0.isWhitespace }
            if text.hasPrefix("["), text.hasSuffix("]"), !text.contains(",") {
                return text.split { "[].".contains($0) }.map { $0.filter { $0 != "\"" } }
            }
        }
        return []
    }

    func document() -> Document {
        let root = builder.finish()
        guard let failure else { return Document(root: root, problems: builder.problems, isWhole: true) }
        return Document(root: root, problems: builder.problems + [failure], isWhole: false)
    }

    private func attempt(_ step: () throws(DocumentProblem) -> Void) {
        guard failure == nil else { return }
        do { try step() } catch { failure = error }
    }

    /// A number as it stands in the file. Up to the number a line with one is rarely anything but ASCII; where it is not, the characters are counted.
    private func written(at mark: Mark) -> String? {
        guard lines.indices.contains(mark.line - 1) else { return nil }
        let scalars = String(decoding: lines[mark.line - 1], as: UTF8.self).unicodeScalars.dropFirst(mark.column - 1)
        let number = scalars.prefix {
            $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || "+-._".unicodeScalars.contains($0))
        }
        return number.isEmpty ? nil : String(String.UnicodeScalarView(number)).filter { $0 != "_" }
    }
}

/// A run of key characters with too many dots in it. Strings are not told apart: prose with that many dots and no other mark does not occur.
private func overlongKey(_ bytes: [UInt8]) -> Mark? {
    var line = 1
    var dots = 0
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\n"):
            line += 1
            dots = 0
        case UInt8(ascii: "."): dots += 1
        case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"): dots = 0
        default: break
        }
        if dots >= keyPartsMax { return Mark(line: line, column: 1) }
    }
    return nil
}

extension Mark {
    fileprivate init(_ mark: toml_shim_mark) {
        // Tables that no header of their own names (`a` of `[a.b]`) may come without a place.
        self.init(line: max(1, Int(mark.line)), column: max(1, Int(mark.column)))
    }
}
