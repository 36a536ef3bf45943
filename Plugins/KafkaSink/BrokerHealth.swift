import LibRDKafka
import PluginKit
import Synchronization

/// Whether the brokers answer, told to the host on every change. Used by the poll and the watch thread and the lane.
final class BrokerHealth: Sendable {
    private struct State {
        var well: Bool?
        var refusal: (error: rd_kafka_resp_err_t, reason: String, time: UInt64)?
    }

    private let host: PluginHost
    private let state = Mutex(State())
    /// Read without the lock on the way of each submission.
    private let knownWell = Atomic<Bool>(false)

    init(_ host: PluginHost) { self.host = host }

    func report(well: Bool, _ reason: @autoclosure () -> String) {
        if well && knownWell.load(ordering: .relaxed) { return }
        let changed = state.withLock { state in
            if well { state.refusal = nil }
            guard state.well != well else { return false }
            state.well = well
            knownWell.store(well, ordering: .relaxed)
            return true
        }
        if changed { host.health(well: well, reason()) }
    }

    /// Why a connection was refused, to say it when all are.
    func remember(_ error: rd_kafka_resp_err_t, _ reason: String) {
        state.withLock { $0.refusal = (error, reason, Clock.now()) }
    }

    func reason(or text: String) -> String { state.withLock { $0.refusal.flatMap { Self.isFresh($0.time) ? $0.reason : nil } } ?? text }

    /// Each attempt to connect says it again; an old refusal is none.
    private static func isFresh(_ time: UInt64) -> Bool { Clock.now() &- time < 20 * Clock.second }

    /// A refusal that waiting does not cure: credentials or certificates.
    var permanentRefusal: String? {
        state.withLock { state in
            guard let refusal = state.refusal, Self.isFresh(refusal.time) else { return nil }
            switch refusal.error {
            case RD_KAFKA_RESP_ERR__AUTHENTICATION: return refusal.reason
            // librdkafka has one code for all that TLS can meet; a cut handshake is no refusal.
            case RD_KAFKA_RESP_ERR__SSL where refusal.reason.contains("certificate verify failed"): return refusal.reason
            default: return nil
            }
        }
    }
}
