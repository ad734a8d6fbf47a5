// `check --sweep`: what crashed processes left in the two buckets of a store.

import Glibc
import ObjectStore

/// Removes leftovers.
struct CheckSweep: Sendable {
  private let stores: [any ObjectStore]
  private let sweepable: [any LeftoverSweeping]
  private let journal: UploadJournal
  private let age: Age

  init(_ target: CheckTarget, journal: UploadJournal, olderThan age: Age) {
    let isOne = target.backups.location == target.milvusObjects.location
    stores = isOne ? [target.backups] : [target.backups, target.milvusObjects]
    sweepable = target.sweepable
    self.journal = journal
    self.age = age
  }

  /// Removes what may be removed and tells about all of it.
  func run() async -> [SweepItem] {
    var items: [SweepItem] = []
    for store in stores {
      do {
        let sweep = UploadSweep(store, journal: journal, olderThan: age.seconds, now: Int64(time(nil)))
        items += try await sweep.run().map { finding in
          let id = finding.uploadID.map { " (\($0))" } ?? ""
          return SweepItem(
            what: "upload of \(finding.key)\(id)", result: SweepItem.Result(finding.outcome), detail: finding.text)
        }
      } catch {
        items.append(SweepItem(what: "\(store.location)", result: .failed, detail: "\(error)"))
      }
    }
    for store in sweepable {
      do {
        items += try await store.sweepLeftovers(olderThan: age.seconds).map {
          SweepItem(what: "leftover", result: .removed, detail: $0)
        }
      } catch {
        items.append(SweepItem(what: "leftovers", result: .failed, detail: "\(error)"))
      }
    }
    return items
  }
}

extension SweepItem.Result {
  fileprivate init(_ outcome: UploadSweep.Finding.Outcome) {
    switch outcome {
    case .removed: self = .removed
    case .left: self = .left
    case .failed: self = .failed
    }
  }
}
