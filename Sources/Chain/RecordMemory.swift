/// A block that records are written into and that stays until the sink has completed them.
final class RecordChunk {
    let memory: UnsafeMutablePointer<UInt8>
    let capacity: Int
    /// End of what finished records occupy.
    var used = 0
    /// Submissions that have records in it, and one while it is being written.
    var references = 0

    init(capacity: Int) {
        memory = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { memory.deallocate() }
}

/// Blocks of record memory, reused. References change under the gate, once a submission.
final class RecordMemory {
    static let chunkSize = 256 * 1024

    private let gate: Gate
    private var free: [RecordChunk] = []
    private let freeMax: Int

    init(gate: Gate, budgetBytes: Int) {
        self.gate = gate
        freeMax = max(4, budgetBytes / Self.chunkSize)
    }

    /// A block with one reference, its writer's.
    func take(_ need: Int) -> RecordChunk {
        let chunk = (need <= Self.chunkSize ? gate.locked { free.popLast() } : nil) ?? RecordChunk(capacity: max(need, Self.chunkSize))
        chunk.used = 0
        chunk.references = 1
        return chunk
    }

    /// Gate held.
    func releaseLocked(_ chunk: RecordChunk) {
        chunk.references -= 1
        if chunk.references == 0, chunk.capacity == Self.chunkSize, free.count < freeMax { free.append(chunk) }
    }

    func release(_ chunk: RecordChunk) { gate.locked { releaseLocked(chunk) } }
}
