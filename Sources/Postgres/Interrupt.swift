internal import Glibc
internal import Synchronization

/// Ends or wakes the blocking calls of connections from any thread: a pair of sockets that every wait of this module also watches.
///
/// One interrupt may serve several connections: `interrupt()` ends what all of them do. `wake()` reaches only one waiter, so a `ReplicationStream`
/// that is to be woken needs an interrupt of its own.
public final class Interrupt: Sendable {
    /// The reading end: readable while a wake or an interrupt is pending.
    let descriptor: Int32
    private let writingEnd: Int32
    private let raised = Atomic<Bool>(false)

    /// Opens the pair of sockets.
    public init() throws(PostgresError) {
        var ends: [Int32] = [-1, -1]
        // Unlike pipe(), it sets both flags at once, so no child inherits an end.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
            throw PostgresError(.connection, doing: .connecting, what: "open a pair of sockets", message: "errno \(errno)")
        }
        descriptor = ends[0]
        writingEnd = ends[1]
    }

    deinit {
        close(descriptor)
        close(writingEnd)
    }

    /// Makes the blocking calls under way, and all later ones until `reset()`, fail with `.interrupted`. Any thread.
    public func interrupt() {
        raised.store(true, ordering: .sequentiallyConsistent)
        signal()
    }

    /// Makes a waiting `ReplicationStream` look round: ask its receiver whether it may go on, send a status that is due. Any thread.
    public func wake() { signal() }

    /// Whether `interrupt()` was called since the last `reset()`. Any thread.
    public var isInterrupted: Bool { raised.load(ordering: .sequentiallyConsistent) }

    /// Arms it again. Only while no connection that it serves is in a call.
    public func reset() {
        raised.store(false, ordering: .sequentiallyConsistent)
        drain()
    }

    /// Takes the signals off the socket; puts it back when an interrupt is pending, since others may wait for it too.
    func acknowledgeWake() {
        drain()
        if isInterrupted { signal() }
    }

    /// A full socket is as good as a written byte.
    private func signal() {
        var one: UInt8 = 1
        _ = write(writingEnd, &one, 1)
    }

    private func drain() {
        withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            while read(descriptor, buffer.baseAddress, buffer.count) == buffer.count {}
        }
    }
}
