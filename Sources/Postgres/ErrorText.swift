internal import LibPQ

/// Makes libpq's error texts fit for a log: one line, without secrets, without values of rows.
enum ErrorText {
    /// The SQLSTATE inside the text of a failed login, where libpq keeps it nowhere else. Needs verbosity VERBOSE: `FATAL:  28P01: …`.
    /// Read by its form; the severity before it depends on the server's language.
    static func sqlstate(in text: String) -> String? {
        let bytes = Array(text.utf8)
        var found: String?
        var index = 0
        while index + 9 <= bytes.count {
            if bytes[index] == UInt8(ascii: ":"), bytes[index + 1] == 32, bytes[index + 2] == 32, bytes[index + 8] == UInt8(ascii: ":"),
                bytes[(index + 3)..<(index + 8)].allSatisfy(isCodeCharacter)
            {
                found = String(decoding: bytes[(index + 3)..<(index + 8)], as: UTF8.self)
            }
            index += 1
        }
        return found
    }

    /// The text of a failed connection attempt as one line.
    static func connection(_ text: String, secrets: [String]) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
            .filter { !$0.hasPrefix("LOCATION:") && !$0.hasPrefix("Is the server running") && !$0.isEmpty }
        return clean(lines.joined(separator: "; "), secrets: secrets)
    }

    /// The primary message of a result; of data errors (classes 22 and 23) only the code, since their text repeats values.
    static func server(_ result: OpaquePointer?, sqlstate: String?, secrets: [String]) -> String {
        switch sqlstate?.prefix(2) {
        case "22": return "the server met data that it cannot process"
        case "23": return "the server met data that breaks a constraint"
        default: break
        }
        // 'M': the primary message; detail and hint may hold values.
        guard let text = PQresultErrorField(result, Int32(UInt8(ascii: "M"))) else { return "the server gave no reason" }
        return clean(String(cString: text), secrets: secrets)
    }

    /// Cuts secrets out, turns control characters into spaces, and keeps at most 600 characters.
    static func clean(_ text: String, secrets: [String]) -> String {
        var result = text
        for secret in secrets { result = replacing(secret, in: result) }
        let scalars = result.unicodeScalars.prefix(600).map { $0.value < 32 || $0.value == 127 ? " " : $0 }
        return String(String.UnicodeScalarView(scalars)).trimmingSpaces()
    }

    private static func replacing(_ secret: String, in text: String) -> String {
        let needle = Array(secret.utf8)
        guard !needle.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: needle) {
                result += [42, 42, 42]
                index += needle.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isCodeCharacter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        var rest = Substring(self)
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
