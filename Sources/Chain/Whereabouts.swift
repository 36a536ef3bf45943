import Synchronization

/// Which stage the stage thread is in, for a watch that looks from outside when nothing moves any more. Written a few times a batch; any thread
/// reads.
final class Whereabouts: Sendable {
    private static let host = -1
    private let index = Atomic<Int>(host)
    private let lsn = Atomic<UInt64>(0)

    /// In the order of the path: 0 is the decoder; nil: the host's own code.
    var stage: Int? {
        let index = index.load(ordering: .relaxed)
        return index == Self.host ? nil : index
    }
    /// Of what is being worked on, or of what stands just before it.
    var position: UInt64 { lsn.load(ordering: .relaxed) }

    func enter(_ stage: Int) { index.store(stage, ordering: .relaxed) }
    func leave() { index.store(Self.host, ordering: .relaxed) }
    func reached(_ position: UInt64) { lsn.store(position, ordering: .relaxed) }
}
