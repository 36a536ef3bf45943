import PluginABI
import Settings

extension LoadedLibrary {
    /// What `plugin info` prints: the library, its stages and their options.
    public var infoText: String {
        var lines = [
            "\(id) \(version)" + (vendor.isEmpty ? "" : ", \(vendor)") + (license.isEmpty ? "" : " (\(license))"),
            "  file     \(path)",
            "  sha256   \(sha256)",
            "  contract \(Descriptor.name(abiVersion)), runs on \(Descriptor.name(abiMin)) or later",
        ]
        for stage in stages {
            lines += ["", "\(stage.role) \(stage.id) \(stage.version)", "  \(stage.summary)"]
            if !stage.flags.names.isEmpty { lines.append("  \(stage.flags.names.joined(separator: ", "))") }
            if let plugin = stage.outputPlugin { lines.append("  reads the output of \(plugin)") }
            lines.append(stage.schema.properties.isEmpty ? "  no options" : "  options")
            lines += Self.options(stage.schema, indent: "    ")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same for programs; option schemas are there as their author wrote them.
    public var infoJSON: String {
        let stages = self.stages.map { stage in
            JSONValue.object(
                [
                    .init("id", .string(stage.id)), .init("role", .string(stage.role.description)), .init("version", .string(stage.version)),
                    .init("summary", .string(stage.summary)), .init("flags", .array(stage.flags.names.map { .string($0) })),
                ] + (stage.outputPlugin.map { [.init("output_plugin", .string($0))] } ?? []) + [.init("options", stage.schemaJSON)])
        }
        return JSONText.text(
            .object([
                .init("id", .string(id)), .init("version", .string(version)), .init("vendor", .string(vendor)), .init("license", .string(license)),
                .init("file", .string(path)), .init("sha256", .string(sha256)), .init("abi_version", .string(Descriptor.name(abiVersion))),
                .init("abi_min", .string(Descriptor.name(abiMin))), .init("stages", .array(stages)),
            ])) + "\n"
    }

    private static func options(_ schema: OptionSchema, indent: String) -> [String] {
        let width = schema.properties.map(\.name.count).max() ?? 0
        return schema.properties.flatMap { property in
            let name = property.name + String(repeating: " ", count: width - property.name.count)
            var line = "\(indent)\(name)  \(type(property.schema))"
            if schema.required.contains(property.name) { line += ", required" }
            if let fallback = property.schema.fallback { line += ", default \(short(fallback))" }
            if property.schema.isSecret { line += ", secret" }
            if !property.schema.summary.isEmpty { line += ": \(property.schema.summary)" }
            var inner = options(property.schema, indent: indent + "  ")
            if case .each(let element) = property.schema.items { inner += options(element, indent: indent + "  ") }
            return [line] + inner
        }
    }

    private static func type(_ schema: OptionSchema) -> String {
        if !schema.choices.isEmpty { return schema.choices.joined(separator: " | ") }
        switch schema.unit {
        case .duration: return "duration"
        case .size: return "size"
        case nil: break
        }
        if case .each(let element) = schema.items { return "list of \(type(element))" }
        return schema.types.isEmpty
            ? "any" : schema.types.map { $0 == .object ? "map" : $0 == .array ? "list" : $0.rawValue }.joined(separator: " or ")
    }

    private static func short(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let truth): truth ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .string(let text): text.isEmpty ? "\"\"" : text
        case .array(let elements): "[" + elements.map(short).joined(separator: ", ") + "]"
        case .object(let members): members.isEmpty ? "{}" : "{…}"
        }
    }
}
