// The log objects of a segment, from the lists in its metadata.
//
// A log's identifier is its `log_id` or, in backups made before 0.5.4, the last element of its `log_path`; the rest of
// that path names the source's objects and is never used. Delta logs of versions 0.4 are listed one field entry each;
// listing by prefix gave some of them twice, so they are taken once.

extension SegmentBackupInfo {
  /// The log objects of a segment whose place in the tree is known.
  struct Logs {
    /// Insert logs, then delta logs.
    var objects: [PromisedObject] = []
    /// How many of the objects are insert logs.
    var insertCount = 0
    /// Entries which tell neither an id nor a path.
    var unnamedCount = 0

    var deltaCount: Int { objects.count - insertCount }

    /// Sum of the known sizes in bytes.
    var size: Int64 { objects.reduce(0) { $0 &+ ($1.size ?? 0) } }
  }

  /// The log objects, with the ids of the collection and partition which hold the segment.
  func logs(collectionID: Int64, partitionID: Int64) -> Logs {
    var logs = Logs()
    let insert = LogKey.insert(
      collectionID: collectionID, partitionID: partitionID, groupID: groupID, segmentID: segmentID, fieldID: 0, logID: 0
    )
    for field in binlogs {
      for log in field.binlogs {
        var key = insert
        key.fieldID = field.fieldID
        logs.add(key, id: log.identifier, size: log.logSize)
      }
    }
    logs.insertCount = logs.objects.count
    addDeltaLogs(to: &logs, collectionID: collectionID, partitionID: partitionID)
    return logs
  }

  private func addDeltaLogs(to logs: inout Logs, collectionID: Int64, partitionID: Int64) {
    let delta = LogKey.delta(
      collectionID: collectionID, partitionID: partitionID, groupID: groupID, segmentID: segmentID, logID: 0)
    var seen: Set<Int64> = []
    for entry in deltalogs {
      for log in entry.binlogs {
        if let id = log.identifier, !seen.insert(id).inserted { continue }
        logs.add(delta, id: log.identifier, size: log.logSize)
      }
      if entry.binlogs.isEmpty, entry.fieldID != 0, seen.insert(entry.fieldID).inserted {
        logs.add(delta, id: entry.fieldID, size: nil)
      }
    }
  }
}

extension SegmentBackupInfo.Logs {
  fileprivate mutating func add(_ key: LogKey, id: Int64?, size: Int64?) {
    guard let id else {
      unnamedCount += 1
      return
    }
    var key = key
    key.logID = id
    objects.append(PromisedObject(key: key, size: size))
  }
}

extension Binlog {
  /// The identifier of the log, from the id or the path; nil if neither tells it.
  fileprivate var identifier: Int64? {
    if logID != 0 { return logID }
    let path = logPath.utf8
    let start = path.lastIndex(of: UInt8(ascii: "/")).map { path.index(after: $0) } ?? path.startIndex
    return Int64(String(decoding: path[start...], as: UTF8.self))
  }
}
