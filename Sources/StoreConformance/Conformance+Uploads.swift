// Multipart uploads.

import ObjectStore

extension Conformance {
  static let uploads: [ConformanceCheck] = [
    ConformanceCheck("parts sent in any order, one of them twice, make one object") { subject in
      let (store, key) = (subject.store, subject.key("dir/parts"))
      let size = max(store.limits.minimumPartSize, 70_000)
      let pieces = [bytes(size, seed: 1), bytes(size + 1, seed: 2), bytes(10, seed: 3)]
      let upload = try await store.beginUpload(key)
      var parts: [Int: UploadedPart] = [:]
      for (number, body) in [(3, pieces[2]), (1, bytes(size, seed: 8)), (2, pieces[1]), (1, pieces[0])] {
        let part = try await store.uploadPart(upload, number: number, body)
        try expect("the part's number", part.number, is: number)
        try expect("the part's size", part.size, is: Int64(body.count))
        parts[number] = part
      }
      let all = [1, 2, 3].compactMap { parts[$0] }
      let info = try await store.completeUpload(upload, parts: all, condition: .none)
      try expect("the object's size", info.size, is: Int64(2 * size + 11))
      let content = try await store.get(key, range: nil, version: info.etag)
      try expect("the object", bytes: content.bytes, are: pieces[0] + pieces[1] + pieces[2])
      try expect("what is listed", try await store.listAll(subject.key("")).map(\.etag), is: [info.etag])
      try expect("the uploads left", try await store.listAllUploads(subject.key("")), is: [])
    },
    ConformanceCheck("an upload shows nothing until it is completed, and then replaces what was there") { subject in
      let (store, key) = (subject.store, subject.key("replaced"))
      let old = try await store.put(key, [1, 2, 3], condition: .none)
      let upload = try await store.beginUpload(key)
      let invisible = try await store.beginUpload(subject.key("new/dir/object"))
      let part = try await store.uploadPart(upload, number: 1, bytes(1000))
      _ = try await store.uploadPart(invisible, number: 1, bytes(1000))
      try expect("the listing before completion", try await store.listAll(subject.key("")).map(\.etag), is: [old.etag])
      let groups = try await pages(subject, "", grouped: true, limit: 10)
      try expect("the groups before completion", groups, is: ["replaced"])
      let before = try await store.get(key, range: nil, version: old.etag).bytes
      try expect("the object before completion", bytes: before, are: [1, 2, 3])
      let info = try await store.completeUpload(upload, parts: [part], condition: .none)
      let after = try await store.get(key, range: nil, version: info.etag).bytes
      try expect("the object after completion", bytes: after, are: bytes(1000))
      try await store.abortUpload(invisible)
    },
    ConformanceCheck("only the parts named make the object") { subject in
      let (store, key) = (subject.store, subject.key("chosen"))
      let upload = try await store.beginUpload(key)
      let first = try await store.uploadPart(upload, number: 4, bytes(500, seed: 4))
      _ = try await store.uploadPart(upload, number: 9, bytes(500, seed: 9))
      try await store.completeUpload(upload, parts: [first], condition: .none)
      let seen = try await store.get(key, range: nil, version: nil).bytes
      try expect("the object", bytes: seen, are: bytes(500, seed: 4))
    },
    ConformanceCheck("a part that is too small or out of range is refused") { subject in
      let (store, key) = (subject.store, subject.key("refused"))
      let upload = try await store.beginUpload(key)
      for number in [0, -1, store.limits.maximumParts + 1] {
        try await expect("a part of number \(number)", fails: .unsupported) {
          try await store.uploadPart(upload, number: number, [1])
        }
      }
      if store.limits.minimumPartSize > 1 {
        let parts = [
          try await store.uploadPart(upload, number: 1, [1]), try await store.uploadPart(upload, number: 2, [2]),
        ]
        try await expect("an object of small parts", fails: .unsupported, .tooLarge) {
          try await store.completeUpload(upload, parts: parts, condition: .none)
        }
      }
      try expect("what is there", try await subject.names(), is: [])
    },
    ConformanceCheck("an aborted upload is gone, and aborting again is no error") { subject in
      let (store, key) = (subject.store, subject.key("dir/aborted"))
      let upload = try await store.beginUpload(key)
      let part = try await store.uploadPart(upload, number: 1, bytes(1000))
      try await store.abortUpload(upload)
      try await store.abortUpload(upload)
      let late = try await expect("a part of an aborted upload", fails: .uploadNotFound) {
        try await store.uploadPart(upload, number: 2, [1])
      }
      try expect("the error's key", late.key, is: key)
      for condition in [WriteCondition.none, .absent] {
        try await expect("completing an aborted upload", fails: .uploadNotFound) {
          try await store.completeUpload(upload, parts: [part], condition: condition)
        }
      }
      try expect("what is there", try await subject.names(), is: [])
      try expect("the uploads left", try await store.listAllUploads(subject.key("")), is: [])
    },
    ConformanceCheck("completing under a condition creates, and changes nothing that is there") { subject in
      let (store, key) = (subject.store, subject.key("conditional"))
      let first = try await store.beginUpload(key)
      let second = try await store.beginUpload(key)
      let parts = [
        try await store.uploadPart(first, number: 1, bytes(1000, seed: 1)),
        try await store.uploadPart(second, number: 1, bytes(2000, seed: 2)),
      ]
      let info = try await store.completeUpload(first, parts: [parts[0]], condition: .absent)
      try await expect("a second creation", fails: .preconditionFailed) {
        try await store.completeUpload(second, parts: [parts[1]], condition: .absent)
      }
      let content = try await store.get(key, range: nil, version: info.etag)
      try expect("the object", bytes: content.bytes, are: bytes(1000, seed: 1))
      try await store.abortUpload(second)
    },
    ConformanceCheck("completing again after success finds the object that the first one made") { subject in
      let (store, key) = (subject.store, subject.key("again"))
      let upload = try await store.beginUpload(key)
      let part = try await store.uploadPart(upload, number: 1, bytes(3000))
      let first = try await store.completeUpload(upload, parts: [part], condition: .none)
      let again = try await store.completeUpload(upload, parts: [part], condition: .none)
      try expect("the version told again", again.etag, is: first.etag)
      try expect("the size told again", again.size, is: first.size)
      try expect("what is there", try await store.listAll(subject.key("")).map(\.etag), is: [first.etag])
      try await store.delete(key)
      try await expect("completing an upload whose object is gone", fails: .uploadNotFound, .notFound) {
        try await store.completeUpload(upload, parts: [part], condition: .none)
      }
    },
    ConformanceCheck("unfinished uploads are listed by prefix until they end") { subject in
      let store = subject.store
      var uploads: [MultipartUpload] = []
      for name in ["u/one", "u/one", "u/t w+o", "v/three"] {
        uploads.append(try await store.beginUpload(subject.key(name)))
      }
      func pending(_ prefix: String) async throws -> Set<MultipartUpload> {
        Set(try await subject.secondClient.listAllUploads(subject.key(prefix)).map(\.upload))
      }
      try expect("all uploads", try await pending(""), is: Set(uploads))
      try expect("those below u/", try await pending("u/"), is: Set(uploads[0..<3]))
      try await store.abortUpload(uploads[0])
      let part = try await store.uploadPart(uploads[2], number: 1, [1])
      try await store.completeUpload(uploads[2], parts: [part], condition: .none)
      try expect("those left", try await pending(""), is: [uploads[1], uploads[3]])
    },
  ]
}
