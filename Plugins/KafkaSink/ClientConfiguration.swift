import LibRDKafka
import PluginABI
import PluginKit

/// A configuration of librdkafka, with what the sink needs and what the user set; `duplicate` it for each client.
final class ClientConfiguration {
    private let pointer: OpaquePointer
    /// The property as the user set it, where a text needs it.
    private(set) var mechanism = ""
    /// `linger.ms`, in nanoseconds. The sink waits so long; librdkafka's own linger must not cut a flight in two, and is longer.
    private(set) var lingerNanoseconds: UInt64 = 0

    /// What the promises rest on; `ClientProperties` refuses each from the user.
    private static let fixed: [(String, String)] = [
        ("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", "0"), ("queue.buffering.max.messages", "0"),
        ("queue.buffering.max.kbytes", "2147483647"), ("allow.auto.create.topics", "false"), ("log_level", "4"),
        // The host bounds a record by limits.record, librdkafka a batch by batch.size; this one's largest value costs no memory.
        ("message.max.bytes", "1000000000"),
    ]
    /// Where ours differ from librdkafka's; the user may set other values.
    private static let defaults: [(String, String)] = [
        ("client.id", "cdc-host"), ("linger.ms", "0"), ("batch.size", "1000000"), ("batch.num.messages", "10000"),
        ("socket.nagle.disable", "true"), ("socket.keepalive.enable", "true"),
        ("reconnect.backoff.max.ms", "5000"),
    ]

    /// Smaller payloads are copied into the request, larger ones are sent from where they lie: measured, 250 bytes are cheaper copied and 1000
    /// are not, and copies of all that is in flight would double its memory. TLS encrypts piece by piece, there librdkafka's own value stays.
    private static let copyBytesMax = "400"

    /// - Parameters:
    ///   - properties: the map `kafka`.
    ///   - insecure: the properties that switch verification off are allowed.
    /// - Throws: CDCP_E_CONFIG with every property that is wrong.
    init(_ properties: Options?, insecure: Bool) throws(StageError) {
        guard let pointer = rd_kafka_conf_new() else { throw .fatal("librdkafka gave no configuration") }
        self.pointer = pointer
        var complaints: [String] = []
        for (name, value) in Self.defaults + Self.fixed {
            if let why = Self.set(pointer, name, value) { complaints.append("\(name): \(why)") }
        }
        let names = properties?.keys ?? []
        for name in names {
            guard let properties, let value = properties.string(name) else { continue }
            if let why = ClientProperties.complaint(name) ?? ClientProperties.complaint(name, value: value, insecure: insecure)
                ?? Self.set(pointer, name, value)
            {
                complaints.append("\(properties.origin(name)): \(why)")
            }
            if name == "sasl.mechanism" || name == "sasl.mechanisms" { mechanism = value }
        }
        if !value("security.protocol").hasSuffix("ssl") && !names.contains("message.copy.max.bytes") {
            _ = Self.set(pointer, "message.copy.max.bytes", Self.copyBytesMax)
        }
        let linger = Double(value("linger.ms")) ?? 0
        lingerNanoseconds = UInt64(max(linger, 0) * 1_000_000)
        _ = Self.set(pointer, "linger.ms", "\(min(linger + 10, 900_000))")
        guard complaints.isEmpty else { throw .config(complaints.joined(separator: "\n")) }
    }

    deinit { rd_kafka_conf_destroy(pointer) }

    /// A copy for `rd_kafka_new`, which takes it over.
    func duplicate() -> OpaquePointer? { rd_kafka_conf_dup(pointer) }

    /// Largest batch, in bytes.
    var batchBytesMax: Int { Int(value("batch.size")) ?? 1_000_000 }

    /// Most records of one batch.
    var batchRecordsMax: Int { Int(value("batch.num.messages")) ?? 10_000 }

    /// Batches may be smaller on the wire than the records in them.
    var compresses: Bool { value("compression.codec") != "none" }

    private func value(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        var size = buffer.count
        return rd_kafka_conf_get(pointer, name, &buffer, &size) == RD_KAFKA_CONF_OK ? text(buffer) : ""
    }

    /// What the librdkafka at hand cannot do, as far as this configuration needs it.
    var shortcomings: [String] {
        var lines: [String] = []
        let version = rd_kafka_version()
        let name = rd_kafka_version_str().map { String(cString: $0) } ?? ""
        if version < 0x0206_01ff && mechanism.uppercased().hasPrefix("SCRAM-") {
            lines.append(
                "librdkafka \(name): brokers from Kafka 3.7.2 on refuse SCRAM from versions before 2.6.1 (CVE-2024-56128), "
                    + "which shows as \"Broker transport failure\"; use a newer librdkafka, or PLAIN over TLS, or client certificates")
        }
        return lines
    }

    /// Sets one property; returns why it could not be.
    private static func set(_ pointer: OpaquePointer, _ name: String, _ value: String) -> String? {
        var why = [CChar](repeating: 0, count: 512)
        guard rd_kafka_conf_set(pointer, name, value, &why, why.count) != RD_KAFKA_CONF_OK else { return nil }
        // librdkafka repeats the value.
        if ClientProperties.secret.contains(name) { return "librdkafka refuses the value (not shown)" }
        return text(why)
    }
}

/// What librdkafka wrote into a buffer of ours.
func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// librdkafka's words for an error.
func text(_ error: rd_kafka_resp_err_t) -> String { rd_kafka_err2str(error).map { String(cString: $0) } ?? "error \(error.rawValue)" }
