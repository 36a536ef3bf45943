/// What the receiver answers after each message.
public enum Flow: Sendable, Equatable {
    /// Go on.
    case proceed
    /// Read no more for now; standby status goes on being sent. `Interrupt.wake()` makes the stream ask `mayProceed` again.
    case pause
    /// End the stream cleanly: last status, CopyDone, and the server's goodbye.
    case stop
}

/// Where a message of the stream lies.
public struct WALPlace: Sendable, Equatable {
    /// Where the message's WAL starts.
    public let start: LSN
    /// The end of WAL on the server when it was sent.
    public let end: LSN
    /// The server's clock when it was sent: microseconds since 2000-01-01 00:00 UTC.
    public let sentAt: Int64
}

/// The host's side of a replication stream. Every call comes on the thread that runs the stream, and none may block.
public protocol ReplicationReceiver: AnyObject {
    /// One message of the output plugin. The bytes are libpq's and valid only during the call.
    func received(_ payload: UnsafeRawBufferPointer, at place: WALPlace) -> Flow
    /// A keepalive: everything up to `walEnd` has been sent. A reply that it asks for is sent by the stream itself, after this call.
    func keepalive(walEnd: LSN, sentAt: Int64, replyRequested: Bool) -> Flow
    /// The socket is dry: a good moment to cut a batch.
    func drained() -> Flow
    /// Asked while paused, after each wake-up and at least each time a status is due: `.proceed` reads on, `.pause` waits, `.stop` ends.
    func mayProceed() -> Flow
    /// How far the host has come. Asked often: a few loads.
    func progress() -> StandbyProgress
}
