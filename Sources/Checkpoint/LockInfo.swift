import Files

/// What the running host says of itself in its lock file.
public struct LockInfo: Equatable, Sendable {
    /// How the last reload ended.
    public enum ReloadResult: Equatable, Sendable {
        /// There was none.
        case none
        /// The new plan runs.
        case ok(String)
        /// The old plan runs on, for this reason.
        case refused(String)
    }

    /// Process id.
    public var pid: Int32
    /// Version of the host.
    public var version: String
    /// Where the admin endpoint really listens: `HOST:PORT`, `unix:PATH`, or empty where it is off.
    public var adminAddress: String
    /// Reloads that have begun since the start; one more than have ended while one is under way.
    public var reloadsBegun: Int
    /// Reloads that have ended since the start, refused ones included.
    public var reloadNumber: Int
    /// How the last of them ended; its text is one line for people.
    public var reloadResult: ReloadResult

    /// The state right after a start, unless more is said.
    public init(pid: Int32, version: String, adminAddress: String = "", reloadsBegun: Int = 0, reloadNumber: Int = 0, reloadResult: ReloadResult = .none) {
        self.pid = pid
        self.version = version
        self.adminAddress = adminAddress
        self.reloadsBegun = reloadsBegun
        self.reloadNumber = reloadNumber
        self.reloadResult = reloadResult
    }

    /// Lines of `key value` and a checksum: a reader may come while the file is being rewritten.
    func encode() -> [UInt8] {
        let result =
            switch reloadResult {
            case .none: "none"
            case .ok(let text): "ok \(escape(text))"
            case .refused(let text): "refused \(escape(text))"
            }
        let body = """
            pid \(pid)
            version \(escape(version))
            admin \(escape(adminAddress))
            begun \(reloadsBegun)
            reload \(reloadNumber)
            result \(result)

            """
        return Array("\(body)sha256 \(SHA256.hex(Array(body.utf8)))\n".utf8)
    }

    /// nil: not whole.
    static func decode(_ bytes: [UInt8]) -> LockInfo? {
        let trailer = 7 + 64 + 1
        guard bytes.count > trailer else { return nil }
        let body = Array(bytes[..<(bytes.count - trailer)])
        guard Array(bytes[(bytes.count - trailer)...]) == Array("sha256 \(SHA256.hex(body))\n".utf8),
            let text = String(validating: body, as: UTF8.self)
        else { return nil }
        var lines = Lines(text)
        do throws(CheckpointText.Damage) {
            var info = LockInfo(pid: try lines.integer("pid", as: Int32.self), version: try lines.text("version"))
            info.adminAddress = try lines.text("admin")
            info.reloadsBegun = try lines.integer("begun", as: Int.self)
            info.reloadNumber = try lines.integer("reload", as: Int.self)
            let result = try lines.text("result")
            if result.hasPrefix("ok ") {
                info.reloadResult = .ok(String(result.dropFirst(3)))
            } else if result.hasPrefix("refused ") {
                info.reloadResult = .refused(String(result.dropFirst(8)))
            } else if result != "none" {
                return nil
            }
            return info
        } catch { return nil }
    }
}
