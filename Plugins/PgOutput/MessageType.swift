/// The first byte of a message: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
enum MessageType {
    static let begin = UInt8(ascii: "B")
    static let commit = UInt8(ascii: "C")
    static let origin = UInt8(ascii: "O")
    static let relation = UInt8(ascii: "R")
    static let type = UInt8(ascii: "Y")
    static let insert = UInt8(ascii: "I")
    static let update = UInt8(ascii: "U")
    static let delete = UInt8(ascii: "D")
    static let truncate = UInt8(ascii: "T")
    static let message = UInt8(ascii: "M")

    /// Insert, Update or Delete: the number of its table follows.
    static func isRow(_ type: UInt8) -> Bool { type == insert || type == update || type == delete }

    /// How a message of protocol version 2 or later, or of none, is refused.
    static func refusal(of type: UInt8) -> Refusal {
        switch type {
        case UInt8(ascii: "S"), UInt8(ascii: "E"), UInt8(ascii: "c"), UInt8(ascii: "A"): .streamedMessage
        case UInt8(ascii: "b"), UInt8(ascii: "P"), UInt8(ascii: "K"), UInt8(ascii: "r"), UInt8(ascii: "p"): .twoPhaseMessage
        default: .unknownMessage
        }
    }

    /// Its name in the protocol's documentation.
    static func name(of type: UInt8) -> String {
        switch type {
        case begin: "Begin"
        case commit: "Commit"
        case origin: "Origin"
        case relation: "Relation"
        case self.type: "Type"
        case insert: "Insert"
        case update: "Update"
        case delete: "Delete"
        case truncate: "Truncate"
        case message: "Message"
        default: "type \(type)"
        }
    }
}
