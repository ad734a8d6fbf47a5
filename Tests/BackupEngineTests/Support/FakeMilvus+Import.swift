// Import as Milvus 2.3.5 does it (and, for later versions, as they do where they differ).

import BackupFormat
import ObjectStore
import Synchronization

@testable import BackupEngine
@testable import MilvusClient

extension FakeMilvus {
  func importFiles(
    _ files: [String], into collection: String, partition: String, in database: String, options: ImportOptions
  ) async throws(MilvusError) -> Int64 {
    try call("Import")
    _ = try found(collection, database, "Import")
    let name = CollectionName(database: database, collection: collection)
    if let refusal = refusal(files, name, partition, options) {
      throw error(.invalidArgument, "Import", refusal)
    }
    var outcome: Outcome
    do {
      let keys = try keys(files)
      let isForgotten = faults.withLock { faults in
        faults.importsLostByRestart -= 1
        return faults.importsLostByRestart >= 0
      }
      if isForgotten { throw Refused(description: faults.withLock { $0.lossReason }) }
      outcome = .rows(try await read(keys, into: name, partition: partition, options: options))
    } catch {
      outcome = .failure("\(error)")
    }
    let task = state.withLock { [outcome] state in
      state.nextID += 1
      state.imports[state.nextID] = Import(
        files: files, collection: name, partition: partition, options: options, outcome: outcome)
      return state.nextID
    }
    let isLost = faults.withLock { faults in
      faults.importAnswersLost -= 1
      return faults.importAnswersLost >= 0
    }
    if isLost {
      throw MilvusError(
        code: .unreachable, call: "Import", server: address, reason: "connection reset", mayHaveHappened: true)
    }
    return task
  }

  private func keys(_ paths: [String]) throws -> [String] {
    let prefix = state.withLock { $0.importPrefix }
    return try paths.map { path in
      guard path.isEmpty || path.hasPrefix(prefix) else { throw Refused(description: "there is no \(path)") }
      return String(path.dropFirst(prefix.count))
    }
  }

  func importTasks(
    of collection: String, in database: String, limit: Int64
  ) async throws(MilvusError) -> [ImportProgress] {
    try call("ListImportTasks")
    let name = CollectionName(database: database, collection: collection)
    return state.withLock { $0.imports.filter { $0.value.collection == name }.sorted { $0.key < $1.key } }.map {
      id, task in
      var isFailure = false
      if case .failure = task.outcome { isFailure = true }
      return ImportProgress(
        taskID: id, state: isFailure ? .failed : .pending, rowCount: 0, percent: 0, failedReason: nil, collectionID: 0,
        segmentIDs: [], createTimestamp: 0,
        infos: [MilvusKeyValue(key: "files", value: task.files.joined(separator: ","))])
    }
  }

  func importState(of task: Int64) async throws(MilvusError) -> ImportProgress {
    try call("GetImportState")
    let faults = self.faults.withLock { $0 }
    let found = state.withLock { state in
      state.imports[task]?.looks += 1
      return state.imports[task]
    }
    guard let found else { throw error(.server, "GetImportState", "import task id doesn't exist: \(task)") }
    var answer = ImportProgress(
      taskID: task, state: .pending, rowCount: 0, percent: 0, failedReason: nil, collectionID: 0, segmentIDs: [],
      createTimestamp: 0, infos: [])
    if case .failure(let reason) = found.outcome {
      answer.state = .failed
      answer.failedReason = reason
      return answer
    }
    guard case .rows(let rows) = found.outcome, !faults.importsHang else { return answer }
    switch found.looks {
    case 1: answer.state = .pending
    case 2: (answer.state, answer.percent) = (.started, 40)
    case 3: (answer.state, answer.percent, answer.rowCount) = (.persisted, 99, rows)
    default:
      (answer.state, answer.percent) = (faults.finalState, 100)
      answer.rowCount = faults.claimedRows?(rows) ?? rows
      if faults.finalState.isFailure { answer.failedReason = "disk is on fire" }
    }
    return answer
  }

  /// Why the request itself is refused.
  private func refusal(
    _ files: [String], _ name: CollectionName, _ partition: String, _ options: ImportOptions
  ) -> String? {
    if options.l0Import {
      if features.version < ServerVersion(2, 4, 0) { return "unknown option l0_import" }
      return files.count == 1 && !options.backup ? nil : "l0 import takes one directory"
    }
    guard options.backup else { return "the files are neither JSON nor numpy" }
    guard files.count == 2, !files[0].isEmpty else { return "binlog import takes two paths, not \(files.count)" }
    if features.version < ServerVersion(2, 4, 0), options.endTimestamp != nil { return "end_ts overflows" }
    let prefix = state.withLock { $0.importPrefix }
    for path in files where !path.isEmpty {
      let last = path.split(separator: "/").last ?? ""
      if last.contains(".") { return "unsupported file type of \(path)" }
      let isKey = path.hasPrefix(prefix) && !path.dropFirst(prefix.count).hasPrefix("/")
      if !isKey || !path.hasSuffix("/") { return "not a directory key: \(path)" }
    }
    if partition.isEmpty { return "partition not specified when backup recovery" }
    guard self[name]?.partitions.contains(where: { $0.partitionName == partition }) == true else {
      return "partition not found[partition=\(partition)]"
    }
    return nil
  }

