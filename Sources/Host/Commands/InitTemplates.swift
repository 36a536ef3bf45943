/// The files that `init` writes: the project's own plugins.d, text for text (a test holds the two together).
enum InitTemplates {
    /// Name and text, in the order of the names.
    static let files: [(name: String, text: String)] = [
        ("10-decoder.yaml", decoder),
        ("20-filter.yaml", filter),
        ("30-masking.yaml", masking),
        ("40-codec.yaml", codec),
        ("50-partitioner.yaml", partitioner),
        ("60-sink-file.yaml.disabled", sinkFile),
        ("60-sink.toml", sink),
        ("host.yaml", host),
    ]

    private static let decoder = #"""
        # Bytes of the replication stream become rows. Exactly one decoder, and it comes first.
        #
        # plugin: a bare name is one of the host's own; a path with a slash in it (./my.so) is a file, relative to this one.
        plugin: PgOutput

        # Of a library with several stages, which: (the default is the only one)
        # stage: PgOutput
        # Refuse the library unless sha256sum prints this:
        # sha256: 64 hex digits

        options:
          # What pg_logical_emit_message wrote arrives as records too.
          messages: true
          # any: all changes; none: only those that did not come by replication themselves (PostgreSQL 16 and later).
          # origin: any
          # Values in binary form; text is what the rest of the chain expects.
          # binary: false

        """#

    private static let filter = #"""
        # A transform: leaves rows, columns or operations out. What the publication can leave out (source.tables, source.columns, source.rows in host.yaml)
        # costs nothing here, so prefer that; this stage can be changed while the stream runs.
        plugin: Filter

        # Transforms only: which rows this stage sees at all. The default is every row.
        # match:
        #   tables: ["public.orders"]
        #   ops: [insert, update, delete, truncate, message, read]

        # Rows that this stage fails: stop ends the stream before the first of them, skip counts them and goes on.
        on_error: stop

        options:
          # Patterns over schema.table.
          tables:
            include: ["*.*"]
            exclude: []
          # Patterns over schema.table.column; key columns stay in any case.
          # columns: { include: ["*.*.*"], exclude: ["public.orders.internal_note"] }
          # Operations that pass; a consumer that never hears of a delete keeps the row for ever.
          # ops: [insert, update, delete, truncate, message, read]

        """#

    private static let masking = #"""
        # A transform: replaces what must not leave. Nothing behind this stage sees the original value, neither new nor old nor in the key.
        plugin: Masking
        on_error: stop

        options:
          # column: schema.table.column, patterns allowed.
          # how:
          #   fixed      value: "…"                       the same text for every row
          #   hash       algorithm: sha256, salt: "…"     lower-case hex; equal values stay equal
          #   keep_first n: 2, fill: "*"                  the first n characters, the rest filled
          #   keep_last  n: 4, fill: "*"                  the last n characters
          #   truncate   n: 10                            at most n characters
          #   null                                        nothing at all
          columns:
            - column: "${env:CDC_MASK:-*.customers.email}"
              how: keep_first
              n: 2
              fill: "*"
          # - { column: public.customers.name, how: hash, salt: "${file:/etc/cdc-host/salt}" }

          # A column that is gone, or fits no table, may be a renamed one: a leak. stop refuses to go on; ignore is right for a pattern such as the one
          # above, that shall wait for tables to come. Write stop as soon as your own columns stand here.
          on_missing: ignore

        """#

    private static let codec = #"""
        # Rows become records: the key and the value that consumers read. Exactly one codec.
        plugin: JSONCodec
        on_error: stop

        options:
          # debezium: the envelope that consumers of Debezium know; compact: one small object a change.
          format: "${env:CDC_FORMAT:-debezium}"
          # The options below carry Debezium's own names in snake case, and its defaults.
          # The schema in every record.
          schemas_enable: false
          # A record without a value after each delete, so that compacted topics forget the key.
          tombstones_on_delete: true
          # Operations without records: create, update, delete, truncate.
          skipped_operations: ["${env:CDC_SKIPPED_OPERATIONS:-truncate}"]
          # Key columns for tables whose own key does not serve, by table.
          # message_key_columns: { "public.orders": [customer_id] }

        """#

    private static let partitioner = #"""
        # Which partition of its topic a record goes to. At most one partitioner; KafkaSink needs one.
        plugin: KeyPartitioner

        options:
          # key: murmur2 of the encoded key, to the partition that Kafka's Java client chooses. table: all of a table in one partition.
          # columns: by some of the columns, given in columns: { "public.orders": [customer_id] }.
          by: key
          # Records without a key: table keeps the order of their table, round_robin spreads them.
          without_key: table

        """#

    private static let sinkFile = #"""
        # Instead of Kafka: one line of JSON a record, to a file or to standard output. To use it, rename this file to 60-sink.yaml
        # and 60-sink.toml to 60-sink.toml.disabled.
        plugin: FileSink
        on_error: stop

