import Pipeline

/// Drives tracker, ledger and budget as the host does, with a server, a broker and a disk that fail as they like; every step is judged.
struct Simulation {
    /// Mistakes that a host could make; each must be found.
    enum Mistake: CaseIterable, Sendable {
        case keepaliveInsideTransactionCounts
        case messageCountsOneByteFurther
        case laterSubmissionAcknowledges
        case repeatedRowsAreHandedOnAgain
        case statusBeforeCheckpoint
        case stopInsideACutTransaction
        case recordsBeyondTheBudget
    }

    /// What must never be.
    struct Finding: Error, CustomStringConvertible {
        let seed: UInt64
        let step: Int
        let what: String
        var description: String { "\(what) (step \(step); CDC_SIMULATION_SEED=\(seed) repeats it)" }
    }

    private struct Place: Equatable {
        var event: Int
        var row: Int
    }

    private let seed: UInt64
    private let mistake: Mistake?
    private var random: SeededRandom
    private(set) var step = 0
    private var server = SimulatedServer()
    // The host's memory.
    private var tracker: TransactionTracker
    private var ledger: AckLedger
    private var budget = ByteBudget(limit: Simulation.limit)
    private var batch: [Place] = []
    private var marks: [(rows: Int, mark: StreamMark, transactions: Int)] = []
    private var open: [(id: UInt64, rows: [Place])] = []
    private var acknowledged: UInt64
    // The host's disk.
    private var stored = SimulatedServer.start
    private var beingWritten: UInt64?
    // The judge's.
    private var due = Place(event: 0, row: 1)
    private var verified = 0
    private(set) var counts = (rows: 0, cuts: 0, rewinds: 0, crashes: 0, stops: 0)

    private static let limit = 24_000
    private static let rowBytes = 400

    init(seed: UInt64, mistake: Mistake? = nil) {
        self.seed = seed
        self.mistake = mistake
        random = SeededRandom(seed)
        let start = StreamMark(position: SimulatedServer.start)
        tracker = TransactionTracker(start: start)
        ledger = AckLedger(start: start)
        acknowledged = start.position
    }

    mutating func run(steps: Int) throws {
        while step < steps {
            step += 1
            switch random.below(1000) {
            case 0..<560: try receive()
            case 560..<640: try flush()
            // At times the broker takes its time.
            case 640..<920: if step / 400 % 3 > 0 { try complete() }
            case 920..<985: try checkpoint()
            case 985..<993: try cut()
            case 993..<995: try loseSink()
            case 995..<997: try crash()
            case 997..<999: try stopAndStart()
            default: serverCrash()
            }
        }
        try stopAndStart()
    }

    private func found(_ what: String) -> Finding { Finding(seed: seed, step: step, what: what) }

    // MARK: the host

    private mutating func receive() throws {
        guard server.isConnected else { return server.connect(from: tracker.mark.position, &random) }
        switch server.send(&random) {
        case .begin(let event): try tracker.begin(commitLSN: server.log[event].start)
        case .row(let event):
            let (seq, skip) = try tracker.row()
            if !skip || mistake == .repeatedRowsAreHandedOnAgain { batch.append(Place(event: event, row: Int(seq))) }
        case .commit(let event):
            try tracker.commit(commitLSN: server.log[event].start, end: server.log[event].end, time: 0)
            marks.append((batch.count, tracker.mark, 1))
        case .message(let event):
            let isRepeat = server.log[event].end <= tracker.mark.position
            let further: UInt64 = mistake == .messageCountsOneByteFurther ? 1 : 0
            try tracker.standalone(lsn: server.log[event].end + further)
            if !isRepeat { batch.append(Place(event: event, row: 1)) }
            marks.append((batch.count, tracker.mark, 1))
        case .keepalive(let position):
            if tracker.idle(at: position) {
                marks.append((batch.count, tracker.mark, 0))
            } else if mistake == .keepaliveInsideTransactionCounts, tracker.isOpen {
                marks.append((batch.count, StreamMark(position: position), 0))
            }
        }
        if batch.count >= 40 { try flush() }
    }

    private mutating func flush() throws {
        let transactions = marks.reduce(0) { $0 + $1.transactions }
        if batch.isEmpty {
            if let last = marks.last { _ = ledger.passed(last.mark, transactions: transactions) }
        } else {
            let bytes = batch.count * Self.rowBytes
            while mistake != .recordsBeyondTheBudget, !budget.admits(records: bytes) { try complete() }
            let id = ledger.submitted(mark: marks.last?.mark, transactions: transactions)
            budget.add(records: bytes)
            guard budget.total <= Self.limit else { throw found("\(budget.total) bytes in flight of \(Self.limit)") }
            for place in batch { try judge(place) }
            open.append((id, batch))
        }
        batch.removeAll(keepingCapacity: true)
        marks.removeAll(keepingCapacity: true)
        try judgeDurable()
    }

