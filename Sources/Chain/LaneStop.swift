/// Why the stage thread stopped. Texts never hold a row's value.
public enum LaneStop: Error, Sendable {
    /// A stop was asked for, and everything up to a boundary has been handed to the sink.
    case boundary
    /// A stop at once was asked for.
    case abandoned
    /// The source ended (its own error is with the one who reads it), and what it had delivered is handed on.
    case sourceEnded
    /// The snapshot's last row has been handed on.
    case snapshotEnded
    /// Bytes that do not keep their format.
    case data(stage: String, message: String, position: UInt64)
    /// A stage refused a table's new shape.
    case shapeRefused(table: String, failure: StageFailure)
    /// A row that a stage cannot do, under `on_error: stop`.
    case rowRefused(RowRefusal)
    /// A stage that cannot go on, or that wrote what it may not.
    case stage(StageFailure)
    /// The catalog could not be asked, by the error of whoever asked it.
    case catalog(any Error)
    /// A topic cannot be had.
    case topic(name: String, failure: StageFailure)
}

/// The row, by everything but its values.
public struct RowRefusal: Sendable {
    /// The stage's name, "30-masking".
    public let stage: String
    /// `schema.table`; empty for a logical message.
    public let table: String
    /// The first 16 hex digits of the SHA-256 of the key columns' texts, joined by byte 31; empty without a key.
    public let keyHash: String
    /// Of its transaction.
    public let commitLSN: UInt64
    /// Of its event in the transaction.
    public let ordinal: UInt64
    /// CDCP_CODE_*
    public let code: Int32
    /// What the stage said.
    public let message: String
    /// Key, value, headers and overhead, where the record was too large.
    public let size: Int?
}
