import PluginABI
import Settings

/// Reads one stage of a library: descriptor, lifecycle and the table of its role.
enum StageDescriptor {
    static let schemaBytesMax = 1 << 20

    private struct Operations {
        var decoder: cdcp_decoder_ops?
        var transform: cdcp_transform_ops?
        var codec: cdcp_codec_ops?
        var partitioner: cdcp_partitioner_ops?
        var sink: cdcp_sink_ops?
        var outputPlugin: String?
    }

    static func read(_ raw: UnsafePointer<cdcp_stage_desc>, _ name: String, _ reader: DescriptorReader) throws(PluginError) -> LoadedStage {
        let declared = try reader.size(raw, least: MemoryLayout<cdcp_stage_desc>.size, name)
        let stage = TableGrowth.copy(raw, declared: declared, into: cdcp_stage_desc())
        guard let role = StageRole(rawValue: stage.role) else {
            throw reader.refuse("\(name).role", "is \(stage.role)", "1 decoder, 2 transform, 3 codec, 4 partitioner, 5 sink")
        }
        guard let life = stage.life else { throw reader.refuse("\(name).life", "is NULL") }
        guard let table = stage.ops else { throw reader.refuse("\(name).ops", "is NULL") }
        let (schema, json) = try self.schema(stage.config_schema_json, name, reader)
        let operations = try self.operations(role, table, "\(name).ops", reader)
        return LoadedStage(
            role: role, id: try reader.name(stage.id, "\(name).id"), version: try reader.line(stage.version, "\(name).version", max: 64),
            summary: try reader.line(stage.summary, "\(name).summary", max: 512), flags: StageFlags(rawValue: stage.flags),
            schema: schema, schemaJSON: json, desc: raw, life: try lifecycle(life, "\(name).life", reader),
            decoder: operations.decoder, transform: operations.transform, codec: operations.codec, partitioner: operations.partitioner,
            sink: operations.sink, outputPlugin: operations.outputPlugin)
    }

    private static func lifecycle(_ raw: UnsafePointer<cdcp_lifecycle>, _ name: String, _ reader: DescriptorReader) throws(PluginError)
        -> cdcp_lifecycle
    {
        // Without extensions a stage can live.
        let least = MemoryLayout<cdcp_lifecycle>.offset(of: \.get_extension) ?? MemoryLayout<cdcp_lifecycle>.size
        let declared = try reader.size(raw, least: least, name)
        var life = TableGrowth.copy(raw, declared: declared, into: cdcp_lifecycle())
        try reader.zero(life.reserved, "\(name).reserved")
        try reader.complete(life.slots, declared: declared, name)
        life.fillGaps()
        return life
    }

    private static func operations(
        _ role: StageRole, _ raw: UnsafeRawPointer, _ name: String, _ reader: DescriptorReader
    ) throws(PluginError) -> Operations {
        var result = Operations()
        switch role {
        case .decoder:
            let declared = try reader.size(raw, least: MemoryLayout<cdcp_decoder_ops>.size, name)
            var table = TableGrowth.copy(raw, declared: declared, into: cdcp_decoder_ops())
            try reader.zero(table.reserved, "\(name).reserved")
            try reader.complete(table.slots, declared: declared, name)
            table.fillGaps()
            result.decoder = table
            result.outputPlugin = try reader.name(table.output_plugin, "\(name).output_plugin")
        case .transform:
            let declared = try reader.size(raw, least: MemoryLayout<cdcp_transform_ops>.size, name)
            var table = TableGrowth.copy(raw, declared: declared, into: cdcp_transform_ops())
            try reader.zero(table.reserved, "\(name).reserved")
            try reader.complete(table.slots, declared: declared, name)
            table.fillGaps()
            result.transform = table
        case .codec:
            let declared = try reader.size(raw, least: MemoryLayout<cdcp_codec_ops>.size, name)
            var table = TableGrowth.copy(raw, declared: declared, into: cdcp_codec_ops())
            try reader.zero(table.reserved, "\(name).reserved")
            try reader.complete(table.slots, declared: declared, name)
            table.fillGaps()
            result.codec = table
        case .partitioner:
            let declared = try reader.size(raw, least: MemoryLayout<cdcp_partitioner_ops>.size, name)
            var table = TableGrowth.copy(raw, declared: declared, into: cdcp_partitioner_ops())
            try reader.zero(table.reserved, "\(name).reserved")
            try reader.complete(table.slots, declared: declared, name)
            table.fillGaps()
            result.partitioner = table
        case .sink:
            // What flush is for, waiting for the completions does as well.
            let least = MemoryLayout<cdcp_sink_ops>.offset(of: \.flush) ?? MemoryLayout<cdcp_sink_ops>.size
            let declared = try reader.size(raw, least: least, name)
            var table = TableGrowth.copy(raw, declared: declared, into: cdcp_sink_ops())
            try reader.zero(table.reserved, "\(name).reserved")
            try reader.complete(table.slots, declared: declared, name)
            table.fillGaps()
            result.sink = table
        }
        return result
    }

    private static func schema(
        _ raw: UnsafePointer<CChar>?, _ name: String, _ reader: DescriptorReader
    ) throws(PluginError) -> (OptionSchema, JSONValue) {
        let field = "\(name).config_schema_json"
        // A stage without options need not say so.
        guard raw != nil else {
            var none = OptionSchema(types: [.object])
            none.additional = .refused
            return (none, .object([]))
        }
        let text = try reader.text(raw, field, max: schemaBytesMax)
        let json: JSONValue
        do throws(JSONText.Malformed) { json = try JSONText.parse(text) } catch { throw reader.refuse(field, "is not JSON", error.message) }
        do throws(OptionSchema.Malformed) {
            return (try OptionSchema(json: json), json)
        } catch { throw reader.refuse(field, "is no schema that this host understands", "\(error)") }
    }
}
