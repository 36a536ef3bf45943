import PluginABI
import PluginKit

/// Decodes the messages of PostgreSQL's `pgoutput`, protocol version 1.
///
/// Threads: as tagged for a decoder.
final class PgOutput: DecoderStage {
    private let session: UnsafeMutablePointer<Session>
    private var messages = true
    private var origin = "any"
    private var saidNoMessages = false
    /// For complaints only.
    private var names: [UInt32: String] = [:]

    required init(host: PluginHost) {
        session = .allocate(capacity: 1)
        session.initialize(to: Session())
        super.init(host: host)
    }

    deinit {
        session.pointee.relations.deallocate()
        session.deinitialize(count: 1)
        session.deallocate()
    }

    override func configure(_ options: Options) throws(StageError) {
        if options.bool("binary") == true {
            throw .config(
                "\(options.origin("binary")): true is not supported yet, because codecs read PostgreSQL's text output; "
                    + "remove it or set it to false")
        }
        messages = options.bool("messages") ?? true
        origin = options.string("origin") ?? "any"
        guard origin == "any" || origin == "none" else { throw .config("\(options.origin("origin")): must be any or none") }
    }

    /// A connection begins: what an earlier one announced does not count any more.
    override func startOptions(serverVersion: UInt32) throws(StageError) -> [(name: String, value: String)] {
        session.pointee.relations.removeAll()
        session.pointee.inTransaction = false
        names.removeAll()
        var options = [(name: "proto_version", value: "1")]
        if messages {
            if serverVersion >= 140_000 {
                options.append((name: "messages", value: "true"))
            } else if !saidNoMessages {
                saidNoMessages = true
                host.log(.info, "logical messages are not sent by this server: they need PostgreSQL 14 or later (options.messages)")
            }
        }
        if serverVersion >= 160_000 {
            options.append((name: "origin", value: origin))
        } else if origin == "none" {
            throw .config("options.origin: none needs PostgreSQL 16 or later; this server is \(serverVersion / 10_000): set it to any")
        }
        return options
    }

    override func decode(
        _ message: UnsafeRawBufferPointer, walStart: UInt64, _ ops: UnsafePointer<cdcp_builder_ops>, _ builder: OpaquePointer
    ) -> cdcp_status {
        guard let start = message.baseAddress, !message.isEmpty else {
            host.setError("an empty message came from pgoutput")
            return CDCP_E_DATA
        }
        let first = start.assumingMemoryBound(to: UInt8.self)
        let type = first.pointee
        var cursor = Cursor(first, count: message.count)
        cursor.moved(to: first + 1)
        do throws(Refusal) {
            let builder = Builder(ops: ops, pointer: builder)
            switch type {
            case MessageType.insert: try session.pointee.insert(&cursor, builder)
            case MessageType.update: try session.pointee.update(&cursor, builder)
            case MessageType.delete: try session.pointee.delete(&cursor, builder)
            case MessageType.begin: try session.pointee.begin(&cursor, builder)
            case MessageType.commit: try session.pointee.commit(&cursor, builder)
            case MessageType.relation: remember(try session.pointee.relation(&cursor, builder))
            case MessageType.type: try session.pointee.type(&cursor, builder)
            case MessageType.origin: try session.pointee.origin(&cursor, builder)
            case MessageType.truncate: try session.pointee.truncate(&cursor, builder)
            case MessageType.message: try session.pointee.message(&cursor, builder)
            default: throw MessageType.refusal(of: type)
            }
            return CDCP_OK
        } catch { return complain(error, UnsafeBufferPointer(start: first, count: message.count), at: cursor.offset, walStart) }
    }

    private func remember(_ relation: AnnouncedRelation) {
        names[relation.oid] = String(relation.schema) + "." + String(relation.name)
    }

    private func complain(_ refusal: Refusal, _ message: UnsafeBufferPointer<UInt8>, at offset: Int, _ walStart: UInt64) -> cdcp_status {
        if case .builder(let status) = refusal { return status }
        let type = message.first ?? 0
        var text = "pgoutput message \(MessageType.name(of: type)) at \(lsn(walStart)), byte \(offset)"
        if MessageType.isRow(type), message.count >= 5, let start = message.baseAddress {
            let oid = UInt32(bigEndian: UnsafeRawPointer(start + 1).loadUnaligned(as: UInt32.self))
            text += ", table " + (names[oid] ?? "with the unknown number \(oid)")
        }
        text += ": \(refusal.text)"
        host.setError(text)
        return CDCP_E_DATA
    }
}

/// A position as PostgreSQL writes it.
private func lsn(_ position: UInt64) -> String {
    String(position >> 32, radix: 16, uppercase: true) + "/" + String(position & 0xFFFF_FFFF, radix: 16, uppercase: true)
}
