import PluginABI

/// The options of a stage, or a map inside them; over the accessors of `cdcplugin/host.h`. Valid during `configure`.
public struct Options {
    let config: OpaquePointer
    let host: UnsafePointer<cdcp_host>

    init(_ config: OpaquePointer, _ host: UnsafePointer<cdcp_host>) {
        self.config = config
        self.host = host
    }

    /// Text of any scalar; nil where the key is not there.
    public func string(_ key: String) -> String? {
        var out = cdcp_str()
        return host.pointee.config_str?(config, key, &out) == CDCP_OK ? String(out) : nil
    }

    /// A whole number; sizes in bytes, durations in nanoseconds.
    public func integer(_ key: String) -> Int64? {
        var out: Int64 = 0
        return host.pointee.config_i64?(config, key, &out) == CDCP_OK ? out : nil
    }

    /// nil: not set.
    public func bool(_ key: String) -> Bool? {
        var out: Int32 = 0
        return host.pointee.config_bool?(config, key, &out) == CDCP_OK ? out != 0 : nil
    }

    /// A list of scalars as text; empty where the key is not there.
    public func strings(_ key: String) -> [String] {
        var out: UnsafePointer<cdcp_str>?
        var count: UInt32 = 0
        guard host.pointee.config_list?(config, key, &out, &count) == CDCP_OK, let out else { return [] }
        return (0..<Int(count)).map { String(out[$0]) }
    }

    /// Keys of this map in the order of the file.
    public var keys: [String] {
        var out: UnsafePointer<cdcp_str>?
        var count: UInt32 = 0
        guard host.pointee.config_keys?(config, &out, &count) == CDCP_OK, let out else { return [] }
        return (0..<Int(count)).map { String(out[$0]) }
    }

    /// The map under `key`.
    public func map(_ key: String) -> Options? {
        var out: OpaquePointer?
        guard host.pointee.config_child?(config, key, 0, &out) == CDCP_OK, let out else { return nil }
        return Options(out, host)
    }

    /// The maps of the list under `key`.
    public func maps(_ key: String) -> [Options] {
        var count: UInt32 = 0
        guard host.pointee.config_count?(config, key, &count) == CDCP_OK else { return [] }
        return (0..<count).compactMap { index in
            var out: OpaquePointer?
            guard host.pointee.config_child?(config, key, index, &out) == CDCP_OK, let out else { return nil }
            return Options(out, host)
        }
    }

    /// "FILE:LINE:COLUMN: options.key", to begin a complaint with.
    public func origin(_ key: String) -> String {
        var out = cdcp_str()
        return host.pointee.config_origin?(config, key, &out) == CDCP_OK ? String(out) : key
    }
}
