import Glibc
import Synchronization

/// Requests to the stage thread as bits: one relaxed load per item tells that there is none.
final class Attention: Sendable {
    static let stop: UInt8 = 1
    static let abandon: UInt8 = 2
    static let reload: UInt8 = 4

    private let bits = Atomic<UInt8>(0)

    /// Something to attend to.
    var isRaised: Bool { bits.load(ordering: .relaxed) != 0 }
    var isAbandoned: Bool { isRaised(Self.abandon) }
    func isRaised(_ bit: UInt8) -> Bool { bits.load(ordering: .relaxed) & bit != 0 }
    func raise(_ bit: UInt8) { bits.bitwiseOr(bit, ordering: .relaxed) }
    func clear(_ bit: UInt8) { bits.bitwiseAnd(~bit, ordering: .relaxed) }
}

func sleepMonotonic(_ nanoseconds: UInt64) {
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    nanosleep(&time, nil)
}
