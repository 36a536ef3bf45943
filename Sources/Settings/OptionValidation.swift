internal import Files

extension OptionSchema {
    /// Holds a tree against this schema: everything that is wrong with it, and the tree as it is meant, with units turned into whole numbers,
    /// defaults filled in and secrets marked. With `isWhole` false (a syntax error hides the end of the file) missing keys are not complained of.
    ///
    /// The tree that comes back is fit for use only when no problem is an error.
    public func validate(_ tree: OptionTree, isWhole: Bool = true) -> (tree: OptionTree, problems: [Problem]) {
        var pass = ValidationPass(isWhole: isWhole)
        let result = pass.value(tree, self)
        return (result, pass.problems)
    }
}

private struct ValidationPass {
    let isWhole: Bool
    var problems: [Problem] = []

    mutating func report(_ tree: OptionTree, _ message: String) {
        if !tree.isUnresolved { problems.append(tree.problem(message)) }
    }

    mutating func value(_ given: OptionTree, _ schema: OptionSchema) -> OptionTree {
        var tree = given
        if schema.isSecret { tree.markSecret() }
        guard !tree.isUnresolved else { return tree }
        // `how: null` and `format: 5` mean the word where the word is one of those that are allowed.
        if tree.isScalar, tree.kind != .string, schema.types.contains(.string), schema.choices.contains(tree.text) { tree.content = .string }
        if tree.kind == .null, !schema.types.contains(.null) {
            // `options:` with every line under it commented out is meant to be empty.
            if schema.types.contains(.object) {
                tree.content = .map([])
            } else if !schema.types.isEmpty || schema.unit != nil {
                report(tree, "has no value; \(schema.allowed), or take the key out")
                return tree
            }
        }
        if let unit = schema.unit { return quantity(tree, schema, unit) }
        if tree.isSubstituted { tree.takeType(of: schema) }
        guard schema.takes(tree.kind) else {
            report(tree, mismatch(tree, schema))
            return tree
        }
        switch tree.content {
        case .map: return map(tree, schema)
        case .list(let elements): return list(tree, elements, schema)
        case .integer, .number: bounds(tree, tree.double ?? 0, schema)
        case .string where tree.text.count < schema.lengthMin:
            report(tree, schema.lengthMin == 1 ? "is empty; it must not be" : "is shorter than \(schema.lengthMin) characters")
        default: break
        }
        if schema.isPath, tree.kind == .string, tree.text != "-", !tree.isDefault {
            tree.text = FilePath.join(FilePath.directory(of: tree.place.file), tree.text)
        }
        if !schema.choices.isEmpty, !schema.choices.contains(tree.text) {
            let hint = tree.isSecret ? "" : NearestName.hint(tree.text, among: schema.choices)
            report(tree, "\(tree.quoted) is not known; allowed are \(schema.choices.joined(separator: ", "))\(hint)")
        }
        return tree
    }

    // MARK: Scalars

    private mutating func quantity(_ given: OptionTree, _ schema: OptionSchema, _ unit: Quantity) -> OptionTree {
        var tree = given
        guard tree.isScalar, tree.kind != .boolean else {
            report(tree, mismatch(tree, schema))
            return tree
        }
        if tree.kind == .string, schema.words.contains(tree.text) { return tree }
        do {
            let amount = try unit.parse(tree.text)
            tree.content = .integer(amount)
            if let minimum = schema.minimum, Double(amount) < minimum { report(tree, "is too small; at least \(unit.text(Int64(minimum)))") }
            if let maximum = schema.maximum, Double(amount) > maximum { report(tree, "is too large; at most \(unit.text(Int64(maximum)))") }
        } catch {
            let words = schema.words.isEmpty ? "" : " or the word \(schema.words.joined(separator: ", "))"
            report(tree, "\(tree.quoted): \(error.message)\(error.message.contains(";") ? "" : "; write \(unit.words)")\(words)")
        }
        return tree
    }

    private mutating func bounds(_ tree: OptionTree, _ number: Double, _ schema: OptionSchema) {
        let low = schema.minimum.map(plain)
        let high = schema.maximum.map(plain)
        let range =
            switch (low, high) {
            case (let low?, let high?): "from \(low) to \(high)"
            case (let low?, nil): "at least \(low)"
            case (nil, let high?): "at most \(high)"
            case (nil, nil): ""
            }
        guard !range.isEmpty else { return }
        if number < schema.minimum ?? number || number > schema.maximum ?? number || number.isNaN {
            report(tree, "\(tree.shown) is out of range; allowed is \(range)")
        }
    }

