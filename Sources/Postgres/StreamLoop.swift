internal import Glibc
internal import LibPQ

/// How a stream that was asked to stop came to its end.
public enum StreamEnd: Sendable, Equatable {
    /// The server has read the last status and said goodbye.
    case goodbye
    /// The server was busy until the deadline; the last status was sent, but whether it was read is not known.
    case unanswered
}

/// The loop of a running stream: one thread, no allocation of its own for a message.
struct StreamLoop {
    private let connection: Connection
    private let handle: OpaquePointer
    private let stopTimeout: Duration
    private let silence: Duration
    /// After so long a silence the server is asked for a sign of life: well before anybody calls an idle stream silent.
    private let askAfter: Duration
    private var schedule: StandbySchedule
    private var gather: GatherRule
    /// When something last came, or reading was resumed.
    private var heardAt: MonotonicTime
    private var askedForReply = false

    private static let what = "receive changes"
    /// A socket that never runs dry must not keep a status, a stop or an interrupt from its time.
    private static let messagesBetweenLooks = 512

    init(connection: Connection, options: ReplicationStream.Options) {
        let now = MonotonicTime.now
        self.connection = connection
        handle = connection.handle
        stopTimeout = options.stopTimeout
        silence = connection.options.silenceTimeout
        askAfter = min(silence / 3, .seconds(15))
        schedule = StandbySchedule(interval: options.statusInterval, walSenderTimeout: options.walSenderTimeout, now: now)
        gather = GatherRule(isTCP: connection.isTCP, now: now)
        heardAt = now
    }

    mutating func run<R: ReplicationReceiver>(receiver: R, stream: ReplicationStream) throws(PostgresError) -> StreamEnd {
        while true {
            var flow = try readWhatIsThere(receiver, stream)
            if flow == .proceed { flow = receiver.drained() }
            let hasPaused = flow == .pause
            if hasPaused { flow = try pause(receiver, stream) }
            if flow == .stop || stream.isStopRequested { return try finish(receiver) }
            try sendStatusIfDue(receiver, stream)
            // libpq may hold messages that no socket will announce again.
            if !hasPaused { try sleep(receiver) }
        }
    }

