// Parts that are read while they are sent.

import ObjectStore
import Synchronization

extension Conformance {
  static let streamedParts: [ConformanceCheck] = [
    ConformanceCheck("streamed parts and whole ones make one object; a number sent again is replaced") { subject in
      let (store, key) = (subject.store, subject.key("dir/streamed"))
      let size = max(store.limits.minimumPartSize, PartSource.pieceSize) + 70_000
      let pieces = [bytes(size, seed: 1), bytes(size + 1, seed: 2), bytes(10, seed: 3)]
      let upload = try await store.beginUpload(key, streaming: true)
      var parts: [Int: UploadedPart] = [:]
      for (number, body) in [(3, pieces[2]), (1, bytes(size, seed: 8)), (2, pieces[1]), (1, pieces[0])] {
        let part =
          number == 3
          ? try await store.uploadPart(upload, number: number, body)
          : try await store.uploadPart(upload, number: number, from: PartSource(body))
        try expect("the part's number", part.number, is: number)
        try expect("the part's size", part.size, is: Int64(body.count))
        parts[number] = part
      }
      let all = [1, 2, 3].compactMap { parts[$0] }
      let info = try await store.completeUpload(upload, parts: all, condition: .none)
      try expect("the object's size", info.size, is: Int64(2 * size + 11))
      let content = try await store.get(key, range: nil, version: info.etag)
      try expect("the object", bytes: content.bytes, are: pieces[0] + pieces[1] + pieces[2])
      try expect("the uploads left", try await store.listAllUploads(subject.key("")), is: [])
    },
    ConformanceCheck("a streamed part is read piece by piece, one at a time, from its beginning to its end") {
      subject in
      let (store, key) = (subject.store, subject.key("pieces"))
      let body = bytes(2 * PartSource.pieceSize + 1000)
      let reading = Reading(body)
      let upload = try await store.beginUpload(key, streaming: true)
      let part = try await store.uploadPart(upload, number: 1, from: reading.source())
      try reading.check()
      try await store.completeUpload(upload, parts: [part], condition: .none)
      try expect("the object", bytes: try await store.get(key, range: nil, version: nil).bytes, are: body)
    },
    ConformanceCheck("a small or empty streamed part is one like others") { subject in
      let store = subject.store
      for body in [[], [7] as [UInt8]] {
        let key = subject.key("small-\(body.count)")
        let upload = try await store.beginUpload(key, streaming: true)
        let part = try await store.uploadPart(upload, number: 1, from: PartSource(body))
        let info = try await store.completeUpload(upload, parts: [part], condition: .none)
        try expect("the object's size", info.size, is: Int64(body.count))
        try expect("the object", bytes: try await store.get(key, range: nil, version: nil).bytes, are: body)
      }
    },
    ConformanceCheck("a part whose source fails ends with the source's error, and the upload goes on") { subject in
      let (store, key) = (subject.store, subject.key("failing"))
      let upload = try await store.beginUpload(key, streaming: true)
      let place = StoreLocation(provider: "test", endpoint: "source", bucket: "b")
      for count in [0, 1, 2] {
        let reading = Reading(bytes(3 * PartSource.pieceSize))
        let source = reading.source { range in
          guard range.lowerBound == count * PartSource.pieceSize else { return }
          throw StoreError(.changed, operation: "GetObject", key: "source", location: place, reason: "it was changed")
        }
        let error = try await expect("a part whose source fails at piece \(count)", fails: .changed) {
          try await store.uploadPart(upload, number: 1, from: source)
        }
        try expect("the place of the error", error.location, is: place)
        try expect(!reading.isBusy, "the source is read after the call has ended")
      }
      let body = bytes(1000)
      let part = try await store.uploadPart(upload, number: 1, from: PartSource(body))
      try await store.completeUpload(upload, parts: [part], condition: .none)
      try expect("the object", bytes: try await store.get(key, range: nil, version: nil).bytes, are: body)
    },
    ConformanceCheck("a source that gives another number of bytes makes no part") { subject in
      let (store, key) = (subject.store, subject.key("short"))
      let upload = try await store.beginUpload(key, streaming: true)
      for difference in [-1, 1] {
        let source = PartSource(size: 1000) { range in [UInt8](repeating: 1, count: range.count + difference) }
        try await expect("a part of \(1000 + difference) bytes instead of 1000", fails: .connectionLost) {
          try await store.uploadPart(upload, number: 1, from: source)
        }
      }
      try await store.abortUpload(upload)
    },
    ConformanceCheck("a streamed part is refused out of range, of an ended upload, and of one not begun for it") {
      subject in
      let (store, key) = (subject.store, subject.key("refused"))
      let source = PartSource(bytes(1000))
      let whole = try await store.beginUpload(key)
      try await expect("a streamed part of an upload for whole ones", fails: .unsupported) {
        try await store.uploadPart(whole, number: 1, from: source)
      }
      try await store.abortUpload(whole)
      let upload = try await store.beginUpload(key, streaming: true)
      for number in [0, store.limits.maximumParts + 1] {
        try await expect("a part of number \(number)", fails: .unsupported) {
          try await store.uploadPart(upload, number: number, from: source)
        }
      }
      try await store.abortUpload(upload)
      let late = try await expect("a part of an aborted upload", fails: .uploadNotFound) {
        try await store.uploadPart(upload, number: 1, from: source)
      }
      try expect("the error's key", late.key, is: key)
      try expect("what is there", try await subject.names(), is: [])
      try expect("the uploads left", try await store.listAllUploads(subject.key("")), is: [])
    },
    ConformanceCheck("a streamed part that is cancelled ends as cancelled, and its source is let go") { subject in
      let store = subject.store
      let upload = try await store.beginUpload(subject.key("cancelled"), streaming: true)
      for count in [0, 2] {
        let reading = Reading(bytes(3 * PartSource.pieceSize))
        let source = reading.source { range in
          guard range.lowerBound == count * PartSource.pieceSize else { return }
          reading.arrive()
          try await Task.sleep(for: .seconds(3600))
        }
        let task = Task { try await store.uploadPart(upload, number: 1, from: source) }
        await reading.arrived()
        task.cancel()
        try await expect("a part cancelled at piece \(count)", fails: .cancelled) { try await task.value }
        try expect(!reading.isBusy, "the source is read after the call has ended")
      }
      try await store.abortUpload(upload)
      try expect("what is there", try await subject.names(), is: [])
    },
  ]
}

