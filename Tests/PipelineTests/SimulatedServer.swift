/// One thing that the server's log says: a transaction, or a logical message outside transactions.
struct LoggedEvent {
    let isMessage: Bool
    /// Where the commit record, or the message's record, begins and ends.
    let start: UInt64
    let end: UInt64
    let rows: Int
    /// Bit by row: the broker has it.
    var persisted: UInt64 = 0

    var isPersisted: Bool { persisted == (1 << UInt64(rows)) &- 1 }
}

/// A server with an endless log, a slot, and one connection.
struct SimulatedServer {
    static let start: UInt64 = 1000
    enum Item {
        case begin(Int)
        case row(Int)
        case commit(Int)
        case message(Int)
        case keepalive(UInt64)
    }

    var log: [LoggedEvent] = []
    private(set) var confirmed = start
    /// What would be left of `confirmed` after a crash of the server.
    private var confirmedOnDisk = start
    private(set) var isConnected = false
    private var next = 0
    private var sentRows = 0
    private var isInside = false
    private var sentUpTo = start

    /// The first event that a stream from `position` has: records that begin before it are left out.
    func firstEvent(from position: UInt64) -> Int {
        var (low, high) = (0, log.count)
        while low < high {
            let middle = (low + high) / 2
            if log[middle].start < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// START_REPLICATION: never before what was confirmed.
    mutating func connect(from position: UInt64, _ random: inout SeededRandom) {
        let from = max(position, confirmed)
        grow(&random)
        next = firstEvent(from: from)
        while next == log.count, let last = log.last, last.start < from { append(&random); next = firstEvent(from: from) }
        isConnected = true
        isInside = false
        sentRows = 0
        sentUpTo = confirmed
    }

    mutating func disconnect() { isConnected = false }

    mutating func confirm(_ position: UInt64, _ random: inout SeededRandom) {
        confirmed = max(confirmed, position)
        if random.chance(200) { confirmedOnDisk = confirmed }
    }

    mutating func crash() {
        confirmed = confirmedOnDisk
        isConnected = false
    }

    mutating func send(_ random: inout SeededRandom) -> Item {
        grow(&random)
        if isInside {
            // The end of the log, far behind the rows that are still to come.
            if random.chance(50) { return .keepalive(log[log.count - 1].end) }
            if sentRows < log[next].rows {
                sentRows += 1
                return .row(next)
            }
            isInside = false
            sentUpTo = log[next].end
            next += 1
            return .commit(next - 1)
        }
        if random.chance(150) {
            let room = log[next].start > sentUpTo ? Int(log[next].start - sentUpTo) : 0
            sentUpTo += UInt64(random.below(room + 1))
            return .keepalive(sentUpTo)
        }
        if log[next].isMessage {
            sentUpTo = log[next].end
            next += 1
            return .message(next - 1)
        }
        isInside = true
        sentRows = 0
        return .begin(next)
    }

    private mutating func grow(_ random: inout SeededRandom) {
        while log.count < next + 3 { append(&random) }
    }

    private mutating func append(_ random: inout SeededRandom) {
        // Often a record begins where the one before it ends.
        let gap = random.chance(400) ? 0 : UInt64(random.below(20)) * 8
        let start = (log.last?.end ?? Self.start) + gap
        let isMessage = random.chance(250)
        let rows = isMessage ? 1 : random.chance(150) ? 0 : random.chance(100) ? 1 + random.below(60) : 1 + random.below(5)
        log.append(LoggedEvent(isMessage: isMessage, start: start, end: start + 8 + UInt64(random.below(6)) * 8, rows: rows))
    }
}
