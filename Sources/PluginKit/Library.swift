public import PluginABI

/// One stage that a library offers.
public struct StageDeclaration {
    let type: Stage.Type
    let role: UInt32
    let id: StaticString
    let version: StaticString
    let summary: StaticString
    let schema: StaticString
    let flags: UInt64
    let outputPlugin: StaticString

    /// - Parameters:
    ///   - type: a subclass of the role's class; the role follows from it.
    ///   - schema: JSON Schema of `options`.
    ///   - flags: CDCP_STAGE_*.
    ///   - outputPlugin: decoders only: the slot's output plugin.
    public init(
        _ type: Stage.Type, id: StaticString, version: StaticString, summary: StaticString, schema: StaticString, flags: UInt32 = 0,
        outputPlugin: StaticString = ""
    ) {
        self.type = type
        self.id = id
        self.version = version
        self.summary = summary
        self.schema = schema
        self.flags = UInt64(flags)
        self.outputPlugin = outputPlugin
        role =
            switch type {
            case is DecoderStage.Type: UInt32(CDCP_ROLE_DECODER)
            case is TransformStage.Type: UInt32(CDCP_ROLE_TRANSFORM)
            case is CodecStage.Type: UInt32(CDCP_ROLE_CODEC)
            case is PartitionerStage.Type: UInt32(CDCP_ROLE_PARTITIONER)
            default: UInt32(CDCP_ROLE_SINK)
            }
    }
}

/// What `cdcp_entry_v1` returns, built once a library and never freed:
///
///     private let library = PluginLibrary(id: "Masking", version: "0.1.0", stages: [StageDeclaration(Masking.self, …)])
///     @c @implementation public func cdcp_entry_v1(_ hostABI: UInt32) -> UnsafePointer<cdcp_library>? { library.pointer }
public final class PluginLibrary: @unchecked Sendable {
    // SAFETY: all memory behind it is written in init and immutable afterwards.
    /// What the entry returns; lives as long as the process.
    public let pointer: UnsafePointer<cdcp_library>

    /// Made once, as a static of the plugin.
    public init(id: StaticString, version: StaticString, vendor: StaticString, license: StaticString, stages: [StageDeclaration]) {
        let table = UnsafeMutablePointer<UnsafePointer<cdcp_stage_desc>?>.allocate(capacity: stages.count)
        for (index, stage) in stages.enumerated() {
            let descriptor = UnsafeMutablePointer<cdcp_stage_desc>.allocate(capacity: 1)
            descriptor.initialize(
                to: cdcp_stage_desc(
                    struct_size: UInt32(MemoryLayout<cdcp_stage_desc>.size), role: stage.role, flags: stage.flags, id: text(stage.id),
                    version: text(stage.version), summary: text(stage.summary), config_schema_json: text(stage.schema), life: lifecycle(),
                    ops: operations(stage)))
            table[index] = UnsafePointer(descriptor)
            Registry.types.append((UnsafePointer(descriptor), stage.type))
        }
        let library = UnsafeMutablePointer<cdcp_library>.allocate(capacity: 1)
        library.initialize(
            to: cdcp_library(
                struct_size: UInt32(MemoryLayout<cdcp_library>.size), abi_version: CDCP_ABI_CURRENT, abi_min: CDCP_ABI_1_0,
                stage_count: UInt32(stages.count), id: text(id), version: text(version), vendor: text(vendor), license: text(license),
                stages: UnsafePointer(table), init: { _ in CDCP_OK }, deinit: {}))
        pointer = UnsafePointer(library)
    }
}

/// Which class stands behind a descriptor of this library.
enum Registry {
    // SAFETY: written while the library's one global is initialised (once, by the runtime), read only after that.
    nonisolated(unsafe) static var types: [(UnsafePointer<cdcp_stage_desc>, Stage.Type)] = []
}

private func text(_ constant: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(constant.utf8Start).assumingMemoryBound(to: CChar.self)
}
