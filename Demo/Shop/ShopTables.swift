/// The shop's tables: makes them, and in a database of the user's first claims the schema and at the end removes it with slot and publication.
struct ShopTables {
    /// Rows that are there before the host starts; they come as a snapshot.
    static let seededRows = 7
    private static let mark = "made by the demo of cdc-host"
    let place: Place

    /// Makes sure that the names are free. What a demo that was killed has left behind is removed; anything else is left alone.
    /// - Returns: whether something of an earlier demo was removed.
    /// - Throws: `ShopError` when somebody else has them.
    func claim(in database: Database) throws(ShopError) -> Bool {
        let comment = try database.run("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = '\(place.schema)'")
        let ours = comment.first?.first == Self.mark
        if !comment.isEmpty && !ours {
            throw ShopError("the schema \(place.schema) exists already and is not the demo's: it stays as it is; rename it, or give another database")
        }
        let slot = try database.run("SELECT active FROM pg_replication_slots WHERE slot_name = '\(place.slot)'")
        if slot.first?.first == "t" { throw ShopError("the replication slot \(place.slot) is in use, perhaps by another demo; end that one first") }
        let publication = try database.value("SELECT 1 FROM pg_publication WHERE pubname = '\(place.publication)'")
        guard ours else {
            if !slot.isEmpty { throw ShopError("the replication slot \(place.slot) exists already and is not the demo's; drop it first") }
            if publication != nil { throw ShopError("the publication \(place.publication) exists already and is not the demo's; drop it first") }
            return false
        }
        try remove(from: database)
        return true
    }

    /// Makes schema, tables and the first rows.
    func make(in database: Database) throws(ShopError) {
        if place.schema != "public" {
            try database.run("CREATE SCHEMA \(place.schema); COMMENT ON SCHEMA \(place.schema) IS '\(Self.mark)'")
        }
        // customers: with the old row in the log, so that a consumer sees what changed.
        try database.run(
            """
            SET search_path = \(place.schema); SET statement_timeout = '20s'; SET lock_timeout = '5s'; SET client_min_messages = warning;
            CREATE TABLE customers (id bigint PRIMARY KEY, email text, name text NOT NULL, city text);
            ALTER TABLE customers REPLICA IDENTITY FULL;
            CREATE TABLE products (sku text PRIMARY KEY, name text NOT NULL, price_cents integer NOT NULL, stock integer NOT NULL);
            CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, status text NOT NULL, total_cents integer NOT NULL);
            CREATE TABLE order_items (order_id bigint, line integer, sku text NOT NULL, quantity integer NOT NULL, PRIMARY KEY (order_id, line));
            CREATE TABLE baskets (customer_id bigint, sku text, quantity integer NOT NULL, PRIMARY KEY (customer_id, sku));
            INSERT INTO customers VALUES
                (1, 'ada.l@example.org', 'Ada', 'London'), (2, 'grace@example.com', 'Grace', 'Arlington'), (3, 'ewd@example.net', 'Edsger', 'Nuenen');
            INSERT INTO products VALUES
                ('TEA-001', 'Assam', 690, 1000), ('TEA-002', 'Sencha', 820, 1000), ('CUP-001', 'Cup', 1250, 1000), ('POT-001', 'Tea pot', 3400, 1000);
            """)
    }

    /// Removes schema, slot and publication of a database of the user's; the slot must be free by then.
    func remove(from database: Database) throws(ShopError) {
        try database.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '\(place.slot)'")
        try database.run("DROP PUBLICATION IF EXISTS \(place.publication); DROP SCHEMA IF EXISTS \(place.schema) CASCADE")
    }

    /// A process still reads from the slot.
    func slotIsActive(in database: Database) throws(ShopError) -> Bool {
        try database.value("SELECT active FROM pg_replication_slots WHERE slot_name = '\(place.slot)'") == "t"
    }

    /// Up to where the slot's reader has confirmed; nil while there is no slot.
    func confirmed(in database: Database) throws(ShopError) -> LSN? {
        try database.value("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '\(place.slot)'").flatMap(LSN.init)
    }
}
