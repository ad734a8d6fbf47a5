// Which directories one import task of Milvus is given. Logic without I/O.
//
// Milvus up to 2.3 runs one task at a time and takes about two seconds for each, whatever its size, and reads a
// directory with all segments below it: so a task gets a whole partition there, unless it would work for too long. Later
// versions take one segment directory per task, many tasks at once; or, by REST, many segment directories in one task
// (milvus-backup format, restore).

import BackupFormat

/// The import units that one task imports.
struct ImportBundle: Sendable, Hashable {
  /// At least one; more than one only of one partition, all with rows.
  let units: [ImportUnit]

  /// What the units contain.
  var kind: ImportUnit.Kind { units[0].kind }
  /// Name of the partition; empty for deletes of all partitions.
  var partitionName: String { units[0].partitionName }
  /// Rows of the segments before deletes are applied.
  var rows: Int64 { units.reduce(0) { $0 + $1.rows } }
  /// Rows of segments without deletes: so many must come back at least.
  var certainRows: Int64 { units.reduce(0) { $0 + ($1.hasDeltas ? 0 : $1.rows) } }
  /// Size of the log objects in bytes.
  var bytes: Int64 { units.reduce(0) { $0 + $1.bytes } }
  /// Number of log objects.
  var objects: Int { units.reduce(0) { $0 + $1.objects } }
  /// Directories relative to the backup that hold the log objects, each ending with a slash.
  var sources: [String] { units.flatMap { [$0.insertDirectory, $0.deltaDirectory].compactMap { $0 } } }

  /// The paths to give to Milvus, relative to where the backup's directories lie: for rows the insert directory and the
  /// delta directory or "", for deletes the delta directory alone.
  var paths: [String] {
    guard kind == .segments else { return units[0].deltaDirectory.map { [$0] } ?? [] }
    let inserts = units.compactMap(\.insertDirectory)
    let deltas = units.compactMap(\.deltaDirectory)
    guard units.count > 1 else { return [inserts.first ?? "", deltas.first ?? ""] }
    return [partitionDirectory(.insert), deltas.isEmpty ? "" : partitionDirectory(.delta)]
  }

  /// The same for a server that is asked by REST: a list for each unit, without the directories that are not there.
  var pathGroups: [[String]] {
    units.map { unit in
      (kind == .segments ? [unit.insertDirectory, unit.deltaDirectory] : [unit.deltaDirectory]).compactMap { $0 }
    }
  }

  /// A name that is the same whenever the same units are imported together: their partition, number and a digest (FNV-1a,
  /// 64 bits) of their segments.
  var name: String {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    let ids = units.flatMap(\.segmentIDs)
    for id in ids {
      for shift in stride(from: 0, to: 64, by: 8) {
        digest = (digest ^ UInt64(truncatingIfNeeded: id >> Int64(shift)) & 0xff) &* 0x100_0000_01b3
      }
    }
    return "\(kind == .segments ? "rows" : "deletes") \(units[0].partitionID) \(ids.count) \(String(digest, radix: 16))"
  }

  private func partitionDirectory(_ kind: LogKey.Kind) -> String {
    "binlogs/\(kind.rawValue)/\(units[0].collectionID)/\(units[0].partitionID)/"
  }

  /// How many units may share a task.
  enum Packing: Sendable, Hashable {
    /// One each.
    case single
    /// All of a partition, if together they are within so many bytes: they are imported where they lie.
    case partitions(Int64)
    /// As many of a partition as are within so many bytes: they are copied to directories made for the purpose.
    case chunks(Int64)
    /// As many of a partition, with one channel and one storage version, as are within so many bytes and segments; of
    /// deletes so many.
    case jobs(bytes: Int64, segments: Int, deletes: Int)
  }

  /// The bundles of a plan: rows first, deletes after all rows.
  static func bundles(_ plan: ImportPlan, _ packing: Packing) -> [ImportBundle] {
    let rows = plan.units.filter { $0.kind == .segments }
    let deletes = deletes(plan.units.filter { $0.kind == .deletes }, packing)
    // Deltas without their segment would be handed over along with a whole partition directory.
    let strayDeltas = Set(
      plan.skipped.filter { $0.reason == .noInsertLogs }.map(\.partitionID) + deletes.map { $0.units[0].partitionID })
    var bundles: [ImportBundle] = []
    for partition in partitions(rows) {
      switch packing {
      case .partitions(let limit)
      where !strayDeltas.contains(partition[0].partitionID) && ImportBundle(units: partition).bytes <= limit:
        bundles.append(ImportBundle(units: partition))
      case .chunks(let limit):
        bundles += chunks(partition, limit)
      case .jobs(let bytes, let segments, _):
        bundles += alike(partition).flatMap { chunks($0, bytes, count: segments) }
      default:
        bundles += partition.map { ImportBundle(units: [$0]) }
      }
    }
    return bundles + deletes
  }

  private static func deletes(_ units: [ImportUnit], _ packing: Packing) -> [ImportBundle] {
    guard case .jobs(let bytes, _, let count) = packing else { return units.map { ImportBundle(units: [$0]) } }
    return partitions(units).flatMap { chunks($0, bytes, count: count) }
  }

  /// Units that one task may import together, by channel and storage version.
  private static func alike(_ units: [ImportUnit]) -> [[ImportUnit]] {
    Dictionary(grouping: units) { "\($0.vChannel) \($0.storageVersion)" }.sorted { $0.key < $1.key }.map(\.value)
  }

  private static func partitions(_ units: [ImportUnit]) -> [[ImportUnit]] {
    var order: [Int64] = []
    var members: [Int64: [ImportUnit]] = [:]
    for unit in units {
      if members[unit.partitionID] == nil { order.append(unit.partitionID) }
      members[unit.partitionID, default: []].append(unit)
    }
    return order.compactMap { members[$0] }
  }

  private static func chunks(_ units: [ImportUnit], _ limit: Int64, count: Int = .max) -> [ImportBundle] {
    var chunks: [[ImportUnit]] = []
    var size: Int64 = 0
    for unit in units {
      if let last = chunks.indices.last, size + unit.bytes <= limit, chunks[last].count < count {
        chunks[last].append(unit)
        size += unit.bytes
      } else {
        chunks.append([unit])
        size = unit.bytes
      }
    }
    return chunks.map { ImportBundle(units: $0) }
  }
}
