// Cancelled calls end as cancelled and leave nothing partial.

import ObjectStore

extension Conformance {
  static let cancellations: [ConformanceCheck] = [
    ConformanceCheck("a call of a cancelled task ends as cancelled and does nothing") { subject in
      let store = subject.store
      try await subject.write(["there"])
      let there = subject.key("there")
      let upload = try await store.beginUpload(subject.key("upload"))
      let part = try await store.uploadPart(upload, number: 1, [1])
      let streaming = try await store.beginUpload(subject.key("streaming"), streaming: true)
      let calls: [(String, @Sendable () async throws -> Void)] = [
        ("list", { _ = try await store.list(ListRequest(prefix: subject.key(""))) }),
        ("head", { _ = try await store.head(there) }),
        ("get", { _ = try await store.get(there, range: nil, version: nil) }),
        ("put", { try await store.put(subject.key("new"), bytes(1000), condition: .none) }),
        (
          "copy",
          { try await store.copy(from: there, inBucket: store.location.bucket, version: nil, to: subject.key("copy")) }
        ),
        ("beginUpload", { _ = try await store.beginUpload(subject.key("another")) }),
        ("uploadPart", { _ = try await store.uploadPart(upload, number: 2, [2]) }),
        ("streamed uploadPart", { _ = try await store.uploadPart(streaming, number: 1, from: PartSource([2])) }),
        ("completeUpload", { try await store.completeUpload(upload, parts: [part], condition: .none) }),
        ("abortUpload", { try await store.abortUpload(upload) }),
        ("listUploads", { _ = try await store.listUploads(UploadListRequest(prefix: subject.key(""))) }),
        ("delete", { try await store.delete(there) }),
        ("delete of many", { try await store.delete([there, subject.key("x")]) }),
      ]
      for (name, call) in calls {
        try await expect("a cancelled \(name)", fails: .cancelled) {
          let task = Task {
            while !Task.isCancelled { await Task.yield() }
            try await call()
          }
          task.cancel()
          try await task.value
        }
      }
      try expect("what is there", try await subject.names(), is: ["there"])
      let uploads = try await store.listAllUploads(subject.key("")).map(\.upload.id)
      try expect("the uploads", uploads.sorted(), is: [upload.id, streaming.id].sorted())
    },
    ConformanceCheck("a write that is cancelled under way leaves the whole object or none") { subject in
      let body = bytes(4 << 20)
      for round in 0..<12 {
        let key = subject.key("cancelled/\(round)")
        let old = bytes(100, seed: UInt64(round))
        if round % 2 == 0 { try await subject.store.put(key, old, condition: .none) }
        let task = Task { try await subject.store.put(key, body, condition: .none) }
        for _ in 0..<(round * round * 20) { await Task.yield() }
        task.cancel()
        do {
          _ = try await task.value
        } catch let error as StoreError {
          try expect("the error of a cancelled write", error.code, is: .cancelled)
        }
        do {
          let seen = try await subject.store.get(key, range: nil, version: nil).bytes
          try expect(
            seen == body || (round % 2 == 0 && seen == old),
            "\(seen.count) bytes are there: neither the old nor the new")
        } catch let error as StoreError where error.code == .notFound && round % 2 == 1 {
          continue
        }
      }
      let keys = try await subject.names()
      try expect(keys.allSatisfy { $0.hasPrefix("cancelled/") }, "cancelled writes left \(keys)")
    },
    ConformanceCheck("reading that is cancelled ends as cancelled") { subject in
      let key = subject.key("read")
      try await subject.store.put(key, bytes(1 << 20), condition: .none)
      let task = Task {
        while true {
          _ = try await subject.store.get(key, range: nil, version: nil)
          // A store in memory never waits; this lets others run, among them who cancels.
          await Task.yield()
        }
      }
      for _ in 0..<100 { await Task.yield() }
      task.cancel()
      try await expect("an endless reader", fails: .cancelled) { try await task.value }
    },
  ]
}
