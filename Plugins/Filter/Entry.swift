public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "Filter", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            Filter.self, id: "Filter", version: "0.1.0", summary: "Lets through the tables, columns and operations that are wanted",
            schema: """
                {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "tables": {
                      "type": "object",
                      "additionalProperties": false,
                      "description": "Which tables' rows go on; globs over schema.table, special names quoted as in SQL.",
                      "properties": {
                        "include": {
                          "type": "array", "items": { "type": "string", "minLength": 1 },
                          "description": "Tables that go on; every table where it is left out."
                        },
                        "exclude": {
                          "type": "array", "items": { "type": "string", "minLength": 1 },
                          "description": "Tables that do not, though included."
                        }
                      }
                    },
                    "columns": {
                      "type": "object",
                      "additionalProperties": false,
                      "description": "Which columns go on; globs over schema.table.column. Key columns cannot be filtered out.",
                      "properties": {
                        "include": {
                          "type": "array", "items": { "type": "string", "minLength": 1 },
                          "description": "Columns that go on, for the tables that a pattern speaks of; other tables keep all."
                        },
                        "exclude": {
                          "type": "array", "items": { "type": "string", "minLength": 1 },
                          "description": "Columns that are left out, though included."
                        }
                      }
                    },
                    "ops": {
                      "type": "array",
                      "minItems": 1,
                      "items": { "type": "string", "enum": ["insert", "update", "delete", "truncate", "message", "read"] },
                      "description": "Operations that go on; all where it is left out. read is a row of the snapshot."
                    }
                  }
                }
                """,
            flags: UInt32(CDCP_STAGE_RESHAPES) | UInt32(CDCP_STAGE_DETERMINISTIC))
    ])

/// The library's one export.
@c @implementation
public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }
