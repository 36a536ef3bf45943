import StageHarness
import Testing

// (salt's length, value's length, SHA-256 of both as another implementation computes it): every path over block borders.
private let digests: [(Int, Int, String)] = [
    (0, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (0, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (0, 55, "595615dbe4f0f407ae397d08b4c2cb870cb9b0e11937416f950c5160acf9c005"),
    (0, 56, "784f623b787495078e93ff28a25b581df0584055a7e71d8cd90c454716b92f51"),
    (0, 63, "5ca3e1ef5207490eac01a795e5cc94d59582a5118bf9534665c8668d87aa647c"),
    (0, 64, "2fcd5a0d60e4c941381fcc4e00a4bf8be422c3ddfafb93c809e8d1e2bfffae8e"),
    (0, 65, "1b3cd1877ab2f2f19f7be001722554f336cb799df0329de0bb4c118dc6abc06d"),
    (0, 119, "faef67da856d6fd9c8d12f9ed0a4fefd3cf0ce085ab43e2907418d457e3c354b"),
    (0, 120, "c9512b08619c19fbb503c7da6b46ef20301e5f7a7a5f43989182398536f5c5c8"),
    (0, 200, "8013a82140d916576e2cf550b27449a368abec66cc154a7d9f599019d33aa3d2"),
    (1, 0, "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89"),
    (5, 50, "8d20b10e8cbf2fcc6ff4f3aadb6bf388041e600d498134a552d5abd5e9460d83"),
    (5, 51, "33036cb8eff5d32b5230c4bfaa0035ac5c20a0ee2242168f2f932fc54cb174a5"),
    (5, 59, "95c6cc156393016b2372e433c701ddf3b830dbe0e2c76eb47353609fe32e02ce"),
    (63, 1, "6c65fa2a0ea1a12f3160b5a4b16ad8febe4e9324ef11b8a0c7810c7b120b34a4"),
    (64, 0, "9791065143e72360c9cff795b7d2a8086e8f34715478dd5f5b7791370b6e1e80"),
    (64, 64, "8e4ae15e418ed36d93166921c48981b10b7a8b6e974bd079338ee2b4af6d0e01"),
    (65, 3, "8a29c942c58f9e943c9279cb104f3486c12e998313cf226ba20d9bbcfafa4e56"),
    (130, 300, "4d7c03815857d02767cb336423edebb549a0148cc9b3319605f34682518450b8"),
]

@Suite struct HashTests {
    @Test(arguments: digests)
    func hashIsSHA256OfSaltAndValue(salt: Int, value: Int, digest: String) throws {
        var options: Option = ["columns": [["column": "v", "how": "hash"]]]
        if salt > 0 { options = ["columns": [["column": "v", "how": "hash", "salt": .string(String(repeating: "s", count: salt))]]] }
        let stage = try PluginFile.named("Masking").stage(options: options)
        let table = stage.host.relation(RelationSpec("public", "t", columns: [.key("id", 23), ColumnSpec("v", 25)]))
        let text = String((0..<value).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
        // Twice: the first value must leave nothing behind.
        let rows = try stage.process([.insert(table, ["1", .text(text)]), .insert(table, ["2", .text(text)])])
        #expect(rows.map { $0.new?[1] } == [.text(digest), .text(digest)])
    }
}
