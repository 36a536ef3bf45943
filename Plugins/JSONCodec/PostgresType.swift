/// OIDs of built-in types, fixed in the server's catalog.
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int2vector: UInt32 = 22
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let oidvector: UInt32 = 30
    static let json: UInt32 = 114
    static let xml: UInt32 = 142
    static let point: UInt32 = 600
    static let box: UInt32 = 603
    static let cidr: UInt32 = 650
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let macaddr8: UInt32 = 774
    static let money: UInt32 = 790
    static let macaddr: UInt32 = 829
    static let inet: UInt32 = 869
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let date: UInt32 = 1082
    static let time: UInt32 = 1083
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let interval: UInt32 = 1186
    static let timetz: UInt32 = 1266
    static let bit: UInt32 = 1560
    static let varbit: UInt32 = 1562
    static let numeric: UInt32 = 1700
    static let uuid: UInt32 = 2950
    static let tsvector: UInt32 = 3614
    static let jsonb: UInt32 = 3802
    /// int4, num, ts, tstz, date and int8, in this order.
    static let ranges: [UInt32] = [3904, 3906, 3908, 3910, 3912, 3926]

    /// Array types of the catalog and their elements, for hosts that do not say what an array holds.
    static let elements: [UInt32: UInt32] = [
        1000: bool, 1001: bytea, 1002: char, 1003: name, 1016: int8, 1005: int2, 1007: int4, 1009: text, 1028: oid, 199: json, 143: xml, 1017: point,
        1020: box, 651: cidr, 1021: float4, 1022: float8, 775: macaddr8, 791: money, 1040: macaddr, 1041: inet, 1014: bpchar, 1015: varchar,
        1182: date, 1183: time, 1115: timestamp, 1185: timestamptz, 1187: interval, 1270: timetz, 1561: bit, 1563: varbit, 1231: numeric,
        2951: uuid, 3643: tsvector, 3807: jsonb, 3905: 3904, 3907: 3906, 3909: 3908, 3911: 3910, 3913: 3912, 3927: 3926,
    ]

    /// Types of extensions that Debezium sends as text, by name.
    static let textNames: Set<String> = ["citext", "ltree", "isbn"]
}
