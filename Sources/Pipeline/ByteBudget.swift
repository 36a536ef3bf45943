/// Bounds what waits in memory (`limits.in_flight`): received bytes that are not encoded yet, and records that the sink has not completed.
///
/// Received bytes may take a quarter, so that a slow sink can never leave the stages without room to hand over what was received.
/// Not thread-safe; the owner locks.
public struct ByteBudget: Sendable {
    /// Charged for each record beside its bytes: what this host and a sink keep for it (entry, key copy, queue links).
    public static let recordCharge = 256

    /// Bytes that may be received and not encoded.
    public let receivedLimit: Int
    /// Bytes that may be on the way to the sink.
    public let recordLimit: Int
    /// Bytes.
    public private(set) var received = 0
    /// Bytes, each record with its charge.
    public private(set) var records = 0

    /// - Parameter limit: bytes of both together.
    public init(limit: Int) {
        receivedLimit = max(limit / 4, 1)
        recordLimit = max(limit - receivedLimit, 1)
    }

    /// Bytes of both.
    public var total: Int { received + records }
    /// Stop reading from the source.
    public var receivedIsFull: Bool { received >= receivedLimit }
    /// Read again: with some way to go before the next stop, so that the two sides do not switch at every message.
    public var receivedHasRoom: Bool { received < receivedLimit / 2 }

    /// Bytes came in.
    public mutating func add(received bytes: Int) { received += bytes }
    /// Bytes are encoded, or thrown away.
    public mutating func remove(received bytes: Int) { received = max(0, received - bytes) }

    /// May `bytes` more be handed to the sink? One larger than the whole budget passes alone.
    public func admits(records bytes: Int) -> Bool { records == 0 || records + bytes <= recordLimit }
    /// Bytes were handed to the sink.
    public mutating func add(records bytes: Int) { records += bytes }
    /// The sink has completed them.
    public mutating func remove(records bytes: Int) { records = max(0, records - bytes) }
    /// After a rewind: nothing is on the way any more.
    public mutating func forgetReceived() { received = 0 }
}
