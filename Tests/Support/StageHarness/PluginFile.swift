import Glibc
public import PluginABI

// How a plugin is tested: as a shared library behind the contract, by a host that shares no code with the real one.
//
//     let plugin = try PluginFile.named("Masking")                       // libMasking.so beside the test bundle, or in $CDC_PLUGIN_DIR
//     let stage = try plugin.stage("Masking", options: ["columns": [["column": "email", "how": "hash"]]])   // create, configure, activate
//     let people = stage.host.relation(RelationSpec("public", "people", columns: [.key("id", 23), .init("email", 25)]))
//     try stage.bind(people)                                             // or leave it to the first row
//     try stage.bindingsComplete()
//
//     transform    let rows = try stage.process([.insert(people, ["1", "a@b"]), .delete(people, ["1", .absent], isKey: true)])
//                  rows[0].new == ["1", "…"], rows[0].isDropped, rows[0].failure?.code, rows[0].relation, rows[0].headers
//     codec        let records = try stage.encode([.insert(people, ["1", "a@b"])]); records[0].keyText, .valueText, .topicName
//     partitioner  let partitions = try stage.assign([RecordSpec(key: "1", value: "{}", topic: 1)], rows: […], topics: [TopicSpec("t", 8)])
//     decoder      let (status, events) = try stage.decode(bytes, walStart: 0)
//     sink         try stage.topic(1, "orders"); let id = try stage.submit([RecordSpec(key: "1", value: "x", topic: 1)])
//                  let outcome = try stage.completion(of: id, within: .seconds(10)); outcome.failures
//
// A refused call throws StageRefusal (status, set_error's text); a broken rule of the contract throws ContractViolation from the call in which it
// happened. stage.host.logs has what was logged. Rows, columns and transactions lie further apart than their size, arenas start almost full, the
// emitter has hardly any room, input is compared afterwards and all memory of a batch is overwritten when the call is over.

/// A plugin's library, loaded and never unloaded.
public struct PluginFile {
    public let path: String
    public let library: UnsafePointer<cdcp_library>

    /// Loads the library at `path`.
    public init(path: String) throws {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { throw HarnessError("dlopen: \(dlerror().map { String(cString: $0) } ?? path)") }
        guard let symbol = dlsym(handle, "cdcp_entry_v1") else { throw HarnessError("\(path): no cdcp_entry_v1") }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<cdcp_library>?
        guard let library = unsafeBitCast(symbol, to: Entry.self)(CDCP_ABI_CURRENT) else {
            throw HarnessError("\(path): cdcp_entry_v1 returned NULL")
        }
        guard library.pointee.struct_size >= UInt32(MemoryLayout<cdcp_library>.size) else { throw HarnessError("\(path): cdcp_library is too short") }
        self.path = path
        self.library = library
    }

    /// Loads `lib<name>.so` from $CDC_PLUGIN_DIR or the directory of the test bundle.
    public static func named(_ name: String) throws -> PluginFile { try PluginFile(path: directory() + "/lib\(name).so") }

    private static func directory() throws -> String {
        if let given = getenv("CDC_PLUGIN_DIR") { return String(cString: given) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in text.baseAddress.map { readlink("/proc/self/exe", $0, text.count) } ?? -1 }
        }
        guard length > 0, let slash = buffer[..<length].lastIndex(of: 0x2F) else {
            throw HarnessError("where is the test bundle? set CDC_PLUGIN_DIR")
        }
        return String(decoding: buffer[..<slash], as: UTF8.self)
    }

    /// Descriptors of all stages.
    public var descriptors: [UnsafePointer<cdcp_stage_desc>] {
        (0..<Int(library.pointee.stage_count)).compactMap { library.pointee.stages[$0] }
    }

    /// The stage `id` (nil: the only one), created, configured and activated.
    /// - Parameters:
    ///   - options: what the stage's file says; the schema's defaults are filled in.
    ///   - host: one of your own, to set the stream's names or to share relations between stages.
    public func stage(_ id: String? = nil, options: Option = [:], host: FakeHost = FakeHost()) throws -> StageInstance {
        let found = descriptors.filter { id == nil || $0.pointee.id.map { String(cString: $0) } == id }
        guard found.count == 1, let descriptor = found.first else { throw HarnessError("\(path): \(found.count) stages match \(id ?? "any id")") }
        if let initialise = library.pointee.`init` {
            let status = initialise(host.pointer)
            if status != CDCP_OK { throw StageRefusal(call: "init", status: status, message: host.takeError()) }
        }
        let instance = try StageInstance(descriptor, host)
        try instance.configure(options)
        try instance.activate()
        return instance
    }
}
