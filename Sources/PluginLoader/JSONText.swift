import Glibc
import Jansson
import Settings

/// JSON text to values and back, by jansson.
enum JSONText {
    /// Why a text is no JSON.
    struct Malformed: Error, Equatable {
        let message: String
    }

    private static let depthMax = 64

    /// Duplicate members are refused.
    static func parse(_ text: String) throws(Malformed) -> JSONValue {
        var error = json_error_t()
        guard let root = json_loads(text, Int(JSON_REJECT_DUPLICATES), &error) else {
            let reason = withUnsafeBytes(of: &error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw Malformed(message: "line \(error.line), column \(error.column): \(reason)")
        }
        defer { json_decref(root) }
        return try value(root, depth: 0)
    }

    /// Indented text with the members in their order.
    static func text(_ value: JSONValue) -> String {
        guard let root = make(value) else { return "null" }
        defer { json_decref(root) }
        guard let raw = json_dumps(root, Int(JSON_ENCODE_ANY) | 2) else { return "null" }
        defer { free(raw) }
        return String(cString: raw)
    }

    private static func value(_ json: UnsafeMutablePointer<json_t>, depth: Int) throws(Malformed) -> JSONValue {
        guard depth < depthMax else { throw Malformed(message: "nested too deep") }
        switch json.pointee.type {
        case JSON_OBJECT:
            var members: [JSONValue.Member] = []
            var iterator = json_object_iter(json)
            while let at = iterator {
                if let key = json_object_iter_key(at), let member = json_object_iter_value(at) {
                    members.append(JSONValue.Member(String(cString: key), try value(member, depth: depth + 1)))
                }
                iterator = json_object_iter_next(json, at)
            }
            return .object(members)
        case JSON_ARRAY:
            var elements: [JSONValue] = []
            for index in 0..<json_array_size(json) {
                if let element = json_array_get(json, index) { elements.append(try value(element, depth: depth + 1)) }
            }
            return .array(elements)
        case JSON_STRING: return .string(json_string_value(json).map { String(cString: $0) } ?? "")
        case JSON_INTEGER: return .integer(Int64(json_integer_value(json)))
        case JSON_REAL: return .number(json_real_value(json))
        case JSON_TRUE: return .bool(true)
        case JSON_FALSE: return .bool(false)
        default: return .null
        }
    }

    private static func make(_ value: JSONValue) -> UnsafeMutablePointer<json_t>? {
        switch value {
        case .null: return json_null()
        case .bool(let truth): return truth ? json_true() : json_false()
        case .integer(let number): return json_integer(json_int_t(number))
        case .number(let number): return json_real(number)
        case .string(let text): return json_string(text)
        case .array(let elements):
            let array = json_array()
            for element in elements { json_array_append_new(array, make(element)) }
            return array
        case .object(let members):
            let object = json_object()
            for member in members { json_object_set_new(object, member.name, make(member.value)) }
            return object
        }
    }
}
