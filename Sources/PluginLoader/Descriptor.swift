import PluginABI
import Settings

/// What a library says of itself, read without trusting it: sizes first, then every field by name.
struct Descriptor {
    let id: String
    let version: String
    let vendor: String
    let license: String
    let abiVersion: UInt32
    let abiMin: UInt32
    let stages: [LoadedStage]
    let begin: (@convention(c) (UnsafePointer<cdcp_host>?) -> cdcp_status)?
    let end: (@convention(c) () -> Void)?

    static let stageCountMax: UInt32 = 64

    /// Reads what the entry returned.
    init(_ raw: UnsafePointer<cdcp_library>?, path: String) throws(PluginError) {
        let reader = DescriptorReader(path: path)
        guard let raw else {
            throw PluginError(
                .version, path, "\(ElfChecks.entry) returned NULL for the contract \(Self.name(CDCP_ABI_CURRENT))",
                cure: "use a build of the plugin for this host")
        }
        // The first 16 bytes hold the versions: a library that is too new is told so before its sizes are judged.
        _ = try reader.size(raw, least: 16, "library")
        abiVersion = raw.pointee.abi_version
        abiMin = raw.pointee.abi_min
        try Self.checkVersions(abiVersion, abiMin, path)
        let declared = try reader.size(raw, least: MemoryLayout<cdcp_library>.offset(of: \.`init`) ?? 56, "library")
        let library = TableGrowth.copy(raw, declared: declared, into: cdcp_library())
        id = try reader.name(library.id, "library.id")
        version = try reader.line(library.version, "library.version", max: 64)
        vendor = try library.vendor.map { (text) throws(PluginError) in try reader.line(text, "library.vendor", max: 256, mayBeEmpty: true) } ?? ""
        license = try library.license.map { (text) throws(PluginError) in try reader.line(text, "library.license", max: 256, mayBeEmpty: true) } ?? ""
        begin = library.`init`
        end = library.deinit
        guard (1...Self.stageCountMax).contains(library.stage_count) else {
            throw reader.refuse("library.stage_count", "is \(library.stage_count)", "1 to \(Self.stageCountMax) are allowed")
        }
        guard let list = library.stages else { throw reader.refuse("library.stages", "is NULL") }
        var stages: [LoadedStage] = []
        for index in 0..<Int(library.stage_count) {
            guard let stage = list[index] else { throw reader.refuse("library.stages[\(index)]", "is NULL") }
            let loaded = try StageDescriptor.read(stage, "library.stages[\(index)]", reader)
            guard !stages.contains(where: { $0.id == loaded.id }) else {
                throw reader.refuse("library.stages[\(index)].id", "is \(loaded.id), like that of another stage", "ids are unique in a library")
            }
            stages.append(loaded)
        }
        self.stages = stages
    }

    private static func checkVersions(_ built: UInt32, _ least: UInt32, _ path: String) throws(PluginError) {
        let host = CDCP_ABI_CURRENT
        guard built >> 16 == host >> 16, least >> 16 == host >> 16 else {
            throw PluginError(
                .version, path, "was built for the contract \(name(built)) and needs at least \(name(least)); this host speaks \(name(host))",
                cure: "use a build for version \(host >> 16)")
        }
        guard least <= built else {
            throw PluginError(
                .contract, path, "library.abi_min is \(name(least)), later than library.abi_version \(name(built))",
                cure: "the plugin's author must correct it")
        }
        guard least <= host else {
            throw PluginError(
                .version, path, "needs at least the contract \(name(least)); this host speaks \(name(host))",
                cure: "use a later host or an earlier build")
        }
    }

    /// "1.0"
    static func name(_ version: UInt32) -> String { "\(version >> 16).\(version & 0xffff)" }
}

/// Reads fields of a library's structs, naming each that is wrong.
struct DescriptorReader {
    let path: String

    func refuse(_ field: String, _ what: String, _ allowed: String = "") -> PluginError {
        PluginError(.contract, path, "\(field) \(what)\(allowed.isEmpty ? "" : ": \(allowed)")", cure: "the plugin's author must correct it")
    }

    func size(_ table: UnsafeRawPointer, least: Int, _ name: String) throws(PluginError) -> Int {
        do throws(TableGrowth.Misfit) {
            return try TableGrowth.declaredSize(table, least: least)
        } catch { throw refuse("\(name).struct_size", error.what) }
    }

    /// No slot within the table's own size is NULL.
    func complete(_ slots: [TableSlot], declared: Int, _ name: String) throws(PluginError) {
        for slot in slots where slot.isNull && slot.offset < declared { throw refuse("\(name).\(slot.name)", "is NULL") }
    }

    func zero(_ reserved: UInt32, _ field: String) throws(PluginError) {
        guard reserved == 0 else { throw refuse(field, "is \(reserved)", "reserved fields are 0") }
    }

    /// UTF-8 that ends within `max` bytes.
    func text(_ raw: UnsafePointer<CChar>?, _ field: String, max: Int) throws(PluginError) -> String {
        guard let raw else { throw refuse(field, "is NULL") }
        var count = 0
        while count < max, raw[count] != 0 { count += 1 }
        guard count < max else { throw refuse(field, "has no end within \(max) bytes") }
        let bytes = UnsafeBufferPointer(start: raw, count: count).map { UInt8(bitPattern: $0) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refuse(field, "is not UTF-8") }
        return text
    }

    /// Text without control characters.
    func line(_ raw: UnsafePointer<CChar>?, _ field: String, max: Int, mayBeEmpty: Bool = false) throws(PluginError) -> String {
        let text = try self.text(raw, field, max: max)
        guard mayBeEmpty || !text.isEmpty else { throw refuse(field, "is empty") }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 }) else { throw refuse(field, "has control characters") }
        return text
    }

    func name(_ raw: UnsafePointer<CChar>?, _ field: String) throws(PluginError) -> String {
        let text = try line(raw, field, max: 256)
        guard isName(text) else { throw refuse(field, "is \"\(text)\"", "[A-Za-z][A-Za-z0-9_-]*, at most 64 characters") }
        return text
    }
}
