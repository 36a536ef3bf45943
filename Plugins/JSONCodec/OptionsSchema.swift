/// Names and defaults are Debezium's, in snake case.
let optionsSchema: StaticString = #"""
    {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "format": { "type": "string", "enum": ["debezium", "compact", "flat", "cloudevents"], "default": "debezium",
          "description": "Shape of the records: Debezium's envelope, or one compact line for people; flat and cloudevents come later." },
        "schemas_enable": { "type": "boolean", "default": false,
          "description": "Put the Connect schema into every record; true comes later." },
        "tombstones_on_delete": { "type": "boolean", "default": true,
          "description": "Send a record with the key and no value after each delete, so that a compacted topic forgets the row." },
        "decimal_handling_mode": { "type": "string", "enum": ["precise", "double", "string"], "default": "precise",
          "description": "How numeric and money are sent in the debezium format: as Connect decimals, as doubles (they lose digits), as strings." },
        "time_precision_mode": { "type": "string",
          "enum": ["adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds", "structured"],
          "default": "adaptive",
          "description": "Unit of date, time and timestamp in the debezium format; adaptive follows the column, structured comes later." },
        "binary_handling_mode": { "type": "string", "enum": ["bytes", "base64", "base64-url-safe", "hex"], "default": "bytes",
          "description": "How bytea and the content of logical messages are sent in the debezium format." },
        "interval_handling_mode": { "type": "string", "enum": ["numeric", "string"], "default": "numeric",
          "description": "How intervals are sent in the debezium format: as microseconds, or as an ISO 8601 duration." },
        "hstore_handling_mode": { "type": "string", "enum": ["json", "map"], "default": "json",
          "description": "How hstore is sent in the debezium format: as a string that holds a JSON object; map comes later." },
        "include_unknown_datatypes": { "type": "boolean", "default": false,
          "description": "Send columns of types that Debezium does not know as their text's bytes, instead of leaving them out." },
        "unavailable_value_placeholder": { "type": "string", "default": "__debezium_unavailable_value",
          "description": "Stands for an unchanged out-of-line value that the server did not send, in the debezium format; bytes behind hex:." },
        "skipped_operations": { "type": "array", "items": { "type": "string", "enum": ["create", "update", "delete", "truncate", "none"] },
          "default": ["truncate"], "description": "Operations that give no record." },
        "message_key_columns": { "type": "object",
          "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 }, "default": {},
          "description": "Columns of the key by schema.table, where the primary key is not wanted; the replica identity has to cover them." },
        "provide_transaction_metadata": { "type": "boolean", "default": false,
          "description": "Send the beginning and end of transactions to a topic of their own; true comes later." },
        "extended_headers_enabled": { "type": "boolean", "default": false,
          "description": "Put Debezium's four context headers on every record; the headers of a key change are always there." }
      }
    }
    """#
