import Testing

@testable import NimoShake

@Suite("NimoShake's configuration")
struct ConfigurationTranslationTests {
    private func draft(_ text: String) throws -> ConfigurationDraft {
        ConfigurationTranslation.draft(try NimoShakeConfiguration(text, name: "nimo-shake.conf"))
    }

    private func note(_ key: String, _ draft: ConfigurationDraft) -> ConfigurationDraft.Note? {
        draft.notes.first { $0.key == key }
    }

    /// The keys that the shipped nimo-shake.conf has, and those that its reader takes besides (configure/conf.go).
    private static let keys = """
        conf.version id log.file log.level log.buffer pid_path system_profile full_sync.http_port incr_sync.http_port \
        sync_mode source.access_key_id source.secret_access_key source.session_token source.region source.endpoint_url \
        source.session.max_retries source.session.timeout qps.full qps.full.batch_num qps.incr qps.incr.batch_num \
        filter.collection.white filter.collection.black target.type target.address target.mongodb.type target.db.exist \
        sync_schema_only full.concurrency full.read.concurrency full.document.concurrency full.document.write.batch \
        full.document.parser full.enable_index.primary full.enable_index.user full.executor.insert_on_dup_update \
        full.read.filter_expression full.read.filter_attributevalues convert.type convert._id increase.concurrency \
        increase.executor.insert_on_dup_update increase.executor.upsert increase.persist.dir checkpoint.type \
        checkpoint.address checkpoint.db incr_sync_parallel
        """.split(separator: " ").map(String.init)

    @Test("Every key that NimoShake has is known, and each that stands there is kept or listed")
    func exhaustive() throws {
        #expect(Set(NimoShakeKey.allCases.map(\.rawValue)) == Set(Self.keys))
        for value in ["true", "3", "", "x y"] {
            let draft = try draft(Self.keys.map { "\($0) = \(value)" }.joined(separator: "\n"))
            for key in Self.keys { #expect(note(key, draft) != nil, "\(key) = \(value)") }
        }
    }

    @Test("A usual file becomes what does the same")
    func usual() throws {
        let draft = try draft(
            """
            # a comment
            conf.version = 4
            id = shop
            log.level = warning
            sync_mode = all
            source.region = eu-central-1
            filter.collection.white = orders;users
            target.type = mongodb
            target.address = mongodb://db1:3717,db2:3717/?replicaSet=rs
            target.db.exist = rename
            convert.type = change
            convert._id = pre
            full.read.concurrency = 4
            checkpoint.type = file
            """)
        let body = draft.yaml.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
        #expect(
            body == """
                source:
                  region: eu-central-1
                tables:
                  - orders
                  - users
                target:
                  url: 'mongodb://db1:3717,db2:3717/shop?replicaSet=rs'
                  existing: rename
                  format: change
                  id_prefix: pre
                mode: all
                log:
                  level: warning
                scan:
                  readers: 4
                """)
        #expect(draft.importCommand == "shakectl import nimoshake shop-checkpoint")
        #expect(note("sync_mode", draft)?.isKept == true)
        #expect(draft.lost.map(\.key) == ["conf.version", "checkpoint.type"])
    }

