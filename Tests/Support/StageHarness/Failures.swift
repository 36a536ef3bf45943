public import PluginABI

/// A call of the stage returned an error: what the host would be told.
public struct StageRefusal: Error, CustomStringConvertible {
    /// The slot of the contract, e.g. "configure".
    public let call: String
    public let status: cdcp_status
    /// What it said through `set_error`; empty where it said nothing.
    public let message: String

    public var description: String { "\(call) -> \(status): \(message)" }
}

/// The stage broke the contract. Each line says what and where.
public struct ContractViolation: Error, CustomStringConvertible {
    public let lines: [String]

    public var description: String { lines.joined(separator: "\n") }
}

/// The harness itself could not do what it was asked.
public struct HarnessError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
