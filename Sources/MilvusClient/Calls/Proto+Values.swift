// Between protobuf messages and this module's values. Mechanical; nothing is interpreted but what is said here.

internal import FoundationEssentials
internal import SwiftProtobuf

extension MilvusKeyValue {
  init(_ pair: ProtoKeyValuePair) {
    self.init(key: pair.key, value: pair.value)
  }
}

extension ProtoKeyValuePair {
  init(_ pair: MilvusKeyValue) {
    self = .with {
      $0.key = pair.key
      $0.value = pair.value
    }
  }
}

extension CollectionDescription {
  /// The schema has the collection's true name; the answer's own name is the one asked for, which may be an alias
  /// (2.3). Servers before 2.3 leave out the names of collection and database: then those asked for are taken.
  init(_ response: ProtoDescribeCollectionResponse, askedFor name: String, in database: String) {
    let schema = MilvusCollectionSchema(response.schema)
    let names = [schema.name, response.collectionName, name]
    self.init(
      collectionID: response.collectionID,
      collectionName: names.first { !$0.isEmpty } ?? name,
      dbName: response.dbName.isEmpty ? database : response.dbName, dbID: response.dbID, schema: schema,
      shardsNum: response.shardsNum,
      consistencyLevel: MilvusConsistencyLevel(rawValue: response.consistencyLevel), aliases: response.aliases,
      properties: response.properties.map(MilvusKeyValue.init), virtualChannelNames: response.virtualChannelNames,
      physicalChannelNames: response.physicalChannelNames, createdTimestamp: response.createdTimestamp,
      createdUTCTimestamp: response.createdUtcTimestamp, numPartitions: response.numPartitions)
  }
}

extension SegmentInfo {
  init(_ info: ProtoPersistentSegmentInfo) {
    self.init(
      segmentID: info.segmentID, collectionID: info.collectionID, partitionID: info.partitionID,
      numOfRows: info.numRows, state: SegmentState(rawValue: info.state), level: SegmentLevel(rawValue: info.level),
      isSorted: info.isSorted, storageVersion: info.storageVersion)
  }
}

extension IndexDescription {
  init(_ index: ProtoIndexDescription) {
    self.init(
      indexName: index.indexName, indexID: index.indexID, fieldName: index.fieldName,
      params: index.params.map(MilvusKeyValue.init), indexedRows: index.indexedRows, totalRows: index.totalRows,
      pendingIndexRows: index.pendingIndexRows, state: IndexState(rawValue: index.state),
      stateFailReason: index.indexStateFailReason, minIndexVersion: index.minIndexVersion,
      maxIndexVersion: index.maxIndexVersion)
  }
}

extension FlushResult {
  init(_ response: ProtoFlushResponse, of collection: String) throws(MilvusError) {
    var checkpoints: [String: ChannelCheckpoint] = [:]
    for (channel, position) in response.channelCps { checkpoints[channel] = try ChannelCheckpoint(position) }
    self.init(
      segmentIDs: response.collSegIds[collection]?.data,
      flushedSegmentIDs: response.flushCollSegIds[collection]?.data ?? [],
      flushTimestamp: response.collFlushTs[collection] ?? 0, sealTime: response.collSealTimes[collection] ?? 0,
      channelCheckpoints: checkpoints)
  }
}

extension ChannelCheckpoint {
  /// Fields this program does not know are in `serialized` all the same.
  init(_ position: ProtoMsgPosition) throws(MilvusError) {
    self.init(
      channelName: position.channelName, timestamp: position.timestamp,
      serialized: try serializedBytes(of: position))
  }
}

extension ImportProgress {
  init(_ response: ProtoGetImportStateResponse, task: Int64) {
    let infos = response.infos.map(MilvusKeyValue.init)
    let failedReason = infos.value(forKey: "failed_reason") ?? ""
    self.init(
      taskID: task, state: ImportState(rawValue: response.state), rowCount: response.rowCount,
      percent: infos.value(forKey: "progress_percent").flatMap(Int.init),
      failedReason: failedReason.isEmpty ? nil : failedReason, collectionID: response.collectionID,
      segmentIDs: response.segmentIds, createTimestamp: response.createTs, infos: infos)
  }
}

/// A message on the wire.
/// - Throws: `invalidArgument` if it is larger than a message may be.
func serializedBytes(of message: some Message) throws(MilvusError) -> [UInt8] {
  do {
    return try message.serializedBytes()
  } catch {
    throw MilvusError(code: .invalidArgument, reason: "a message cannot be serialized (\(error))")
  }
}
