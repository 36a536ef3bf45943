/// When a new plan takes over: between two transactions, in a snapshot between two batches. Pure; the owner locks.
public struct ReloadBarrier: Sendable {
    /// Where a reload stands.
    public enum State: Equatable, Sendable {
        /// No plan waits.
        case open
        /// A plan waits for the boundary.
        case waiting
        /// The stage thread is swapping.
        case swapping
    }

    /// Where it stands now.
    public private(set) var state: State = .open

    /// No plan waits.
    public init() {}

    /// A proved plan is there.
    /// - Returns: false when another one waits: one reload at a time.
    public mutating func request() -> Bool {
        guard state == .open else { return false }
        state = .waiting
        return true
    }

    /// The stage thread stands at a boundary.
    /// - Returns: whether it has to swap now.
    public mutating func reachedBoundary() -> Bool {
        guard state == .waiting else { return false }
        state = .swapping
        return true
    }

    /// The swap is done, or was refused by a stage.
    public mutating func swapped() { state = .open }

    /// The one who asked gave up waiting.
    /// - Returns: false when the swap has begun, or is done already: its outcome counts.
    public mutating func withdraw() -> Bool {
        guard state == .waiting else { return false }
        state = .open
        return true
    }
}
