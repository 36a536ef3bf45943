internal import Fyaml

func readYAML(_ bytes: [UInt8]) -> Document {
    let document = parseYAML(bytes)
    guard !document.isWhole else { return document }
    // A tab ends the parser's work in its first line. With spaces in its place the rest of the file can be judged too.
    let tabs = tabbedLines(bytes)
    guard !tabs.isEmpty else { return document }
    let problems = tabs.map { line in
        DocumentProblem(
            mark: Mark(line: line, column: 1), keyPath: [], message: "a tab for indentation; YAML allows spaces only: write two spaces for it")
    }
    for width in [2, 4, 8] {
        let healed = parseYAML(withSpaces(bytes, width: width))
        if healed.isWhole { return Document(root: healed.root, problems: problems + healed.problems, isWhole: true) }
    }
    return Document(root: document.root, problems: problems, isWhole: false)
}

/// Lines whose indentation holds a tab.
private func tabbedLines(_ bytes: [UInt8]) -> [Int] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap { index, line in
        let indentation = line.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return indentation.contains(UInt8(ascii: "\t")) && indentation.count < line.count ? index + 1 : nil
    }
}

private func withSpaces(_ bytes: [UInt8], width: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var isIndentation = true
    for byte in bytes {
        if byte == UInt8(ascii: "\t"), isIndentation {
            result.append(contentsOf: repeatElement(UInt8(ascii: " "), count: width))
            continue
        }
        if byte == UInt8(ascii: "\n") { isIndentation = true } else if byte != UInt8(ascii: " ") { isIndentation = false }
        result.append(byte)
    }
    return result
}

/// One pass of libfyaml's event parser: it keeps no tree of its own, so neither a repeated key nor depth can hurt it.
private func parseYAML(_ bytes: [UInt8]) -> Document {
    var diagnostics = fy_diag_cfg()
    fy_diag_cfg_default(&diagnostics)
    diagnostics.fp = nil
    guard let diag = fy_diag_create(&diagnostics) else { return Document(failed: Mark(line: 1, column: 1), "out of memory") }
    defer { fy_diag_destroy(diag) }
    fy_diag_set_collect_errors(diag, true)
    var configuration = fy_parse_cfg()
    configuration.flags = fy_parse_cfg_flags(FYPCF_QUIET.rawValue | FYPCF_DEFAULT_VERSION_1_2.rawValue | FYPCF_JSON_NONE.rawValue)
    configuration.diag = diag
    guard let parser = fy_parser_create(&configuration) else { return Document(failed: Mark(line: 1, column: 1), "out of memory") }
    defer { fy_parser_destroy(parser) }

    var walk = YAMLWalk()
    var failure: DocumentProblem?
    bytes.withUnsafeBytes { buffer in
        // libfyaml reads from the buffer until the last event is freed.
        guard let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self), fy_parser_set_string(parser, start, buffer.count) == 0 else {
            return
        }
        do throws(DocumentProblem) {
            while let event = fy_parser_parse(parser) {
                defer { fy_parser_event_free(parser, event) }
                try walk.take(event.pointee)
            }
        } catch {
            failure = error
        }
    }
    if failure == nil, fy_parser_get_stream_error(parser) || fy_diag_got_error(diag) {
        failure = firstError(diag) ?? DocumentProblem(mark: Mark(line: 1, column: 1), keyPath: [], message: "not YAML")
    }
    let root = walk.builder.finish()
    guard let failure else { return Document(root: root, problems: walk.builder.problems, isWhole: true) }
    return Document(root: root, problems: walk.builder.problems + [failure], isWhole: false)
}

private func firstError(_ diag: OpaquePointer) -> DocumentProblem? {
    var previous: UnsafeMutableRawPointer?
    guard let error = fy_diag_errors_iterate(diag, &previous) else { return nil }
    let message = error.pointee.msg.map { String(cString: $0) } ?? "syntax error"
    let mark = Mark(line: max(1, Int(error.pointee.line)), column: max(1, Int(error.pointee.column)))
    return DocumentProblem(mark: mark, keyPath: [], message: "not YAML: \(message)")
}

