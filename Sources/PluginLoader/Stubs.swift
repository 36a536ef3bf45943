import PluginABI

// What stands in a slot that a plugin's table is too short for. C calls them, so they take everything and do nothing.

extension cdcp_lifecycle {
    mutating func fillGaps() {
        struct_size = UInt32(MemoryLayout<Self>.size)
        create = create ?? { _, _, _ in CDCP_E_UNSUPPORTED }
        configure = configure ?? { _, _ in CDCP_E_UNSUPPORTED }
        activate = activate ?? { _, _, _ in CDCP_E_UNSUPPORTED }
        bind_relation = bind_relation ?? { _, _, _, _ in CDCP_E_UNSUPPORTED }
        unbind_relation = unbind_relation ?? { _, _ in }
        bindings_complete = bindings_complete ?? { _ in CDCP_E_UNSUPPORTED }
        deactivate = deactivate ?? { _, _ in CDCP_E_UNSUPPORTED }
        destroy = destroy ?? { _ in }
        get_extension = get_extension ?? { _, _ in nil }
    }

    /// The slots, in their order.
    var slots: [TableSlot] {
        [
            TableSlot("create", \Self.create, create == nil), TableSlot("configure", \Self.configure, configure == nil),
            TableSlot("activate", \Self.activate, activate == nil), TableSlot("bind_relation", \Self.bind_relation, bind_relation == nil),
            TableSlot("unbind_relation", \Self.unbind_relation, unbind_relation == nil),
            TableSlot("bindings_complete", \Self.bindings_complete, bindings_complete == nil),
            TableSlot("deactivate", \Self.deactivate, deactivate == nil), TableSlot("destroy", \Self.destroy, destroy == nil),
            TableSlot("get_extension", \Self.get_extension, get_extension == nil),
        ]
    }
}

extension cdcp_decoder_ops {
    mutating func fillGaps() {
        struct_size = UInt32(MemoryLayout<Self>.size)
        start_options = start_options ?? { _, _, _, _ in CDCP_E_UNSUPPORTED }
        decode = decode ?? { _, _, _, _, _, _ in CDCP_E_UNSUPPORTED }
    }

    var slots: [TableSlot] {
        [
            TableSlot("start_options", \Self.start_options, start_options == nil), TableSlot("decode", \Self.decode, decode == nil),
            TableSlot("output_plugin", \Self.output_plugin, output_plugin == nil),
        ]
    }
}

extension cdcp_transform_ops {
    mutating func fillGaps() {
        struct_size = UInt32(MemoryLayout<Self>.size)
        process = process ?? { _, _ in CDCP_E_UNSUPPORTED }
    }

    var slots: [TableSlot] { [TableSlot("process", \Self.process, process == nil)] }
}

extension cdcp_codec_ops {
    mutating func fillGaps() {
        struct_size = UInt32(MemoryLayout<Self>.size)
        encode = encode ?? { _, _, _ in CDCP_E_UNSUPPORTED }
    }

    var slots: [TableSlot] { [TableSlot("encode", \Self.encode, encode == nil)] }
}

extension cdcp_partitioner_ops {
    mutating func fillGaps() {
        struct_size = UInt32(MemoryLayout<Self>.size)
        assign = assign ?? { _, _, _, _, _, _, _ in CDCP_E_UNSUPPORTED }
    }

    var slots: [TableSlot] { [TableSlot("assign", \Self.assign, assign == nil)] }
}

extension cdcp_sink_ops {
    mutating func fillGaps() {
        struct_size = UInt32(MemoryLayout<Self>.size)
        topic = topic ?? { _, _, _, _ in CDCP_E_UNSUPPORTED }
        submit = submit ?? { _, _ in CDCP_E_UNSUPPORTED }
        flush = flush ?? { _, _ in CDCP_E_UNSUPPORTED }
    }

    var slots: [TableSlot] {
        [
            TableSlot("topic", \Self.topic, topic == nil), TableSlot("submit", \Self.submit, submit == nil),
            TableSlot("flush", \Self.flush, flush == nil),
        ]
    }
}

/// One slot of a table: its name, where it is, and whether it is NULL.
struct TableSlot {
    let name: String
    let offset: Int
    let isNull: Bool

    init<Table, Slot>(_ name: String, _ path: KeyPath<Table, Slot>, _ isNull: Bool) {
        self.name = name
        self.offset = MemoryLayout<Table>.offset(of: path) ?? Int.max
        self.isNull = isNull
    }
}
