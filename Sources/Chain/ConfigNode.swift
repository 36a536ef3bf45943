import Glibc
import PluginABI
import Settings

/// One `cdcp_config`: a map of the options tree behind the C accessors. Everything that it hands out lives as long as the root node, which is
/// the configure() call.
final class ConfigNode {
    private let tree: OptionTree
    private var children: [ConfigNode] = []
    private var texts: [UnsafeMutablePointer<CChar>] = []
    private var lists: [UnsafeMutablePointer<cdcp_str>] = []

    init(_ tree: OptionTree) { self.tree = tree }

    deinit {
        for text in texts { free(text) }
        for list in lists { list.deallocate() }
    }

    var handle: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    private static func node(_ config: OpaquePointer?) -> ConfigNode? {
        config.map { Unmanaged<ConfigNode>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    private static func value(_ config: OpaquePointer?, _ key: UnsafePointer<CChar>?) -> (ConfigNode, OptionTree)? {
        guard let node = node(config), let key, let value = node.tree[String(cString: key)], value.kind != .null else { return nil }
        return (node, value)
    }

    private func keep(_ text: String) -> cdcp_str {
        guard let copy = strdup(text) else { return cdcp_str() }
        texts.append(copy)
        return cdcp_str(ptr: copy, len: UInt32(text.utf8.count), reserved: 0)
    }

    private func keep(_ list: [String]) -> (UnsafePointer<cdcp_str>, UInt32) {
        let array = UnsafeMutablePointer<cdcp_str>.allocate(capacity: max(list.count, 1))
        for (index, text) in list.enumerated() { array.advanced(by: index).initialize(to: keep(text)) }
        lists.append(array)
        return (UnsafePointer(array), UInt32(list.count))
    }

    typealias Key = UnsafePointer<CChar>?

    static let string: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<cdcp_str>?) -> cdcp_status = { config, key, out in
        guard let (node, value) = value(config, key) else { return CDCP_NOT_SET }
        guard value.isScalar else { return CDCP_E_UNSUPPORTED }
        out?.pointee = node.keep(value.text)
        return CDCP_OK
    }

    static let integer: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<Int64>?) -> cdcp_status = { config, key, out in
        guard let (_, value) = value(config, key) else { return CDCP_NOT_SET }
        guard let number = value.integer else { return CDCP_E_UNSUPPORTED }
        out?.pointee = number
        return CDCP_OK
    }

    static let double: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<Double>?) -> cdcp_status = { config, key, out in
        guard let (_, value) = value(config, key) else { return CDCP_NOT_SET }
        guard let number = value.double else { return CDCP_E_UNSUPPORTED }
        out?.pointee = number
        return CDCP_OK
    }

    static let bool: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<Int32>?) -> cdcp_status = { config, key, out in
        guard let (_, value) = value(config, key) else { return CDCP_NOT_SET }
        guard let flag = value.bool else { return CDCP_E_UNSUPPORTED }
        out?.pointee = flag ? 1 : 0
        return CDCP_OK
    }

    static let keys: @convention(c) (OpaquePointer?, UnsafeMutablePointer<UnsafePointer<cdcp_str>?>?, UnsafeMutablePointer<UInt32>?) -> cdcp_status = {
        config, out, count in
        guard let node = node(config) else { return CDCP_E_UNSUPPORTED }
        let (array, number) = node.keep(node.tree.keys)
        out?.pointee = array
        count?.pointee = number
        return CDCP_OK
    }

    static let list: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<UnsafePointer<cdcp_str>?>?, UnsafeMutablePointer<UInt32>?) -> cdcp_status = {
        config, key, out, count in
        guard let (node, value) = value(config, key) else { return CDCP_NOT_SET }
        guard value.kind == .list, value.elements.allSatisfy(\.isScalar) else { return CDCP_E_UNSUPPORTED }
        let (array, number) = node.keep(value.elements.map(\.text))
        out?.pointee = array
        count?.pointee = number
        return CDCP_OK
    }

    static let count: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<UInt32>?) -> cdcp_status = { config, key, out in
        guard let (_, value) = value(config, key) else { return CDCP_NOT_SET }
        out?.pointee = value.kind == .list ? UInt32(value.elements.count) : 1
        return CDCP_OK
    }

    static let child: @convention(c) (OpaquePointer?, Key, UInt32, UnsafeMutablePointer<OpaquePointer?>?) -> cdcp_status = { config, key, index, out in
        guard let (node, value) = value(config, key) else { return CDCP_NOT_SET }
        let found: OptionTree? = value.kind == .list ? (Int(index) < value.elements.count ? value.elements[Int(index)] : nil) : (index == 0 ? value : nil)
        guard let found, found.kind == .map else { return CDCP_E_UNSUPPORTED }
        let child = ConfigNode(found)
        node.children.append(child)
        out?.pointee = child.handle
        return CDCP_OK
    }

    static let origin: @convention(c) (OpaquePointer?, Key, UnsafeMutablePointer<cdcp_str>?) -> cdcp_status = { config, key, out in
        guard let node = node(config), let key else { return CDCP_E_UNSUPPORTED }
        out?.pointee = node.keep(node.tree[String(cString: key)]?.origin ?? "\(node.tree.origin).\(String(cString: key))")
        return CDCP_OK
    }
}
