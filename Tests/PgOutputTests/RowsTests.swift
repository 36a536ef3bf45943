import PluginABI
import StageHarness
import Testing

@Suite struct RowsTests {
    /// `op table old -> new`, of the events that are rows; the statements are in Fixtures/record.py.
    private func rows(_ name: String, of tables: Set<String>? = nil) throws -> [String] {
        var names: [UInt32: String] = [:]
        return try Recording(name).decoded().compactMap { event in
            switch event {
            case .relation(let oid, _, let table, _, _):
                names[oid] = table
                return nil
            case .row(let op, let oid, let flags, let new, let old):
                let table = names[oid] ?? "?"
                guard tables?.contains(table) ?? true else { return nil }
                #expect((flags & UInt16(CDCP_ROWF_OLD_IS_KEY) != 0) == (old?.contains(.absent) ?? false || (old != nil && flags != 0)))
                let kind = ["", "insert", "update", "delete"][Int(op)]
                return "\(kind) \(table)" + (old.map { " \(flags == 0 ? "full" : "key") \(text($0))" } ?? "") + (new.map { " -> \(text($0))" } ?? "")
            default: return nil
            }
        }
    }

    private func text(_ cells: [Cell]) -> String {
        cells.map { cell in
            switch cell {
            case .text(let value): value.count > 40 ? "#\(value.count)" : value
            case .null: "NULL"
            case .absent: "-"
            case .unchanged: "~"
            default: "?"
            }
        }.joined(separator: ",")
    }

