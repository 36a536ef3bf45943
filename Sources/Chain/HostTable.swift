public import PluginABI

/// What the process behind the instances offers them. Called from any thread unless said otherwise.
public protocol HostServices: AnyObject, Sendable {
    var registry: RelationRegistry { get }
    var topics: TopicTable { get }
    /// Valid as long as the process.
    var stream: UnsafePointer<cdcp_stream> { get }
    var version: UnsafePointer<CChar> { get }
    /// Lowest CDCP_LOG_* that is written.
    var logLevel: Int32 { get }
    func log(stage: String, level: Int32, text: String)
    func completed(_ instance: StageInstance, submission: UInt64, failures: [DeliveryFailure])
    func sinkHealth(well: Bool, reason: String)
    func topicGrew(_ topic: UInt32, partitions: Int32)
    /// A call of a stage's life begins: one that does not return can be named then.
    func begins(stage: String, call: String)
    /// It returned.
    func returned(stage: String, call: String)
}

/// A record that was not delivered.
public struct DeliveryFailure: Sendable {
    /// Of the record in its submission, as the sink says: may be out of range.
    public let index: Int
    /// CDCP_FAIL_*
    public let kind: UInt16
    /// CDCP_CODE_*
    public let code: Int32
    /// What the sink said. Never a value of a row.
    public let message: String
}

/// The C table that an instance gets.
enum HostTable {
    static func make(name: String, services: any HostServices) -> cdcp_host {
        cdcp_host(
            struct_size: UInt32(MemoryLayout<cdcp_host>.size), abi_version: CDCP_ABI_CURRENT, ctx: nil, name: PermanentText.make(name).ptr,
            version: services.version, stream: services.stream,
            log: { host, level, text, length in
                guard let instance = HostTable.instance(host) else { return }
                instance.services.log(stage: instance.name, level: level, text: HostTable.message(text, length))
            },
            log_level: { host in HostTable.instance(host)?.services.logLevel ?? CDCP_LOG_ERROR },
            set_error: { host, text, length in HostTable.instance(host)?.lastError = HostTable.message(text, length) },
            get_extension: { _, _ in nil },
            config_str: ConfigNode.string, config_i64: ConfigNode.integer, config_f64: ConfigNode.double, config_bool: ConfigNode.bool,
            config_keys: ConfigNode.keys, config_list: ConfigNode.list, config_count: ConfigNode.count, config_child: ConfigNode.child,
            config_origin: ConfigNode.origin,
            // Relations live as long as the process.
            relation_retain: { _, _ in }, relation_release: { _, _ in },
            relation_derive: { host, base, columns, count, size, out in
                guard let instance = HostTable.instance(host), let base, let out, let columns, size >= 32, count <= 4096 else { return CDCP_E_UNSUPPORTED }
                var shapes: [ColumnShape] = []
                for index in 0..<Int(count) {
                    // A plugin may know a shorter or a longer column than this host does.
                    var column = cdcp_column()
                    withUnsafeMutableBytes(of: &column) { target in
                        target.copyMemory(
                            from: UnsafeRawBufferPointer(
                                start: UnsafeRawPointer(columns) + index * Int(size), count: min(Int(size), target.count)))
                    }
                    shapes.append(ColumnShape(abi: column))
                }
                out.pointee = instance.services.registry.derive(base, shapes)
                return CDCP_OK
            },
            topic: { host, name, out in
                guard let instance = HostTable.instance(host), let out, let number = instance.services.topics.number(String(abi: name)) else {
                    return CDCP_E_CONFIG
                }
                out.pointee = number
                return CDCP_OK
            },
            row_add_header: { batch, row, header in
                guard let batch, let header else { return CDCP_E_UNSUPPORTED }
                return BatchMemory.of(batch).addHeader(row, header.pointee)
            },
            row_fail: { batch, row, code, text, length in
                guard let batch else { return CDCP_E_UNSUPPORTED }
                return BatchMemory.of(batch).fail(row, code: code, message: HostTable.message(text, length))
            },
            sink_complete: { host, submission, failures, count in
                guard let instance = HostTable.instance(host) else { return }
                var list: [DeliveryFailure] = []
                if let failures {
                    list = (0..<Int(count)).map {
                        DeliveryFailure(
                            index: Int(failures[$0].index), kind: failures[$0].cls, code: failures[$0].code,
                            message: HostTable.message(failures[$0].msg, UInt64(failures[$0].msg_len)))
                    }
                }
                instance.services.completed(instance, submission: submission, failures: list)
            },
            sink_health: { host, state, reason, length in
                HostTable.instance(host)?.services.sinkHealth(well: state != 0, reason: HostTable.message(reason, length))
            },
            topic_grew: { host, topic, count in HostTable.instance(host)?.services.topicGrew(topic, partitions: count) })
    }

    private static func instance(_ host: UnsafePointer<cdcp_host>?) -> StageInstance? {
        host.map { Unmanaged<StageInstance>.fromOpaque($0.pointee.ctx).takeUnretainedValue() }
    }

    /// Bounded: a plugin that hands over a wrong length must not take the process with it more than it does anyway.
    private static func message(_ text: UnsafePointer<CChar>?, _ length: UInt64) -> String {
        guard let text else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: Int(min(length, 4096))), as: UTF8.self)
    }
}
