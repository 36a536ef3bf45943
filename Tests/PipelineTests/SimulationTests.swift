import Glibc
import Testing

/// CDC_SIMULATION_SEED=n repeats one run; CDC_SIMULATION_STEPS=n makes each longer or shorter.
@Suite struct SimulationTests {
    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
    private static let steps = number("CDC_SIMULATION_STEPS").map(Int.init(truncatingIfNeeded:)) ?? 130_000
    private static let seeds = number("CDC_SIMULATION_SEED").map { [$0] } ?? Array(1...8)

    @Test(arguments: seeds) func nothingIsLostAndNothingRepeatedButWholeTransactions(seed: UInt64) throws {
        var simulation = Simulation(seed: seed)
        try simulation.run(steps: Self.steps)
        print("simulation: seed \(seed), \(simulation.step) steps, \(simulation.counts)")
        // A run in which nothing went wrong proves nothing.
        #expect(min(simulation.counts.cuts, simulation.counts.rewinds, simulation.counts.crashes, simulation.counts.stops) > Self.steps / 2000)
    }

    /// The judge must see what it is there for.
    @Test(arguments: Simulation.Mistake.allCases) func eachMistakeIsFound(mistake: Simulation.Mistake) {
        let found = (1...20 as ClosedRange<UInt64>).contains { seed in
            var simulation = Simulation(seed: seed, mistake: mistake)
            do {
                try simulation.run(steps: 20_000)
                return false
            } catch {
                print("simulation: \(mistake): \(error)")
                return true
            }
        }
        #expect(found)
    }
}
