public import PluginABI
import PluginKit

private let library = PluginLibrary(
    id: "JSONCodec", version: "0.1.0", vendor: "cdc-host", license: "Apache-2.0",
    stages: [
        StageDeclaration(
            JSONCodec.self, id: "JSONCodec", version: "0.1.0", summary: "Row changes as JSON: Debezium's records, or one compact line each.",
            schema: optionsSchema)
    ])

/// The library's one export.
@c @implementation
public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }
