/// `schema.table` as it is written in options: parts with special characters are quoted as in SQL.
struct TableName: Hashable {
    let schema: String
    let table: String

    /// - Parameter text: nil comes back where it is not two names with a dot between them.
    init?(_ text: String) {
        var rest = Substring(text)
        guard let schema = Self.part(&rest), rest.first == "." else { return nil }
        rest.removeFirst()
        guard let table = Self.part(&rest), rest.isEmpty else { return nil }
        self.schema = schema
        self.table = table
    }

    init(schema: String, table: String) {
        self.schema = schema
        self.table = table
    }

    /// Cuts one name off the front.
    private static func part(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let name = rest.prefix { $0 != "." && $0 != "\"" }
            rest = rest.dropFirst(name.count)
            return name.isEmpty ? nil : String(name)
        }
        rest.removeFirst()
        var name = ""
        while let next = rest.popFirst() {
            if next != "\"" {
                name.append(next)
            } else if rest.first == "\"" {
                rest.removeFirst()
                name.append("\"")
            } else {
                return name.isEmpty ? nil : name
            }
        }
        return nil
    }
}
