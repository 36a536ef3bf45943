public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "KeyPartitioner", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            KeyPartitioner.self, id: "KeyPartitioner", version: "0.1.0",
            summary: "Gives each record its partition by key, table or columns",
            schema: """
                {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "by": {
                      "type": "string", "enum": ["key", "table", "columns"], "default": "key",
                      "description": "key: the encoded key, to the partition that Kafka's Java client gives it; table: all of a table \
                in one; columns: the values of the columns named in columns."
                    },
                    "columns": {
                      "type": "object",
                      "additionalProperties": { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
                      "description": "With by: columns, each table (schema.table) and its columns, which must be part of the replica \
                identity; tables that are not named go by key."
                    },
                    "without_key": {
                      "type": "string", "enum": ["table", "round_robin"], "default": "table",
                      "description": "Where records without a key go: table keeps a table's order in one partition; round_robin \
                spreads them and keeps no order."
                    }
                  }
                }
                """)
    ])

/// The library's one export.
@c @implementation public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }
