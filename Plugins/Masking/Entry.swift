public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "Masking", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            Masking.self, id: "Masking", version: "0.1.0", summary: "Replaces the values of columns, in new rows, old rows and keys alike",
            schema: """
                {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "columns": {
                      "type": "array",
                      "default": [],
                      "description": "The columns to mask; one column may fit one entry only.",
                      "items": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["column", "how"],
                        "properties": {
                          "column": {
                            "type": "string", "minLength": 1,
                            "description": "schema.table.column, or a column of every table that `match` lets through; globs, names quoted as in SQL."
                          },
                          "how": {
                            "type": "string", "enum": ["fixed", "hash", "keep_first", "keep_last", "truncate", "null"],
                            "description": "What takes the value's place: a constant, its hash, a part of it, its start, or NULL."
                          },
                          "value": { "type": ["string", "integer", "number", "boolean"], "description": "The constant of fixed." },
                          "algorithm": {
                            "type": "string", "enum": ["sha256"],
                            "description": "The function of hash, sha256 unless said otherwise; the result is lower-case hex."
                          },
                          "salt": {
                            "type": "string", "x-secret": true,
                            "description": "Stands before each value that hash takes; without one, values that can be guessed can be recognised."
                          },
                          "n": {
                            "type": "integer", "minimum": 0, "maximum": 1073741824,
                            "description": "How many characters keep_first, keep_last and truncate leave; a shorter value stays whole."
                          },
                          "fill": {
                            "type": "string", "minLength": 1,
                            "description": "The one character that keep_first and keep_last put over each of the others, * unless said otherwise."
                          }
                        }
                      }
                    },
                    "on_missing": {
                      "type": "string", "enum": ["stop", "ignore"], "default": "stop",
                      "description": "What happens when a table has no longer a column that is to be masked: stop before its first row, or go on."
                    }
                  }
                }
                """,
            flags: UInt32(CDCP_STAGE_SENSITIVE) | UInt32(CDCP_STAGE_RESHAPES) | UInt32(CDCP_STAGE_DETERMINISTIC))
    ])

/// The library's one export.
@c @implementation
public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }
