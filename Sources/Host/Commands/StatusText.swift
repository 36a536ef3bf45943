import Documents

/// `/status` as a table for people.
enum StatusText {
    /// nil: the text is no answer of a host.
    static func render(_ json: String) -> String? {
        // JSON is a subset of YAML 1.2.
        let document = Document(Array(json.utf8), language: .yaml)
        guard document.problems.isEmpty, let root = document.root, case .map = root.value else { return nil }
        var lines = [
            row("stream", "\(root["name"]) (cdc-host \(root["version"]), process \(root["pid"]), up \(duration(root["uptime_seconds"])))"),
            row("phase", root["phase"] + (root["ready"] == "true" ? ", ready" : ", not ready")),
        ]
        for reason in root.list("reasons") { lines.append(row("", "\(reason["code"]): \(reason["detail"])")) }
        let positions = root.node("positions")
        lines += [
            row("received", positions?["received"] ?? ""),
            row("acknowledged", "\(positions?["acknowledged"] ?? "") (\(root["transactions_acknowledged"]) transactions)"),
            row("confirmed", positions?["confirmed"] ?? ""),
            row("lag", "\(bytes(root.node("lag")?["bytes"] ?? "")), \(root.node("lag")?["seconds"] ?? "") s"),
            row("in flight", bytes(root["in_flight_bytes"])),
            row("slot", "\(root.node("source")?["slot"] ?? ""), publication \(root.node("source")?["publication"] ?? "")"),
        ]
        let left = root.node("source")?.list("left_out").map(\.text) ?? []
        if !left.isEmpty { lines.append(row("left out", left.joined(separator: ", ") + " (no usable replica identity)")) }
        if let snapshot = root.node("snapshot"), case .map = snapshot.value {
            let percent = (Double(snapshot["fraction"]) ?? 0) * 100
            lines.append(
                row("snapshot", "\(Int(max(0, min(100, percent))))%, \(snapshot["rows"]) rows" + (snapshot["complete"] == "true" ? ", complete" : ""))
            )
        }
        if let reload = root.node("last_reload"), case .map = reload.value {
            lines.append(row("last reload", "number \(reload["number"]) at \(reload["at"]): \(reload["result"]), \(reload["message"])"))
        }
        lines += ["", "plan \(root["generation"])"] + stages(root.list("stages"))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func stages(_ stages: [Node]) -> [String] {
        let rows =
            [["STAGE", "PLUGIN", "ROLE", "VERSION", "GENERATION", "SHA256"]]
            + stages.map { [$0["stage"], $0["plugin"], $0["role"], $0["version"], $0["generation"], String($0["sha256"].prefix(16))] }
        return TextTable.lines(rows)
    }

    private static func row(_ label: String, _ value: String) -> String { label + String(repeating: " ", count: max(1, 14 - label.count)) + value }

    private static func duration(_ seconds: String) -> String {
        guard let all = Int(seconds), all >= 60 else { return seconds + " s" }
        return all < 3600 ? "\(all / 60) min" : "\(all / 3600) h \(all % 3600 / 60) min"
    }

    private static func bytes(_ text: String) -> String {
        guard let count = Int(text), count >= 1024 else { return text + " bytes" }
        return count < 1 << 20 ? "\(count >> 10) KiB" : "\(count >> 20) MiB"
    }
}

/// Columns that line up.
enum TextTable {
    static func lines(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.compactMap { $0.count > column ? $0[column].count : nil }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, text) in row.enumerated() {
                line += text
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - text.count + 2) }
            }
            return line
        }
    }
}

extension Node {
    /// The text of a key's scalar; empty without it.
    fileprivate subscript(key: String) -> String {
        guard let node = node(key) else { return "" }
        if case .null = node.value { return "-" }
        return node.text
    }

    fileprivate func node(_ key: String) -> Node? {
        guard case .map(let entries) = value else { return nil }
        return entries.first { $0.key == key }?.node
    }

    fileprivate func list(_ key: String) -> [Node] {
        guard case .list(let elements) = node(key)?.value else { return [] }
        return elements
    }
}
