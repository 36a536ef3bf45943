/// The options of a stage, written as a literal: `["columns": [["column": "email", "how": "hash"]], "n": 4]`.
public indirect enum Option: Sendable, Equatable {
    case string(String)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case list([Option])
    /// In the order of the file.
    case map([Entry])

    public struct Entry: Sendable, Equatable {
        public let key: String
        public var value: Option

        public init(_ key: String, _ value: Option) {
            self.key = key
            self.value = value
        }
    }

    /// Text of a scalar as the contract gives it; nil for a list or a map.
    var text: String? {
        switch self {
        case .string(let value): value
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .boolean(let value): value ? "true" : "false"
        case .list, .map: nil
        }
    }

    subscript(key: String) -> Option? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }
}

extension Option: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension Option: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    public init(arrayLiteral elements: Option...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, Option)...) { self = .map(elements.map { Entry($0.0, $0.1) }) }
}
