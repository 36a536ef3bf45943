/// Where the shop lives: what its stream, schema and topics are called. Beside anything of the user's, under names that nobody else has.
struct Place {
    /// Tables, and into how many partitions their topics are split.
    static let tables: [(name: String, partitions: Int32)] = [
        ("customers", 1), ("products", 1), ("orders", 3), ("order_items", 1), ("baskets", 1),
    ]

    let stream: String
    let schema: String

    init(ownPostgres: Bool, ownKafka: Bool) {
        stream = ownPostgres || ownKafka ? "demo" : "shop"
        schema = ownPostgres ? "cdc_demo" : "public"
    }

    var slot: String { "cdc_\(stream)" }
    var publication: String { "cdc_\(stream)" }
    var topics: [ShopTopic] { Self.tables.map { ShopTopic(name: "\(stream).\(schema).\($0.name)", partitions: $0.partitions) } }
}
