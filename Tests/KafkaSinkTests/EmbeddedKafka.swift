import Glibc
import Testing

/// The embedded Kafka as a process of its own, steered through its standard input.
final class EmbeddedKafka {
    let bootstrapServers: String
    private let process: pid_t
    private let input: Int32
    private let output: Int32

    init(brokers: Int = 1, topics: [String] = []) throws {
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        try #require(pipe(&toChild) == 0 && pipe(&fromChild) == 0)
        for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        let words = [try Self.path(), "--brokers", String(brokers)] + topics.flatMap { ["--topic", $0] }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid = pid_t()
        let status = posix_spawn(&pid, words[0], &actions, nil, &arguments, environ)
        try #require(status == 0, "\(words[0]) cannot be started: build embedded-kafka first")
        close(toChild[0])
        close(fromChild[1])
        process = pid
        input = toChild[1]
        output = fromChild[0]
        let line = Self.line(output)
        try #require(line.hasPrefix("bootstrap.servers="))
        bootstrapServers = String(line.dropFirst("bootstrap.servers=".count))
    }

    deinit {
        close(input)
        close(output)
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    func tell(_ command: String) throws {
        let line = command + "\n"
        _ = write(input, line, line.utf8.count)
        let answer = Self.line(output)
        try #require(answer == "ok", "\(command): \(answer)")
    }

    /// SIGSTOP and SIGCONT: the brokers keep their connections and say nothing.
    func freeze() { kill(process, SIGSTOP) }
    func thaw() { kill(process, SIGCONT) }

    private static func line(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func path() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = getenv("CDC_PLUGIN_DIR").map { String(cString: $0) } ?? own.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        return directory + "/embedded-kafka"
    }
}