    private func plain(_ bound: Double) -> String {
        Int64(exactly: bound).map { String($0) } ?? String(bound)
    }

    private func mismatch(_ tree: OptionTree, _ schema: OptionSchema) -> String {
        if tree.kind == .string, schema.types.contains(.array), !schema.types.contains(.string) {
            let example = tree.isSecret ? "\"…\"" : "\"\(tree.text)\""
            return "is text where a list is due; write it as a list: [\(example)]"
        }
        if schema.types == [.object], schema.property("include") != nil, tree.kind == .string || tree.kind == .list {
            let example = tree.kind == .string ? "[\(tree.quoted)]" : tree.description
            return "is \(tree.kindWords) where a map is due; write { include: \(example) }"
        }
        if tree.isScalar, schema.types.contains(.string), schema.choices.isEmpty {
            let example = tree.isSecret ? "\"…\"" : "\"\(tree.text)\""
            return "is \(tree.kindWords) where text is due; write it in quotes: \(example)"
        }
        if tree.kind == .number, schema.types.contains(.integer), tree.text.allSatisfy({ $0.isNumber || $0 == "-" || $0 == "+" }) {
            return "is larger than a 64-bit number"
        }
        return "is \(tree.kindWords); \(schema.allowed)"
    }

    // MARK: Lists and maps

    private mutating func list(_ given: OptionTree, _ elements: [OptionTree], _ schema: OptionSchema) -> OptionTree {
        var tree = given
        if elements.count < schema.countMin {
            report(tree, elements.isEmpty ? "is an empty list; at least one element is due" : "has too few elements; at least \(schema.countMin)")
        }
        if case .each(let inner) = schema.items { tree.content = .list(elements.map { value($0, inner) }) }
        return tree
    }

    private mutating func map(_ given: OptionTree, _ schema: OptionSchema) -> OptionTree {
        var tree = given
        var entries: [OptionTree.MapEntry] = []
        var slips: Set<String> = []
        for var entry in tree.entries {
            if let inner = schema.property(entry.key) {
                entry.tree = value(entry.tree, inner)
            } else if let slip = slip(entry, in: tree, schema) {
                problems.append(Problem(entry.place, keyPath: DottedPath.join(tree.keyPath, entry.key), slip.message))
                slips.insert(slip.name)
            } else {
                switch schema.additional {
                case .refused:
                    let path = DottedPath.join(tree.keyPath, entry.key)
                    problems.append(Problem(entry.place, keyPath: path, unknown(entry, in: tree, schema)))
                    continue
                case .anything: break
                case .each(let inner): entry.tree = value(entry.tree, inner)
                }
            }
            entries.append(entry)
        }
        for name in schema.required where isWhole && tree[name] == nil && !slips.contains(name) {
            let what = schema.property(name).map { $0.summary.isEmpty ? "" : ": \($0.summary)" } ?? ""
            problems.append(Problem(tree.place, keyPath: DottedPath.join(tree.keyPath, name), "is missing and must be there\(what)"))
        }
        for property in schema.properties where tree[property.name] == nil {
            if let filled = filled(property, in: tree) { entries.append(filled) }
        }
        tree.content = .map(entries)
        return tree
    }

    /// What a missing key stands for: its default, or a map of the defaults in it.
    private mutating func filled(_ property: OptionSchema.Property, in tree: OptionTree) -> OptionTree.MapEntry? {
        let path = DottedPath.join(tree.keyPath, property.name)
        var given: OptionTree?
        if let fallback = property.schema.fallback {
            given = OptionTree(fallback, place: tree.place, keyPath: path)
        } else if property.schema.types == [.object], property.schema.required.isEmpty {
            given = .empty(place: tree.place, keyPath: path)
        }
        guard let given else { return nil }
        var filled = value(given, property.schema)
        if property.schema.fallback == nil, filled.entries.isEmpty { return nil }
        filled.isDefault = true
        return OptionTree.MapEntry(key: property.name, place: tree.place, tree: filled)
    }

    /// Where a map takes names beyond those that it spells out: one that was most likely meant to be one of these.
    private func slip(_ entry: OptionTree.MapEntry, in tree: OptionTree, _ schema: OptionSchema) -> (name: String, message: String)? {
        guard schema.additional != .refused else { return nil }
        // TOML's `a.b = 1` is a map in a map.
        if let name = schema.properties.map(\.name).first(where: { entry.holds($0) }) {
            return (name, "is a map of keys; a name with dots in it stands in quotes: \"\(name)\"")
        }
        let missing = schema.required.filter { tree[$0] == nil }
        guard let name = NearestName.of(entry.key, among: missing) else { return nil }
        return (name, "is not known; did you mean \(name)? It is missing and must be there")
    }

