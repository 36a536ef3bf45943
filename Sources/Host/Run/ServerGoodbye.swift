/// When to let go of a server that shuts down. Pure.
///
/// A server before 19 waits at a fast stop until the reader of its walsender has confirmed everything, which takes as long as the brokers do. One
/// that refuses new sessions because it shuts down gets a moment for an orderly end of the stream, and is then let go of: nothing is lost by it,
/// what was not confirmed comes again.
struct ServerGoodbye {
    /// For how long it may go on.
    static let grace = Duration.seconds(2)
    private var refusedSince: Duration?

    /// A new session was refused: the server shuts down, or starts.
    /// - Returns: whether to let go of the stream.
    mutating func refused(at now: Duration) -> Bool {
        let since = refusedSince ?? now
        refusedSince = since
        return now - since >= Self.grace
    }

    /// It answers, or there is no stream to let go of.
    mutating func answered() { refusedSince = nil }
}
