import PluginABI
import StageHarness
import Testing

/// Options are judged without a broker.
@Suite struct ClientPropertiesTests {
    private func refusal(_ kafka: [Option.Entry], insecure: Bool = false) throws -> String {
        let options: Option = ["kafka": .map([.init("bootstrap.servers", "127.0.0.1:1")] + kafka), "insecure": .boolean(insecure)]
        do {
            let stage = try PluginFile.named("KafkaSink").stage(options: options)
            try stage.deactivate(timeoutNanoseconds: 0)
            return ""
        } catch let refusal as StageRefusal {
            #expect(refusal.status == CDCP_E_CONFIG)
            return refusal.message
        }
    }

    @Test(
        "What would weaken delivery, run code or is misspelt is refused with a reason",
        arguments: [
            ("enable.idempotence", "false", "double"), ("acks", "1", "always all"), ("message.timeout.ms", "1000", "unlimited"),
            ("queue.buffering.max.messages", "10", "limits.in_flight"), ("plugin.library.paths", "/tmp/x.so", "load code"),
            ("sasl.kerberos.kinit.cmd", "id", "shell"), ("ssl.engine.location", "/tmp/x.so", "load code"), ("ssl.providers", "x", "load code"),
            ("debug", "all", "flood"), ("interceptors", "x", "load code"), ("transactional.id", "x", "at least once"),
            ("lingre.ms", "5", "linger.ms"), ("sasl.user", "5", "sasl.username"), ("enable.ssl.certificate.verification", "false", "insecure: true"),
            ("ssl.endpoint.identification.algorithm", "none", "insecure: true"), ("sasl.kerberos.keytab", "/tmp/x;id", "letters"),
            ("linger.ms", "soon", "linger.ms"), ("compression.type", "rar", "compression"),
        ])
    func refused(_ name: String, _ value: String, _ reason: String) throws {
        let message = try refusal([.init(name, .string(value))])
        #expect(message.contains(name))
        #expect(message.contains(reason))
    }

    @Test("All complaints come at once, and no secret in them")
    func together() throws {
        let message = try refusal([.init("acks", "0"), .init("ssl.key.pem", "planted-secret"), .init("linger.ms", "x"), .init("debug", "all")])
        #expect(message.split(separator: "\n").count >= 3)
        #expect(!message.contains("planted-secret"))
    }

    @Test("Verification may be switched off where that is said twice")
    func insecure() throws {
        #expect(try refusal([.init("ssl.endpoint.identification.algorithm", "none")], insecure: true) == "")
        #expect(try refusal([.init("linger.ms", "0.5"), .init("compression.type", "lz4"), .init("batch.size", .integer(500_000))]) == "")
    }

    @Test("SCRAM from an old librdkafka is named at start")
    func scram() throws {
        let stage = try PluginFile.named("KafkaSink").stage(options: [
            "kafka": [
                "bootstrap.servers": "127.0.0.1:1", "security.protocol": "sasl_plaintext", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": "u",
                "sasl.password": "planted-secret",
            ]
        ])
        let lines = stage.host.logs.map(\.text)
        #expect(lines.contains { $0.contains("2.6.1") } || lines.isEmpty)
        #expect(!lines.contains { $0.contains("planted-secret") })
    }
}
