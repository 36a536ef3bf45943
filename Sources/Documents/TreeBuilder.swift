/// Makes a tree from the calls of either parser, and keeps watch over what both must not do: nest without end, repeat a key.
struct TreeBuilder {
    private enum Frame {
        case list(Mark, [Node])
        case map(Mark, [Entry], key: (text: String, mark: Mark)?)
    }

    private var frames: [Frame] = []
    private(set) var root: Node?
    private(set) var problems: [DocumentProblem] = []
    private var valuesCount = 0

    /// The keys that lead to the place that is being read.
    private var keyPath: [String] {
        frames.compactMap { frame in
            switch frame {
            case .list(_, let elements): "[\(elements.count)]"
            case .map(_, _, let key): key?.text
            }
        }
    }

    /// True where the next value is a key of a map.
    var expectsKey: Bool {
        if case .map(_, _, nil) = frames.last { true } else { false }
    }

    mutating func report(_ mark: Mark, _ message: String) {
        problems.append(DocumentProblem(mark: mark, keyPath: keyPath, message: message))
    }

    mutating func beginList(_ mark: Mark) throws(DocumentProblem) {
        try push(.list(mark, []), mark)
    }

    mutating func beginMap(_ mark: Mark) throws(DocumentProblem) {
        try push(.map(mark, [], key: nil), mark)
    }

    mutating func key(_ text: String, _ mark: Mark) {
        guard case .map(let start, let entries, _) = frames.last else { return }
        frames[frames.count - 1] = .map(start, entries, key: (text, mark))
        if let first = entries.first(where: { $0.key == text }) {
            report(mark, "this key stands here a second time; the first is in line \(first.keyMark.line): keep one of them")
        }
    }

    mutating func scalar(_ node: Node) throws(DocumentProblem) {
        try add(node, values: 1)
    }

    /// A value that an alias repeats.
    mutating func copy(_ node: Node) throws(DocumentProblem) {
        try add(node, values: TreeBuilder.size(of: node))
    }

    /// Ends the innermost list or map and gives it back.
    @discardableResult
    mutating func end() throws(DocumentProblem) -> Node? {
        guard let frame = frames.popLast() else { return nil }
        let node =
            switch frame {
            case .list(let mark, let elements): Node(value: .list(elements), mark: mark)
            case .map(let mark, let entries, _): Node(value: .map(entries), mark: mark)
            }
        try add(node, values: 1)
        return node
    }

    /// The tree as far as it is known, every open list and map ended.
    mutating func finish() -> Node? {
        while !frames.isEmpty {
            do { try end() } catch { break }
        }
        return root
    }

    private mutating func push(_ frame: Frame, _ mark: Mark) throws(DocumentProblem) {
        guard frames.count < Document.depthMax else {
            throw DocumentProblem(mark: mark, keyPath: [], message: "nested deeper than \(Document.depthMax) levels; no setting needs that")
        }
        frames.append(frame)
    }

    private mutating func add(_ node: Node, values: Int) throws(DocumentProblem) {
        valuesCount += values
        guard valuesCount <= Document.valuesMax else {
            throw DocumentProblem(
                mark: node.mark, keyPath: [], message: "more than \(Document.valuesMax) values in one file; no configuration needs that")
        }
        switch frames.last {
        case nil: root = node
        case .list(let mark, var elements):
            frames[frames.count - 1] = .list(mark, [])  // Lets go of the array, so that it is not copied for each element.
            elements.append(node)
            frames[frames.count - 1] = .list(mark, elements)
        case .map(let mark, var entries, let key):
            frames[frames.count - 1] = .map(mark, [], key: nil)
            if let key, !entries.contains(where: { $0.key == key.text }) {
                var node = node
                if case .null = node.value { node.mark = key.mark }  // Nothing is nowhere: point at the key that has no value.
                entries.append(Entry(key: key.text, keyMark: key.mark, node: node))
            }
            frames[frames.count - 1] = .map(mark, entries, key: nil)
        }
    }

    private static func size(of node: Node) -> Int {
        switch node.value {
        case .list(let elements): elements.reduce(1) { $0 &+ size(of: $1) }
        case .map(let entries): entries.reduce(1) { $0 &+ size(of: $1.node) }
        default: 1
        }
    }
}
