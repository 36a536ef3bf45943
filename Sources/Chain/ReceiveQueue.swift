public import Pipeline

/// What an item of the receive queue is.
public enum ReceivedKind: UInt8, Sendable {
    /// A message of the decoder's protocol; `lsn` is its WAL start.
    case message = 1
    /// The server is idle up to `lsn`.
    case idle = 2
    /// A line of COPY text, without its newline; `aux` is the table's number, `flags` the row's CDCP_ROWF_SNAPSHOT_*.
    case copyRow = 3
    /// The snapshot ends here.
    case snapshotEnd = 4
}

/// Lies before each item's bytes, eight-byte aligned.
struct ItemHeader {
    var length: UInt32
    var flags: UInt16
    var kind: UInt8
    var reserved: UInt8 = 0
    var lsn: UInt64
    var aux: UInt64
}

/// Memory that received bytes are copied into once, and that cells point into until their batch is encoded.
final class ReceiveChunk {
    let memory: UnsafeMutableRawPointer
    let capacity: Int
    var used = 0
    var published = 0

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { memory.deallocate() }
}

/// A published part of a chunk.
struct ReceivedSlice {
    let chunk: ReceiveChunk
    let from: Int
    let to: Int
    /// The producer is done with the chunk: after this slice it may be used again.
    let isLast: Bool
}

/// From the thread that reads the source to the stage thread: bytes, in order, bounded.
///
/// One producer and one consumer. The producer appends without a lock and publishes under it: when the source has run dry, and when a chunk is full.
public final class ReceiveQueue: @unchecked Sendable {
    // SAFETY: `open` belongs to the producer; `slices`, `free`, the flags and the budget are touched under the gate only.
    /// Bytes of one block; a larger item gets one of its own.
    public static let chunkSize = 256 * 1024

    let gate: Gate
    let budget: BudgetBox
    private var open: ReceiveChunk?
    private var slices: [ReceivedSlice] = []
    private var taken = 0
    private var free: [ReceiveChunk] = []
    private var producerWaits = false
    private var closed = false
    private var ended = false
    /// Set by the producer's driver: called (any thread, gate not held) when there is room again.
    public var onRoom: (@Sendable () -> Void)?

    /// Empty.
    public init(gate: Gate, budget: BudgetBox) {
        self.gate = gate
        self.budget = budget
    }

    // MARK: producer

    /// Copies one item in.
    /// - Returns: false: the budget is spent, read no further until `onRoom`.
    public func append(_ kind: ReceivedKind, _ bytes: UnsafeRawBufferPointer, lsn: UInt64, aux: UInt64 = 0, flags: UInt16 = 0) -> Bool {
        let need = (MemoryLayout<ItemHeader>.size + bytes.count + 7) & ~7
        var hasRoom = true
        if let chunk = open, chunk.capacity - chunk.used < need {
            hasRoom = publish(finish: true)
        }
        let chunk = open ?? next(need)
        let place = chunk.memory + chunk.used
        place.storeBytes(
            of: ItemHeader(length: UInt32(truncatingIfNeeded: bytes.count), flags: flags, kind: kind.rawValue, lsn: lsn, aux: aux), as: ItemHeader.self)
        if let base = bytes.baseAddress { (place + MemoryLayout<ItemHeader>.size).copyMemory(from: base, byteCount: bytes.count) }
        chunk.used += need
        if chunk.used >= chunk.capacity { hasRoom = publish(finish: true) && hasRoom }
        return hasRoom
    }

    private func next(_ need: Int) -> ReceiveChunk {
        let chunk = gate.locked { need <= Self.chunkSize ? free.popLast() : nil } ?? ReceiveChunk(capacity: max(need, Self.chunkSize))
        chunk.used = 0
        chunk.published = 0
        open = chunk
        return chunk
    }

    /// Hands over what was appended.
    /// - Returns: false: the budget is spent.
    @discardableResult
    public func publish(finish: Bool = false) -> Bool {
        guard let chunk = open, chunk.used > chunk.published || finish else {
            return gate.locked { !producerWaits }
        }
        let bytes = chunk.used - chunk.published
        if finish { open = nil }
        return gate.locked {
            slices.append(ReceivedSlice(chunk: chunk, from: chunk.published, to: chunk.used, isLast: finish))
            chunk.published = chunk.used
            budget.value.add(received: bytes)
            if budget.value.receivedIsFull { producerWaits = true }
            gate.broadcast()
            return !producerWaits
        }
    }

    /// Blocks the producer until there is room.
    /// - Returns: false when the queue was closed.
    public func waitForRoom() -> Bool {
        gate.locked {
            while producerWaits, !closed { _ = gate.wait(until: monotonicNow() + 500_000_000) }
            return !closed
        }
    }

    /// Nothing more will be appended, until `clear` or `reopen`. Any thread.
    func end() {
        gate.locked {
            ended = true
            gate.broadcast()
        }
    }

    /// Nobody reads any more: a waiting producer returns.
    public func close() {
        gate.locked {
            closed = true
            gate.broadcast()
        }
    }

    // MARK: consumer; the gate is held by the caller of take

    /// The next slice, if one is there. Gate held.
    func takeLocked() -> ReceivedSlice? {
        guard taken < slices.count else { return nil }
        let slice = slices[taken]
        taken += 1
        if taken == slices.count {
            slices.removeAll(keepingCapacity: true)
            taken = 0
        }
        return slice
    }

    /// The producer has ended. Gate held.
    var isEndedLocked: Bool { ended }

    /// Another producer begins. The one before must have ended.
    func reopen() { gate.locked { ended = false } }

    /// The producer goes on only when slices are released. Gate held.
    var producerWaitsLocked: Bool { producerWaits }

    /// Is more published? Gate held.
    var hasMoreLocked: Bool { taken < slices.count }

    /// The bytes of these slices are not needed any more.
    func release(_ done: [ReceivedSlice]) {
        var wake = false
        gate.locked {
            for slice in done {
                budget.value.remove(received: slice.to - slice.from)
                if slice.isLast, slice.chunk.capacity == Self.chunkSize, free.count < 16 { free.append(slice.chunk) }
            }
            if producerWaits, budget.value.receivedHasRoom {
                producerWaits = false
                wake = true
                gate.broadcast()
            }
        }
        if wake { onRoom?() }
    }

    /// Throws away what is queued (a rewind or a stop). The producer must have ended.
    public func clear() {
        gate.locked {
            slices.removeAll()
            taken = 0
            open = nil
            producerWaits = false
            closed = false
            ended = false
            budget.value.forgetReceived()
            gate.broadcast()
        }
    }
}

/// The budget of a lane, shared by queue and sink side; touched under the gate only.
public final class BudgetBox: @unchecked Sendable {
    // SAFETY: see above.
    /// Under the gate only.
    public var value: ByteBudget
    /// A budget that nothing is charged to yet.
    public init(_ value: ByteBudget) { self.value = value }
}
