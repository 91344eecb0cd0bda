import TestSupport
import Testing

@testable import StreamSim

/// Source of the rules: Developer Guide, Naming Rules and Data Types, Number.
@Suite("Numbers")
struct DynamoNumberTests {
    private func canonical(_ text: String) -> String? { DynamoNumber(Text(text))?.text.string }

    @Test(
        "The text is plain notation without anything superfluous",
        arguments: [
            ("1", "1"), ("1.0", "1"), ("1e0", "1"), ("0.1E1", "1"), ("10e-1", "1"), ("+1", "1"), ("001", "1"),
            ("1.", "1"), ("0", "0"), ("-0", "0"), ("0.000", "0"), ("0E+125", "0"), ("-0e-400", "0"), ("0e1000", "0"),
            ("-1.50", "-1.5"), (".5", "0.5"), ("-.5", "-0.5"), ("100", "100"), ("1e2", "100"), ("1E+2", "100"),
            ("0.001", "0.001"), ("1e-3", "0.001"), ("123.456e1", "1234.56"), ("123.456e3", "123456"),
            ("123.456e5", "12345600"), ("00100.00100", "100.001"), ("18446744073709551616", "18446744073709551616"),
            ("0001.23", "1.23"), ("-17.4E2", "-1740"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("1.2345678901234567890123456789012345678E37", "12345678901234567890123456789012345678"),
        ])
    func plain(text: String, expected: String) { #expect(canonical(text) == expected) }

    @Test("Both ends of the range are held exactly, and zeros around them don't count")
    func ends() {
        let least = "0." + String(repeating: "0", count: 129) + "1"
        let most = String(repeating: "9", count: 38) + String(repeating: "0", count: 88)
        #expect(canonical("1E-130") == least)
        #expect(canonical("0.\(String(repeating: "0", count: 400))1E271") == "0.\(String(repeating: "0", count: 129))1")
        #expect(canonical("-9.9999999999999999999999999999999999999E+125") == "-" + most)
        #expect(canonical(most) == most)
        #expect(canonical("1" + String(repeating: "0", count: 500) + "e-500") == "1")
    }

    @Test(
        "What is no number is refused, and a number beyond the limits is, in the service's words",
        arguments: [
            ("", "converted"), ("-", "converted"), ("+", "converted"), (".", "converted"), ("e", "converted"),
            ("e1", "converted"), ("1e", "converted"), ("1e+", "converted"), ("1e1.5", "converted"),
            ("dog", "converted"),
            ("1 ", "converted"), (" 1", "converted"), ("1,5", "converted"), ("0x10", "converted"),
            ("12abc", "converted"),
            ("--1", "converted"), ("1-", "converted"), ("1.2.3", "converted"), ("Infinity", "converted"),
            ("NaN", "converted"), ("١", "converted"),
            ("1E+126", "overflow"), ("11e125", "overflow"), ("1e999999999", "overflow"),
            ("1e99999999999999999999999", "overflow"), ("1E-131", "underflow"), ("0.9e-130", "underflow"),
            ("1e-99999999999999999999", "underflow"),
            ("3.14159265358979323846264338327950288419", "significant"),
            ("314159265358979323846264338327950288419e30", "significant"),
            ("100000000000000000000000000000000000001", "significant"),
            ("1.00000000000000000000000000000000000001", "significant"),
        ])
    func refused(text: String, word: String) throws {
        #expect(canonical(text) == nil)
        let message = refusal { _ = try DynamoNumber(parsing: Text(text)) }
        #expect(message?.contains(word) == true, "\(message ?? "taken")")
    }

    @Test("However a number is written, it is equal to itself and to no other")
    func spellings() {
        let one = ["1", "1.0", "1e0", "10e-1", "0.1e1", "+1"].map { DynamoNumber(Text($0)) }
        #expect(Set(one).count == 1)
        #expect(DynamoNumber("-0") == DynamoNumber("0"))
        #expect(DynamoNumber("1") != DynamoNumber("-1"))
        #expect(DynamoNumber("1") != DynamoNumber("10"))
        #expect(DynamoNumber(-100) == DynamoNumber("-1e2"))
        #expect(DynamoNumber(.min).text == "-9223372036854775808")
    }

    @Test("There is one zero, however it comes about")
    func zero() throws {
        let (zero, five) = (DynamoNumber(0), DynamoNumber(5))
        #expect(try zero.subtracting(zero) == zero)
        #expect(try five.subtracting(five) == zero)
        #expect(try five.negated.adding(five) == zero)
        #expect(try zero.subtracting(five).text == "-5")
        #expect(!(zero < zero) && five.negated < zero && zero < five)
    }

    @Test("Order, sums and differences are those of Python's decimal module, or refused alike")
    func arithmetic() throws {
        let lines = Self.table.split(separator: "\n")
        #expect(lines.count == 180)
        for start in stride(from: 0, to: lines.count, by: 2) {
            let question = lines[start].split(separator: " ").map(String.init)
            let answers = lines[start + 1].split(separator: " ").map(String.init)
            let left = try #require(DynamoNumber(Text(question[0])))
            let right = try #require(DynamoNumber(Text(question[2])))
            #expect((left < right ? "<" : right < left ? ">" : "=") == question[1], "\(lines[start])")
            #expect((left == right) == (question[1] == "="))
            try check(answers[0], "\(question[0]) + \(question[2])") { () throws(ServiceError) in
                try left.adding(right)
            }
            try check(answers[0], "\(question[2]) + \(question[0])") { () throws(ServiceError) in
                try right.adding(left)
            }
            try check(answers[1], "\(question[0]) - \(question[2])") { () throws(ServiceError) in
                try left.subtracting(right)
            }
        }
    }

    private func check(
        _ expected: String, _ question: String, _ answer: () throws(ServiceError) -> DynamoNumber
    ) throws {
        do throws(ServiceError) {
            #expect(try answer() == DynamoNumber(Text(expected)), "\(question)")
        } catch {
            #expect(error.message.contains(expected), "\(question)")
        }
    }

    @Test("The text of a number is that number", arguments: Seeds.all)
    func roundTrip(seed: UInt64) {
        var values = RandomValues(seed: seed)
        for _ in 0..<500 {
            let number = values.number()
            #expect(DynamoNumber(number.text) == number, "SHAKE_SEED=\(seed)")
        }
    }

    @Test("No text traps", arguments: Seeds.all)
    func damage(seed: UInt64) {
        var values = RandomValues(seed: seed)
        for _ in 0..<5000 {
            let text = Text(
                (0..<values.below(60)).map { _ in values.pick(["0", "1", "9", "9", ".", "e", "-"]) }.joined())
            guard let number = DynamoNumber(text) else { continue }
            #expect(DynamoNumber(number.text) == number, "SHAKE_SEED=\(seed) \(text)")
        }
    }

    @Test(
        "The size is one byte and one for two digits each, and one for the sign",
        arguments: [("0", 1), ("1", 2), ("10", 2), ("12", 2), ("123", 3), ("-1", 3), ("1.2", 3), ("-123.45", 5)])
    func sizes(text: String, size: Int) throws {
        #expect(try #require(DynamoNumber(Text(text))).size == size)
    }

    /// Made with Python 3.11's `decimal`, exactly: two numbers and how they compare; their sum and their difference.
    private static let table = """
        +01667906990258303301994018308.405097124e34 > +893427.3325019999582
            overflow overflow
        08066920650969689407 < +2E+125
            overflow overflow
        4404035160420945207423097866720.0760056E-130 > -.13
            overflow overflow
        .9 < +43210360095697837
            43210360095697837.9 -43210360095697836.1
        -01267347299038672096. < 0055007029018715124
            -1212340270019956972 -1.32235432805738722E18
        -96841927754954692709E0 < 0.0291983129950995519
            overflow overflow
        -98097. > -1.07e88
            overflow overflow
        +5349338620085075.05929092502682418106E-130 < +08679
            overflow overflow
        612160246096.05570638E+18 > +3667026.0062490309e-30
            overflow overflow
        -0 < 70
            7E1 -7E1
        +330908026753.701505602599169502055996E-94 > +9001748207.13932202004948948919085092e-94
            3.3990977496084082762264865899124684692E-83 3.2190627854656218358254968001286514508E-83
        -.8e-129 < 938499457.4188503799800292919990904158
            overflow overflow
        095994620314191148997050579338707917 > 9
            95994620314191148997050579338707926 95994620314191148997050579338707908
        +05573350265599005 > 005122.39920969503233e+5
            5573350777838925.969503233 5573349753359084.030496767
        742 < 0368509.73014469583000437159035707596e+88
            overflow overflow
        +.9901260566830967770 < 492199709955.00403179990664930191395076
            492199709955.99415785658974607891395076 -492199709954.01390574322355252491395076
        360309097449603605191993799920605589 < 19291037994725820351299852038418940207
            19651347092175423956491845838339545796 -18930728897276216746107858238498334618
        59157902781706070284959959290305951297 > 437442.87429020479e-130
            overflow overflow
        419996317009914999397626009740620858 > +02500
            419996317009914999397626009740623358 419996317009914999397626009740618358
        -97007859223180484490.149979407417566575 < +.0
            -97007859223180484490.149979407417566575 -97007859223180484490.149979407417566575
        -9111169089332061639490901696226915043 < +8485.1934061800121
            overflow overflow
        .672E-3 > -0492982093760239694
            -492982093760239693.999328 492982093760239694.000672
        71043.3891094957768 > -.95E+125
            overflow overflow
        .9E-129 > +05.177817456093769e-130
            1.4177817456093769E-129 3.822182543906231E-130
        63012.569599105377e-28 < 10990684383311357299905301149080096.1e+88
            overflow overflow
        80565910.98879995908E+30 > -95.
            80565910988799959079999999999999999905 80565910988799959080000000000000000095
        +70122705357887298948805986140846966350. > 192709946238898680661353964667079035
            70315415304126197629467340105514045385 69929995411648400268144632176179887315
        9.30953700550138870379293976490996093 > -9.30953700549838870379293976490996093
            3E-12 18.61907401099977740758587952981992186
        -5 < 3
            -2 -8
        902411109996.60040704801107475997373895 < 0558873384599007064038001304029.8680843
            overflow overflow
        3. > -5994.67258906729060
            -5991.6725890672906 5997.6725890672906
        0854.940960303174227077124290643103368 > -854.940960303174227077124290043103368
            6E-25 1709.881920606348454154248580686206736
        022943305.7847990408E-130 < 46135396591392095006060198731215041813
            overflow overflow
        .1E-129 > -1E-130
            0 2E-130
        -20.199451768596904 < -20.1994517685969039999999996
            -40.3989035371938079999999996 -4E-25
        -.96E+88 < -727007481660009.92E-130
            overflow overflow
        1694509196353.36039E88 > 585860124451103493689964923529430.4092
            overflow overflow
        +.543971716745737424980260107684090632e+95 > +638900902820999711.
            overflow overflow
        09714983.076639309409896803698493049985E-92 < 7
            overflow overflow
        -.2E-89 > -03911013486448589656069.78074490859683
            overflow overflow
        +059 < +84E+11
            8400000000059 -8399999999941
        -5405200.0875610626952809020095280645858e-92 < +3135772095904996907.2005985213141538903
            overflow overflow
        -4 < 369101059249056049264747089911150087
            369101059249056049264747089911150083 -369101059249056049264747089911150091
        8520958487.5900030209319601039034885067E-130 < 60.
            overflow overflow
        .9 > -7
            -6.1 7.9
        05.453284908729209090910195023979018231E-130 < +2890.2E-14
            overflow overflow
        -0004.6350680168489e-113 < +664950311688039214908098291116817393
            overflow overflow
        +57482950309170739.20 > -57482950309170739.19999999999999999995
            5E-20 114965900618341478.39999999999999999995
        -2588138045082.840993600982668905255911 < 0191051909420219699
            overflow overflow
        -0207640957769409498277045731902.643637e-130 < +3
            overflow overflow
        41270699657003940889591990904620658950 > +77801
            41270699657003940889591990904620736751 41270699657003940889591990904620581149
        +55837E+88 > +.9e+16
            overflow overflow
        94380870606444259022680023857897927.7 < 487539640004776707916668299090298700
            581920510611220966939348322948196627.7 -393158769398332448893988275232400772.3
        -59. > -28950093605096633770999109768371147713
            -28950093605096633770999109768371147772 28950093605096633770999109768371147654
        167 < 167.000000004
            334.000000004 -4E-9
        +64000905488615969.8975393929141390783E-130 > -02895.716799886995E88
            overflow overflow
        +.304e-56 < +12670960056979902339
            overflow overflow
        99919656808734657196608790680909563297 > 919.7192310668795792059993723656503989
            overflow overflow
        8156.0077029653260569 > -8156.0077029653260568992
            8E-19 16312.0154059306521137992
        -66601011090.407763e-130 > -.7e+24
            overflow overflow
        5877669860570009701910345576924290317 < .92419E125
            overflow overflow
        -.2 < -7E-2
            -0.27 -0.13
        09806 > -4
            9802 9.81E3
        -78070 < 508470962838296389
            508470962838218319 -508470962838374459
        42305031039469520664699995819745599.606 = 42305031039469520664699995819745599.60600000000000000
            84610062078939041329399991639491199.212 0
        .2 < +0532961103939904361794032930479458731
            532961103939904361794032930479458731.2 -532961103939904361794032930479458730.8
        +477726587911190766443874099.87423991037 > -935711339914243079789814.87509929504126E-92
            overflow overflow
        9 < 19207
            19216 -19198
        +372 < +183798.401209405767
            184170.401209405767 -183426.401209405767
        -49359421008287915788795743850351068993 < -003925.29055096854190915545490902684160E-130
            overflow overflow
        +3580299932.186025914429921061010582940 > 0E-129
            3580299932.18602591442992106101058294 3580299932.18602591442992106101058294
        3.5e-84 < +76213.392465235171350495594013908209494
            overflow overflow
        -77121.26775102206983 < .5
            -77120.76775102206983 -77121.76775102206983
        9.90 > -98383580430.994321023408807096886909097
            -98383580421.094321023408807096886909097 98383580440.894321023408807096886909097
        +.98074601487808996780E-110 < 368007797661714667
            overflow overflow
        34521944899541416 > -95309453539889914.0e+42
            overflow overflow
        5.1993 > -5.19924
            0.00006 10.39854
        +97098950026165109010975757094949503343 > 346
            97098950026165109010975757094949503689 97098950026165109010975757094949502997
        .83854 > 90328E-130
            overflow overflow
        +29071792.4471929938E+3 > -6199999808410912899
            -6199999779339120451.8070062 6199999837482705346.1929938
        .99794 > -0.99793999999999999999999991
            9E-26 1.99587999999999999999999991
        +90E6 < +5799230.29196509991E18
            5.7992302919651E24 -5.79923029196509982E24
        29019706353.5090542310804625945094713e13 > -9379675052004579942896267890099060897
            overflow overflow
        400780440000562471494302.998190993099 > -400780440000562471491302.998190993099
            3E3 801560880001124942985605.996381986198
        9544300177970023.61 < 21139940717397556768592078223191319406
            overflow overflow
        +10.6 > 7.2999
            17.8999 3.3001
        -00858492.07903420099851279890693316749e88 < -0900289209782921009.
            overflow overflow
        +6.3802456469560096950283201165784795057 > 79.9E-115
            overflow overflow
        9929903453222204840902977107650792984.6 > -9854996926613687950875059525244148557
            74906526608516890027917582406644427.6 overflow
        -43002923820669950.94 < 3720157801186004939884224080440869728.
            overflow overflow
        """
}
