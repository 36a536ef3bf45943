public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "FileSink", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            FileSink.self, id: "FileSink", version: "0.1.0",
            summary: "Appends records to a file or standard output, one JSON object a line.", schema: schema,
            flags: UInt32(CDCP_STAGE_DETERMINISTIC))
    ])

@c @implementation public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }

private let schema: StaticString = """
    {
      "type": "object",
      "additionalProperties": false,
      "required": ["path"],
      "properties": {
        "path": { "type": "string", "minLength": 1, "x-path": true, "description": "File to append to, made with mode 0600 where it is not there; relative to the file that says so; - is standard output." },
        "fsync": { "type": "string", "enum": ["batch", "never"], "default": "batch", "description": "batch: what is acknowledged is on the disk; never: a crash of the machine may lose acknowledged records." }
      }
    }
    """
