import PluginABI

/// What stands behind a `cdcp_config`. Lives as long as the host, but may be read during `configure` only.
final class ConfigNode {
    fileprivate let tree: Option
    fileprivate let path: String
    fileprivate let host: FakeHost
    fileprivate var children: [ConfigNode] = []

    init(_ tree: Option, path: String, host: FakeHost) {
        self.tree = tree
        self.path = path
        self.host = host
    }

    var opaque: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

}

private func find(_ pointer: OpaquePointer?, _ key: UnsafePointer<CChar>?) -> (node: ConfigNode, key: String, value: Option?)? {
    guard let pointer, let key else { return nil }
    let node = Unmanaged<ConfigNode>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    if !node.host.isConfiguring { node.host.violation("an option was read outside configure()") }
    let name = String(cString: key)
    return (node, name, node.tree[name])
}

private func array(_ texts: [String], _ out: UnsafeMutablePointer<UnsafePointer<cdcp_str>?>?, _ count: UnsafeMutablePointer<UInt32>?) {
    let array = UnsafeMutablePointer<cdcp_str>.allocate(capacity: max(texts.count, 1))
    for (index, text) in texts.enumerated() { array.advanced(by: index).initialize(to: permanent(text)) }
    out?.pointee = UnsafePointer(array)
    count?.pointee = UInt32(texts.count)
}

/// The accessors of `cdcplugin/host.h` over it.
func installConfiguration(_ table: inout cdcp_host) {
table.config_str = { config, key, out in
    guard let (_, _, value) = find(config, key) else { return CDCP_E_CONFIG }
    guard let value else { return CDCP_NOT_SET }
    guard let text = value.text else { return CDCP_E_CONFIG }
    out?.pointee = permanent(text)
    return CDCP_OK
}
table.config_i64 = { config, key, out in
    guard let (_, _, value) = find(config, key) else { return CDCP_E_CONFIG }
    guard let value else { return CDCP_NOT_SET }
    guard case .integer(let number) = value else { return CDCP_E_CONFIG }
    out?.pointee = number
    return CDCP_OK
}
table.config_f64 = { config, key, out in
    guard let (_, _, value) = find(config, key) else { return CDCP_E_CONFIG }
    switch value {
    case nil: return CDCP_NOT_SET
    case .double(let number)?: out?.pointee = number
    case .integer(let number)?: out?.pointee = Double(number)
    default: return CDCP_E_CONFIG
    }
    return CDCP_OK
}
table.config_bool = { config, key, out in
    guard let (_, _, value) = find(config, key) else { return CDCP_E_CONFIG }
    guard let value else { return CDCP_NOT_SET }
    guard case .boolean(let flag) = value else { return CDCP_E_CONFIG }
    out?.pointee = flag ? 1 : 0
    return CDCP_OK
}
table.config_keys = { config, out, count in
    guard let config else { return CDCP_E_CONFIG }
    let node = Unmanaged<ConfigNode>.fromOpaque(UnsafeRawPointer(config)).takeUnretainedValue()
    guard case .map(let entries) = node.tree else { return CDCP_E_CONFIG }
    array(entries.map(\.key), out, count)
    return CDCP_OK
}
table.config_list = { config, key, out, count in
    guard let (_, _, value) = find(config, key) else { return CDCP_E_CONFIG }
    guard let value else { return CDCP_NOT_SET }
    guard case .list(let elements) = value else { return CDCP_E_CONFIG }
    let texts = elements.compactMap(\.text)
    guard texts.count == elements.count else { return CDCP_E_CONFIG }
    array(texts, out, count)
    return CDCP_OK
}
table.config_count = { config, key, count in
    guard let (_, _, value) = find(config, key) else { return CDCP_E_CONFIG }
    switch value {
    case nil: return CDCP_NOT_SET
    case .list(let elements)?: count?.pointee = UInt32(elements.count)
    case .map?: count?.pointee = 1
    default: return CDCP_E_CONFIG
    }
    return CDCP_OK
}
table.config_child = { config, key, index, out in
    guard let (node, name, value) = find(config, key) else { return CDCP_E_CONFIG }
    let child: ConfigNode
    switch value {
    case nil: return CDCP_NOT_SET
    case .map?: child = ConfigNode(value ?? [:], path: "\(node.path).\(name)", host: node.host)
    case .list(let elements)? where Int(index) < elements.count:
        guard case .map = elements[Int(index)] else { return CDCP_E_CONFIG }
        child = ConfigNode(elements[Int(index)], path: "\(node.path).\(name)[\(index)]", host: node.host)
    default: return CDCP_E_CONFIG
    }
    node.children.append(child)
    out?.pointee = child.opaque
    return CDCP_OK
}
table.config_origin = { config, key, out in
    guard let (node, name, _) = find(config, key) else { return CDCP_E_CONFIG }
    out?.pointee = permanent("30-test.yaml:1:1: \(node.path).\(name)")
    return CDCP_OK
}
}
