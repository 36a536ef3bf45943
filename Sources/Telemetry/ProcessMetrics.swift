import Files

/// The `process_*` series, read from /proc at each scrape.
public enum ProcessMetrics {
    /// `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Swift runs on: the kernel's user-visible clock.
    private static let ticksPerSecond = 100.0
    private static let fileMax = 1 << 20

    /// Adds the series to the registry.
    /// - Parameter directory: where the process's files are; `stat` of the system stands beside it.
    public static func register(in registry: MetricsRegistry, procfs: String = "/proc") {
        let own = "\(procfs)/self"
        registry.callback(.processResident) { field("VmRSS:", of: "\(own)/status").map { .whole($0 &* 1024) } }
        registry.callback(.processVirtual) { field("VmSize:", of: "\(own)/status").map { .whole($0 &* 1024) } }
        registry.callback(.processThreads) { field("Threads:", of: "\(own)/status").map { .whole($0) } }
        registry.callback(.processCPU) { cpuSeconds("\(own)/stat").map { .real($0) } }
        registry.callback(.processStart) { startSeconds("\(own)/stat", system: "\(procfs)/stat").map { .real($0) } }
        registry.callback(.processMaxFiles) { maxFiles("\(own)/limits").map { .whole($0) } }
        registry.callback(.processOpenFiles) {
            // The listing itself holds one descriptor.
            do throws(FileError) { return .whole(UInt64(max(0, try FileSystem.list("\(own)/fd").count - 1))) } catch { return nil }
        }
    }

    static func lines(_ path: String) -> [Substring] {
        do throws(FileError) {
            return String(decoding: try FileSystem.read(path, limit: fileMax), as: UTF8.self).split(separator: "\n")
        } catch {
            return []
        }
    }

    private static func field(_ name: String, of path: String) -> UInt64? {
        guard let line = lines(path).first(where: { $0.hasPrefix(name) }) else { return nil }
        return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { UInt64($0) }
    }

    /// Fields of proc(5) stat, from the third on: the second, the program's name, may hold blanks and parentheses.
    private static func statFields(_ path: String) -> [Substring] {
        guard let line = lines(path).first, let end = line.lastIndex(of: ")") else { return [] }
        return line[line.index(after: end)...].split(separator: " ")
    }

    private static func cpuSeconds(_ path: String) -> Double? {
        let fields = statFields(path)
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
        return Double(user &+ system) / ticksPerSecond
    }

    private static func startSeconds(_ path: String, system: String) -> Double? {
        let fields = statFields(path)
        guard fields.count > 19, let ticks = UInt64(fields[19]), let boot = field("btime", of: system) else { return nil }
        return Double(boot) + Double(ticks) / ticksPerSecond
    }

    private static func maxFiles(_ path: String) -> UInt64? {
        guard let line = lines(path).first(where: { $0.hasPrefix("Max open files") }) else { return nil }
        return line.dropFirst("Max open files".count).split(separator: " ").first.flatMap { UInt64($0) }
    }
}