/// Events into the tree.
private struct YAMLWalk {
    var builder = TreeBuilder()
    private var anchors: [String: Node] = [:]
    /// Of every open list and map: the anchor before it.
    private var openAnchors: [String?] = []
    private var documentsCount = 0

    mutating func take(_ event: fy_event) throws(DocumentProblem) {
        switch event.type {
        case FYET_DOCUMENT_START:
            documentsCount += 1
            guard documentsCount == 1 else {
                throw DocumentProblem(
                    mark: mark(event.document_start.document_start), keyPath: [],
                    message: "a second document begins here; one file holds one: make two files")
            }
        case FYET_SCALAR: try scalar(event.scalar)
        case FYET_ALIAS: try alias(event.alias)
        case FYET_SEQUENCE_START:
            let start = event.sequence_start
            try refuseTag(start.tag, "!!seq", at: mark(start.sequence_start))
            try refuseKey(mark(start.sequence_start))
            openAnchors.append(name(start.anchor))
            try builder.beginList(mark(start.sequence_start))
        case FYET_MAPPING_START:
            let start = event.mapping_start
            try refuseTag(start.tag, "!!map", at: mark(start.mapping_start))
            try refuseKey(mark(start.mapping_start))
            openAnchors.append(name(start.anchor))
            try builder.beginMap(mark(start.mapping_start))
        case FYET_SEQUENCE_END, FYET_MAPPING_END:
            let node = try builder.end()
            if let anchor = openAnchors.popLast() ?? nil { anchors[anchor] = node }
        default: break
        }
    }

    private mutating func scalar(_ scalar: fy_event_scalar_data) throws(DocumentProblem) {
        let style = fy_token_scalar_style(scalar.value)
        var place = mark(scalar.value)
        // libfyaml marks the first character inside the quotes; people look for the quote.
        if style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED { place.column = max(1, place.column - 1) }
        let text = text(scalar.value)
        if builder.expectsKey {
            if let anchor = name(scalar.anchor) { anchors[anchor] = Node(value: .string(text), mark: place, text: text) }
            return builder.key(text, place)
        }
        var isText = style != FYSS_PLAIN
        if let tag = scalar.tag {
            try refuseTag(tag, "!!str", at: place)
            isText = true
        }
        let node = Node(value: isText ? .string(text) : CoreSchema.value(ofPlain: text), mark: place, text: text)
        if let anchor = name(scalar.anchor) { anchors[anchor] = node }
        try builder.scalar(node)
    }

    private mutating func alias(_ alias: fy_event_alias_data) throws(DocumentProblem) {
        let place = mark(alias.anchor)
        try refuseKey(place)
        guard let node = anchors[text(alias.anchor)] else {
            throw DocumentProblem(
                mark: place, keyPath: [], message: "an alias without an anchor of that name before it; text that begins with * must be quoted")
        }
        try builder.copy(node)
    }

    private func refuseKey(_ mark: Mark) throws(DocumentProblem) {
        guard builder.expectsKey else { return }
        throw DocumentProblem(mark: mark, keyPath: [], message: "a key must be plain text; a value that begins with { or [ or * must be quoted")
    }

    private func refuseTag(_ tag: OpaquePointer?, _ allowed: String, at mark: Mark) throws(DocumentProblem) {
        guard let tag else { return }
        let written = text(tag)
        let known = "tag:yaml.org,2002:" + allowed.dropFirst(2)
        guard written != allowed, written != known, written != "!" else { return }
        throw DocumentProblem(mark: mark, keyPath: [], message: "a tag other than \(allowed); text that begins with ! must be quoted")
    }

    private func name(_ token: OpaquePointer?) -> String? { token.map { text($0) } }

    private func text(_ token: OpaquePointer?) -> String {
        var length = 0
        guard let token, let start = fy_token_get_text(token, &length) else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }

    private func mark(_ token: OpaquePointer?) -> Mark {
        guard let token, let start = fy_token_start_mark(token) else { return Mark(line: 1, column: 1) }
        return Mark(line: Int(start.pointee.line) + 1, column: Int(start.pointee.column) + 1)
    }
}
