import Chain
import PluginABI
import Settings
import Synchronization
import Telemetry

/// The host's services for stages that are only tried: what they log becomes a finding.
final class TrialServices: HostServices {
    let bridge: HostBridge
    private let sink = Mutex<(well: Bool, reason: String)?>(nil)

    /// nil: standard error cannot be written, which has no other place to be said.
    init?(directory: String, settings: HostSettings) {
        var quiet = settings
        quiet.log.level = .error
        quiet.log.file = nil
        guard let context = try? HostContext.make(directory: directory, settings: quiet) else { return nil }
        bridge = HostBridge(context: context)
    }

    var sinkState: (well: Bool, reason: String)? { sink.withLock { $0 } }

    var registry: RelationRegistry { bridge.registry }
    var topics: TopicTable { bridge.topics }
    var stream: UnsafePointer<cdcp_stream> { bridge.stream }
    var version: UnsafePointer<CChar> { bridge.version }
    var logLevel: Int32 { CDCP_LOG_WARNING }

    func log(stage: String, level: Int32, text: String) {
        if level >= CDCP_LOG_WARNING { ChildReport.finding(.warning(stage, text)).send() }
    }

    func completed(_ instance: StageInstance, submission: UInt64, failures: [DeliveryFailure]) {}
    func sinkHealth(well: Bool, reason: String) { sink.withLock { $0 = (well, reason) } }
    func topicGrew(_ topic: UInt32, partitions: Int32) {}
    func begins(stage: String, call: String) {}
    func returned(stage: String, call: String) {}
}
