import Glibc

/// Kafka in memory, in a process of its own: `embedded-kafka`, which lies beside this program.
struct EmbeddedBroker {
    let bootstrapServers: String

    /// Starts it with these topics and waits until it serves; its stop is left with the session.
    init(program: String, topics: [ShopTopic], in directory: TemporaryDirectory, environment: [String: String], _ session: Session) throws {
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw ShopError("pipe: \(SystemText.of(errno))") }
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let log = try directory.newFile("kafka.log")
        let commands = input[1]
        let answers = output[0]
        defer {
            close(log)
            close(input[0])
            close(output[1])
        }
        let process = try ChildProcess(
            name: "embedded-kafka", command: [program] + topics.flatMap { ["--topic", "\($0.name):\($0.partitions)"] },
            environment: environment, streams: .init(input: input[0], output: output[1], error: log))
        session.atEnd("Kafka") {
            try process.stop(SIGTERM, within: 10, session)
            close(commands)
            close(answers)
        }
        var received: [UInt8] = []
        let line: String? = try session.wait(seconds: 20) {
            var ready = [pollfd(fd: answers, events: Int16(POLLIN), revents: 0)]
            while poll(&ready, 1, 0) > 0 && ready[0].revents & Int16(POLLIN) != 0 {
                var byte: UInt8 = 0
                guard read(answers, &byte, 1) == 1 else { break }
                if byte == UInt8(ascii: "\n") { return String(decoding: received, as: UTF8.self) }
                received.append(byte)
            }
            if process.exitCode != nil {
                throw ShopError("embedded-kafka does not start\n" + directory.lastLines(8, of: "kafka.log").joined(separator: "\n"))
            }
            return nil
        }
        let key = "bootstrap.servers="
        guard let line, line.hasPrefix(key) else { throw ShopError("embedded-kafka did not say where it serves within 20 s") }
        bootstrapServers = String(line.dropFirst(key.count))
    }
}
