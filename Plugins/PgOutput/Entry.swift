public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "PgOutput", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            PgOutput.self, id: "PgOutput", version: "0.1.0", summary: "Decodes PostgreSQL's pgoutput messages, protocol version 1",
            schema: """
                {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "binary": {
                      "type": "boolean", "default": false,
                      "description": "Ask the server for values in binary form; not supported yet, so only false is accepted."
                    },
                    "messages": {
                      "type": "boolean", "default": true,
                      "description": "Ask for what pg_logical_emit_message writes; needs PostgreSQL 14 or later and is left out on older servers."
                    },
                    "origin": {
                      "type": "string", "enum": ["any", "none"], "default": "any",
                      "description": "any: all changes; none: only changes that did not arrive by replication themselves, which needs \
                PostgreSQL 16 or later."
                    }
                  }
                }
                """,
            flags: CDCP_STAGE_DETERMINISTIC, outputPlugin: "pgoutput")
    ])

/// The library's one export.
@c @implementation public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }
