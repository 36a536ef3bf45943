import Testing

@testable import Host
@testable import Settings

@Suite struct TopicNamesTests {
    private func name(_ template: String, _ schema: String = "public", _ table: String = "orders") -> String {
        TopicNames.name(TopicSettings(prefix: "shop", template: template), schema: schema, table: table)
    }

    @Test func theTemplateIsApplied() {
        #expect(name("{prefix}.{schema}.{table}") == "shop.public.orders")
        #expect(name("all") == "all")
        #expect(name("{table}-{table}") == "orders-orders")
    }

    @Test func whatKafkaRefusesBecomesAnUnderscore() {
        #expect(name("{prefix}.{schema}.{table}", "public", "Order Items") == "shop.public.Order_Items")
        #expect(name("{table}", "public", "größe") == "gr__e")
        #expect(name("{table}", "public", "a.b/c") == "a.b_c")
    }

    @Test func aNameIsNeverReadAsATemplate() {
        #expect(name("{prefix}.{table}", "public", "{schema}") == "shop._schema_")
    }
}
