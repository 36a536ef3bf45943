import Chain
import Postgres
import Settings
import Synchronization
import Telemetry

/// Looks at the slot now and then, on a connection of its own: retained WAL and state for the metrics. Its failures stop nothing; that the server
/// shuts down is seen here, since an idle session is ended before the walsender.
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
            var goodbye = ServerGoodbye()
            while !stopped.load(ordering: .relaxed) {
                if shared.isStreaming { connection = look(connection, &goodbye) } else { goodbye.answered() }
                let deadline = monotonicNow() + (connection == nil ? 500_000_000 : Self.interval)
                while monotonicNow() < deadline, !stopped.load(ordering: .relaxed) {
                    guard let open = connection else {
                        pause(100_000_000)
                        continue
                    }
                    // A server that shuts down ends idle sessions first.
                    if open.isEnded(within: .seconds(1)) {
                        connection = nil
                        break
                    }
                }
            }
        }
    }

    func stop() {
        stopped.store(true, ordering: .relaxed)
        interrupt?.interrupt()
        thread?.join()
    }

    private func look(_ old: Connection?, _ goodbye: inout ServerGoodbye) -> Connection? {
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
            goodbye.answered()
            return connection
        } catch {
            if error.sqlstate == "57P03", goodbye.refused(at: context.uptime) { letGo() }
            return nil
        }
    }

    /// Ends the stream's connection, once.
    private func letGo() {
        guard let letGo = shared.letGo else { return }
        shared.letGo = nil
        context.log.warning("server_stops", ["message": "it is let go of, so that it need not wait for what the sink has not acknowledged"])
        letGo(PostgresError(.server, sqlstate: "57P01", doing: .streaming, what: "receive changes", message: "the server shuts down"))
    }
}
