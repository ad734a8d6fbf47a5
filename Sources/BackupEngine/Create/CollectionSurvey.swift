// All that Milvus says about one collection, and the description of it that goes into the backup.

import BackupFormat
import FoundationEssentials
import MilvusClient
import ObjectStore

/// One collection as it is to be saved.
struct CollectionSurvey: Sendable {
  /// Its name.
  var name: CollectionName
  /// Schema, channels, properties.
  var description: CollectionDescription
  /// The partitions; read after the flush, so that each flushed row's partition is among them.
  var partitions: [PartitionInfo] = []
  /// The indexes.
  var indexes: [IndexDescription] = []
  /// Whether it is in memory.
  var loadState = LoadState.notLoad
  /// What the flush answered; nil if there was none.
  var flush: FlushResult?

  /// Field ids that each segment of the server must have, as far as that is certain.
  ///
  /// Milvus up to 2.3 writes every user field, the row id (0) and the timestamp (1) of each segment; later versions can
  /// add fields to collections and then have older segments without them.
  func requiredFields(_ features: ServerFeatures) -> Set<Int64> {
    guard features.version < ServerVersion(2, 4, 0) else { return [] }
    return Set(description.schema.fields.map(\.fieldID)).union([0, 1])
  }

  /// The collection's properties: 2.3 tells them beside the schema, newer servers in both places.
  private var properties: [MilvusKeyValue] {
    description.properties.union(description.schema.properties)
  }

  private var loadStateWord: String {
    switch loadState {
    case .loaded: "Loaded"
    case .loading: "Loading"
    default: "NotLoad"
    }
  }

  /// The collection's entry of the backup's metadata (milvus-backup format).
  /// - Parameters:
  ///   - backupID: identifier of the backup.
  ///   - files: the segments that were copied.
  func backupInfo(backupID: String, files: [SegmentFiles]) -> CollectionBackupInfo {
    let segments = files.map(SegmentBackupInfo.init)
    let ofPartition = Dictionary(grouping: segments, by: \.partitionID)
    return .with {
      $0.id = backupID
      $0.collectionID = description.collectionID
      $0.dbName = name.database
      $0.collectionName = name.collection
      $0.schema = CollectionSchema(description.schema, properties: properties)
      $0.shardsNum = description.shardsNum
      $0.consistencyLevel = ConsistencyLevel(rawValue: description.consistencyLevel.rawValue)
      $0.partitionBackups = partitions.map { partition in
        let segments = ofPartition[partition.partitionID] ?? []
        return .with {
          $0.partitionID = partition.partitionID
          $0.partitionName = partition.partitionName
          $0.collectionID = description.collectionID
          $0.segmentBackups = segments
          $0.size = segments.reduce(0) { $0 + $1.size }
          $0.loadState = loadStateWord
        }
      }
      $0.l0Segments = ofPartition[SegmentBackupInfo.allPartitions] ?? []
      $0.size = segments.reduce(0) { $0 + $1.size }
      $0.hasIndex = !indexes.isEmpty
      $0.indexInfos = indexes.map(IndexInfo.init)
      $0.loadState = loadStateWord
      $0.properties = properties.map(KeyValuePair.init)
      $0.dbID = description.dbID
      $0.createdTimestamp = description.createdTimestamp
      $0.virtualChannelNames = description.virtualChannelNames
      $0.physicalChannelNames = description.physicalChannelNames
      $0.aliases = description.aliases
      guard let flush else { return }
      $0.backupPhysicalTimestamp = UInt64(max(0, flush.sealTime))
      // Absent for servers that give no checkpoints: old readers would take anything else for a time limit.
      $0.backupTimestamp = flush.channelCheckpoints.values.map(\.timestamp).max() ?? 0
      $0.channelCheckpoints = StringMap(
        flush.channelCheckpoints.map { (key: $0.key, value: Data($0.value.serialized).base64EncodedString()) })
    }
  }
}

extension SegmentBackupInfo {
  init(_ files: SegmentFiles) {
    let inserts = Dictionary(grouping: files.inserts, by: \.log.fieldID)
    self = .with {
      $0.segmentID = files.segment.segmentID
      $0.collectionID = files.segment.collectionID
      $0.partitionID = files.segment.partitionID
      $0.numOfRows = files.segment.numOfRows
      $0.binlogs = inserts.sorted { $0.key < $1.key }.map { field, files in
        FieldBinlog(fieldID: field, binlogs: files.map(Binlog.init))
      }
      // One entry without a field, also when there are no deletes.
      $0.deltalogs = [FieldBinlog(fieldID: 0, binlogs: files.deltas.map(Binlog.init))]
      $0.size = files.size
      $0.groupID = files.segment.partitionID == SegmentBackupInfo.allPartitions ? 0 : files.segment.segmentID
      $0.isL0 = files.isL0
      $0.vChannel = files.vChannel
      $0.storageVersion = files.segment.storageVersion
    }
  }
}

extension Binlog {
  init(_ file: SegmentFiles.File) {
    self.init(logPath: file.source.key.string, logSize: file.source.size, logID: file.log.logID)
  }
}

extension IndexInfo {
  init(_ index: IndexDescription) {
    self = .with {
      $0.fieldName = index.fieldName
      $0.indexName = index.indexName
      $0.indexType = index.indexType
      $0.params = StringMap(index.params.map { (key: $0.key, value: $0.value) })
      $0.indexID = index.indexID
    }
  }
}
