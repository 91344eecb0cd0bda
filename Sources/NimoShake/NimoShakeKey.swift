/// Every key that NimoShake's configuration has, up to its version 4.
package enum NimoShakeKey: String, CaseIterable, Sendable {
    case version = "conf.version"
    case id = "id"
    case logFile = "log.file"
    case logLevel = "log.level"
    case logBuffer = "log.buffer"
    case pidPath = "pid_path"
    case systemProfile = "system_profile"
    case fullSyncPort = "full_sync.http_port"
    case incrSyncPort = "incr_sync.http_port"
    case syncMode = "sync_mode"
    case accessKeyID = "source.access_key_id"
    case secretAccessKey = "source.secret_access_key"
    case sessionToken = "source.session_token"
    case region = "source.region"
    case endpoint = "source.endpoint_url"
    case maximumRetries = "source.session.max_retries"
    case timeout = "source.session.timeout"
    case fullCalls = "qps.full"
    case fullBatch = "qps.full.batch_num"
    case incrCalls = "qps.incr"
    case incrBatch = "qps.incr.batch_num"
    case white = "filter.collection.white"
    case black = "filter.collection.black"
    case targetType = "target.type"
    case targetAddress = "target.address"
    case targetMongoDBType = "target.mongodb.type"
    case targetExisting = "target.db.exist"
    case schemaOnly = "sync_schema_only"
    case tablesAtOnce = "full.concurrency"
    case fullReaders = "full.read.concurrency"
    case fullWriters = "full.document.concurrency"
    case fullWriteBatch = "full.document.write.batch"
    case fullParsers = "full.document.parser"
    case primaryIndex = "full.enable_index.primary"
    case userIndexes = "full.enable_index.user"
    case fullUpserts = "full.executor.insert_on_dup_update"
    case filterExpression = "full.read.filter_expression"
    case filterValues = "full.read.filter_attributevalues"
    case convertType = "convert.type"
    case convertID = "convert._id"
    case incrReaders = "increase.concurrency"
    case incrInsertUpserts = "increase.executor.insert_on_dup_update"
    case incrUpserts = "increase.executor.upsert"
    case persistDirectory = "increase.persist.dir"
    case checkpointType = "checkpoint.type"
    case checkpointAddress = "checkpoint.address"
    case checkpointDatabase = "checkpoint.db"
    case incrSyncParallel = "incr_sync_parallel"

    /// Whether its value, or a part of it, is for nobody's eyes.
    var mayHoldSecrets: Bool {
        switch self {
        case .accessKeyID, .secretAccessKey, .sessionToken, .endpoint, .targetAddress, .checkpointAddress: true
        default: false
        }
    }
}
