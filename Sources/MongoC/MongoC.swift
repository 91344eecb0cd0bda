internal import CMongoC
