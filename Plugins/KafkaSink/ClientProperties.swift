import LibRDKafka
import PluginKit

/// Which of librdkafka's properties a user may set. An allow-list: some properties load code or run commands, others would weaken delivery.
enum ClientProperties {
    static let allowed: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "client.id", "client.rack", "broker.address.family", "broker.address.ttl",
        "linger.ms", "queue.buffering.max.ms", "batch.size", "batch.num.messages", "compression.type", "compression.codec", "compression.level",
        "message.copy.max.bytes", "receive.message.max.bytes", "request.timeout.ms", "retry.backoff.ms",
        "retry.backoff.max.ms", "topic.metadata.refresh.interval.ms", "metadata.max.age.ms", "topic.metadata.refresh.fast.interval.ms",
        "topic.metadata.refresh.sparse", "topic.metadata.propagation.max.ms", "socket.timeout.ms", "socket.send.buffer.bytes",
        "socket.receive.buffer.bytes", "socket.keepalive.enable", "socket.nagle.disable", "socket.max.fails",
        "socket.connection.setup.timeout.ms", "connections.max.idle.ms", "reconnect.backoff.ms", "reconnect.backoff.max.ms",
        "api.version.request", "api.version.request.timeout.ms", "api.version.fallback.ms", "broker.version.fallback",
        "client.dns.lookup", "security.protocol", "ssl.cipher.suites", "ssl.curves.list", "ssl.sigalgs.list", "ssl.key.location",
        "ssl.key.password", "ssl.key.pem", "ssl.certificate.location", "ssl.certificate.pem", "ssl.ca.location", "ssl.ca.pem",
        "ssl.crl.location", "ssl.keystore.location", "ssl.keystore.password", "enable.ssl.certificate.verification",
        "ssl.endpoint.identification.algorithm", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password",
        "sasl.kerberos.service.name", "sasl.kerberos.principal", "sasl.kerberos.keytab", "sasl.kerberos.min.time.before.relogin",
        "sasl.oauthbearer.method", "sasl.oauthbearer.client.id", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.scope",
        "sasl.oauthbearer.extensions", "sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.config",
    ]

    /// Their values never appear in a text.
    static let secret: Set<String> = [
        "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
    ]

    /// Properties that people try, and why not.
    private static let refused: [String: String] = [
        "message.max.bytes": "follows limits.record in host.yaml, which bounds a record",
        "enable.idempotence": "is always true: without it a retry could double or reorder records",
        "acks": "is always all: fewer would acknowledge rows that a broker can still lose",
        "request.required.acks": "is always all: fewer would acknowledge rows that a broker can still lose",
        "message.timeout.ms": "is always 0, unlimited: a record that times out would be a gap",
        "delivery.timeout.ms": "is always 0, unlimited: a record that times out would be a gap",
        "message.send.max.retries": "is always unlimited: a record that is given up would be a gap",
        "retries": "is always unlimited: a record that is given up would be a gap",
        "max.in.flight": "is what idempotence needs it to be",
        "max.in.flight.requests.per.connection": "is what idempotence needs it to be",
        "queue.buffering.max.messages": "is unlimited: what waits is bounded by limits.in_flight in host.yaml",
        "queue.buffering.max.kbytes": "is unlimited: what waits is bounded by limits.in_flight in host.yaml",
        "enable.gapless.guarantee": "is experimental and has misbehaved",
        "queuing.strategy": "is always fifo, or rows would change their order",
        "transactional.id": "is not used: delivery is at least once, with an identity in each record",
        "transaction.timeout.ms": "is not used: delivery is at least once, with an identity in each record",
        "partitioner": "is not used: the partitioner stage of plugins.d decides",
        "allow.auto.create.topics": "is always false: topics.create makes topics with the partitions that you ask for",
        "plugin.library.paths": "would load code into the host",
        "interceptors": "would load code into the host",
        "ssl.engine.location": "would load code into the host",
        "ssl.engine.id": "would load code into the host",
        "ssl.providers": "would load code into the host",
        "sasl.kerberos.kinit.cmd": "would run a shell command",
        "debug": "would flood the log",
        "log_level": "is set by log.level in host.yaml",
        "statistics.interval.ms": "is not used: the host has its own metrics",
        "enable.sasl.oauthbearer.unsecure.jwt": "would accept unsigned tokens",
        "test.mock.num.brokers": "would send rows to brokers that do not exist",
    ]

    /// What is wrong with a property's name, or nil.
    static func complaint(_ name: String) -> String? {
        if allowed.contains(name) { return nil }
        if let why = refused[name] { return "cannot be set: it \(why)" }
        return "is not a property that may be set here; the nearest is \(nearest(name))"
    }

    /// What is wrong with a property's value, or nil. Never shows the value.
    static func complaint(_ name: String, value: String, insecure: Bool) -> String? {
        switch name {
        case "enable.ssl.certificate.verification" where value != "true" && !insecure:
            return "would accept any broker's certificate; add insecure: true to the options if that is meant"
        case "ssl.endpoint.identification.algorithm" where value != "https" && !insecure:
            return "would accept any broker's name; add insecure: true to the options if that is meant"
        case "sasl.kerberos.service.name", "sasl.kerberos.principal", "sasl.kerberos.keytab":
            // librdkafka puts these into the command line of kinit, which a shell runs.
            let plain = value.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "@._/-".utf8.contains(byte)
                }
            }
            return plain ? nil : "may hold letters, digits and @ . _ / - only"
        default: return nil
        }
    }

    private static func nearest(_ name: String) -> String {
        allowed.sorted().min { distance($0, name) < distance($1, name) } ?? ""
    }

    /// Levenshtein's distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b.utf8)
        var row = Array(0...b.count)
        for (i, left) in a.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(diagonal + (left == right ? 0 : 1), above + 1, row[j] + 1)
                diagonal = above
            }
        }
        return row[b.count]
    }
}
