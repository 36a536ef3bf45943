/// A JSON document to be written: members keep their order, numbers stay exact. https://www.rfc-editor.org/rfc/rfc8259
public indirect enum JSONText: Sendable, Equatable {
    case null
    case flag(Bool)
    case number(Int64)
    case unsigned(UInt64)
    /// Not-a-number and infinities become text, since JSON has no such numbers.
    case real(Double)
    case text(String)
    case array([JSONText])
    /// Members in order; the caller keeps keys unique.
    case object([(String, JSONText)])

    /// Equal when all parts are, members in the same order.
    public static func == (left: JSONText, right: JSONText) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.flag(let a), .flag(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.unsigned(let a), .unsigned(let b)): a == b
        case (.real(let a), .real(let b)): a == b
        case (.text(let a), .text(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
        default: false
        }
    }

    /// A whole number of any type.
    public static func count(_ value: some BinaryInteger) -> JSONText {
        if let number = Int64(exactly: value) { return .number(number) }
        return .unsigned(UInt64(clamping: value))
    }

    /// A text, or null.
    public static func optional(_ value: String?) -> JSONText { value.map { .text($0) } ?? .null }

    /// One line without a line feed at its end.
    public func rendered() -> String {
        var out = ""
        write(into: &out, indent: nil)
        return out
    }

    /// Several lines, two spaces a level, with a line feed at the end.
    public func renderedForPeople() -> String {
        var out = ""
        write(into: &out, indent: 0)
        return out + "\n"
    }

    private func write(into out: inout String, indent: Int?) {
        switch self {
        case .null: out += "null"
        case .flag(let flag): out += flag ? "true" : "false"
        case .number(let number): out += String(number)
        case .unsigned(let number): out += String(number)
        case .real(let real): out += real.isFinite ? PrometheusText.number(real) : "\"\(PrometheusText.number(real))\""
        case .text(let text): Self.quote(text, into: &out)
        case .array(let elements):
            Self.list("[", "]", elements, indent, into: &out) { element, inner, out in element.write(into: &out, indent: inner) }
        case .object(let members):
            Self.list("{", "}", members, indent, into: &out) { member, inner, out in
                Self.quote(member.0, into: &out)
                out += inner == nil ? ":" : ": "
                member.1.write(into: &out, indent: inner)
            }
        }
    }

    private static func list<Element>(
        _ open: String, _ close: String, _ elements: [Element], _ indent: Int?, into out: inout String,
        _ write: (Element, Int?, inout String) -> Void
    ) {
        out += open
        let inner = indent.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { out += "," }
            if let inner { out += "\n" + String(repeating: "  ", count: inner) }
            write(element, inner, &out)
        }
        if let indent, !elements.isEmpty { out += "\n" + String(repeating: "  ", count: indent) }
        out += close
    }

    private static func quote(_ text: String, into out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where LogText.mustEscape(scalar): out += "\\u\(LogText.hex4(scalar.value))"
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

extension JSONText: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A literal text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A literal number.
    public init(integerLiteral value: Int64) { self = .number(value) }
    /// A literal flag.
    public init(booleanLiteral value: Bool) { self = .flag(value) }
    /// A literal array.
    public init(arrayLiteral elements: JSONText...) { self = .array(elements) }
    /// A literal object, in the order written.
    public init(dictionaryLiteral elements: (String, JSONText)...) { self = .object(elements) }
    /// `nil` is null.
    public init(nilLiteral: ()) { self = .null }
}