    @Test func everyKindOfChange() throws {
        #expect(
            try rows("insert_update_delete") == [
                "insert orders -> 1,7,new,1.50,first,2026-01-31 10:00:00+00,t",
                "insert orders -> 2,14,NULL,NULL,NULL,2026-01-31 10:00:00.123456+00,NULL",
                "update orders -> 1,7,paid,1.50,first,2026-01-31 10:00:00+00,t",
                "update orders key 2,-,-,-,-,-,- -> 3,14,NULL,NULL,NULL,2026-01-31 10:00:00.123456+00,NULL", "delete orders key 1,-,-,-,-,-,-",
                "insert orders -> 10,1,a,0.00,,2026-01-31 00:00:00+00,f", "insert orders -> 12,1,c,0.00,,2026-01-31 00:00:00+00,f",
                "insert orders -> 13,1,x,0.00,,2026-01-31 00:00:00+00,f", "insert pk_default -> 1,k,v",
                "update orders -> 13,1,x,0.00,y,2026-01-31 00:00:00+00,f", "delete pk_default key 1,k,-",
            ])
    }

    /// What a tuple with the identity alone leaves out is absent; a NULL that the server did send stays one. C24: `by_index` knows `code` only.
    @Test func replicaIdentities() throws {
        #expect(
            try rows("replica_identities") == [
                "insert pk_default -> 1,k,v", "update pk_default -> 1,k,NULL", "update pk_default key 1,k,- -> 2,k,NULL",
                "delete pk_default key 2,k,-",
                "insert pk_full -> 1,v,5", "insert pk_full -> 2,NULL,NULL", "update pk_full full 1,v,5 -> 1,w,5",
                "update pk_full full 2,NULL,NULL -> 2,w,NULL",
                "update pk_full full 2,w,NULL -> 12,w,NULL", "delete pk_full full 1,w,5", "delete pk_full full 12,w,NULL", "insert no_pk_full -> 1,b",
                "insert no_pk_full -> NULL,NULL", "update no_pk_full full 1,b -> 1,c", "update no_pk_full full NULL,NULL -> NULL,c",
                "delete no_pk_full full 1,c", "delete no_pk_full full NULL,c", "insert by_index -> 1,c1,v", "update by_index -> 1,c1,w",
                "update by_index -> 2,c1,w", "update by_index key -,c1,- -> 2,c2,w", "delete by_index key -,c2,-", "insert nothing -> 1,v",
                "insert no_pk -> 1,b", "insert empty -> ",
            ])
    }

    @Test func unchangedTOAST() throws {
        #expect(
            try rows("unchanged_toast") == [
                "insert toasted -> 1,1,#9600", "update toasted -> 1,2,~", "update toasted key 1,-,- -> 5,2,~", "update toasted -> 5,2,short",
                "delete toasted key 5,-,-", "insert toasted_full -> 1,1,#9600", "update toasted_full full 1,1,#9600 -> 1,2,~",
                "update toasted_full full 1,2,#9600 -> 5,2,~", "delete toasted_full full 5,2,#9600",
            ])
    }

    /// C23: the identity column itself is out of line; the old key has it whole, the new tuple does not.
    @Test func unchangedIdentityColumn() throws {
        let decoder = try Decoder()
        for message in [Wire.begin(), Wire.relation()] { #expect(try decoder.decode(message).status == CDCP_OK) }
        let key = String(repeating: "k", count: 1920)
        let update = Wire.message("U", Wire.u32(9), [0x4B], Wire.tuple([key, nil]), [0x4E], Wire.tuple(["~", "2"]))
        let events = try decoder.decode(update).events
        #expect(events == [.row(op: 2, oid: 9, flags: UInt16(CDCP_ROWF_OLD_IS_KEY), new: [.unchanged, "2"], old: [.text(key), .absent])])
    }

    /// A partition with REPLICA IDENTITY FULL below a root without: more comes than belongs to the root's identity.
    @Test func valuesOutsideTheIdentityOfAKeyTupleAreAbsent() throws {
        let decoder = try Decoder()
        for message in [Wire.begin(), Wire.relation(9, columns: ["id*", "n*", "v"])] { #expect(try decoder.decode(message).status == CDCP_OK) }
        let events = try decoder.decode(Wire.message("D", Wire.u32(9), [0x4B], Wire.tuple(["1", nil, "more"]))).events
        #expect(events == [.row(op: 3, oid: 9, flags: UInt16(CDCP_ROWF_OLD_IS_KEY), new: nil, old: ["1", .null, .absent])])
    }

    @Test func shapesChangeBetweenRows() throws {
        #expect(
            try rows("shape_changes") == [
                "insert shape -> 1,10,20", "insert shape -> 2,30,40", "insert shape -> 3,50", "insert shape -> 4,60,q", "insert shape -> 5,1.500,n",
                "update shape full 5,1.500,n -> 5,1.500,NULL", "delete shape2 full 5,1.500,NULL", "insert shape -> y,f",
            ])
        let second = try Recording("shape_changes").decoded().compactMap { if case .relation(_, _, _, _, let columns) = $0 { columns } else { nil } }[
            1]
        #expect(second == [DecodedColumn("id", 23, isIdentity: true), DecodedColumn("b", 23), DecodedColumn("a", 23)])
    }

    @Test func bytesOfEveryTypeComeThrough() throws {
        let text = try Recording("types").decoded().compactMap { if case .row(1, _, _, let new, _) = $0 { new } else { nil } }
        #expect(text.count == 2)
        #expect(text[0][3] == "123456789012345678901234567890.5" && text[0][11] == #"\x00ff5c27"# && text[0][10] == .text("tab\t\"quote\"\\ é世😀"))
        #expect(text[1].dropFirst().prefix(36).allSatisfy { $0 == .null })
        let binary = try Recording("types_binary").decoded().compactMap { if case .row(1, _, _, let new, _) = $0 { new } else { nil } }
        #expect(binary[0][0] == .binary([0, 0, 0, 1]) && binary[0][11] == .binary([0x00, 0xFF, 0x5C, 0x27]))
    }

    @Test func manyRowsInOrder() throws {
        let ids = try rows("many_rows").compactMap { Int($0.split(separator: " ")[3].split(separator: ",")[0]) }
        #expect(ids.count >= 200 && ids == Array(1000..<1000 + ids.count))
    }

    /// More tables than the first table of tables holds, each with its own number of columns.
    @Test func aThousandTables() throws {
        let decoder = try Decoder()
        #expect(try decoder.decode(Wire.begin()).status == CDCP_OK)
        for round in 0..<2 {
            for oid in 1...1000 {
                let columns = (0..<(oid + round) % 5).map { "c\($0)*" }
                #expect(try decoder.decode(Wire.relation(oid, columns: columns)).status == CDCP_OK)
            }
            for oid in stride(from: 1000, to: 0, by: -1) {
                let values: [String?] = Array(repeating: "x", count: (oid + round) % 5)
                #expect(try decoder.decode(Wire.insert(oid, values)).status == CDCP_OK)
                #expect(try decoder.decode(Wire.insert(oid, values + ["x"])).status == CDCP_E_DATA)
            }
        }
    }
}
