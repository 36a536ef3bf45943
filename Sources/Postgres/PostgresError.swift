/// What went wrong between the host and a server, with the values that a retry policy decides by.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where the failure arose.
    public enum Kind: Sendable, Equatable {
        /// No link, or the link broke.
        case connection
        /// The server answered with an error; `sqlstate` says which.
        case server
        /// The server sent what the protocol does not allow here.
        case protocolViolation
        /// Nothing came within the time allowed.
        case timeout
        /// `Interrupt.interrupt()` was called.
        case interrupted
        /// The connection settings cannot be used as they are.
        case settings
    }

    /// The five characters of the server's error code; nil where no server spoke.
    public let sqlstate: String?
    /// Where the failure arose.
    public let kind: Kind
    /// What is wrong, free of secrets and of row values.
    public let message: String
    /// What was being done, as an infinitive: "create the slot".
    public let what: String
    /// What the connection was used for; together with `sqlstate` it decides the `failure`.
    public let doing: PostgresActivity

    /// Makes an error; `message` must already be free of secrets.
    public init(_ kind: Kind, sqlstate: String? = nil, doing: PostgresActivity, what: String, message: String) {
        self.kind = kind
        self.sqlstate = sqlstate
        self.doing = doing
        self.what = what
        self.message = message
    }

    /// What a caller should make of it, by SQLSTATE and activity only.
    public var failure: PostgresFailure {
        switch kind {
        case .settings: .configuration
        case .protocolViolation: .protocolViolation
        case .interrupted: .interrupted
        case .connection, .server, .timeout: PostgresError.classify(sqlstate, doing: doing)
        }
    }

    /// One line: what was done, what is wrong, and the SQLSTATE.
    public var description: String {
        "cannot \(what): \(message)" + (sqlstate.map { " (SQLSTATE \($0))" } ?? "")
    }
}
