import Glibc
public import PluginABI

/// A strict, independent host for one or several stages. Any thread.
public final class FakeHost: @unchecked Sendable {
    // SAFETY: `table` is written in init only; what changes lies behind `lock`. Relations are immutable.
    private let table: UnsafeMutablePointer<cdcp_host>
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private var state = State()
    var config: ConfigNode?  // touched by configure() only

    public struct LogLine: Sendable, Equatable {
        public let level: Int32
        public let text: String
    }

    /// What a sink said of one submission.
    public struct Outcome: Sendable {
        public struct Failure: Sendable {
            public let index: UInt32
            public let cls: UInt16
            public let code: Int32
            public let message: String
        }
        public let failures: [Failure]
    }

    struct State {
        var logs: [LogLine] = []
        var error = ""
        var violations: [String] = []
        var configuring = false
        var nextSchema: UInt64 = 1
        var relations: [Key: Relation] = [:]
        var byPointer: [UnsafePointer<cdcp_relation>: Relation] = [:]
        var topics: [String] = []
        var submissions: [UInt64: SubmissionMemory] = [:]
        var outcomes: [UInt64: Outcome] = [:]
        var health: [(well: Bool, reason: String)] = []
        var growth: [(topic: UInt32, partitions: Int32)] = []
        var nextSubmission: UInt64 = 1
    }

    struct Key: Hashable {
        let spec: RelationSpec
        let base: UnsafePointer<cdcp_relation>?
    }

    /// - Parameters: what `host->stream` and `host->name` say.
    public init(
        name: String = "30-test", stream: String = "shop", topicPrefix: String = "shop", database: String = "postgres",
        systemIdentifier: String = "7123456789012345678", serverVersion: UInt32 = 150_018, version: String = "0.1.0", logLevel: Int32 = CDCP_LOG_DEBUG
    ) {
        table = .allocate(capacity: 1)
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        let description = UnsafeMutablePointer<cdcp_stream>.allocate(capacity: 1)
        description.initialize(
            to: cdcp_stream(
                struct_size: UInt32(MemoryLayout<cdcp_stream>.size), server_version: serverVersion, name: permanent(stream),
                topic_prefix: permanent(topicPrefix), database: permanent(database), system_identifier: permanent(systemIdentifier),
                version: permanent(version)))
        var host = cdcp_host()
        host.struct_size = UInt32(MemoryLayout<cdcp_host>.size)
        host.abi_version = CDCP_ABI_CURRENT
        host.name = permanentC(name)
        host.version = permanentC(version)
        host.stream = UnsafePointer(description)
        installServices(&host)
        installConfiguration(&host)
        installBatchCalls(&host)
        installSinkCalls(&host)
        table.initialize(to: host)
        table.pointee.ctx = Unmanaged.passUnretained(self).toOpaque()
        // A plugin's thread may still call when the test is over.
        _ = Unmanaged.passRetained(self)
    }

    public var pointer: UnsafePointer<cdcp_host> { UnsafePointer(table) }

    static func of(_ host: UnsafePointer<cdcp_host>?) -> FakeHost? {
        (host?.pointee.ctx).map { Unmanaged<FakeHost>.fromOpaque($0).takeUnretainedValue() }
    }

    func with<R>(_ body: (inout State) -> R) -> R {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body(&state)
    }

    /// What was logged so far.
    public var logs: [LogLine] { with { $0.logs } }
    /// What a sink said about the other side, oldest first.
    public var health: [(well: Bool, reason: String)] { with { $0.health } }
    /// What a sink said about topics that grew.
    public var growth: [(topic: UInt32, partitions: Int32)] { with { $0.growth } }
    /// Name of a topic that a stage got through `host->topic`.
    public func topicName(_ number: UInt32) -> String? {
        with { number >= 1 && Int(number) <= $0.topics.count ? $0.topics[Int(number) - 1] : nil }
    }

    var isConfiguring: Bool {
        get { with { $0.configuring } }
        set { with { $0.configuring = newValue } }
    }

    func violation(_ line: String) { with { $0.violations.append(line) } }

    func takeError() -> String {
        with {
            let text = $0.error
            $0.error = ""
            return text
        }
    }

    /// Throws what was broken since the last call.
    func checkViolations() throws(ContractViolation) {
        let lines = with {
            let lines = $0.violations
            $0.violations = []
            return lines
        }
        if !lines.isEmpty { throw ContractViolation(lines: lines) }
    }

    /// The relation of a shape; equal shapes give the same one.
    public func relation(_ spec: RelationSpec, previous: Relation? = nil) -> Relation { relation(spec, base: nil, previous: previous) }

    func relation(_ spec: RelationSpec, base: UnsafePointer<cdcp_relation>?, previous: Relation? = nil) -> Relation {
        let key = Key(spec: spec, base: base)
        return with { state in
            if let known = state.relations[key] { return known }
            let relation = Relation(spec, id: state.nextSchema, base: base, previous: previous?.pointer)
            state.nextSchema += 1
            state.relations[key] = relation
            state.byPointer[relation.pointer] = relation
            return relation
        }
    }

    func relation(at pointer: UnsafePointer<cdcp_relation>) -> Relation? { with { $0.byPointer[pointer] } }

    func topicNumber(_ name: String) -> UInt32 {
        let allowed = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
        return with { state in
            if let index = state.topics.firstIndex(of: allowed) { return UInt32(index + 1) }
            state.topics.append(allowed)
            return UInt32(state.topics.count)
        }
    }
}

private func installServices(_ table: inout cdcp_host) {
    table.log = { host, level, text, length in
        let line = FakeHost.LogLine(level: level, text: string(text, length))
        FakeHost.of(host)?.with { $0.logs.append(line) }
    }
    table.log_level = { _ in CDCP_LOG_DEBUG }
    table.set_error = { host, text, length in
        let line = string(text, length)
        FakeHost.of(host)?.with { $0.error = line }
    }
    table.get_extension = { _, _ in nil }
    table.relation_retain = { _, _ in }
    table.relation_release = { _, _ in }
    table.relation_derive = { host, base, columns, count, size, out in
        guard let host = FakeHost.of(host), let base, let out, let known = host.relation(at: base) else { return CDCP_E_UNSUPPORTED }
        guard size == UInt32(MemoryLayout<cdcp_column>.stride), count == 0 || columns != nil else { return CDCP_E_UNSUPPORTED }
        var spec = known.spec
        spec.columns = UnsafeBufferPointer(start: columns, count: Int(count)).map { ColumnSpec($0) }
        if Set(spec.columns.map(\.name)).count != spec.columns.count { host.violation("relation_derive: two columns have one name") }
        out.pointee = host.relation(spec, base: base).pointer
        return CDCP_OK
    }
    table.topic = { host, name, out in
        guard let host = FakeHost.of(host), let out, name.len > 0 else { return CDCP_E_CONFIG }
        out.pointee = host.topicNumber(string(name))
        return CDCP_OK
    }
}
