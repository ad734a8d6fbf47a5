// Copies inside the service.

import ObjectStore

extension Conformance {
  static let copies: [ConformanceCheck] = [
    ConformanceCheck("a copy has the source's bytes and replaces what was there") { subject in
      let bucket = subject.store.location.bucket
      for size in [0, 1, 70_000, 3_000_001] {
        let (source, target) = (subject.key("source"), subject.key("copies/deep/target"))
        let put = try await subject.store.put(source, bytes(size, seed: 9), condition: .none)
        for version in [put.etag, nil] {
          let copied = try await subject.store.copy(from: source, inBucket: bucket, version: version, to: target)
          try expect("the copy's key", copied.key, is: target)
          try expect("the copy's size", copied.size, is: Int64(size))
          let content = try await subject.store.get(target, range: nil, version: copied.etag)
          try expect("the copy", bytes: content.bytes, are: bytes(size, seed: 9))
        }
        try expect("the source's version afterwards", try await subject.store.head(source).etag, is: put.etag)
      }
    },
    ConformanceCheck("a copy reaches from one bucket of the service into another") { subject in
      guard let other = subject.otherBucket else { return }
      let body = bytes(100_000)
      let put = try await other.put(subject.key("there"), body, condition: .none)
      let copied = try await subject.store.copy(
        from: subject.key("there"), inBucket: other.location.bucket, version: put.etag, to: subject.key("here"))
      let content = try await subject.store.get(subject.key("here"), range: nil, version: copied.etag)
      try expect("the copy", bytes: content.bytes, are: body)
      try await expect("HEAD of the source's key in the target's bucket", fails: .notFound) {
        try await subject.store.head(subject.key("there"))
      }
    },
    ConformanceCheck("only the version asked for is copied, and a refused copy changes nothing") { subject in
      let bucket = subject.store.location.bucket
      let (source, target) = (subject.key("source"), subject.key("target"))
      let old = try await subject.store.put(source, [1], condition: .none).etag
      try await subject.store.put(source, [2, 2], condition: .none)
      let there = try await subject.store.put(target, [7], condition: .none)
      try await expect("a copy of an old version", fails: .changed) {
        try await subject.store.copy(from: source, inBucket: bucket, version: old, to: target)
      }
      let absent = subject.key("absent")
      for version in [nil, old] {
        let error = try await expect("a copy of what is not there", fails: .notFound) {
          try await subject.store.copy(from: absent, inBucket: bucket, version: version, to: target)
        }
        try expect("the error's key", error.key, is: absent)
      }
      try expect("the target's version afterwards", try await subject.store.head(target).etag, is: there.etag)
      try await expect("a refused copy to a new key", fails: .changed) {
        try await subject.store.copy(from: source, inBucket: bucket, version: old, to: subject.key("new/target"))
      }
      try expect("what is there", try await subject.names(), is: ["source", "target"])
    },
  ]
}
