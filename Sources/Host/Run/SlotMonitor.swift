import Chain
import Postgres
import Settings
import Synchronization
import Telemetry

/// Looks at the slot now and then, on a connection of its own: retained WAL and state for the metrics. Its failures stop nothing.
final class SlotMonitor: @unchecked Sendable {
    // SAFETY: `thread` is written before and read after the thread's life.
    private let context: HostContext
    private let shared: RunShared
    private let interrupt: Interrupt?
    private var thread: Thread?
    private let stopped = Atomic<Bool>(false)
    static let interval: UInt64 = 10_000_000_000

    init(context: HostContext, shared: RunShared) {
        self.context = context
        self.shared = shared
        interrupt = try? Interrupt()
    }

    func start() {
        thread = Thread("slot") { [self] in
            var connection: Connection?
            while !stopped.load(ordering: .relaxed) {
                if shared.isStreaming { connection = look(connection) }
                let deadline = monotonicNow() + (connection == nil ? 1_000_000_000 : Self.interval)
                while monotonicNow() < deadline, !stopped.load(ordering: .relaxed) { pause(100_000_000) }
            }
        }
    }

    func stop() {
        stopped.store(true, ordering: .relaxed)
        interrupt?.interrupt()
        thread?.join()
    }

    private func look(_ old: Connection?) -> Connection? {
        guard let interrupt else { return nil }
        let settings = context.settings.source
        do throws(PostgresError) {
            let options = ConnectionOptions(
                applicationName: "cdc-host \(context.settings.name) monitor", connectTimeout: settings.connectTimeout, silenceTimeout: settings.silenceTimeout)
            let connection: Connection
            if let old { connection = old } else {
                connection = try Connection(connecting: settings.connection.exposed, options: options, interrupt: interrupt)
            }
            if let slot = try Slot.state(of: settings.slot.name, on: connection) {
                context.metrics.slotRetainedBytes.set(slot.retainedBytes ?? 0)
                context.metrics.setSlotState(slot.walStatus ?? "reserved")
            } else {
                context.metrics.setSlotState("missing")
            }
            return connection
        } catch { return nil }
    }
}
