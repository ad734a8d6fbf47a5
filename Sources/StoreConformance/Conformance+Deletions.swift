// Removing objects.

import ObjectStore

extension Conformance {
  static let deletions: [ConformanceCheck] = [
    ConformanceCheck("removing is idempotent and touches nothing else") { subject in
      try await subject.write(["d/a", "d/ab", "d/b/c", "e"])
      for _ in 0..<2 { try await subject.store.delete(subject.key("d/a")) }
      try await subject.store.delete(subject.key("never/was"))
      try await subject.store.delete(subject.key("d"))
      try await subject.store.delete(subject.key("d/b"))
      try await subject.store.delete([])
      try expect("what is left", try await subject.names(), is: ["d/ab", "d/b/c", "e"])
      for _ in 0..<2 { try await subject.store.delete(["d/ab", "gone", "d/b/c", "d/ab"].map { subject.key($0) }) }
      try expect("what is left", try await subject.names(), is: ["e"])
      try await subject.write(["d", "never"])
      try expect("what is there", try await subject.names(), is: ["d", "e", "never"])
    },
    ConformanceCheck("objects written while their neighbours are removed are not lost") { subject in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<6 {
          group.addTask {
            let key = subject.key("deep/er/shared/\(writer)")
            for round in 0..<15 {
              let put = try await subject.store.put(key, [UInt8(round)], condition: .absent)
              try expect("the object just written", try await subject.store.head(key).etag, is: put.etag)
              try await subject.store.delete(key)
            }
            try await subject.store.put(key, [99], condition: .absent)
          }
        }
        try await group.waitForAll()
      }
      try expect("what is there", try await subject.names(), is: (0..<6).map { "deep/er/shared/\($0)" })
    },
  ]
}
