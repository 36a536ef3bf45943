internal import Files

/// The parts of a string that may hold `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}` and `$${` for a literal `${`.
///
/// It works on values that the parser has already found, so whatever a variable holds stays one value.
struct Substitution {
    /// One part of the result.
    struct Part: Equatable {
        var text: String
        /// False for what stands in the file itself.
        var isSubstituted: Bool
    }

    var parts: [Part] = []
    /// Files that were read; with any, the result is a secret.
    var files: [String] = []

    /// The whole result.
    var text: String { parts.map(\.text).joined() }
    var isSubstituted: Bool { parts.contains(where: \.isSubstituted) }
    var holdsFile: Bool { !files.isEmpty }

    /// What is wrong with a reference; names the variable or file, never its value.
    struct Failure: Error { var message: String }

    /// Largest secret file, in bytes.
    static let fileBytesMax = 64 << 10

    /// Where variables and files come from.
    struct Sources {
        var environment: [String: String]
        /// Relative paths begin here.
        var directory: String
    }

    init(_ template: String, _ sources: Sources) throws(Failure) {
        var rest = template[...]
        var literal = ""
        func takeLiteral(_ parts: inout [Part]) {
            if !literal.isEmpty { parts.append(Part(text: literal, isSubstituted: false)) }
            literal = ""
        }
        while let character = rest.first {
            if rest.hasPrefix("$${") {
                literal += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Failure(message: "${ without its }; write $${ for a literal ${")
                }
                takeLiteral(&parts)
                let reference = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
                parts.append(Part(text: try resolve(reference, sources), isSubstituted: true))
                rest = rest[rest.index(after: end)...]
            } else {
                literal.append(character)
                rest = rest.dropFirst()
            }
        }
        takeLiteral(&parts)
    }

    private mutating func resolve(_ reference: Substring, _ sources: Sources) throws(Failure) -> String {
        if reference.hasPrefix("env:") { return try Substitution.variable(reference.dropFirst(4), sources.environment) }
        if reference.hasPrefix("file:") {
            let path = try Substitution.place(String(reference.dropFirst(5)), sources.directory)
            files.append(path)
            return try Substitution.file(path)
        }
        throw Failure(message: "an unknown reference; allowed are ${env:NAME}, ${env:NAME:-default} and ${file:PATH}, and $${ for a literal ${")
    }

    private static func variable(_ reference: Substring, _ environment: [String: String]) throws(Failure) -> String {
        let name: Substring
        var fallback: String?
        if let mark = reference.range(ofText: ":-") {
            name = reference[..<mark]
            fallback = String(reference[mark...].dropFirst(2))
        } else {
            name = reference
        }
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
            throw Failure(message: "${env:…} needs the name of a variable: letters, digits and _")
        }
        if let fallback {
            guard !fallback.contains("${") else { throw Failure(message: "a default that holds a reference itself; references do not nest") }
            guard let value = environment[String(name)], !value.isEmpty else { return fallback }
            return value
        }
        guard let value = environment[String(name)] else {
            throw Failure(message: "the environment variable \(name) is not set; set it, or give a default: ${env:\(name):-default}")
        }
        return value
    }

    private static func place(_ path: String, _ directory: String) throws(Failure) -> String {
        guard !path.isEmpty else { throw Failure(message: "${file:…} needs a path") }
        return FilePath.join(directory, path)
    }

    private static func file(_ place: String) throws(Failure) -> String {
        var bytes: [UInt8]
        do {
            guard try FileSystem.status(of: place).kind == .regular else { throw Failure(message: "\(place) is not a regular file") }
            bytes = try FileSystem.read(place, limit: fileBytesMax)
        } catch let error as FileError {
            throw Failure(message: "\(place) cannot be read: \(error.reason)")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(message: "\(place) cannot be read")
        }
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
            throw Failure(message: "\(place) does not hold UTF-8 text")
        }
        return text
    }
}

extension Substring {
    /// Where `text` begins for the first time.
    func range(ofText text: String) -> Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
