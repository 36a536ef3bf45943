/// The known name that a misspelt one was probably meant to be.
public enum NearestName {
    /// The nearest of `known`, if it is near enough to be more than chance.
    public static func of(_ written: String, among known: [String]) -> String? {
        let normal = normalised(written)
        let candidates = known.map { (name: $0, distance: distance(normal, normalised($0))) }
        guard let best = candidates.min(by: { $0.distance < $1.distance }) else { return nil }
        let tolerance = max(1, min(normal.count, best.name.utf8.count) / 3)
        return best.distance <= tolerance ? best.name : nil
    }

    /// `; did you mean NAME?`, or nothing.
    public static func hint(_ written: String, among known: [String]) -> String {
        of(written, among: known).map { "; did you mean \($0)?" } ?? ""
    }

    /// Case and the choice between `-`, `_` and `.` are the commonest slips: they cost nothing.
    private static func normalised(_ name: String) -> [UInt8] {
        name.lowercased().utf8.prefix(80).map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }
    }

    /// Edits between two names, a swap of neighbours being one.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
