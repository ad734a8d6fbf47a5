// Creating only what is absent, and overwriting without anybody seeing a part of an object.

import ObjectStore

extension Conformance {
  static let conditions: [ConformanceCheck] = [
    ConformanceCheck("a conditional write creates, and changes nothing that is there") { subject in
      let key = subject.key("created")
      let first = try await subject.store.put(key, [1, 2, 3], condition: .absent)
      let error = try await expect("a second creation", fails: .preconditionFailed) {
        try await subject.store.put(key, [4, 5], condition: .absent)
      }
      try expect("the error's key", error.key, is: key)
      let content = try await subject.store.get(key, range: nil, version: nil)
      try expect("the object after a refused creation", bytes: content.bytes, are: [1, 2, 3])
      try expect("its version after a refused creation", content.info.etag, is: first.etag)
      try await subject.store.delete(key)
      _ = try await subject.store.put(key, [6], condition: .absent)
    },
    ConformanceCheck("of many who create one object exactly one wins") { subject in
      for round in 0..<5 {
        let key = subject.key("contested-\(round)")
        let winners = try await withThrowingTaskGroup(of: UInt8?.self) { group in
          for number in UInt8(1)...12 {
            let store = number % 2 == 0 ? subject.store : subject.secondClient
            group.addTask {
              do {
                _ = try await store.put(key, [UInt8](repeating: number, count: 50_000), condition: .absent)
                return number
              } catch let error as StoreError where error.code == .preconditionFailed {
                return nil
              }
            }
          }
          var winners: [UInt8] = []
          for try await winner in group { if let winner { winners.append(winner) } }
          return winners
        }
        try expect("the number of winners", winners.count, is: 1)
        let seen = try await subject.store.get(key, range: nil, version: nil).bytes
        try expect("what is there", bytes: seen, are: [UInt8](repeating: winners[0], count: 50_000))
      }
    },
    ConformanceCheck("readers of an object that is overwritten see only whole versions") { subject in
      let key = subject.key("overwritten")
      // Each version is one byte value, and its size tells which.
      func body(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 60_000 + Int(value) * 1000) }
      _ = try await subject.store.put(key, body(0), condition: .none)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for round in 1...40 { _ = try await subject.store.put(key, body(UInt8(round % 7)), condition: .none) }
        }
        for reader in 0..<3 {
          let store = reader == 0 ? subject.secondClient : subject.store
          group.addTask {
            for _ in 0..<30 {
              let content = try await store.get(key, range: nil, version: nil)
              let value = content.bytes.first ?? 255
              try expect(
                value < 7 && content.bytes == body(value),
                "a reader saw \(content.bytes.count) bytes that begin with \(value): not a version that was written")
              try expect("the size told beside it", content.info.size, is: Int64(content.bytes.count))
              let listed = try await store.listAll(key)
              try expect("the number of objects listed while it is overwritten", listed.count, is: 1)
              try expect(
                listed[0].size >= 60_000 && listed[0].size % 1000 == 0, "a size of \(listed[0].size) was listed")
            }
          }
        }
        try await group.waitForAll()
      }
    },
    ConformanceCheck("ranges of one version are never mixed with another") { subject in
      let key = subject.key("mixed")
      _ = try await subject.store.put(key, [UInt8](repeating: 0, count: 200_000), condition: .none)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for round in 1...30 {
            let body = [UInt8](repeating: UInt8(round), count: 200_000)
            _ = try await subject.store.put(key, body, condition: .none)
          }
        }
        group.addTask {
          for _ in 0..<30 {
            let begin = try await subject.store.get(key, range: 0..<1, version: nil)
            do {
              let end = try await subject.store.get(key, range: 100_000..<200_000, version: begin.info.etag)
              try expect(
                end.bytes.allSatisfy { $0 == begin.bytes[0] }, "a range bound to a version has bytes of another")
            } catch let error as StoreError where error.code == .changed {
              continue
            }
          }
        }
        try await group.waitForAll()
      }
    },
  ]
}
