/// One thing that happens in the shop: a transaction.
struct Scene {
    var narration: String
    var statements: String
    var rolledBack = false
}

/// What happens in the shop, over and over, with new people and orders each time.
struct Scenes {
    private static let people = ["Alan", "Barbara", "Katherine", "Donald", "Frances", "Ken", "Margaret", "Niklaus", "Radia", "Tony"]
    private static let cities = ["Oslo", "Lisbon", "Kyoto", "Quito", "Tartu", "Porto", "Leiden"]
    private static let perRound = 12
    private var number = 0

    /// The next one. Every committed one changes at least one row.
    mutating func next() -> Scene {
        defer { number += 1 }
        let round = number / Self.perRound
        let customer = 4 + round
        let order = 1001 + 2 * round
        let name = Self.people[round % Self.people.count]
        let city = Self.cities[round % Self.cities.count]
        let tea = round % 2 == 0 ? ("TEA-001", "TEA-101") : ("TEA-101", "TEA-001")
        switch number % Self.perRound {
        case 0:
            return Scene(
                narration: "\(name) opens an account; the email is masked on its way",
                statements: "INSERT INTO customers VALUES (\(customer), '\(name.lowercased())\(customer)@example.org', '\(name)', '\(city)')")
        case 1:
            return Scene(
                narration: "\(name) buys two things: one transaction over three tables",
                statements: """
                    INSERT INTO orders (id, customer_id, status, total_cents) VALUES (\(order), \(customer), 'new', 4780);
                    INSERT INTO order_items VALUES (\(order), 1, 'POT-001', 1), (\(order), 2, '\(tea.0)', 2);
                    UPDATE products SET stock = stock - 1 WHERE sku = 'POT-001'
                    """)
        case 2: return Scene(narration: "the order is paid", statements: "UPDATE orders SET status = 'paid' WHERE id = \(order)")
        case 3:
            return Scene(
                narration: "a card is refused: rolled back, so nothing of it arrives",
                statements: """
                    INSERT INTO orders (id, customer_id, status, total_cents) VALUES (\(order + 1), 2, 'new', 999999);
                    UPDATE products SET stock = stock - 1 WHERE sku = 'CUP-001'
                    """, rolledBack: true)
        case 4:
            return Scene(
                narration: "\(name) moves and has a new email",
                statements: "UPDATE customers SET email = 'post\(customer)@example.net', city = 'Berlin' WHERE id = \(customer)")
        case 5:
            return Scene(
                narration: "the tea gets another number: a key change is delete, tombstone, insert",
                statements: "UPDATE products SET sku = '\(tea.1)' WHERE sku = '\(tea.0)'")
        case 6:
            return Scene(
                narration: "two baskets are filled",
                statements: "INSERT INTO baskets VALUES (1, 'CUP-001', 2), (2, '\(tea.1)', 1)")
        case 7:
            return Scene(
                narration: "baskets are truncated",
                statements: "TRUNCATE baskets; INSERT INTO baskets VALUES (3, 'CUP-001', 1)")
        case 8 where round == 0:
            return Scene(
                narration: "orders get a new column while all of this runs",
                statements: """
                    ALTER TABLE orders ADD COLUMN gift boolean NOT NULL DEFAULT false;
                    UPDATE orders SET status = 'packed' WHERE id = \(order)
                    """)
        case 8: return Scene(narration: "the order is packed", statements: "UPDATE orders SET status = 'packed', gift = false WHERE id = \(order)")
        case 9:
            return Scene(
                narration: "Ada sends a gift; the new column comes along",
                statements: """
                    INSERT INTO orders (id, customer_id, status, total_cents, gift) VALUES (\(order + 1), 1, 'new', 1250, true);
                    INSERT INTO order_items VALUES (\(order + 1), 1, 'CUP-001', 1)
                    """)
        case 10:
            return Scene(
                narration: "both orders are sent",
                statements: "UPDATE orders SET status = 'sent' WHERE id IN (\(order), \(order + 1))")
        default:
            return Scene(
                narration: "\(name) closes the account; a tombstone follows the delete",
                statements: "DELETE FROM baskets; DELETE FROM customers WHERE id = \(customer)")
        }
    }
}