    private func unknown(_ entry: OptionTree.MapEntry, in tree: OptionTree, _ schema: OptionSchema) -> String {
        if schema.laterKeys.contains(entry.key) { return "comes in a later version; take it out" }
        let known = schema.properties.map(\.name)
        let inside = entry.tree.keys.filter { known.contains($0) }
        if !inside.isEmpty { return "is not known; \(inside.joined(separator: ", ")) under it belongs one level up" }
        if let near = NearestName.of(entry.key, among: known) { return "is not known; did you mean \(near)?" }
        if let parent = schema.properties.first(where: { $0.schema.property(entry.key) != nil }) {
            return "is not known here; it belongs under \(parent.name)"
        }
        return known.isEmpty
            ? "is not known; no keys are allowed here" : "is not known; allowed are \(known.joined(separator: ", "))\(schema.unknownHint)"
    }
}

extension OptionSchema {
    /// Whether a value of this kind is of an allowed type.
    fileprivate func takes(_ kind: OptionTree.Kind) -> Bool {
        guard !types.isEmpty else { return true }
        return switch kind {
        case .null: types.contains(.null)
        case .boolean: types.contains(.boolean)
        case .integer: types.contains(.integer) || types.contains(.number)
        case .number: types.contains(.number)
        case .string: types.contains(.string)
        case .list: types.contains(.array)
        case .map: types.contains(.object)
        }
    }

    /// What is allowed, as words.
    fileprivate var allowed: String {
        if let unit { return "allowed is \(unit.words)" + (words.isEmpty ? "" : ", or the word \(words.joined(separator: ", "))") }
        if !choices.isEmpty { return "allowed are \(choices.joined(separator: ", "))" }
        let names = types.map { type in
            switch type {
            case .object: "a map of keys"
            case .array: "a list"
            case .string: "text"
            case .integer: "a whole number"
            case .number: "a number"
            case .boolean: "true or false"
            case .null: "null"
            }
        }
        return names.isEmpty ? "any value is allowed" : "allowed is \(names.joined(separator: " or "))"
    }
}

extension OptionTree.MapEntry {
    /// Whether it is the beginning of a name with dots, and the maps in it are the rest.
    fileprivate func holds(_ name: String) -> Bool {
        guard name.hasPrefix(key + ".") else { return false }
        let rest = String(name.dropFirst(key.count + 1))
        return tree.entries.contains { $0.key == rest || $0.holds(rest) }
    }
}

extension OptionTree {
    /// The value in quotes, for a message; a secret is not shown.
    var quoted: String { isSecret ? Secret.mask : "\"\(text)\"" }

    fileprivate var kindWords: String {
        switch kind {
        case .null: "empty"
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .number: "a number"
        case .string: "text"
        case .list: "a list"
        case .map: "a map of keys"
        }
    }

    /// Everything in it is secret.
    fileprivate mutating func markSecret() {
        isSecret = true
        switch content {
        case .list(var elements):
            for index in elements.indices { elements[index].markSecret() }
            content = .list(elements)
        case .map(var entries):
            for index in entries.indices { entries[index].tree.markSecret() }
            content = .map(entries)
        default: break
        }
    }

    /// A substituted text becomes what its key asks for, where it can.
    fileprivate mutating func takeType(of schema: OptionSchema) {
        guard !schema.types.isEmpty, !schema.types.contains(.string) else { return }
        if schema.types.contains(.boolean), text == "true" || text == "false" {
            content = .boolean(text == "true")
        } else if schema.types.contains(.integer) || schema.types.contains(.number), let number = Int64(text) {
            content = .integer(number)
        } else if schema.types.contains(.number), let number = Double(text), number.isFinite {
            content = .number(number)
        }
    }

    /// A default, as if it stood in the file.
    init(_ json: JSONValue, place: SourcePlace, keyPath: String) {
        let content: Content =
            switch json {
            case .null: .null
            case .bool(let truth): .boolean(truth)
            case .integer(let number): .integer(number)
            case .number(let number): .number(number)
            case .string: .string
            case .array(let elements):
                .list(elements.enumerated().map { OptionTree($1, place: place, keyPath: "\(keyPath)[\($0)]") })
            case .object(let members):
                .map(
                    members.map { member in
                        let path = DottedPath.join(keyPath, member.name)
                        return MapEntry(key: member.name, place: place, tree: OptionTree(member.value, place: place, keyPath: path))
                    })
            }
        self.init(content, text: json.scalarText, place: place, keyPath: keyPath)
        isDefault = true
    }
}
