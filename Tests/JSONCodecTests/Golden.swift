import Glibc
import PluginABI
import StageHarness

/// A golden file, as `Goldens/record.py` writes it.
struct Golden {
    struct Row {
        var table: RelationSpec
        var cells: [Cell]
        /// The row's object by mode.
        var wanted: [String: String]
    }

    struct Missing: Error { let path: String }

    var rows: [Row] = []

    init(_ topic: String) throws {
        let directory = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex))
        var table = RelationSpec("", "", columns: [])
        for line in try Golden.text("\(directory)/Goldens/\(topic).golden").split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            switch fields[0] {
            case "table": table = RelationSpec(fields[1], fields[2], columns: [])
            case "column":
                let number = { (index: Int) in UInt32(fields[index]) ?? 0 }
                let isKey = fields[9] != "0"
                table.columns.append(
                    ColumnSpec(
                        fields[1], number(2), typeName: fields[8], typmod: Int32(fields[3]) ?? -1,
                        flags: UInt32(fields[10] == "1" ? CDCP_COL_NOT_NULL : CDCP_COL_NULLABLE) | (isKey ? UInt32(CDCP_COL_IDENTITY) : 0),
                        keyOrdinal: number(9), baseType: number(4), baseTypmod: Int32(fields[5]) ?? -1, element: number(6), kind: number(7)))
            case "row": rows.append(Row(table: table, cells: fields.dropFirst().map(Golden.cell), wanted: [:]))
            case "want": rows[rows.count - 1].wanted[fields[1]] = fields[2]
            default: break
            }
        }
    }

    private static func cell(_ hex: String) -> Cell {
        if hex == "-" { return .null }
        let digits = Array(hex.utf8).map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
        return .bytes(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }

    private static func text(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}

/// The fields of a JSON object, in order, each value as its text.
func fields(_ object: String) -> [(name: String, value: String)] {
    var result: [(String, String)] = []
    var depth = 0
    var quoted = false
    var escaped = false
    var name = ""
    var current: [UInt8] = []
    for byte in object.utf8 {
        if quoted {
            current.append(byte)
            if escaped { escaped = false } else if byte == 0x5c { escaped = true } else if byte == 0x22 { quoted = false }
            continue
        }
        switch byte {
        case 0x22: quoted = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            if depth == 1 { continue }
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: ":") where depth == 1:
            name = String(decoding: current, as: UTF8.self)
            current = []
            continue
        default: break
        }
        if depth == 0 || (depth == 1 && byte == UInt8(ascii: ",")) {
            if !name.isEmpty { result.append((String(name.dropFirst().dropLast()), String(decoding: current, as: UTF8.self))) }
            name = ""
            current = []
            continue
        }
        current.append(byte)
    }
    return result
}