    /// Hands out every message that libpq and the socket hold; `.proceed` means that the socket is dry.
    private mutating func readWhatIsThere<R: ReplicationReceiver>(_ receiver: R, _ stream: ReplicationStream) throws(PostgresError) -> Flow {
        var handedOut = true
        var untilLook = StreamLoop.messagesBetweenLooks
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(handle, &buffer, 1)
            if length > 0, let buffer {
                defer { PQfreemem(buffer) }
                handedOut = true
                let flow = try handOut(UnsafeRawBufferPointer(start: buffer, count: Int(length)), receiver)
                if flow != .proceed {
                    heardAt = .now
                    return flow
                }
                untilLook &-= 1
                if untilLook == 0 {
                    untilLook = StreamLoop.messagesBetweenLooks
                    heard()
                    try sendStatusIfDue(receiver, stream)
                    if stream.isStopRequested { return .stop }
                    if connection.interrupt.isInterrupted { throw connection.interrupted(StreamLoop.what, doing: .streaming) }
                }
            } else if length == 0 {
                // No whole message in libpq: read the socket once more; dry when that brings none. One read brings some 16 KB.
                guard handedOut else { return .proceed }
                if untilLook < StreamLoop.messagesBetweenLooks { heard() }
                handedOut = false
                guard PQconsumeInput(handle) == 1 else { throw ending() }
            } else {
                throw ending()
            }
        }
    }

    private mutating func heard() {
        heardAt = .now
        askedForReply = false
    }

    /// Takes the envelope off: 'w' start, end, clock, payload; 'k' end, clock, reply.
    private mutating func handOut<R: ReplicationReceiver>(_ message: UnsafeRawBufferPointer, _ receiver: R) throws(PostgresError) -> Flow {
        gather.received(message.count)
        switch message[0] {
        case UInt8(ascii: "w") where message.count >= 25:
            let place = WALPlace(
                start: LSN(rawValue: word(message, 1)), end: LSN(rawValue: word(message, 9)), sentAt: Int64(bitPattern: word(message, 17)))
            return receiver.received(UnsafeRawBufferPointer(rebasing: message[25...]), at: place)
        case UInt8(ascii: "k") where message.count >= 18:
            heard()
            let flow = receiver.keepalive(
                walEnd: LSN(rawValue: word(message, 1)), sentAt: Int64(bitPattern: word(message, 9)), replyRequested: message[17] != 0)
            if message[17] != 0 { try sendStatus(receiver, askForReply: false) }
            return flow
        default:
            throw PostgresError(
                .protocolViolation, doing: .streaming, what: StreamLoop.what,
                message: "a copy message of type \(message[0]) and \(message.count) bytes is none of the replication protocol")
        }
    }

    private func word(_ message: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Leaves the socket alone until the receiver wants more; TCP then pushes back on the walsender. Status goes on.
    private mutating func pause<R: ReplicationReceiver>(_ receiver: R, _ stream: ReplicationStream) throws(PostgresError) -> Flow {
        while true {
            if stream.isStopRequested { return .stop }
            let flow = receiver.mayProceed()
            if flow != .pause {
                heard()
                return flow
            }
            try sendStatusIfDue(receiver, stream)
            let events = try wait(reading: false, until: schedule.deadline(receiver.progress()))
            // The link is down: what it may still hold will be sent again on the next one.
            if events & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 {
                throw PostgresError(
                    .connection, doing: .streaming, what: StreamLoop.what, message: "the server closed the connection while reading was paused")
            }
        }
    }

    /// Waits for bytes, a wake-up, or the next thing that is due.
    private mutating func sleep<R: ReplicationReceiver>(_ receiver: R) throws(PostgresError) {
        let now = MonotonicTime.now
        if let nap = gather.nap(now: now) {
            if nap < .milliseconds(1) {
                // Too short for poll, and for anybody to wait for.
                usleep(useconds_t(nap.nanosecondsClamped / 1_000))
            } else {
                _ = try wait(reading: false, until: now + nap)
            }
            return
        }
        if now >= heardAt + silence {
            throw PostgresError(
                .timeout, doing: .streaming, what: StreamLoop.what, message: "nothing came from the server for \(silence.millisecondsClamped) ms")
        }
        var deadline = min(heardAt + silence, schedule.deadline(receiver.progress()))
        if !askedForReply { deadline = min(deadline, heardAt + askAfter) }
        _ = try wait(reading: true, until: deadline)
    }

    private mutating func sendStatusIfDue<R: ReplicationReceiver>(_ receiver: R, _ stream: ReplicationStream) throws(PostgresError) {
        let requested = stream.takeStatusRequest()
        let now = MonotonicTime.now
        // A server that digests a large transaction looks at its socket rarely: ask early and with each status from then on.
        let silent = now >= heardAt + askAfter
        guard requested || (silent && !askedForReply) || schedule.isDue(receiver.progress(), now: now) else { return }
        if silent { askedForReply = true }
        try sendStatus(receiver, askForReply: silent)
    }

    /// 'r', written, flushed, applied, clock, whether a reply is wanted.
    private mutating func sendStatus<R: ReplicationReceiver>(_ receiver: R, askForReply: Bool) throws(PostgresError) {
        let progress = schedule.sending(receiver.progress(), now: .now)
        let sent = withUnsafeTemporaryAllocation(byteCount: 34, alignment: 8) { message in
            message[0] = UInt8(ascii: "r")
            message.storeBytes(of: progress.written.rawValue.bigEndian, toByteOffset: 1, as: UInt64.self)
            message.storeBytes(of: progress.flushed.rawValue.bigEndian, toByteOffset: 9, as: UInt64.self)
            message.storeBytes(of: progress.applied.rawValue.bigEndian, toByteOffset: 17, as: UInt64.self)
            message.storeBytes(of: microsecondsSince2000().bigEndian, toByteOffset: 25, as: Int64.self)
            message[33] = askForReply ? 1 : 0
            return message.withMemoryRebound(to: CChar.self) { PQputCopyData(handle, $0.baseAddress, 34) }
        }
        guard sent >= 0, PQflush(handle) >= 0 else { throw ending() }
    }

    /// The events of the socket, 0 when only the deadline or a wake-up came.
    private func wait(reading: Bool, until deadline: MonotonicTime) throws(PostgresError) -> Int16 {
        let unsent = PQflush(handle)
        let events = (reading ? Int16(POLLIN) : 0) | (unsent > 0 ? Int16(POLLOUT) : 0)
        var watched = (
            pollfd(fd: connection.socket, events: events, revents: 0), pollfd(fd: connection.interrupt.descriptor, events: Int16(POLLIN), revents: 0)
        )
        withUnsafeMutableBytes(of: &watched) { raw in
            _ = poll(raw.assumingMemoryBound(to: pollfd.self).baseAddress, 2, MonotonicTime.pollTimeout(until: deadline))
        }
        if watched.1.revents != 0 { connection.interrupt.acknowledgeWake() }
        if connection.interrupt.isInterrupted { throw connection.interrupted(StreamLoop.what, doing: .streaming) }
        return watched.0.revents
    }

    /// The reason for which the stream ended by itself, with the SQLSTATE where the server gave one.
    private func ending() -> PostgresError {
        do throws(PostgresError) {
            let deadline = MonotonicTime.now + .seconds(1)
            while let result = try connection.nextResult(until: deadline, heedingInterrupt: false, StreamLoop.what, doing: .streaming) {
                if result.isFailure { return connection.failure(result, StreamLoop.what, doing: .streaming) }
                if result.status == PGRES_COPY_IN || result.status == PGRES_COPY_OUT || result.status == PGRES_COPY_BOTH { break }
            }
            return PostgresError(.connection, doing: .streaming, what: StreamLoop.what, message: "the server ended the stream")
        } catch {
            return error
        }
    }

    /// Last status, CopyDone, and whatever still comes until the server's goodbye.
    private mutating func finish<R: ReplicationReceiver>(_ receiver: R) throws(PostgresError) -> StreamEnd {
        try sendStatus(receiver, askForReply: false)
        guard PQputCopyEnd(handle, nil) >= 0 else { throw ending() }
        let deadline = MonotonicTime.now + stopTimeout
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(handle, &buffer, 1)
            if length > 0 {
                PQfreemem(buffer)
                if MonotonicTime.now >= deadline { return .unanswered }
            } else if length == 0 {
                guard try connection.wait(until: deadline, heedingInterrupt: true, "end the stream", doing: .streaming) else { return .unanswered }
                guard PQconsumeInput(handle) == 1 else { throw ending() }
            } else if length == -1 {
                break
            } else {
                throw ending()
            }
        }
        do throws(PostgresError) {
            var end = StreamEnd.unanswered
            while let result = try connection.nextResult(until: deadline, "end the stream", doing: .streaming) {
                if result.isFailure { throw connection.failure(result, "end the stream", doing: .streaming) }
                if result.status == PGRES_COMMAND_OK { end = .goodbye }
            }
            return end
        } catch {
            if error.kind == .timeout { return .unanswered }
            throw error
        }
    }
}
