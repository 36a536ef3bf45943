public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "KafkaSink", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            KafkaSink.self, id: "KafkaSink", version: "0.1.0",
            summary: "Sends records to Apache Kafka with an idempotent producer (librdkafka).", schema: schema,
            flags: UInt32(CDCP_STAGE_NEEDS_PARTITIONS))
    ])

@c @implementation public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }

/// Only the properties that people look for are spelled out; `ClientProperties` decides on all of them and says why one is refused.
private let schema: StaticString = """
    {
      "type": "object",
      "additionalProperties": false,
      "required": ["kafka"],
      "properties": {
        "kafka": {
          "type": "object",
          "description": "Properties of librdkafka by their own names; idempotence, acks=all and an unlimited message timeout are always set and cannot be changed.",
          "required": ["bootstrap.servers"],
          "additionalProperties": { "type": ["string", "integer", "number", "boolean"] },
          "properties": {
            "bootstrap.servers": { "type": "string", "minLength": 1, "description": "Brokers to begin with, as HOST:PORT separated by commas." },
            "client.id": { "type": "string", "description": "How the brokers name this client in logs and quotas; cdc-host where it is not given." },
            "linger.ms": { "type": ["integer", "number", "string"], "description": "At least so long between two batches, in milliseconds, unless they are full; 0 where it is not given: what gathers while a batch is under way goes together. The first record after a pause is sent at once." },
            "compression.type": { "type": "string", "enum": ["none", "gzip", "snappy", "lz4", "zstd"], "description": "How batches are compressed; none where it is not given." },
            "batch.size": { "type": ["integer", "string"], "description": "Largest batch of records in bytes; 1000000 where it is not given, which every broker accepts unless a topic's max.message.bytes is lower." },
            "security.protocol": { "type": "string", "description": "plaintext, ssl, sasl_plaintext or sasl_ssl." },
            "sasl.mechanism": { "type": "string", "description": "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER." },
            "sasl.username": { "type": "string", "description": "User name for PLAIN and SCRAM." },
            "sasl.password": { "type": "string", "x-secret": true, "description": "Password for PLAIN and SCRAM." },
            "sasl.oauthbearer.client.secret": { "type": "string", "x-secret": true, "description": "Secret that the OIDC token endpoint asks for." },
            "sasl.oauthbearer.config": { "type": "string", "x-secret": true, "description": "Configuration of the OAUTHBEARER token." },
            "ssl.ca.location": { "type": "string", "description": "File or directory of the certificate authorities that brokers are verified against." },
            "ssl.certificate.location": { "type": "string", "description": "File of the client's certificate, PEM." },
            "ssl.key.location": { "type": "string", "description": "File of the client's private key, PEM." },
            "ssl.key.password": { "type": "string", "x-secret": true, "description": "Passphrase of the private key." },
            "ssl.key.pem": { "type": "string", "x-secret": true, "description": "The client's private key itself, PEM." },
            "ssl.keystore.password": { "type": "string", "x-secret": true, "description": "Password of the PKCS#12 key store." }
          }
        },
        "topics": {
          "type": "object",
          "description": "How topics that do not exist yet are made.",
          "additionalProperties": false,
          "properties": {
            "create": { "type": "boolean", "default": true, "description": "Makes a topic that is not there; false stops the host instead." },
            "partitions": { "type": "integer", "minimum": 1, "maximum": 100000, "description": "Partitions of a new topic, 1 where it is not given; an existing topic keeps its own, with a warning where it differs from the number given here." },
            "replication_factor": { "type": "integer", "minimum": 1, "maximum": 32767, "description": "Replicas of a new topic; the broker's default where it is not given." },
            "config": { "type": "object", "additionalProperties": { "type": ["string", "integer", "number", "boolean"] }, "description": "Settings of a new topic by Kafka's names, such as retention.ms or cleanup.policy." }
          }
        },
        "insecure": { "type": "boolean", "default": false, "description": "Allows properties that switch off the verification of the brokers' certificates or names." }
      }
    }
    """
