import Chain

extension LaneStop? {
    /// In one word and what belongs to it, for comparison.
    var word: String {
        switch self {
        case nil: "none"
        case .boundary: "boundary"
        case .abandoned: "abandoned"
        case .sourceEnded: "sourceEnded"
        case .snapshotEnded: "snapshotEnded"
        case .data(let stage, let message, _): "data \(stage): \(message)"
        case .shapeRefused(let table, let failure): "shapeRefused \(table): \(failure.message)"
        case .rowRefused(let row): "rowRefused \(row.stage) \(row.table) \(row.commitLSN)/\(row.ordinal) \(row.code)"
        case .stage(let failure): "stage \(failure)"
        case .catalog(let error): "catalog \(error)"
        case .topic(let name, let failure): "topic \(name): \(failure.message)"
        }
    }
}
