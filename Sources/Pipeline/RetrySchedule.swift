/// Pauses between attempts: exponential with full jitter (a random share of the bound), so that many hosts do not come back at once.
/// Pure: time and chance come from outside.
public struct RetrySchedule: Sendable {
    /// Bound of the first pause.
    public let initial: Duration
    /// Bound of every pause.
    public let longest: Duration
    /// nil: never give up.
    public let giveUpAfter: Duration?
    /// Failures since it last worked.
    public private(set) var attempts = 0
    private var failingFor: Duration = .zero

    /// `retry.initial`, `retry.max`, `retry.give_up_after`
    public init(initial: Duration, longest: Duration, giveUpAfter: Duration?) {
        self.initial = initial
        self.longest = longest
        self.giveUpAfter = giveUpAfter
    }

    /// What a failure leads to.
    public enum Decision: Equatable, Sendable {
        case wait(Duration)
        case giveUp
    }

    /// An attempt failed.
    /// - Parameters:
    ///   - elapsed: time since the failure before it, or since the first attempt.
    ///   - chance: a random number in 0..<1.
    public mutating func failed(elapsed: Duration, chance: Double) -> Decision {
        failingFor += elapsed
        if let giveUpAfter, failingFor >= giveUpAfter { return .giveUp }
        let bound = min(longest, initial * (1 << min(attempts, 20)))
        attempts += 1
        // Half of the bound at least: a pause of nothing would make the first attempts a storm.
        return .wait(bound / 2 + (bound / 2) * min(max(chance, 0), 1))
    }

    /// It works again.
    public mutating func succeeded() {
        attempts = 0
        failingFor = .zero
    }
}
