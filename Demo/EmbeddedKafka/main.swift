// A Kafka cluster in memory as a process of its own, so that it outlives the host that writes into it.
import Glibc

/// Writes one line at once; readers wait for it.
func say(_ line: String, to descriptor: Int32 = STDOUT_FILENO) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
    }
}

func answer(_ line: String, from cluster: borrowing MockCluster) -> (text: String, quit: Bool) {
    do {
        let command = try Command(line, code: MockCluster.errorCode(named:))
        try cluster.obey(command)
        return ("ok", command == .quit)
    } catch let error as UsageError {
        return ("error \(error.message)", false)
    } catch let error as MockError {
        return ("error \(error.message)", false)
    } catch {
        return ("error \(error)", false)
    }
}

func serve(_ arguments: Arguments) throws(MockError) {
    let signals = try StopSignals()
    let cluster = try MockCluster(brokers: arguments.brokers)
    for topic in arguments.topics { try cluster.obey(.topic(name: topic.name, partitions: topic.partitions)) }
    say("bootstrap.servers=\(cluster.bootstrapServers)")

    var lines = CommandLines()
    while true {
        var waits = [
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is skipped.
            pollfd(fd: lines.ended ? -1 : STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        ]
        if poll(&waits, nfds_t(waits.count), -1) < 0 {
            if errno == EINTR { continue }
            throw MockError("poll: errno \(errno)")
        }
        if waits[0].revents != 0 { return }
        guard waits[1].revents != 0 else { continue }
        for line in lines.read() where !line.isEmpty {
            let reply = answer(line, from: cluster)
            say(reply.text)
            if reply.quit { return }
        }
        if lines.ended && !arguments.stay { return }
    }
}

do {
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
    if arguments.help {
        say(Arguments.usage)
    } else {
        try serve(arguments)
    }
} catch let error as UsageError {
    say("embedded-kafka: \(error.message)", to: STDERR_FILENO)
    exit(64)
} catch let error as MockError {
    say("embedded-kafka: \(error.message)", to: STDERR_FILENO)
    exit(69)
}