  private struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  private struct Files {
    var counts: [Int64: Int] = [:]
    var rows: Int64 = 0
    var deletes: Int64 = 0
  }

  /// Reads the directories and makes a segment of what is in them.
  private func read(
    _ files: [String], into name: CollectionName, partition: String, options: ImportOptions
  ) async throws -> Int64 {
    guard let collection = self[name] else { throw Refused(description: "collection not found") }
    if options.l0Import {
      let deltas = try await store.listAll(ObjectKey(files[0]))
      if deltas.isEmpty { throw Refused(description: "no binlog to import") }
      return 0
    }
    var segments: [String: Files] = [:]
    for object in try await store.listAll(ObjectKey(files[0])) {
      let parts = object.key.string.split(separator: "/").suffix(3).map(String.init)
      guard parts.count == 3, let field = Int64(parts[1]), Int64(parts[2]) != nil else {
        throw Refused(description: "parsing \(object.key): invalid syntax")
      }
      segments[parts[0], default: Files()].counts[field, default: 0] += 1
      if field == 0 { segments[parts[0]]?.rows += try await number(in: object, "rows") }
    }
    if segments.isEmpty { throw Refused(description: "no binlog to import") }
    if !files[1].isEmpty {
      for object in try await store.listAll(ObjectKey(files[1])) {
        let parts = object.key.string.split(separator: "/").suffix(2).map(String.init)
        segments[parts[0]]?.deletes += try await number(in: object, "deletes")
      }
    }
    let fields = collection.logFields
    for (id, segment) in segments {
      guard Set(segment.counts.keys) == fields, Set(segment.counts.values).count == 1 else {
        throw Refused(description: "the files of segment \(id) do not fit the schema")
      }
    }
    let rows = segments.values.reduce(0) { $0 + $1.rows - $1.deletes }
    let brought = faults.withLock { $0.importedRows }?(rows) ?? rows
    try await addSegment(to: name, partition: partition, rows: brought)
    return rows
  }

  private func number(in object: ObjectInfo, _ word: String) async throws -> Int64 {
    let bytes = try await store.get(object.key, range: nil, version: nil).bytes
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard words.count >= 2, words[0] == word, let number = Int64(words[1]) else {
      throw Refused(description: "\(object.key) is damaged")
    }
    return number
  }

  /// Writes a segment's log objects and lists it.
  @discardableResult
  func addSegment(
    to name: CollectionName, partition: String = "_default", rows: Int64, deletes: Int64 = 0, filesPerField: Int = 1,
    state segmentState: SegmentState = .flushed, padding: Int = 0
  ) async throws -> Int64 {
    guard let collection = self[name] else { throw Refused(description: "no collection \(name)") }
    let partitionID = collection.partitions.first { $0.partitionName == partition }?.partitionID ?? 0
    let id = state.withLock { state in
      state.nextID += 1000
      return state.nextID
    }
    let fields = collection.logFields
    for field in fields {
      for file in 0..<filesPerField {
        let share =
          file == 0 ? rows - rows / Int64(filesPerField) * Int64(filesPerField - 1) : rows / Int64(filesPerField)
        let key = LogKey.insert(
          collectionID: collection.id, partitionID: partitionID, groupID: 0, segmentID: id, fieldID: field,
          logID: id + 100 + field * 10 + Int64(file))
        let body =
          state.withLock { $0.writesLogs }
          ? LogBuilder.log(key, rows: [share])
          : Array("rows \(share) ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: padding)
        try await store.put(ObjectKey(key.milvusKey(rootPath: root)), body, condition: .none)
      }
    }
    if deletes > 0 {
      let key = LogKey.delta(
        collectionID: collection.id, partitionID: partitionID, groupID: 0, segmentID: id, logID: id + 1)
      let body =
        state.withLock { $0.writesLogs } ? LogBuilder.log(key, rows: [deletes]) : Array("deletes \(deletes)".utf8)
      try await store.put(ObjectKey(key.milvusKey(rootPath: root)), body, condition: .none)
    }
    let info = SegmentInfo(
      segmentID: id, collectionID: collection.id, partitionID: partitionID, numOfRows: rows, state: segmentState,
      level: .legacy, isSorted: false, storageVersion: 0)
    state.withLock { $0.collections[name.database]?[name.collection]?.segments.append(info) }
    return id
  }

  /// Removes a segment and its objects, as compaction and garbage collection do.
  func removeSegment(_ id: Int64, of name: CollectionName) async throws {
    state.withLock { state in
      state.collections[name.database]?[name.collection]?.segments.removeAll { $0.segmentID == id }
    }
    for object in try await store.listAll(ObjectKey(root + "/")) where object.key.string.contains("/\(id)/") {
      try await store.delete(object.key)
    }
  }
}
