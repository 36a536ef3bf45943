@testable import Chain
import Pipeline
import Testing

@Suite(.timeLimit(.minutes(1))) struct ReceiveQueueTests {
    private let gate = Gate()
    private func queue(_ limit: Int) -> ReceiveQueue { ReceiveQueue(gate: gate, budget: BudgetBox(ByteBudget(limit: limit))) }

    private func append(_ queue: ReceiveQueue, _ bytes: [UInt8], lsn: UInt64 = 1) -> Bool { bytes.withUnsafeBytes { queue.append(.message, $0, lsn: lsn) } }

    /// Everything that is published, as the lane reads it.
    private func take(_ queue: ReceiveQueue) -> [[UInt8]] {
        var items: [[UInt8]] = []
        while let slice = gate.locked({ queue.takeLocked() }) {
            var offset = slice.from
            while offset < slice.to {
                let header = slice.chunk.memory.load(fromByteOffset: offset, as: ItemHeader.self)
                let start = slice.chunk.memory + offset + MemoryLayout<ItemHeader>.size
                items.append(Array(UnsafeRawBufferPointer(start: start, count: Int(header.length))))
                offset += (MemoryLayout<ItemHeader>.size + Int(header.length) + 7) & ~7
            }
            queue.release([slice])
        }
        return items
    }

    @Test func itemsOfAnySizeComeInOrder() {
        let queue = queue(64 << 20)
        let sizes = [0, 1, 7, 8, 9, 1000, ReceiveQueue.chunkSize - 24, ReceiveQueue.chunkSize, 3 * ReceiveQueue.chunkSize, 5, 100_000, 100_000, 100_000, 2]
        let items = sizes.enumerated().map { [UInt8](repeating: UInt8($0.offset), count: $0.element) }
        for _ in 0..<3 {
            for item in items { #expect(append(queue, item)) }
            #expect(queue.publish())
            #expect(take(queue) == items)
        }
    }

    @Test func nothingIsThereBeforeItIsPublished() {
        let queue = queue(1 << 20)
        _ = append(queue, [1])
        #expect(take(queue).isEmpty)
        queue.publish()
        #expect(take(queue) == [[1]])
        #expect(queue.publish())
    }

    @Test func aSpentBudgetHoldsTheProducerUntilHalfOfItIsFree() {
        let queue = queue(4000)
        nonisolated(unsafe) var woken = 0
        queue.onRoom = { woken += 1 }
        for _ in 0..<3 { #expect(append(queue, [UInt8](repeating: 1, count: 276)) && queue.publish()) }
        _ = append(queue, [UInt8](repeating: 1, count: 276))
        #expect(!queue.publish())
        #expect(!append(queue, [1]) || !queue.publish())
        let waiting = Worker { _ = queue.waitForRoom() }
        #expect(take(queue).count == 5)
        waiting.join()
        #expect(woken == 1)
        #expect(append(queue, [1]) && queue.publish())
    }

    @Test func closingWakesTheProducerAndClearingForgets() {
        let queue = queue(1000)
        _ = append(queue, [UInt8](repeating: 1, count: 500))
        #expect(!queue.publish())
        queue.close()
        #expect(!queue.waitForRoom())
        queue.end()
        #expect(gate.locked { queue.isEndedLocked })
        queue.clear()
        #expect(!gate.locked { queue.isEndedLocked })
        #expect(take(queue).isEmpty)
        #expect(append(queue, [2]) && queue.publish())
        #expect(take(queue) == [[2]])
    }
}
