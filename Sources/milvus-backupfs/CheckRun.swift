// The trials of `check`, in the order in which a job would meet them.
//
// Invariants: whatever is written is removed again, also after failures and interruption; no listing asks for more than
// one name; what cannot succeed because an earlier trial failed is skipped with that reason, so one wrong setting is one
// failure.

import BackupFormat
import Configuration
import MilvusClient
import ObjectStore

/// What is checked.
struct CheckTarget: Sendable {
  var backups: any ObjectStore
  var backupRoot: String
  var milvusObjects: any ObjectStore
  var milvusRoot: String
  /// Why objects are not copied inside the service although there is but one, if so.
  var crossStorage: Bool
  var milvus: MilvusEndpoint
  /// The stores that find their leftovers themselves.
  var sweepable: [any LeftoverSweeping] = []
}

extension CheckTarget {
  /// The two sides of a configuration. Troubles that pass are given three chances, not a minute.
  init(_ configuration: StoreConfiguration, opener: StoreOpener) throws {
    let policy = RetryPolicy(maximumAttempts: 3, patience: 20, patienceWhenUnreachable: 2)
    let sides = try opener.sides(of: configuration)
    self.init(
      backups: StoreOpener.retrying(sides.backups, policy), backupRoot: sides.place.backups.prefix,
      milvusObjects: StoreOpener.retrying(sides.milvus, policy), milvusRoot: sides.place.milvus.prefix,
      crossStorage: configuration.crossStorage, milvus: try opener.endpoint(configuration.milvus),
      sweepable: [sides.backups, sides.milvus].compactMap { $0 as? any LeftoverSweeping })
  }
}

/// Carries the trials out.
struct CheckRun: Sendable {
  private let target: CheckTarget
  /// Unique, so that two checks at once do not meet; a name that no backup has, and none that a directory tree keeps for
  /// itself.
  private let probeName = ".milvus-backupfs.check-" + String(UInt64.random(in: 0 ... .max), radix: 16)

  init(_ target: CheckTarget) { self.target = target }

  /// Tries everything.
  func run() async -> [CheckItem] {
    async let milvus = checkMilvus()
    let backupProbe = ObjectKey(ObjectPath.join(target.backupRoot, probeName))
    let milvusProbe = ObjectKey(ObjectPath.join(target.milvusRoot, probeName + "-m"))
    var backups = CheckSide(.backups, target.backups, root: target.backupRoot, probe: backupProbe)
    await backups.run()
    var objects = CheckSide(.milvusObjects, target.milvusObjects, root: target.milvusRoot, probe: milvusProbe)
    await objects.run()
    let both = await checkCopies(backups, objects)
    await backups.clean()
    await objects.clean()
    return backups.items + objects.items + both + (await milvus)
  }

  /// Copies a probe from each side to the other, as backups and restores do.
  private func checkCopies(_ backups: CheckSide, _ objects: CheckSide) async -> [CheckItem] {
    let ways = [("copy backup → Milvus", backups, objects), ("copy Milvus → backup", objects, backups)]
    var items: [CheckItem] = []
    for (what, from, to) in ways {
      var item = CheckItem(side: .both, what: what, result: .skipped)
      let (source, destination) = (from.store.location, to.store.location)
      if target.crossStorage {
        item.detail = "minio.crossStorage is true: objects pass through this program"
      } else if source.endpoint != destination.endpoint || source.provider != destination.provider {
        item.detail = "two services: objects pass through this program"
      } else if !from.hasProbe || !to.hasProbe {
        item.detail = "writing failed"
      } else {
        let copy = ObjectKey(to.probe.string + "-copy")
        do {
          try await to.store.copy(from: from.probe, inBucket: source.bucket, version: nil, to: copy)
          item.result = .ok
        } catch {
          item.result = .failed
          item.detail = "\(error)"
        }
        await to.remove(copy)
      }
      items.append(item)
    }
    return items
  }

  private func checkMilvus() async -> [CheckItem] {
    var options = MilvusClientOptions()
    options.outageBudget = .seconds(2)
    var connect = CheckItem(side: .milvus, what: "connect", result: .ok)
    var read = CheckItem(side: .milvus, what: "list collections", result: .ok)
    do {
      try await withMilvusClient(to: target.milvus, options: options) { client in
        connect.detail = "Milvus \(client.server.versionText)"
        do {
          _ = try await client.collections(in: "")
        } catch {
          read.result = .failed
          read.detail = Self.sentence(error)
        }
      }
    } catch {
      connect.result = .failed
      connect.detail = Self.sentence(error)
      read.result = .skipped
      read.detail = "connecting failed"
    }
    return [connect, read]
  }

  /// The error with the settings that can be wrong.
  private static func sentence(_ error: any Error) -> String {
    guard let error = error as? MilvusError else { return "\(error)" }
    switch error.code {
    case .unreachable where error.remedy?.contains("milvus.") == true: return "\(error)."
    case .unreachable, .timedOut: return "\(error): milvus.address, milvus.port, milvus.tlsMode."
    default: return "\(error)"
    }
  }
}