    @Test("No secret gets into what is made of it, nor into what is said of it")
    func secrets() throws {
        let draft = try draft(
            """
            source.access_key_id = AKIATREASURE
            source.secret_access_key = hunter2=
            source.session_token = tokenTREASURE
            source.endpoint_url = http://user:endpointTREASURE@host:8000
            target.type = mongodb
            target.address = mongodb://root:pa/ss@TREASURE@db:3717
            checkpoint.type = mongodb
            checkpoint.address = mongodb://root:checkpointTREASURE@db:3717/auth
            """)
        let said = draft.yaml + draft.notes.map(\.line).joined() + draft.importCommand
        #expect(!said.contains("TREASURE") && !said.contains("hunter2") && !said.contains("pa/ss"))
        #expect(draft.yaml.contains("url: 'mongodb://root@db:3717/nimo-shake?authSource=admin'"))
        #expect(
            draft.importCommand
                == "shakectl import nimoshake 'mongodb://root@db:3717/auth' --database nimo-shake-checkpoint")
        for key in ["source.access_key_id", "source.secret_access_key", "source.session_token", "target.address"] {
            #expect(note(key, draft)?.isKept == false, "\(key)")
        }
    }

    @Test("A filter is not taken over silently: NimoShake's leaves no change of the stream out")
    func filter() throws {
        let draft = try draft(
            """
            full.read.filter_expression = create_time > :begin AND create_time < :end
            full.read.filter_attributevalues = begin```N```1~~~end```S```2
            """)
        let filter = try #require(note("full.read.filter_expression", draft))
        #expect(!filter.isKept)
        #expect(filter.text.contains("values: {':begin': {N: '1'}, ':end': {S: '2'}}"))
        #expect(!draft.yaml.split(separator: "\n").contains { !$0.hasPrefix("#") && $0.contains("filter") })
    }

    @Test("All tables but some are patterns; both lists at once are none that NimoShake would take")
    func tables() throws {
        #expect(
            try draft("filter.collection.black = a;b").yaml.contains(
                "tables:\n  include: '*'\n  exclude:\n    - a\n    - b\n"))
        #expect(try draft("id = x").yaml.contains("tables:\n  include: '*'\n"))
        let both = try draft("filter.collection.black = a\nfilter.collection.white = b")
        #expect(note("filter.collection.black", both)?.isKept == false)
        #expect(both.yaml.contains("tables:\n  - b\n"))
        #expect(note("filter.collection.white", try draft("filter.collection.white = a/b"))?.isKept == false)
    }

    @Test("A DynamoDB-compatible target keeps its endpoint, and has no format")
    func dynamoDB() throws {
        let draft = try draft(
            "target.type = aliyun_dynamo_proxy\ntarget.address = http://dds:3717\nconvert.type = raw\ntarget.db.exist = drop"
        )
        #expect(
            draft.yaml.contains("target:\n  url: 'dynamodb:'\n  existing: replace\n  endpoint: 'http://dds:3717'\n"))
        #expect(note("convert.type", draft)?.isKept == false)
    }

    @Test("What stands before _id is taken over where it can stand there, and with NimoShake's formats alone")
    func prefix() throws {
        func note(_ lines: String) throws -> ConfigurationDraft.Note? {
            self.note("convert._id", try draft(lines))
        }
        let target = "target.type = mongodb\ntarget.address = mongodb://db\n"
        #expect(try note(target + "convert._id = x")?.isKept == true)
        #expect(try note(target) == nil)
        for lines in [
            target + "convert._id =", target + "convert._id = a.b", target + "convert._id = x\nconvert.type = same",
            "target.type = mongodb\ntarget.address = \nconvert._id = x", "target.type = aliyun_dynamo_proxy\nconvert._id = x",
        ] {
            #expect(try note(lines)?.isKept == false, "\(lines)")
            #expect(try !draft(lines).yaml.contains("\n  id_prefix"), "\(lines)")
        }
    }

    @Test("Keys that NimoShake has not are listed, and so are those that stand there twice")
    func strange() throws {
        let draft = try draft("id = a\nid = b\nqps.ful = 3")
        #expect(draft.lost.contains { $0.key == "qps.ful" && $0.text.contains("line 3") })
        #expect(draft.lost.contains { $0.key == "id" && $0.text.contains("twice") })
    }

    @Test("What is no configuration of NimoShake's is refused, and its text is not repeated")
    func refused() {
        #expect(throws: NimoShakeError.brokenConfiguration(path: "nimo-shake.conf", line: 2)) {
            try draft("id = x\nsource.secret_access_key hunter2")
        }
        #expect(throws: NimoShakeError.noConfiguration(path: "nimo-shake.conf")) { try draft("# nothing\n") }
    }
}
