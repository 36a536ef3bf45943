@testable import Chain
import Glibc
import PluginABI

/// A stage behind the contract's C tables whose behaviour is set by the test. Its descriptor leads back to it, so that every instance of it does.
final class FakeStage: @unchecked Sendable {
    // SAFETY: behaviour is set before the stage is used; what is counted is read when its threads are quiet.
    typealias Relation = UnsafePointer<cdcp_relation>
    typealias Batch = UnsafeMutablePointer<cdcp_batch>

    let role: Int32
    let name: String
    let flags: UInt64
    private let descriptor: UnsafeMutablePointer<cdcp_stage_desc>
    var host: UnsafePointer<cdcp_host>?

    var bind: (Relation, UnsafeMutablePointer<Relation?>) -> cdcp_status = { _, _ in CDCP_OK }
    var complete: () -> cdcp_status = { CDCP_OK }
    var decode: (UnsafeBufferPointer<UInt8>, cdcp_builder_ops, OpaquePointer?) -> cdcp_status = { _, _, _ in CDCP_E_UNSUPPORTED }
    var process: (Batch) -> cdcp_status = { _ in CDCP_OK }
    var encode: (Batch, UnsafeMutablePointer<cdcp_emitter>) -> cdcp_status = { _, _ in CDCP_OK }
    var assign: (UnsafeMutablePointer<cdcp_record>, Int) -> cdcp_status = { records, count in
        for index in 0..<count { records[index].partition = 0 }
        return CDCP_OK
    }
    var topic: (UInt32, String) -> (cdcp_status, Int32) = { _, _ in (CDCP_OK, 4) }
    var submit: (UnsafePointer<cdcp_submission>) -> cdcp_status = { _ in CDCP_OK }

    private(set) var instances = 0
    private(set) var destroyed = 0
    private(set) var bound: [String] = []
    private(set) var unbound = 0
    private(set) var unbindThreads: [pthread_t] = []

    init(_ role: Int32, _ name: String, flags: UInt64 = 0) {
        self.role = role
        self.name = name
        self.flags = flags
        descriptor = .allocate(capacity: 1)
        descriptor.initialize(to: cdcp_stage_desc())
        descriptor.pointee.ops = UnsafeRawPointer(Unmanaged.passRetained(self).toOpaque())
    }

    private static func of(_ this: UnsafeMutableRawPointer?) -> FakeStage { Unmanaged.fromOpaque(this!).takeUnretainedValue() }

    private static let life = cdcp_lifecycle(
        struct_size: UInt32(MemoryLayout<cdcp_lifecycle>.size), reserved: 0,
        create: { host, descriptor, this in
            let stage = FakeStage.of(UnsafeMutableRawPointer(mutating: descriptor!.pointee.ops))
            stage.host = host
            stage.instances += 1
            this!.pointee = Unmanaged.passUnretained(stage).toOpaque()
            return CDCP_OK
        },
        configure: { _, _ in CDCP_OK }, activate: { _, _, _ in CDCP_OK },
        bind_relation: { this, relation, out, plan in
            let stage = FakeStage.of(this)
            let status = stage.bind(relation!, out!)
            if status == CDCP_OK { stage.bound.append(String(abi: relation!.pointee.relname)) }
            plan!.pointee = UnsafeMutableRawPointer(mutating: relation!)
            return status
        },
        unbind_relation: { this, _ in
            FakeStage.of(this).unbound += 1
            FakeStage.of(this).unbindThreads.append(pthread_self())
        },
        bindings_complete: { FakeStage.of($0).complete() }, deactivate: { _, _ in CDCP_OK }, destroy: { FakeStage.of($0).destroyed += 1 },
        get_extension: { _, _ in nil })

    /// As the loader would hand it over.
    var code: StageCode {
        var code = StageCode(
            role: UInt32(role), id: name, pluginID: "fake", version: "1", flags: flags, sha256: "", descriptor: UnsafePointer(descriptor), life: Self.life)
        switch role {
        case CDCP_ROLE_DECODER:
            code.decoder = cdcp_decoder_ops(
                struct_size: 0, reserved: 0, start_options: { _, _, _, _ in CDCP_OK },
                decode: { this, bytes, count, _, ops, builder in
                    FakeStage.of(this).decode(UnsafeBufferPointer(start: bytes, count: Int(count)), ops!.pointee, builder)
                }, output_plugin: nil)
        case CDCP_ROLE_TRANSFORM:
            code.transform = cdcp_transform_ops(struct_size: 0, reserved: 0, process: { FakeStage.of($0).process($1!) })
        case CDCP_ROLE_CODEC:
            code.codec = cdcp_codec_ops(struct_size: 0, reserved: 0, encode: { FakeStage.of($0).encode($1!, $2!) })
        case CDCP_ROLE_PARTITIONER:
            code.partitioner = cdcp_partitioner_ops(
                struct_size: 0, reserved: 0,
                assign: { this, _, records, count, _, _, _ in FakeStage.of(this).assign(records!.assumingMemoryBound(to: cdcp_record.self), Int(count)) })
        default:
            code.sink = cdcp_sink_ops(
                struct_size: 0, reserved: 0,
                topic: { this, number, name, partitions in
                    let (status, count) = FakeStage.of(this).topic(number, String(abi: name))
                    partitions!.pointee = count
                    return status
                }, submit: { FakeStage.of($0).submit($1!) }, flush: { _, _ in CDCP_OK })
        }
        return code
    }

    /// Fails a row, as a stage does.
    func fail(_ batch: Batch, _ row: UInt32, code: Int32 = CDCP_CODE_VALUE, _ text: String = "cannot be converted") {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { _ = host!.pointee.row_fail(batch, row, code, $0.baseAddress, UInt64($0.count)) }
        }
    }

    /// The rows of a batch that the stage may touch, in their order.
    static func rows(_ batch: Batch, _ body: (UInt32, UnsafeMutablePointer<cdcp_row>, Relation?) -> Void) {
        for index in 0..<Int(batch.pointee.run_count) {
            let run = batch.pointee.runs[index]
            let relation = run.rel_index == CDCP_NO_RELATION ? nil : batch.pointee.relations[Int(run.rel_index)]
            for row in run.first..<run.first + run.count { body(row, cdcp_batch_row(batch, row), relation) }
        }
    }
}

/// Text of a cell, with a sign for what is none.
func shown(_ cell: cdcp_cell) -> String {
    switch Int32(cell.kind) {
    case CDCP_CELL_NULL: "NULL"
    case CDCP_CELL_ABSENT: "ABSENT"
    case CDCP_CELL_UNCHANGED: "UNCHANGED"
    default: String(decoding: UnsafeBufferPointer(start: cell.ptr, count: Int(cell.len)), as: UTF8.self)
    }
}