/// A part's source that watches how it is read.
private final class Reading: Sendable {
  private struct State {
    var ranges: [Range<Int64>] = []
    var readers = 0
    var mostReaders = 0
    var hasArrived = false
  }

  private let body: [UInt8]
  private let state = Mutex(State())

  init(_ body: [UInt8]) { self.body = body }

  /// - Parameter before: runs before each piece.
  func source(before: @escaping @Sendable (Range<Int64>) async throws -> Void = { _ in }) -> PartSource {
    PartSource(size: Int64(body.count)) { range in
      self.state.withLock { state in
        state.ranges.append(range)
        state.readers += 1
        state.mostReaders = max(state.mostReaders, state.readers)
      }
      defer { self.state.withLock { $0.readers -= 1 } }
      try await before(range)
      return Array(self.body[Int(range.lowerBound)..<Int(range.upperBound)])
    }
  }

  /// Whether somebody is reading.
  var isBusy: Bool { state.withLock { $0.readers > 0 } }

  func arrive() { state.withLock { $0.hasArrived = true } }

  func arrived() async { while !state.withLock({ $0.hasArrived }) { try? await Task.sleep(for: .milliseconds(1)) } }

  /// Fails unless it was read in order and whole, perhaps after some beginnings that were given up.
  func check() throws {
    let (ranges, most) = state.withLock { ($0.ranges, $0.mostReaders) }
    try expect("the number of readers at once", most, is: 1)
    var end: Int64 = 0
    for range in ranges {
      try expect(range.lowerBound == end || range.lowerBound == 0, "\(range) was read after what ends at \(end)")
      try expect(range.count <= PartSource.pieceSize, "a piece of \(range.count) bytes was read")
      end = range.upperBound
    }
    try expect("the end of what was read", end, is: Int64(body.count))
  }
}
