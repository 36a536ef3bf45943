import Chain
import Checkpoint
import Pipeline
import PluginABI
import Postgres
import Settings
import Synchronization
import Telemetry

/// One connection of the stream: a source thread that receives, and the lane on the caller's.
final class StreamSession: @unchecked Sendable {
    // SAFETY: `failure` is written by the source thread and read after it was joined; the rest is the caller's.
    private let context: HostContext
    private let source: SourceSession
    private let queue: ReceiveQueue
    private let confirmed: ConfirmedPosition
    private var stream: ReplicationStream?
    private var interrupt: Interrupt?
    private var thread: Thread?
    private var failure: PostgresError?
    /// Why the host itself cut the connection.
    private let cutBy = Mutex<PostgresError?>(nil)

    init(context: HostContext, source: SourceSession, queue: ReceiveQueue, confirmed: ConfirmedPosition) {
        self.context = context
        self.source = source
        self.queue = queue
        self.confirmed = confirmed
    }

    /// Connects, starts replication and runs the lane until it stops.
    func run(
        lane: Lane, plan: Plan, prepared: PreparedSource, record: CheckpointRecord?, resumed: Bool, shared: RunShared, succeeded: @escaping () -> Void
    ) throws -> LaneStop {
        // In a call of its own: the connection is then the source thread's alone, and ends with it, whatever the lane waits for.
        try begin(lane: lane, plan: plan, prepared: prepared, record: record, resumed: resumed, shared: shared, succeeded: succeeded)
        defer {
            shared.letGo = nil
            shared.isStreaming = false
        }
        if context.isStopping { lane.requestStop() }
        return context.watchingStageThread { lane.run(.stream) }
    }

    private func begin(
        lane: Lane, plan: Plan, prepared: PreparedSource, record: CheckpointRecord?, resumed: Bool, shared: RunShared, succeeded: @escaping () -> Void
    ) throws {
        let interrupt = try Interrupt()
        self.interrupt = interrupt
        // A stop ends a connection that is being made at once, and one that flows when it is forced.
        shared.connecting = interrupt
        if context.isStopping { interrupt.interrupt() }
        let replication = try source.connect(replication: true, interrupt: interrupt)
        if let record { try source.verify(record, on: replication) }
        let settings = context.settings.source
        let start = LSN(rawValue: lane.resumeMark.position)
        let options = ReplicationStream.Options(
            slot: settings.slot.name, start: start, publications: [settings.publication.name],
            pluginOptions: try startOptions(plan.decoder, serverVersion: prepared.serverVersion), statusInterval: settings.statusInterval,
            walSenderTimeout: try replication.walSenderTimeout())
        let stream = ReplicationStream(interrupt: interrupt)
        self.stream = stream
        queue.onRoom = { interrupt.wake() }
        let receiver = StreamReceiver(queue: queue, context: context, confirmed: confirmed, start: start.rawValue)
        // SAFETY: handed over to the source thread, which alone uses them from here on.
        nonisolated(unsafe) let ownReceiver = receiver
        nonisolated(unsafe) let ownReplication = replication
        nonisolated(unsafe) let ownSucceeded = succeeded
        thread = Thread("source") { [self] in
            do throws(PostgresError) {
                try stream.run(on: ownReplication, options: options, receiver: ownReceiver) { [self] in
                    ownSucceeded()
                    shared.isStreaming = true
                    context.withHealth { health, now in
                        health.present(.source, at: now)
                        health.heard(.source, at: now)
                    }
                    if !context.isStopping { context.enter(.streaming) }
                    context.log.info("streaming", ["slot": .text(settings.slot.name), "lsn": .lsn(start.rawValue), "resumed": .flag(resumed)])
                }
            } catch { failure = cutBy.withLock { $0 } ?? error }
            queue.publish(finish: true)
            lane.sourceEnded()
        }
        shared.letGo = { [weak self] reason in
            self?.cutBy.withLock { $0 = reason }
            interrupt.interrupt()
        }
    }

    private func startOptions(_ decoder: StageInstance, serverVersion: Int) throws -> [(name: String, value: String)] {
        do throws(StageFailure) { return try decoder.startOptions(serverVersion: serverVersion) } catch { throw ErrorPolicy.exit(atStart: error) }
    }

    /// After the source ended by itself: why; nil: the server said goodbye.
    func join() -> PostgresError? {
        thread?.join()
        context.withHealth { health, _ in health.unwatch(.source) }
        return failure
    }

    /// A clean end: last status with what was confirmed, and the server's goodbye.
    func stop() {
        stream?.stop()
        thread?.join()
    }

    /// An end at once.
    func cut() {
        interrupt?.interrupt()
        thread?.join()
        context.withHealth { health, _ in health.unwatch(.source) }
    }
}
