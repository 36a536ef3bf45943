import PluginABI
import PluginKit

/// Which encoding a column gets, or that it is left out.
struct EncodingChoice {
    enum Outcome {
        case write(ColumnTraits)
        /// As PostgreSQL's text, because a form of its own is still to come.
        case passed
        /// A type that Debezium does not know.
        case leftOut
    }

    /// The part of `ColumnPlan` that follows from the type.
    struct ColumnTraits {
        var encoding: CellEncoding
        var element = CellEncoding.text
        var unit = TimeUnit.microseconds
        var scale: Int32 = 0
        var delimiter = UInt8(ascii: ",")
        var elementType: UInt32 = 0

        init(_ encoding: CellEncoding, unit: TimeUnit = .microseconds, scale: Int32 = 0) {
            self.encoding = encoding
            self.unit = unit
            self.scale = scale
        }
    }

    let options: CodecOptions

    func outcome(_ column: cdcp_column) -> Outcome {
        let type = column.base_type_oid != 0 ? column.base_type_oid : column.type_oid
        let typmod = column.base_type_oid != 0 && column.base_type_oid != column.type_oid ? column.base_typmod : column.typmod
        let element = column.element_oid != 0 ? column.element_oid : PostgresType.elements[type] ?? 0
        switch options.format {
        case .compact: return .write(compact(type, typmod, element, column))
        case .debezium: return debezium(type, typmod, element, column)
        }
    }

    // MARK: compact

    private func compact(_ type: UInt32, _ typmod: Int32, _ element: UInt32, _ column: cdcp_column) -> ColumnTraits {
        if let vector = vector(type) { return vector }
        guard element != 0 else { return compactScalar(type) }
        let scalar = compactScalar(element)
        return array(of: scalar, element)
    }

    private func compactScalar(_ type: UInt32) -> ColumnTraits {
        switch type {
        case PostgresType.bool: ColumnTraits(.boolean)
        case PostgresType.int2, PostgresType.int4, PostgresType.int8, PostgresType.oid: ColumnTraits(.integer)
        case PostgresType.float4, PostgresType.float8: ColumnTraits(.float)
        case PostgresType.json, PostgresType.jsonb: ColumnTraits(.json)
        case PostgresType.bytea: ColumnTraits(.bytes)
        case PostgresType.timestamp: ColumnTraits(.timestampText)
        case PostgresType.timestamptz: ColumnTraits(.zonedTimestampText)
        default: ColumnTraits(.text)
        }
    }

    // MARK: debezium

    private func debezium(_ type: UInt32, _ typmod: Int32, _ element: UInt32, _ column: cdcp_column) -> Outcome {
        if let vector = vector(type) { return .write(vector) }
        let kind = Int32(column.type_kind)
        if element != 0 {
            if let scalar = debeziumScalar(element, typmod), scalar.encoding != .point, scalar.encoding != .interval, scalar.encoding != .isoInterval
            {
                switch element {
                case PostgresType.money, PostgresType.name, PostgresType.varbit, PostgresType.xml: return .leftOut
                default: return .write(array(of: scalar, element))
                }
            }
            // Of elements that Debezium does not know it leaves the array out, or sends each as it sends such a column.
            if kind == CDCP_TYPE_COMPOSITE || kind == CDCP_TYPE_RANGE || kind == CDCP_TYPE_MULTIRANGE {
                return options.includeUnknown ? .write(array(of: ColumnTraits(.opaque), element)) : .leftOut
            }
            // Arrays of types without a fixed OID: enums and the text-like ones of extensions.
            guard element >= 16384 else { return .leftOut }
            return .write(array(of: ColumnTraits(String(column.type_name) == "_hstore" ? .hstoreText : .text), element))
        }
        if let scalar = debeziumScalar(type, typmod) { return .write(scalar) }
        if kind == CDCP_TYPE_ENUM { return .write(ColumnTraits(.text)) }
        let name = String(column.type_name)
        if type >= 16384, kind != CDCP_TYPE_COMPOSITE, kind != CDCP_TYPE_RANGE, kind != CDCP_TYPE_MULTIRANGE {
            if name == "hstore" { return .write(ColumnTraits(.hstoreText)) }
            if PostgresType.textNames.contains(name) { return .write(ColumnTraits(.text)) }
            if ["geometry", "geography", "vector", "halfvec", "sparsevec"].contains(name) { return .passed }
            // A domain whose base the host did not know.
            if kind == CDCP_TYPE_DOMAIN || name.isEmpty { return .passed }
        }
        return .leftOut
    }

