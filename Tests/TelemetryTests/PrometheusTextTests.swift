import Telemetry
import Testing

@Suite struct PrometheusTextTests {
    @Test func rendersEveryKindAsAScraperReadsIt() {
        let registry = MetricsRegistry(stream: "shop")
        registry.counter(.rows, "public.orders", "insert").add(3)
        registry.counter(.rows, "public.orders", "delete").add()
        registry.time(.stageSeconds, "30-masking").add(.milliseconds(1500))
        registry.gauge(.confirmedLSN).set(18_446_744_073_709_551_615)
        registry.realGauge(.lagSeconds).set(0.25)
        registry.callback(.checkpointAge) { .real(2) }
        registry.callback(.slotRetainedBytes) { nil }
        #expect(
            PrometheusText.render(registry) == """
                # HELP cdc_checkpoint_age_seconds Seconds since the checkpoint was last written.
                # TYPE cdc_checkpoint_age_seconds gauge
                cdc_checkpoint_age_seconds{stream="shop"} 2
                # HELP cdc_confirmed_lsn Log position confirmed to the server, after the checkpoint.
                # TYPE cdc_confirmed_lsn gauge
                cdc_confirmed_lsn{stream="shop"} 18446744073709551615
                # HELP cdc_lag_seconds Age of the oldest transaction that waits for the sink, in seconds.
                # TYPE cdc_lag_seconds gauge
                cdc_lag_seconds{stream="shop"} 0.25
                # HELP cdc_rows_total Rows received from the server, by table and operation.
                # TYPE cdc_rows_total counter
                cdc_rows_total{stream="shop",table="public.orders",op="delete"} 1
                cdc_rows_total{stream="shop",table="public.orders",op="insert"} 3
                # HELP cdc_stage_seconds_total Time spent inside a stage, in seconds.
                # TYPE cdc_stage_seconds_total counter
                cdc_stage_seconds_total{stream="shop",stage="30-masking"} 1.5

                """)
    }

    @Test func histogramBucketsAreCumulativeAndEndWithInfinity() {
        let registry = MetricsRegistry(stream: "s")
        let pause = registry.histogram(.reloadPause, bounds: [0.001, 0.01])
        pause.observe(.microseconds(500))
        pause.observe(.milliseconds(10))
        pause.observe(.seconds(2))
        let lines = PrometheusText.render(registry).split(separator: "\n").dropFirst(2)
        #expect(
            Array(lines) == [
                #"cdc_reload_pause_seconds_bucket{stream="s",le="0.001"} 1"#,
                #"cdc_reload_pause_seconds_bucket{stream="s",le="0.01"} 2"#,
                #"cdc_reload_pause_seconds_bucket{stream="s",le="+Inf"} 3"#,
                #"cdc_reload_pause_seconds_sum{stream="s"} 2.0105"#,
                #"cdc_reload_pause_seconds_count{stream="s"} 3"#,
            ])
    }

    @Test func hostileNamesStayInsideTheirLabel() {
        let registry = MetricsRegistry(stream: "a\"b")
        registry.counter(.recordsAcknowledged, "x\\y\r\nz\"} 9").add()
        #expect(
            PrometheusText.render(registry).contains(
                "cdc_records_acknowledged_total{stream=\"a\\\"b\",topic=\"x\\\\y\r\\nz\\\"} 9\"} 1\n"))
    }

    @Test func aDeclaredMetricHasItsHeadBeforeItsFirstSeriesAndOnce() {
        let registry = MetricsRegistry(stream: "s")
        registry.declare([.skipped])
        #expect(PrometheusText.render(registry).split(separator: "\n").map { $0.prefix(26) } == ["# HELP cdc_skipped_total R", "# TYPE cdc_skipped_total c"])
        registry.counter(.skipped, "40-codec", "4").add()
        registry.declare([.skipped])
        #expect(PrometheusText.render(registry).hasSuffix("counter\ncdc_skipped_total{stream=\"s\",stage=\"40-codec\",code=\"4\"} 1\n"))
    }

    @Test func seriesAreBounded() {
        let registry = MetricsRegistry(stream: "s")
        for number in 0..<(MetricsRegistry.seriesMax + 50) { registry.counter(.recordsAcknowledged, "t\(number)").add() }
        let lines = PrometheusText.render(registry).split(separator: "\n")
        #expect(lines.count == MetricsRegistry.seriesMax + 3)
        #expect(lines.contains(#"cdc_records_acknowledged_total{stream="s",topic="_other"} 50"#))
    }
}
