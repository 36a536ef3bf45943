import PluginABI
import StageHarness
import Testing

@Suite struct MessagesTests {
    /// C07: one message for all tables, with its flags.
    @Test func truncate() throws {
        var names: [UInt32: String] = [:]
        let seen = try Recording("truncate").decoded().compactMap { event -> String? in
            switch event {
            case .relation(let oid, _, let table, _, _):
                names[oid] = table
                return nil
            case .truncate(let oids, let flags): return oids.map { names[$0] ?? "?" }.joined(separator: ",") + " \(flags)"
            default: return nil
            }
        }
        #expect(seen == ["a1,b1 3", "orders 0", "a1,b1,orders 0"])
    }

    @Test func logicalMessagesAndOrigin() throws {
        let events = try Recording("messages_and_origin").decoded()
        let messages = events.compactMap { event -> String? in
            guard case .message(let prefix, let content, let flags, let lsn) = event else { return nil }
            #expect(lsn > 0)
            return "\(flags) \(prefix) \(content.count > 20 ? "#\(content.count)" : String(decoding: content, as: UTF8.self))"
        }
        #expect(messages == ["0 outside not transactional", "1 inside \u{0}\u{FFFD}\u{0}", "1  ", "1 alone transactional", "0 preé #3000"])
        let origins = events.compactMap { if case .origin(let name, let lsn) = $0 { "\(name) \(lsn)" } else { nil } }
        #expect(origins == ["up1 \(0xABCDEF)"])
    }

    /// Of a domain the server sends its own number with its base type's name.
    @Test func typeMessages() throws {
        let types = try Recording("types").decoded().compactMap { if case .type(_, let schema, let name) = $0 { "\(schema).\(name)" } else { nil } }
        #expect(Set(types) == ["public.mood", "public._mood", "public.pair", "pg_catalog.numeric"])
    }

    @Test func transactionsAreWhole() throws {
        for name in Recording.names {
            var open: UInt64?
            for event in try Recording(name).decoded() {
                switch event {
                case .begin(let xid, let lsn, let time):
                    #expect(open == nil && xid > 0)
                    // 2026-01-01 or later, save in the one transaction whose origin says its own time.
                    #expect(time >= 1_767_225_600_000_000 && time < 4_102_444_800_000_000)
                    open = lsn
                case .commit(let lsn, let end, _):
                    #expect(open == lsn && end > lsn)
                    open = nil
                default: break
                }
            }
            #expect(open == nil)
        }
    }

    @Test func namesAreTakenAsTheyAre() throws {
        let relations = try Recording("names_and_partitions").decoded().compactMap { event -> String? in
            if case .relation(_, let schema, let table, _, let columns) = event {
                "\(schema)|\(table)|\(columns.map(\.name).joined(separator: "|"))"
            } else {
                nil
            }
        }
        #expect(relations.first == #"Sch"ema|Order Items|Id "x"|größe|select"#)
        let decoder = try Decoder()
        let events = try decoder.decode(Wire.relation(9, schema: "", columns: ["id*"])).events
        #expect(
            events == [
                .relation(oid: 9, schema: "pg_catalog", table: "t", replicaIdentity: 100, columns: [DecodedColumn("id", 25, isIdentity: true)])
            ])
    }

    @Test func timesAreOfTheUnixEpoch() throws {
        let decoder = try Decoder()
        #expect(try decoder.decode(Wire.begin(microseconds: 1)).events == [.begin(xid: 7, commitLSN: 100, commitTime: 946_684_800_000_001)])
        #expect(try decoder.decode(Wire.begin(microseconds: -1)).events == [.begin(xid: 7, commitLSN: 100, commitTime: 946_684_799_999_999)])
        let late = try decoder.decode(Wire.begin(microseconds: Int.max))
        #expect(late.status == CDCP_E_DATA && late.error.contains("time"))
    }

    @Test func startOptions() throws {
        func asked(_ options: Option, _ version: UInt32) throws -> [String] {
            try PluginFile.named("PgOutput").stage(options: options).startOptions(serverVersion: version).map { "\($0.name)=\($0.value)" }
        }
        #expect(try asked([:], 130_000) == ["proto_version=1"])
        #expect(try asked([:], 150_018) == ["proto_version=1", "messages=true"])
        #expect(try asked(["messages": false], 150_018) == ["proto_version=1"])
        #expect(try asked(["origin": "none"], 160_000) == ["proto_version=1", "messages=true", "origin=none"])
        let refusal = #expect(throws: StageRefusal.self) { try asked(["origin": "none"], 150_018) }
        #expect(refusal?.status == CDCP_E_CONFIG && refusal?.message.contains("PostgreSQL 16") == true)
        let binary = #expect(throws: StageRefusal.self) { try PluginFile.named("PgOutput").stage(options: ["binary": true]) }
        #expect(binary?.status == CDCP_E_CONFIG && binary?.message.contains("binary") == true)
    }
}
