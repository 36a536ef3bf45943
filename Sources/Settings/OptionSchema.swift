/// What options a stage takes: a subset of JSON Schema, with units and secrets added. The host's own keys are described by it too.
public struct OptionSchema: Sendable, Equatable {
    /// The types of JSON Schema.
    public enum ValueType: String, Sendable, CaseIterable {
        case object, array, string, integer, number, boolean, null
    }

    /// A schema for what has no name of its own: further keys of an object, elements of an array.
    public indirect enum Further: Sendable, Equatable {
        /// None are allowed.
        case refused
        /// Whatever comes.
        case anything
        /// Each by this schema.
        case each(OptionSchema)
    }

    /// A key of an object.
    public struct Property: Sendable, Equatable {
        /// The key.
        public var name: String
        /// Its value's schema.
        public var schema: OptionSchema

        /// A property.
        public init(_ name: String, _ schema: OptionSchema) {
            self.name = name
            self.schema = schema
        }
    }

    /// Allowed types; empty allows all.
    public var types: [ValueType]
    /// One sentence for people.
    public var summary = ""
    /// Known keys, in the order of the descriptor.
    public var properties: [Property] = []
    /// Keys beyond `properties`.
    public var additional = Further.refused
    /// Keys that must be there.
    public var required: [String] = []
    /// Elements of an array.
    public var items = Further.anything
    /// Allowed texts; empty allows all.
    public var choices: [String] = []
    /// What stands for a missing key.
    public var fallback: JSONValue?
    /// Bounds of a number, a size in bytes, a duration in nanoseconds.
    public var minimum: Double?
    /// See `minimum`.
    public var maximum: Double?
    /// Fewest characters of a string.
    public var lengthMin = 0
    /// Fewest elements of an array.
    public var countMin = 0
    /// `x-unit`: the text is a duration or a size, and the value becomes a whole number of nanoseconds or bytes.
    public var unit: Quantity?
    /// With a unit, words that are allowed in its place, such as `never`.
    public var words: [String] = []
    /// `x-secret`: never shown.
    public var isSecret = false
    /// `x-path`: a file; a relative one begins at the directory of the file that says it, `-` stays.
    public var isPath = false
    /// Keys that a later version will have: they are refused with a sentence of their own.
    public var laterKeys: [String] = []
    /// What is said of an unknown key beside the known ones.
    var unknownHint = ""

    /// A schema of these types; empty allows all.
    public init(types: [ValueType] = []) {
        self.types = types
    }

    /// The schema of a key, or nil.
    public func property(_ name: String) -> OptionSchema? {
        properties.first { $0.name == name }?.schema
    }

    /// A schema that is not one, with the path of the member that is wrong.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// Where in the schema: `properties.columns.items`.
        public let path: String
        /// What is wrong; what is allowed.
        public let message: String
        /// `PATH: MESSAGE`
        public var description: String { path.isEmpty ? message : "\(path): \(message)" }
    }
}

extension OptionSchema {
    /// The schema that a descriptor's JSON text says. Keywords beyond the subset are refused, so that nobody relies on one that is not checked.
    public init(json: JSONValue) throws(Malformed) {
        try self.init(json, path: "", depth: 0)
    }

    private static let depthMax = 24
    private static let ignoredKeywords: Set<String> = ["$schema", "$id", "$comment", "title", "examples"]

    private init(_ json: JSONValue, path: String, depth: Int) throws(Malformed) {
        guard depth < OptionSchema.depthMax else { throw Malformed(path: path, message: "nested too deep") }
        guard case .object(let members) = json else { throw Malformed(path: path, message: "must be an object") }
        self.init(types: [])
        for member in members {
            let here = path.isEmpty ? member.name : "\(path).\(member.name)"
            let value = member.value
            switch member.name {
            case "type": types = try OptionSchema.types(value, here)
            // Of several lines as a rule; a message is one.
            case "description": summary = try OptionSchema.string(value, here).split(whereSeparator: \.isWhitespace).joined(separator: " ")
            case "properties":
                guard case .object(let list) = value else { throw Malformed(path: here, message: "must be an object") }
                for property in list {
                    properties.append(Property(property.name, try OptionSchema(property.value, path: "\(here).\(property.name)", depth: depth + 1)))
                }
            case "additionalProperties": additional = try OptionSchema.further(value, here, depth)
            case "items": items = try OptionSchema.further(value, here, depth)
            case "required": required = try OptionSchema.strings(value, here)
            case "enum": choices = try OptionSchema.list(value, here).map(\.scalarText)
            case "default": fallback = value
            case "minimum": minimum = try OptionSchema.number(value, here)
            case "maximum": maximum = try OptionSchema.number(value, here)
            case "minLength": lengthMin = try OptionSchema.count(value, here)
            case "minItems": countMin = try OptionSchema.count(value, here)
            case "x-unit":
                switch value.string {
                case "duration": unit = .duration
                case "size": unit = .size
                default: throw Malformed(path: here, message: "must be \"duration\" or \"size\"")
                }
            case "x-words": words = try OptionSchema.strings(value, here)
            case "x-secret": isSecret = value == .bool(true)
            case "x-path": isPath = value == .bool(true)
            case let name where OptionSchema.ignoredKeywords.contains(name): break
            default: throw Malformed(path: here, message: "is not a keyword of the supported subset")
            }
        }
        // JSON Schema allows further keys unless told otherwise. A slip in a key is the commonest mistake of all, so here it is the other way round,
        // except where an object names no keys.
        if !members.contains(where: { $0.name == "additionalProperties" || $0.name == "properties" }) { additional = .anything }
        if let unknown = required.first(where: { name in property(name) == nil && additional == .refused }) {
            throw Malformed(path: path.isEmpty ? "required" : "\(path).required", message: "names \(unknown), which is not among the properties")
        }
    }

    private static func types(_ json: JSONValue, _ path: String) throws(Malformed) -> [ValueType] {
        let names: [String]
        if let name = json.string { names = [name] } else { names = try strings(json, path) }
        var result: [ValueType] = []
        for name in names {
            guard let type = ValueType(rawValue: name) else { throw Malformed(path: path, message: "\(name) is not a type") }
            result.append(type)
        }
        return result
    }

    private static func further(_ json: JSONValue, _ path: String, _ depth: Int) throws(Malformed) -> Further {
        switch json {
        case .bool(true): .anything
        case .bool(false): .refused
        default: .each(try OptionSchema(json, path: path, depth: depth + 1))
        }
    }

    private static func string(_ json: JSONValue, _ path: String) throws(Malformed) -> String {
        guard let text = json.string else { throw Malformed(path: path, message: "must be a string") }
        return text
    }

    private static func list(_ json: JSONValue, _ path: String) throws(Malformed) -> [JSONValue] {
        guard case .array(let elements) = json else { throw Malformed(path: path, message: "must be an array") }
        return elements
    }

    private static func strings(_ json: JSONValue, _ path: String) throws(Malformed) -> [String] {
        var result: [String] = []
        for element in try list(json, path) { result.append(try string(element, path)) }
        return result
    }

    private static func number(_ json: JSONValue, _ path: String) throws(Malformed) -> Double {
        switch json {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        default: throw Malformed(path: path, message: "must be a number")
        }
    }

    private static func count(_ json: JSONValue, _ path: String) throws(Malformed) -> Int {
        guard case .integer(let number) = json, let count = Int(exactly: number), count >= 0 else {
            throw Malformed(path: path, message: "must be a whole number, 0 or more")
        }
        return count
    }
}