    private func debeziumScalar(_ type: UInt32, _ typmod: Int32) -> ColumnTraits? {
        switch type {
        case PostgresType.bool: return ColumnTraits(.boolean)
        case PostgresType.int2, PostgresType.int4, PostgresType.int8, PostgresType.oid: return ColumnTraits(.integer)
        case PostgresType.float4: return ColumnTraits(.float4)
        case PostgresType.float8: return ColumnTraits(.float8)
        case PostgresType.numeric: return numeric(typmod)
        case PostgresType.money:
            switch options.decimals {
            case .precise: return ColumnTraits(.money)
            case .double: return ColumnTraits(.moneyDouble)
            case .string: return ColumnTraits(.moneyText)
            }
        case PostgresType.text, PostgresType.varchar, PostgresType.bpchar, PostgresType.char, PostgresType.name, PostgresType.json,
            PostgresType.jsonb,
            PostgresType.xml, PostgresType.uuid, PostgresType.inet, PostgresType.cidr, PostgresType.macaddr, PostgresType.macaddr8,
            PostgresType.tsvector:
            return ColumnTraits(.text)
        case PostgresType.bytea: return ColumnTraits(.bytes)
        case PostgresType.bit, PostgresType.varbit: return ColumnTraits(typmod == 1 ? .bit : .bits)
        case PostgresType.interval: return ColumnTraits(options.intervals == .numeric ? .interval : .isoInterval)
        case PostgresType.timetz: return ColumnTraits(.isoTime)
        case PostgresType.timestamptz:
            return ColumnTraits(.zonedTimestamp, scale: typmod >= 0 && typmod <= 6 ? typmod : 6)
        case PostgresType.date: return ColumnTraits(options.times == .isostring ? .isoDate : .date)
        case PostgresType.time, PostgresType.timestamp: return clock(type, coarse: typmod >= 0 && typmod <= 3)
        case PostgresType.point: return ColumnTraits(.point)
        default: return PostgresType.ranges.contains(type) ? ColumnTraits(.text) : nil
        }
    }

    private func clock(_ type: UInt32, coarse: Bool) -> ColumnTraits {
        let time = type == PostgresType.time
        let number = time ? CellEncoding.time : .timestamp
        switch options.times {
        case .adaptive: return ColumnTraits(number, unit: coarse ? .milliseconds : .microseconds)
        case .adaptiveTimeMicroseconds: return ColumnTraits(number, unit: coarse && !time ? .milliseconds : .microseconds)
        case .connect: return ColumnTraits(number, unit: .milliseconds)
        case .microseconds: return ColumnTraits(number, unit: .microseconds)
        case .nanoseconds: return ColumnTraits(number, unit: .nanoseconds)
        case .isostring: return ColumnTraits(time ? .isoTime : .isoTimestamp)
        }
    }

    private func numeric(_ typmod: Int32) -> ColumnTraits {
        // Read as Debezium reads it: a negative scale (PostgreSQL 15) is 2048 more than it is.
        let scale = typmod >= 4 ? (typmod &- 4) & 0xffff : 0
        switch options.decimals {
        case .precise: return typmod >= 4 ? ColumnTraits(.decimal, scale: scale) : ColumnTraits(.variableScaleDecimal)
        case .double: return ColumnTraits(.decimalDouble)
        case .string: return ColumnTraits(.decimalText, scale: scale)
        }
    }

    // MARK: both

    private func vector(_ type: UInt32) -> ColumnTraits? {
        type == PostgresType.int2vector || type == PostgresType.oidvector ? ColumnTraits(.vector) : nil
    }

    private func array(of scalar: ColumnTraits, _ type: UInt32) -> ColumnTraits {
        var traits = scalar
        traits.element = scalar.encoding
        traits.encoding = .array
        traits.elementType = type
        if type == PostgresType.box { traits.delimiter = UInt8(ascii: ";") }
        return traits
    }
}