        options:
          # A file, relative to this one; - is standard output.
          path: "-"
          # batch: every batch is on the disk before it counts as delivered.
          fsync: batch

        """#

    private static let sink = #"""
        # Where records go. Exactly one sink, and it comes last. (Any of these files may be TOML or YAML.)
        # To a file or the screen instead: 60-sink-file.yaml.disabled beside this one says how.
        plugin = "KafkaSink"

        # Records that the sink fails, or that are larger than limits.record: stop or skip.
        on_error = "stop"

        # librdkafka's own property names. Idempotence, acks=all and an unlimited message timeout are set by the sink and cannot be weakened.
        [options.kafka]
        "bootstrap.servers" = "${env:CDC_KAFKA:-127.0.0.1:9092}"
        "client.id" = "cdc-host"
        # "compression.type" = "lz4"
        # "security.protocol" = "SASL_SSL"
        # "sasl.mechanism" = "PLAIN"
        # "sasl.username" = "cdc"
        # "sasl.password" = "${file:/etc/cdc-host/kafka-password}"

        # Topics that do not exist yet.
        [options.topics]
        create = true
        # partitions = 1
        # replication_factor = 3
        # [options.topics.config]
        # "cleanup.policy" = "compact"

        """#

    private static let host = #"""
        # What belongs to the host itself. The files beside this one are the stages that every row passes, in the order of their numbers.
        # A line that begins with "# " and a key shows that key's default. cdc-host check --plugins DIR tells whether all of it makes sense.
        #
        # Any text may hold ${env:NAME}, ${env:NAME:-default} or ${file:PATH}; $${ is a literal ${. What comes from a file is never shown anywhere.

        # Names this stream: topic prefix, slot and publication (cdc_NAME), checkpoint, metric label.
        name: "${env:CDC_NAME:-shop}"

        source:
          # Any libpq connection string or URI; service=, passfile= and several hosts work too. A password is best kept elsewhere and put in as
          # "host=db.example user=cdc dbname=shop password=${file:/etc/cdc-host/password}": whatever it holds, it stays a password.
          connection: "${env:CDC_PG:-postgresql:///postgres?host=/var/run/postgresql}"

          # stream reads from a walsender.
          # mode: stream

          tables:
            # Patterns over schema.table: * is any run of characters, ? any one. A name that needs it is quoted as in SQL: 'public."Order Items"'.
            # One text may hold several patterns with commas between them, so that one variable can.
            include: ["${env:CDC_TABLES:-public.*}"]
            # Tables that are left out though include names them.
            exclude: []

          # Columns, as patterns over schema.table.column. include: [] means all of them; key columns cannot be left out.
          # columns: { include: [], exclude: [] }

          # Which rows of a table take part, as a SQL condition (PostgreSQL 15 and later).
          # rows: { "public.orders": "region = 'EU'" }

          slot:
            # The replication slot. It is made once, when nothing of this stream exists yet, and never made again behind your back.
            # name: cdc_shop
            # create: true
            # A stop drops it: what is committed after that is lost to this stream. For trials only.
            drop_on_stop: false
            # How long to wait for a slot that another process holds; the default is the server's wal_sender_timeout and ten seconds.
            # wait: 70s

          publication:
            # name: cdc_shop
            # The host makes it and keeps all of the tables in it; with false it only checks it.
            manage: true

          # How often the server hears of the position, how long connecting may take, how long a link may be silent.
          # status_interval: 10s
          # connect_timeout: 10s
          # silence_timeout: 60s

        snapshot:
          # The rows that are already there: initial (at the first start), initial_only (and then the end), never.
          mode: initial
          # workers: 1
          # chunk_rows: 100000

        topics:
          # prefix: shop
          template: "{prefix}.{schema}.{table}"

        # Checkpoint, lock and private copies of the plugins; relative to the working directory. The default is $STATE_DIRECTORY, else state.
        # state: { directory: state }

        limits:
          # All that waits between PostgreSQL and Kafka, at most.
          in_flight: 24MiB
          # The largest record; a larger one goes the way of the sink's on_error.
          record: 1MB
          # How long a stop may take to deliver what is on its way.
          stop: 30s

        # How many rows a stage sees at once, at most. A batch is cut earlier whenever nothing more has arrived.
        # batch: { rows: 512, bytes: 1MiB }

        # Pauses between attempts grow from initial to max; give_up_after is a duration or never.
        # retry: { initial: 100ms, max: 30s, give_up_after: never }

        admin:
          # /metrics, /healthz, /readyz, /status. HOST:PORT (port 0 picks one and logs it), unix:PATH or off.
          listen: "${env:CDC_ADMIN:-127.0.0.1:9464}"

        log:
          # debug, info, warning or error.
          level: "${env:CDC_LOG_LEVEL:-info}"
          # text for people, json for machines.
          format: text
          # A file in place of standard error, relative to this file; SIGUSR1 opens it anew.
          # file: /var/log/cdc-host.log

        """#
}