    /// The broker answers for one of the submissions, whichever.
    private mutating func complete() throws {
        guard !open.isEmpty else { return }
        let (id, rows) = open.remove(at: random.below(min(open.count, 6)))
        persist(rows)
        budget.remove(records: rows.count * Self.rowBytes)
        guard ledger.completed(id) != nil else { throw found("submission \(id) is not open in the ledger") }
        if mistake == .laterSubmissionAcknowledges, let place = rows.last { acknowledged = max(acknowledged, server.log[place.event].end) }
        try judgeDurable()
    }

    private mutating func checkpoint() throws {
        if let position = beingWritten {
            stored = position
            beingWritten = nil
            // The status may get lost.
            if random.chance(800) { server.confirm(stored, &random) }
        } else {
            beingWritten = acknowledged
            if mistake == .statusBeforeCheckpoint { server.confirm(acknowledged, &random) }
        }
    }

    private mutating func cut() throws {
        counts.cuts += 1
        // What was received goes its way before the connection is tried again.
        try flush()
        server.disconnect()
        tracker.disconnected()
    }

    private mutating func serverCrash() {
        server.crash()
        // As after any cut, only that the lane may still hold rows.
        if batch.isEmpty, marks.isEmpty { tracker.disconnected() } else { try? flush(); tracker.disconnected() }
    }

    private mutating func loseSink() throws {
        counts.rewinds += 1
        giveUpOnOpen()
        for submission in open { budget.remove(records: submission.rows.count * Self.rowBytes) }
        open.removeAll()
        batch.removeAll()
        marks.removeAll()
        ledger = AckLedger(start: ledger.durable, transactions: ledger.transactions, nextID: ledger.nextID)
        tracker.rewind(to: ledger.durable)
        server.disconnect()
        due = place(from: ledger.durable.position)
    }

    private mutating func crash() throws {
        counts.crashes += 1
        giveUpOnOpen()
        if let position = beingWritten, random.chance(500) { stored = position }
        try start()
    }

    private mutating func stopAndStart() throws {
        counts.stops += 1
        while tracker.isOpen || (tracker.isCutOff && mistake != .stopInsideACutTransaction) { try receive() }
        try flush()
        while !open.isEmpty { try complete() }
        guard budget.total == 0 else { throw found("\(budget.total) bytes are charged, and nothing is in flight") }
        guard ledger.outstanding == 0, acknowledged >= tracker.mark.position else { throw found("drained, and yet not all is acknowledged") }
        beingWritten = acknowledged
        try checkpoint()
        pass()
        let before = due
        try start()
        pass()
        guard due == before || mistake == .laterSubmissionAcknowledges else { throw found("a clean stop repeats: \(before) was due, \(due) comes") }
    }

    private mutating func start() throws {
        beingWritten = nil
        server.disconnect()
        guard stored >= server.confirmed else { throw found("the server was told \(server.confirmed), the disk has \(stored)") }
        let start = StreamMark(position: stored)
        tracker = TransactionTracker(start: start)
        ledger = AckLedger(start: start)
        budget = ByteBudget(limit: Self.limit)
        batch.removeAll()
        marks.removeAll()
        open.removeAll()
        acknowledged = stored
        due = place(from: stored)
    }

    // MARK: the judge

    /// What was on the way may have arrived or not.
    private mutating func giveUpOnOpen() {
        for submission in open where random.chance(500) { persist(submission.rows) }
    }

    private mutating func persist(_ rows: [Place]) {
        for place in rows { server.log[place.event].persisted |= 1 << UInt64(place.row - 1) }
    }

    private func place(from position: UInt64) -> Place { Place(event: server.firstEvent(from: position), row: 1) }

    /// Rows go to the sink in the order of the log: none twice, none left out, and after a crash from the first row of a transaction on.
    private mutating func judge(_ place: Place) throws {
        counts.rows += 1
        pass()
        guard place == due else { throw found("row \(place.row) of event \(place.event) is handed on, row \(due.row) of event \(due.event) was due") }
        due.row += 1
        if due.row > server.log[due.event].rows {
            due = Place(event: due.event + 1, row: 1)
        }
    }

    /// Transactions without rows are not due.
    private mutating func pass() {
        while due.event < server.log.count, server.log[due.event].rows == 0 { due.event += 1 }
    }

    /// Whatever a stream from the acknowledged position would leave out has been delivered.
    private mutating func judgeDurable() throws {
        if ledger.durable.position > acknowledged { acknowledged = ledger.durable.position }
        while verified < server.log.count, server.log[verified].start < acknowledged {
            guard server.log[verified].isPersisted else { throw found("\(acknowledged) is acknowledged, and event \(verified) is not delivered") }
            verified += 1
        }
    }
}
