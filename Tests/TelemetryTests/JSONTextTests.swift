import Telemetry
import Testing

@Suite struct JSONTextTests {
    @Test func oneLineKeepsOrderAndDigits() {
        let document: JSONText = [
            "z": 1, "a": .unsigned(.max), "real": .real(0.5), "whole": .real(3), "nan": .real(.nan), "none": nil, "list": [true, "x"], "empty": [],
            "object": .object([]),
        ]
        #expect(
            document.rendered()
                == #"{"z":1,"a":18446744073709551615,"real":0.5,"whole":3,"nan":"NaN","none":null,"list":[true,"x"],"empty":[],"object":{}}"#)
    }

    @Test func textIsEscaped() {
        #expect(JSONText.text("a\"b\\c\n\r\t\u{1}\u{7F}\u{2028}ü").rendered() == #""a\"b\\c\n\r\t\u0001\u007f\u2028ü""#)
    }

    @Test func forPeopleItIsIndented() {
        let document: JSONText = ["a": [1, 2], "b": ["c": nil], "d": []]
        #expect(
            document.renderedForPeople() == """
                {
                  "a": [
                    1,
                    2
                  ],
                  "b": {
                    "c": null
                  },
                  "d": []
                }

                """)
    }

    @Test func largeCountsKeepTheirValue() {
        #expect(JSONText.count(UInt64.max).rendered() == "18446744073709551615")
        #expect(JSONText.count(-5).rendered() == "-5")
    }
}
