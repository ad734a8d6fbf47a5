// Writing and reading whole objects and ranges, and reading only the version asked for.

import ObjectStore

extension Conformance {
  static let objects: [ConformanceCheck] = [
    ConformanceCheck("an object comes back as it went, whatever its size") { subject in
      let part = subject.store.limits.minimumPartSize
      for size in Set([0, 1, 4095, 4096, 65_537, max(0, part - 1), part, part + 1]).sorted() {
        let (key, body) = (subject.key("object"), bytes(size, seed: UInt64(size)))
        let put = try await subject.store.put(key, body, condition: .none)
        let head = try await subject.store.head(key)
        let content = try await subject.store.get(key, range: nil, version: put.etag)
        try expect("what was read of \(size) bytes", bytes: content.bytes, are: body)
        for (source, info) in [("PUT", put), ("HEAD", head), ("GET", content.info)] {
          try expect("the key of \(source)", info.key, is: key)
          try expect("the size of \(source)", info.size, is: Int64(size))
          try expect("the version of \(source)", info.etag, is: put.etag)
        }
        let listed = try await subject.store.listAll(key)
        try expect("what is listed", listed, is: [head])
      }
    },
    ConformanceCheck("a range is cut to the object's end") { subject in
      let (key, body) = (subject.key("ranges"), bytes(100_000))
      let etag = try await subject.store.put(key, body, condition: .none).etag
      let ranges: [Range<Int64>] = [
        0..<1, 0..<100_000, 12_345..<54_321, 99_999..<100_000, 99_000..<200_000, 1..<Int64.max, 0..<Int64.max,
        100_000..<100_001, 500_000..<600_000, 0..<0, 5..<5, 100_000..<100_000, 200_000..<200_000,
      ]
      for range in ranges {
        let content = try await subject.store.get(key, range: range, version: etag)
        let cut = range.clamped(to: 0..<100_000)
        try expect(
          "the range \(range)", bytes: content.bytes, are: Array(body[Int(cut.lowerBound)..<Int(cut.upperBound)]))
        try expect("the size told with the range \(range)", content.info.size, is: 100_000)
        try expect("the version told with the range \(range)", content.info.etag, is: etag)
      }
    },
    ConformanceCheck("a range of an empty object is empty") { subject in
      let key = subject.key("empty")
      let etag = try await subject.store.put(key, [], condition: .none).etag
      for range in [nil, 0..<0, 0..<1, 7..<9] as [Range<Int64>?] {
        let content = try await subject.store.get(key, range: range, version: etag)
        try expect("the range \(range.debugDescription)", bytes: content.bytes, are: [])
        try expect("the size", content.info.size, is: 0)
      }
    },
    ConformanceCheck("an object that is not there is notFound, with its name and the operation") { subject in
      let key = subject.key("absent/object")
      let errors = [
        try await expect("HEAD", fails: .notFound) { try await subject.store.head(key) },
        try await expect("GET", fails: .notFound) { try await subject.store.get(key, range: nil, version: nil) },
        try await expect("GET of a range", fails: .notFound) {
          try await subject.store.get(key, range: 0..<5, version: nil)
        },
      ]
      for error in errors {
        try expect("the error's key", error.key, is: key)
        try expect("the error's place", error.location, is: subject.store.location)
        try expect(!error.operation.isEmpty && !error.reason.isEmpty, "the error does not say what failed and why")
        try expect(!error.isTransient, "an absent object is told as a failure that passes")
      }
    },
    ConformanceCheck("only the version asked for is read") { subject in
      let key = subject.key("versions")
      let old = try await subject.store.put(key, bytes(1000, seed: 1), condition: .none).etag
      let new = try await subject.store.put(key, bytes(1000, seed: 2), condition: .none).etag
      try expect(old != new, "another body of the same size has the same version \(old)")
      for range in [nil, 0..<1, 0..<0, 5000..<6000] as [Range<Int64>?] {
        try await expect("GET of an old version", fails: .changed) {
          try await subject.store.get(key, range: range, version: old)
        }
        _ = try await subject.store.get(key, range: range, version: new)
      }
      try await subject.store.delete(key)
      try await expect("GET of a version that was removed", fails: .notFound) {
        try await subject.store.get(key, range: nil, version: new)
      }
    },
    ConformanceCheck("what one client wrote another one sees at once") { subject in
      for round in 0..<5 {
        let (key, body) = (subject.key("dir\(round)/shared"), bytes(100 + round, seed: UInt64(round)))
        let put = try await subject.store.put(key, body, condition: .none)
        let other = subject.secondClient
        try expect("the second client's HEAD", try await other.head(key).etag, is: put.etag)
        let seen = try await other.get(key, range: nil, version: put.etag).bytes
        try expect("the second client's GET", bytes: seen, are: body)
        try expect("the second client's listing", try await other.listAll(key).map(\.etag), is: [put.etag])
        try await other.delete(key)
        try await expect("HEAD of what the other removed", fails: .notFound) { try await subject.store.head(key) }
      }
    },
  ]
}
